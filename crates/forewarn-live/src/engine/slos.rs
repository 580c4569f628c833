//! Service level objectives of the services: budgets left, burn rates, and events when one begins or ends to be
//! violated.

use super::{Engine, EventBody, SloEvent, SloView, state::service::Service};
use crate::LiveError;
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_label::{Slo, SloLevel, SloState};
use forewarn_schema::{Schema, Step, Timestamp};
use serde::{Deserialize, Serialize};

/// An objective at work on one service.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    state: SloState,
    standing: Standing,
}

/// How an objective stands, as was said last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Standing {
    level: SloLevel,
    exhausted: bool,
    /// Row time of the last change.
    since: Option<Timestamp>,
}

/// Objectives that have seen nothing, to begin with where a service appears.
pub(super) fn start(slos: &[Slo], metrics: &Schema, step: Step) -> Result<Vec<SloState>, LiveError> {
    Ok(slos.iter().map(|slo| slo.start(metrics, step)).collect::<Result<_, _>>()?)
}

/// The objectives of a service.
pub(super) fn of_service(all: &[SloState], service: &str) -> Vec<Followed> {
    let fits = |state: &&SloState| state.slo().service().is_none_or(|only| only == service);
    let follow = |state: &SloState| Followed { state: state.clone(), standing: Standing::default() };
    all.iter().filter(fits).map(follow).collect()
}

impl Engine {
    /// Counts the rows of a minute, and says which objectives stand otherwise than before.
    pub(super) fn follow_slos(&mut self, time: Timestamp) -> Result<(), LiveError> {
        let width = self.metrics.len();
        for (service, row) in self.services.iter_mut().zip(self.rows.chunks_exact(width)) {
            for followed in &mut service.slos {
                followed.state.push(row)?;
                if followed.is_news(time) {
                    let event = followed.event(&service.name);
                    self.out.emit(time, EventBody::Slo(event));
                }
            }
        }
        Ok(())
    }

    pub(super) fn slo_views(&self) -> Vec<SloView> {
        let services = self.by_name.values().map(|&slot| (slot, &self.services[slot]));
        let views = services.flat_map(|(slot, service)| {
            let score = self.models[self.main].fleet.scores()[slot].filter(|_| self.tells(slot).is_none());
            let probability = score.map(|score| f64::from(score.get()));
            service.slos.iter().map(move |followed| SloView {
                standing: followed.event(&service.name),
                since: followed.standing.since,
                probability,
            })
        });
        views.collect()
    }
}

impl Followed {
    /// Whether it stands otherwise than was said last; takes note of it.
    fn is_news(&mut self, time: Timestamp) -> bool {
        let level = self.state.level();
        let exhausted = self.state.budget_left().is_some_and(|left| left <= 0.0);
        let is_news = (level, exhausted) != (self.standing.level, self.standing.exhausted);
        if is_news {
            self.standing = Standing { level, exhausted, since: Some(time) };
        }
        is_news
    }

    fn event(&self, service: &str) -> SloEvent {
        let slo = self.state.slo();
        SloEvent {
            service: service.to_owned(),
            slo: slo.name().to_owned(),
            target: slo.objective(),
            period_days: slo.period_days(),
            level: self.standing.level,
            exhausted: self.standing.exhausted,
            budget_left: self.state.budget_left(),
            burn_rates: self.state.burn_rates().collect(),
            minutes_to_exhaustion: self.state.minutes_to_exhaustion(),
        }
    }
}

impl Service {
    pub(super) fn save_slos(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        self.slos.iter().try_for_each(|followed| {
            save_part(&followed.standing, out)?;
            followed.state.save(out)
        })
    }

    /// Takes what [`save_slos`](Self::save_slos) wrote for the same objectives.
    pub(super) fn restore_slos(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.slos.iter_mut().try_for_each(|followed| {
            followed.standing = restore_part(from)?;
            followed.state.restore(from)
        })
    }
}
