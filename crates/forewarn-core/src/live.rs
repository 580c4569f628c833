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

#[cfg(test)]
mod tests {
    use crate::{
        CoreError, Envelope, Evidence, FailureRule, Feature, FeatureState, Fingerprint, Forecast, Labels,
        Outcomes, Predictor, PredictorState, RowBuffer, RowClock, RowsState, Samples, Score, Snapshots,
        Split, WindowSpec, Windows,
    };

    fn shared<T: Send + Sync + ?Sized>() {}

    #[test]
    fn public_types_are_send_and_sync() {
        shared::<CoreError>();
        shared::<Envelope>();
        shared::<Evidence>();
        shared::<dyn Feature>();
        shared::<dyn FeatureState>();
        shared::<dyn FailureRule>();
        shared::<dyn Predictor>();
        shared::<Fingerprint>();
        shared::<Forecast>();
        shared::<Labels>();
        shared::<Outcomes>();
        shared::<PredictorState<Box<dyn Predictor>>>();
        shared::<RowBuffer>();
        shared::<RowClock>();
        shared::<RowsState>();
        shared::<Samples>();
        shared::<Score>();
        shared::<Snapshots>();
        shared::<Split>();
        shared::<WindowSpec>();
        shared::<Windows<'_>>();
    }
}
