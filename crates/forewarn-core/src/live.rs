//! Live rows of one service: when they come, the last of them, what a model says of them, and all that as bytes.

mod clock;
mod predictor;
mod rows;
mod rows_state;
mod state;

pub use clock::RowClock;
pub use predictor::PredictorState;
pub use rows::RowBuffer;
pub use rows_state::{Pushed, RowsState};
pub use state::{Fingerprint, restore_part, save_part, seal, unseal};
