use crate::{LiveError, engine::SloEvent};
use forewarn_core::{CoreError, restore_part, save_part};
use forewarn_label::{SloLevel, SloState};
use forewarn_schema::Timestamp;
use serde::{Deserialize, Serialize};
use thin_vec::ThinVec;

/// An objective at work on one service.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Followed {
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

/// The objectives of a service.
pub(in crate::engine) fn of_service(all: &[SloState], service: &str) -> ThinVec<Followed> {
    let fits = |state: &&SloState| state.slo().service().is_none_or(|only| only == service);
    let follow = |state: &SloState| Followed { state: state.clone(), standing: Standing::default() };
    all.iter().filter(fits).map(follow).collect()
}

impl Followed {
    /// Takes the row of a minute. Whether it stands otherwise than was said last; takes note of it.
    pub(super) fn take(&mut self, row: &[f32], time: Timestamp) -> Result<bool, LiveError> {
        self.state.push(row)?;
        let level = self.state.level();
        let exhausted = self.state.budget_left().is_some_and(|left| left <= 0.0);
        let is_news = (level, exhausted) != (self.standing.level, self.standing.exhausted);
        if is_news {
            self.standing = Standing { level, exhausted, since: Some(time) };
        }
        Ok(is_news)
    }

    pub(super) fn event(&self, service: &str) -> SloEvent {
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

    /// Row time of the last change.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.standing.since
    }

    pub(super) fn save(&self, out: &mut Vec<u8>) -> Result<(), CoreError> {
        save_part(&self.standing, out)?;
        self.state.save(out)
    }

    /// Takes what [`save`](Self::save) wrote for the same objective.
    pub(super) fn restore(&mut self, from: &mut &[u8]) -> Result<(), CoreError> {
        self.standing = restore_part(from)?;
        self.state.restore(from)
    }
}
