use forewarn_baseline::{Baseline, Calibrated, Combined, Qualified};
use forewarn_core::{CoreError, Envelope, Predictor};
use forewarn_recurrent::RecurrentModel;

/// Makes the model of an envelope, whichever of forewarn's it is: a baseline, a network, or those with others inside.
///
/// # Errors
/// [`CoreError::WrongModelKind`] for a kind that is not forewarn's, and those of the model itself.
pub fn saved_predictor(envelope: Envelope) -> Result<Box<dyn Predictor>, CoreError> {
    Ok(match envelope.kind.as_str() {
        "lstm" | "gru" => Box::new(RecurrentModel::from_envelope(envelope)?),
        "calibrated" => Box::new(Calibrated::from_envelope(envelope, saved_predictor)?),
        "combined" => Box::new(Combined::from_envelope(envelope, saved_predictor)?),
        "qualified" => Box::new(Qualified::from_envelope(envelope, saved_predictor)?),
        _ => Box::new(Baseline::from_envelope(envelope)?),
    })
}
