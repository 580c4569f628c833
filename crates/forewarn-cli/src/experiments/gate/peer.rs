//! Boosters of Python as models of an experiment: fitted and scored on the very same windows.

use forewarn::{
    core::{CoreError, Estimator, LabelledWindows, Monitor, Predictor, Score, Train, Validation, Windows},
    schema::Schema,
};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

const SCRIPT: &str = include_str!("boosters.py");

/// A library of Python that fits boosted trees.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) library: &'static str,
    pub(super) python: PathBuf,
    /// Columns, from the first on, of which the whole window is shown; of those behind them the last row.
    pub(super) viewed: usize,
}

impl Peer {
    /// What there is for.
    pub(super) const LIBRARIES: [&str; 2] = ["lightgbm", "xgboost"];

    /// Whether this Python has the library.
    pub(super) fn is_there(library: &str, python: &Path) -> bool {
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, "check", library]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn of(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> CoreError {
        CoreError::outside(self.library, error)
    }

    fn run(&self, what: &str, folder: &Path) -> Result<(), CoreError> {
        let mut command = Command::new(&self.python);
        let output = command.args(["-c", SCRIPT, what, self.library]).arg(folder).output();
        let output = output.map_err(|error| self.of(format!("{}: {error}", self.python.display())))?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.lines().last().unwrap_or("no message");
        Err(self.of(format!("{}: {last}", output.status)))
    }

    fn write(&self, windows: Windows<'_>, path: &Path) -> Result<(), CoreError> {
        let width = windows.schema().len();
        let viewed = self.viewed.min(width);
        let write = || -> io::Result<()> {
            let mut file = BufWriter::new(File::create(path)?);
            for window in windows.iter() {
                for value in row(window, width, viewed) {
                    file.write_all(&value.to_le_bytes())?;
                }
            }
            file.flush()
        };
        write().map_err(|error| self.of(format!("{}: {error}", path.display())))
    }

    fn columns(&self, windows: Windows<'_>) -> usize {
        let width = windows.schema().len();
        let viewed = self.viewed.min(width);
        viewed * (windows.observation() + AGGREGATES) + width - viewed
    }
}

/// Mean, deviation, smallest, largest value and change over the window.
const AGGREGATES: usize = 5;

/// A window as one row: all values of the first columns with their aggregates, the last values of the others.
fn row(window: &[f32], width: usize, viewed: usize) -> Vec<f32> {
    let mut row = Vec::new();
    for column in 0..viewed {
        let values: Vec<f32> = window.iter().skip(column).step_by(width).copied().collect();
        let known: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        let count = known.len() as f32;
        let mean = known.iter().sum::<f32>() / count;
        let square = known.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / count;
        let least = known.iter().copied().reduce(f32::min).unwrap_or(f32::NAN);
        let most = known.iter().copied().reduce(f32::max).unwrap_or(f32::NAN);
        let change = values.last().zip(values.first()).map_or(f32::NAN, |(last, first)| last - first);
        row.extend(values);
        row.extend([mean, square.sqrt(), least, most, change]);
    }
    let last = window.len() - width;
    row.extend_from_slice(&window[last + viewed..]);
    row
}

impl Estimator for Peer {
    type Fitted = FittedPeer;

    fn fit(
        &self,
        train: Train<LabelledWindows<'_>>,
        validation: Validation<LabelledWindows<'_>>,
        _: &mut dyn Monitor,
    ) -> Result<FittedPeer, CoreError> {
        let folder = Scratch::new().map_err(|error| self.of(error))?;
        let at = |name: &str| folder.0.join(name);
        let text = self.columns(train.windows()).to_string();
        fs::write(at("columns.txt"), text).map_err(|error| self.of(error))?;
        for (name, part) in [("train", *train), ("validation", *validation)] {
            self.write(part.windows(), &at(&format!("{name}.f32")))?;
            let labels: Vec<u8> = part.positive().iter().map(|&positive| u8::from(positive)).collect();
            fs::write(at(&format!("{name}.u8")), labels).map_err(|error| self.of(error))?;
        }
        self.run("fit", &folder.0)?;
        for name in ["train.f32", "validation.f32"] {
            fs::remove_file(at(name)).map_err(|error| self.of(error))?;
        }
        let (schema, observation) = (train.windows().schema().clone(), train.windows().observation());
        Ok(FittedPeer { peer: self.clone(), folder: Mutex::new(folder), schema, observation })
    }
}

/// A booster that Python has fitted.
pub(super) struct FittedPeer {
    peer: Peer,
    /// Scores of one piece of the windows at a time.
    folder: Mutex<Scratch>,
    schema: Schema,
    observation: usize,
}

impl Predictor for FittedPeer {
    fn input(&self) -> &Schema {
        &self.schema
    }

    fn observation(&self) -> usize {
        self.observation
    }

    fn score(&self, windows: Windows<'_>, scores: &mut [Score]) -> Result<(), CoreError> {
        self.expect_shapes(windows, scores)?;
        if scores.is_empty() {
            return Ok(());
        }
        let folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        self.peer.write(windows, &folder.0.join("score.f32"))?;
        self.peer.run("score", &folder.0)?;
        let bytes = fs::read(folder.0.join("scores.f32")).map_err(|error| self.peer.of(error))?;
        let (found, _) = bytes.as_chunks::<4>();
        if found.len() != scores.len() {
            let (expected, got) = (scores.len(), found.len());
            return Err(CoreError::LengthMismatch { what: "scores of a booster", expected, got });
        }
        for (score, &bytes) in scores.iter_mut().zip(found) {
            *score = Score::new(f32::from_le_bytes(bytes))?;
        }
        Ok(())
    }
}

/// A folder that goes with its owner.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Self> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("forewarn-gate-{}-{number}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays behind is no error of the experiment.
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_window_is_shown_with_its_aggregates() {
        // Two rows of three columns, of which the first is viewed.
        let found = row(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 1);
        assert_eq!(found, [1.0, 4.0, 2.5, 1.5, 1.0, 4.0, 3.0, 5.0, 6.0]);
        let missing = row(&[f32::NAN, 4.0], 1, 1);
        assert_eq!(missing[2..6], [4.0, 0.0, 4.0, 4.0]);
        assert!(missing[0].is_nan() && missing[6].is_nan());
    }
}
