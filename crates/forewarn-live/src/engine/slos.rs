//! Service level objectives of the services: budgets left, burn rates, and events when one begins or ends to be
//! violated.

pub(super) mod followed;

use super::{Engine, SloEvent, SloView, state::service::Service};
use crate::LiveError;
use forewarn_core::CoreError;
use forewarn_label::{Slo, SloState};
use forewarn_schema::{Schema, Step, Timestamp};

/// Objectives that have seen nothing, to begin with where a service appears.
pub(super) fn start(slos: &[Slo], metrics: &Schema, step: Step) -> Result<Vec<SloState>, LiveError> {
    Ok(slos.iter().map(|slo| slo.start(metrics, step)).collect::<Result<_, _>>()?)
}

impl Engine {
    pub(super) fn slo_views(&self) -> Vec<SloView> {
        let services = self.by_name.values().map(|&slot| (slot, &self.services[slot]));
        let views = services.flat_map(|(slot, service)| {
            let score = self.models[self.main].fleet.scores()[slot].filter(|_| self.tells(slot).is_none());
            let probability = score.map(|score| f64::from(score.get()));
            service.slos.iter().map(move |followed| SloView {
                standing: followed.event(&service.name),
                since: followed.since(),
                probability,
            })
        });
        views.collect()
    }
}

impl Service {
    /// Counts a row in each objective; those that stand otherwise than before go to `news`.
    pub(super) fn follow_slos(
        &mut self,
        row: &[f32],
        time: Timestamp,
        news: &mut Vec<SloEvent>,
    ) -> Result<(), LiveError> {
        for followed in &mut self.slos {
            if followed.take(row, time)? {
                news.push(followed.event(&self.name));
            }
        }
        Ok(())
    }

    pub(super) fn save_slos(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.slos.iter().try_for_each(|followed| followed.save(out))
    }

    /// Takes what [`save_slos`](Self::save_slos) wrote for the same objectives.
    pub(super) fn restore_slos(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.slos.iter_mut().try_for_each(|followed| followed.restore(from))
    }
}
