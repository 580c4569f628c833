//! How a normaliser is written, and what is checked when it is read.

use super::{Column, Normalisation, Normaliser};
use crate::WindowError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parts {
    method: Normalisation,
    columns: Vec<String>,
    limit: Option<f32>,
    global: Vec<Column>,
    services: BTreeMap<String, Vec<Column>>,
}

impl TryFrom<Parts> for Normaliser {
    type Error = WindowError;

    fn try_from(parts: Parts) -> Result<Self, WindowError> {
        let damaged = |reason: String| WindowError::DamagedNormaliser { reason };
        let services = parts.services.iter().map(|(name, columns)| (name.as_str(), columns));
        for (service, columns) in std::iter::once(("all services", &parts.global)).chain(services) {
            if columns.len() != parts.columns.len() {
                let (got, expected) = (columns.len(), parts.columns.len());
                return Err(damaged(format!("{service}: {got} columns, expected {expected}")));
            }
            for (name, column) in parts.columns.iter().zip(columns) {
                let of_method = matches!(parts.method, Normalisation::Quantile { .. })
                    == matches!(column, Column::Quantiles(_));
                if !of_method {
                    return Err(damaged(format!("{service}: {name} is normalised by another method")));
                }
                if let Some(damage) = column.damage() {
                    return Err(damaged(format!("{service}: {name} has {damage}")));
                }
            }
        }
        let Parts { method, columns, limit, global, services } = parts;
        let normaliser = Self { method, columns, limit: None, global, services };
        match limit {
            Some(limit) => normaliser.with_limit(limit),
            None => Ok(normaliser),
        }
    }
}

impl From<Normaliser> for Parts {
    fn from(normaliser: Normaliser) -> Self {
        let Normaliser { method, columns, limit, global, services } = normaliser;
        Self { method, columns, limit, global, services }
    }
}
