use forewarn_core::Feature;
use forewarn_label::{LabelError, Verdicts};
use forewarn_window::{MadeFeature, WindowError};
use serde_json::Value;

/// Makes the features that are not of `forewarn-window` from what was saved of them, `None` for any other: for
/// [`Pipeline::from_saved`](forewarn_window::Pipeline::from_saved) and [`Features::from_saved`](forewarn_window::Features::from_saved).
///
/// # Errors
/// [`WindowError::UnreadableFeature`] for verdicts that cannot be read or make no sense.
pub fn saved_feature(value: &Value) -> MadeFeature {
    let unreadable = |error: LabelError| WindowError::UnreadableFeature { reason: error.to_string() };
    let verdicts = Verdicts::from_saved(value).map_err(unreadable)?;
    Ok(verdicts.map(|verdicts| Box::new(verdicts) as Box<dyn Feature>))
}
