//! What every answer is wrapped in.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Answer;
use crate::{Limits, PrometheusError, text};

/// Warnings and infos that are kept.
const REMARKS_KEPT: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    status: Status,
    data: Option<T>,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    warnings: Option<Vec<String>>,
    #[serde(default)]
    infos: Option<Vec<String>>,
    #[serde(default)]
    is_partial: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Success,
    Error,
}

/// The part of an envelope that says that something went wrong, whatever else is in it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refusal {
    status: Status,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: String,
}

/// The data of an answer, or why there are none.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], limits: &Limits) -> Result<Answer<T>, PrometheusError> {
    limits.bytes(body.len())?;
    let envelope: Envelope<T> = match serde_json::from_slice(body) {
        Ok(envelope) => envelope,
        // An error of a server may carry data of another form.
        Err(error) => {
            return Err(match serde_json::from_slice(body) {
                Ok(Refusal { status: Status::Error, error_type, error }) => refused(&error_type, &error),
                _ => not_an_answer(body, &error.to_string()),
            });
        }
    };
    if matches!(envelope.status, Status::Error) {
        return Err(refused(&envelope.error_type, &envelope.error));
    }
    let Some(data) = envelope.data else { return Err(not_an_answer(body, "it has no \"data\"")) };
    let (warnings, infos) = (plain(envelope.warnings), plain(envelope.infos));
    let partial = envelope.is_partial || !warnings.is_empty();
    Ok(Answer { data, warnings, infos, partial })
}

fn refused(kind: &str, message: &str) -> PrometheusError {
    let kind = if kind.is_empty() { "no error type".to_owned() } else { text::quoted(kind) };
    PrometheusError::Server { kind, message: text::quoted(message) }
}

fn not_an_answer(body: &[u8], reason: &str) -> PrometheusError {
    PrometheusError::NotAnAnswer { reason: text::quoted(reason), begins: text::quoted_bytes(body) }
}

fn plain(remarks: Option<Vec<String>>) -> Vec<String> {
    remarks.unwrap_or_default().iter().take(REMARKS_KEPT).map(|remark| text::quoted(remark)).collect()
}
