use crate::{
    Format,
    error::{Origin, Place},
};

/// The files of one reading, whose lines are numbered on from one to the next.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sources {
    /// Each file and the number of lines before it.
    files: Vec<(u64, Origin)>,
    last: u64,
}

impl Sources {
    #[cfg(feature = "parquet")]
    pub(crate) fn of(origin: &Origin) -> Self {
        let mut sources = Self::default();
        sources.begin(origin);
        sources
    }

    /// Begins a file.
    pub(crate) fn begin(&mut self, origin: &Origin) {
        self.files.push((self.last, origin.clone()));
    }

    /// The number of a line of the present file among all lines.
    pub(crate) fn number(&mut self, line: u64) -> u64 {
        let before = self.files.last().map_or(0, |(before, _)| *before);
        self.last = self.last.max(before + line);
        before + line
    }

    /// The place of a line, by its number.
    pub(crate) fn at(&self, number: u64) -> Place {
        let file = self.files.partition_point(|(before, _)| *before < number).saturating_sub(1);
        match self.files.get(file) {
            Some((before, origin)) => origin.at(number - before),
            None => Origin::new("", Format::Csv).at(number),
        }
    }

    /// The one file, or the first and how many more there are.
    pub(crate) fn name(&self) -> String {
        match self.files.as_slice() {
            [] => String::new(),
            [(_, only)] => only.file(),
            [(_, first), more @ ..] => format!("{} and {} more", first.file(), more.len()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.files.len()
    }

    /// The format of the files, where they have one.
    pub(crate) fn format(&self) -> Format {
        let mut formats = self.files.iter().map(|(_, origin)| origin.format);
        let first = formats.next().unwrap_or(Format::Csv);
        if formats.all(|format| format == first) { first } else { Format::Several }
    }
}
