//! Scores and failures as files hold them.

mod episode_file;
mod predictions;
mod score_file;
mod table;

pub use episode_file::EpisodeFile;
pub use predictions::predictions_csv;
pub use score_file::{Outside, ScoreFile};
