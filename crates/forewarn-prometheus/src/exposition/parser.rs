use super::entry::{Entry, Exemplar, ExpositionSample, FamilyKind};
use super::scan::{Scanner, unescape};
use super::{TextFormat, line};
use crate::{Labels, Limits, NAME, PrometheusError};

/// Reads an exposition line by line, keeping no more than the family that it is in.
#[derive(Clone, Debug)]
pub struct ExpositionParser {
    format: TextFormat,
    limits: Limits,
    lines: usize,
    samples: usize,
    /// Name and kind of the last `# TYPE`.
    family: Option<(String, FamilyKind)>,
    ended: bool,
}

/// Endings by which samples of a family are named.
const ENDINGS: &[&str] = &["_bucket", "_count", "_sum", "_total", "_created", "_gcount", "_gsum", "_info"];

impl ExpositionParser {
    /// A parser at the first line.
    #[must_use]
    pub fn new(format: TextFormat, limits: Limits) -> Self {
        Self { format, limits, lines: 0, samples: 0, family: None, ended: false }
    }

    /// Lines that were read.
    #[must_use]
    pub fn lines(&self) -> usize {
        self.lines
    }

    /// Reads the next line, without its end; `None` for an empty line or a remark.
    ///
    /// # Errors
    /// [`PrometheusError::Line`], [`PrometheusError::Limit`], and those of [`Labels::new`].
    pub fn line<'a>(&mut self, text: &'a str) -> Result<Option<Entry<'a>>, PrometheusError> {
        self.lines += 1;
        self.limits.line_bytes(text.len())?;
        let text = text.strip_suffix('\r').unwrap_or(text);
        let mut scanner = Scanner::new(self.lines, text);
        if self.ended {
            return Err(scanner.expected("nothing after \"# EOF\""));
        }
        scanner.blanks();
        if scanner.is_at_end() {
            return match self.format {
                TextFormat::Prometheus => Ok(None),
                TextFormat::OpenMetrics => Err(scanner.expected("no empty line in OpenMetrics")),
            };
        }
        if scanner.take("#") {
            return self.remark(scanner);
        }
        self.sample(scanner).map(|sample| Some(Entry::Sample(sample)))
    }

    /// Says that the text is over.
    ///
    /// # Errors
    /// [`PrometheusError::NoEof`] for OpenMetrics that does not end in `# EOF`.
    pub fn finish(self) -> Result<(), PrometheusError> {
        if self.format == TextFormat::OpenMetrics && !self.ended {
            return Err(PrometheusError::NoEof { lines: self.lines });
        }
        Ok(())
    }

    fn remark<'a>(&mut self, mut scanner: Scanner<'a>) -> Result<Option<Entry<'a>>, PrometheusError> {
        let open_metrics = self.format == TextFormat::OpenMetrics;
        scanner.blanks();
        let keyword = scanner.word(&[' ', '\t']);
        scanner.blanks();
        match keyword {
            "EOF" if open_metrics && scanner.is_at_end() => {
                self.ended = true;
                return Ok(Some(Entry::End));
            }
            "TYPE" | "HELP" => {}
            "UNIT" if open_metrics => {}
            _ => return Ok(None),
        }
        let family = scanner.name(&[' ', '\t'])?.into_owned();
        self.limits.label_bytes(family.len())?;
        scanner.blanks();
        Ok(Some(match keyword {
            "TYPE" => {
                let word = scanner.rest().trim_end();
                let kind = FamilyKind::read(word)
                    .ok_or_else(|| scanner.wrong(word, "a type, such as counter, gauge or histogram"))?;
                self.family = Some((family.clone(), kind));
                Entry::Kind { family, kind }
            }
            "HELP" => Entry::Help { family, help: unescape(scanner.rest()) },
            _ => Entry::Unit { family, unit: scanner.rest() },
        }))
    }

    fn sample(&mut self, mut scanner: Scanner<'_>) -> Result<ExpositionSample, PrometheusError> {
        self.samples += 1;
        self.limits.samples(self.samples)?;
        let mut pairs = Vec::new();
        if scanner.peek() != Some('{') {
            let name = scanner.name(&['{', ' ', '\t'])?;
            pairs.push((NAME.to_owned(), name.into_owned()));
            scanner.blanks();
        }
        if scanner.take("{") {
            line::labels(&mut scanner, &self.limits, &mut pairs)?;
        }
        let labels = Labels::new(pairs)?;
        let Some(name) = labels.name() else { return Err(scanner.expected("a metric's name")) };
        let (kind, is_created) = self.kind_of(name);
        scanner.blanks();
        let value = line::number(&mut scanner)?;
        scanner.blanks();
        let has_time = !scanner.is_at_end() && scanner.peek() != Some('#');
        let time = if has_time { Some(line::time(&mut scanner, self.format)?) } else { None };
        scanner.blanks();
        let exemplar = match self.format {
            TextFormat::OpenMetrics if scanner.take("#") => Some(self.exemplar(&mut scanner)?),
            _ => None,
        };
        scanner.blanks();
        if !scanner.is_at_end() {
            return Err(scanner.expected("the end of the line"));
        }
        Ok(ExpositionSample { labels, value, time, kind, is_created, exemplar })
    }

    fn exemplar(&self, scanner: &mut Scanner<'_>) -> Result<Exemplar, PrometheusError> {
        scanner.blanks();
        if !scanner.take("{") {
            return Err(scanner.expected("an exemplar's labels in braces"));
        }
        let mut pairs = Vec::new();
        line::labels(scanner, &self.limits, &mut pairs)?;
        scanner.blanks();
        let value = line::number(scanner)?;
        scanner.blanks();
        let time = if scanner.is_at_end() { None } else { Some(line::time(scanner, self.format)?) };
        Ok(Exemplar { labels: Labels::new(pairs)?, value, time })
    }

    /// The kind of the family that a sample belongs to, and whether the sample is the family's start.
    fn kind_of(&self, name: &str) -> (FamilyKind, bool) {
        let Some((family, kind)) = &self.family else { return (FamilyKind::Unknown, false) };
        let Some(ending) = name.strip_prefix(family.as_str()) else { return (FamilyKind::Unknown, false) };
        if !ending.is_empty() && !ENDINGS.contains(&ending) {
            return (FamilyKind::Unknown, false);
        }
        let has_start = matches!(kind, FamilyKind::Counter | FamilyKind::Histogram | FamilyKind::Summary);
        let is_created = self.format == TextFormat::OpenMetrics && has_start && ending == "_created";
        (*kind, is_created)
    }
}
