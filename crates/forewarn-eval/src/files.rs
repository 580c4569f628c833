//! Scores and failures as files hold them.

mod duration;
mod episode_file;
mod failures;
mod judged;
mod predictions;
mod score_file;
mod settings;
mod table;

pub use episode_file::EpisodeFile;
pub use failures::{KnownFailures, LabelMeaning};
pub use judged::JudgedScores;
pub use predictions::predictions_csv;
pub use score_file::ScoreFile;
pub use settings::FileSettings;
