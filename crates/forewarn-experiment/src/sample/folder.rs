use super::{SampleAbout, Sampled, schema_fingerprint};
use crate::{Data, ExperimentError};
use forewarn_core::{Label, SMALL_FILE_BYTES, read_text_file};
use forewarn_io::{MetricSpec, ReadOptions, Recording};
use forewarn_schema::{FrameSet, Layout, Timestamp};
use std::{
    io,
    path::{Path, PathBuf},
};

/// Where the rows of a sample are, and what is about them, in its folder.
const ROWS: &str = "forewarn_part=rows";
const ABOUT: &str = "about";

fn unreadable(path: &Path, reason: impl Into<String>) -> ExperimentError {
    ExperimentError::SampleUnreadable { path: path.to_owned(), reason: reason.into() }
}

impl SampleAbout {
    /// Reads what is about the sample in `folder`, without its rows.
    ///
    /// # Errors
    /// [`ExperimentError::SampleUnreadable`], [`ExperimentError::SampleFormat`],
    /// [`ExperimentError::SampleFingerprint`].
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, ExperimentError> {
        let path = about_file(folder.as_ref())?;
        let text = read_text_file(&path, 16 * SMALL_FILE_BYTES);
        let text = text.map_err(|error| unreadable(&path, error.to_string()))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| unreadable(&path, error.to_string()))?;
        // Before its other fields are asked for: those of another format may be others.
        let format = value.get("format").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if format != u64::from(Self::FORMAT) {
            return Err(ExperimentError::SampleFormat { path, found: format, expected: Self::FORMAT });
        }
        let about: Self =
            serde_json::from_value(value).map_err(|error| unreadable(&path, error.to_string()))?;
        let expected = schema_fingerprint(&about.schema, about.step)?;
        if about.fingerprint != expected {
            let found = about.fingerprint;
            return Err(ExperimentError::SampleFingerprint { path, found, expected });
        }
        Ok(about)
    }

    /// Reads the sample in `folder`: what is about it, and its rows, to be fitted on.
    ///
    /// Every row is labelled again by the rule that travelled with it, and compared with the label that it had: what
    /// this program would serve is what the cluster labelled. So is every weight; where windows stand for other numbers
    /// than 1, the data has them ([`Data::with_window_weights`]).
    ///
    /// # Errors
    /// As [`read`](Self::read); [`ExperimentError::Read`] for rows that cannot be read or have other columns;
    /// [`ExperimentError::SampleRows`] for services that are not all there, or have other rows than were counted;
    /// [`ExperimentError::SampleLabel`] and [`ExperimentError::SampleWeight`] for the first label or weight that is
    /// another one.
    pub fn open(folder: impl AsRef<Path>) -> Result<(Self, Data), ExperimentError> {
        let folder = folder.as_ref();
        let about = Self::read(folder)?;
        let metrics = about.schema.metrics().iter().map(|metric| {
            let mut spec = MetricSpec::new(metric.name.as_str());
            spec.kind = Some(metric.kind);
            spec.range = Some(metric.range);
            spec
        });
        let mut columns: Vec<String> = about.schema.names().map(str::to_owned).collect();
        columns.extend([Self::LABEL, Self::WEIGHT].map(str::to_owned));
        let options = ReadOptions::default()
            .with_time_columns(["timestamp"])
            .with_service_columns(["service"])
            .with_columns(columns)
            .with_metrics(metrics.collect())
            .with_step(about.step);
        let read = forewarn_io::read(folder.join(ROWS), &options);
        let mut recording = read.map_err(|error| ExperimentError::Read(Box::new(error)))?;
        about.check_services(recording.frames.layout())?;
        let (frames, weights) = about.checked(&recording)?;
        recording.frames = frames;
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        let mut data = Data::from_recording(recording, name);
        if let Some(weights) = weights {
            data = data.with_window_weights(weights)?;
        }
        Ok((about, data))
    }

    /// Refuses rows of other services than were kept, or of other times.
    fn check_services(&self, layout: &Layout) -> Result<(), ExperimentError> {
        let mut found = layout.services().iter().peekable();
        for service in self.services.iter().filter(|service| service.kept) {
            let place = found.next_if(|place| place.name() == service.service);
            let rows = place.map_or(0, |place| place.rows().len() as u64);
            let starts = place.is_none_or(|place| place.start() == service.start);
            if rows != service.rows || !starts {
                let (service, expected) = (service.service.clone(), service.rows);
                return Err(ExperimentError::SampleRows { service, found: rows, expected });
            }
        }
        match found.next() {
            None => Ok(()),
            Some(place) => Err(ExperimentError::SampleRows {
                service: place.name().to_owned(),
                found: place.rows().len() as u64,
                expected: 0,
            }),
        }
    }

    /// The metrics of the rows, once every label and weight has been found again, and the weights, unless each window
    /// stands for itself.
    fn checked(&self, recording: &Recording) -> Result<(FrameSet, Option<Vec<f32>>), ExperimentError> {
        let (all, width) = (&recording.frames, self.schema.len() + 2);
        let (at, weight_at) = (all.schema().index_of(Self::LABEL)?, all.schema().index_of(Self::WEIGHT)?);
        let order: Vec<usize> =
            self.schema.names().map(|name| all.schema().index_of(name)).collect::<Result<_, _>>()?;
        let rows = all.values().chunks_exact(width);
        let values = rows.clone().flat_map(|row| order.iter().map(|&column| row[column])).collect();
        let frames = all.derive(self.schema.clone(), values)?;
        let Sampled { labels, weights, .. } = self.question.ask(&frames)?;
        let place = |index: usize| {
            let place = all.layout().locate(index);
            let service = place.and_then(|(service, _)| all.layout().services().get(service));
            let service = service.map_or_else(String::new, |place| place.name().to_owned());
            (service, place.map_or(Timestamp::EPOCH, |(_, time)| time))
        };
        for (index, (row, (&label, &weight))) in rows.zip(labels.as_slice().iter().zip(&weights)).enumerate()
        {
            let (found, expected) = (row[at], Self::code(label));
            if found != f32::from(expected) {
                let (service, time) = place(index);
                return Err(ExperimentError::SampleLabel { service, time, found, expected });
            }
            let (found, expected) = (row[weight_at], weight);
            if found != expected {
                let (service, time) = place(index);
                return Err(ExperimentError::SampleWeight { service, time, found, expected });
            }
        }
        let stands_for_itself =
            |(label, &weight): (&Label, &f32)| matches!(label, Label::Excluded(_)) || weight == 1.0;
        let all_do = labels.as_slice().iter().zip(&weights).all(stands_for_itself);
        Ok((frames, (!all_do).then_some(weights)))
    }
}

/// The one file in which is written what is about a sample.
fn about_file(folder: &Path) -> Result<PathBuf, ExperimentError> {
    let folder = folder.join(ABOUT);
    let entries = std::fs::read_dir(&folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| unreadable(&folder, error.to_string()))?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    match files.as_slice() {
        [file] => Ok(file.clone()),
        files => Err(unreadable(&folder, format!("has {} files of text, expected 1", files.len()))),
    }
}
