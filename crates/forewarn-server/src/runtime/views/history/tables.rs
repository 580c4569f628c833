//! What the tables of the history have, and how events become rows of them and back.

use super::Happened;
use crate::runtime::{MinuteBlock, views::recent::Builder};
use forewarn_live::{Event, EventBody, RowEvent, ScoreEvent};
use forewarn_schema::{Schema, Timestamp};
use forewarn_store::{HistoryRow, HistoryTable};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeMap;

/// The tables of a history, by number.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    /// Columns of metrics, in order.
    metrics: Vec<String>,
}

/// Columns that are there beside the metrics.
const RESERVED: [&str; 3] = ["timestamp", "service", "missing"];

impl Tables {
    pub(super) const ROWS: usize = 0;
    pub(super) const SCORES: usize = 1;
    const ALARMS: usize = 2;
    const INCIDENTS: usize = 3;
    const FAILURES: usize = 4;
    const OUTCOMES: usize = 5;

    pub(super) fn new(metrics: &Schema) -> Self {
        let column = |name: &str| {
            let is_taken = RESERVED.contains(&name);
            if is_taken { format!("{name}_") } else { name.to_owned() }
        };
        Self { metrics: metrics.names().map(column).collect() }
    }

    pub(super) fn of(what: Happened) -> usize {
        match what {
            Happened::Warnings => Self::ALARMS,
            Happened::Incidents => Self::INCIDENTS,
            Happened::Failures => Self::FAILURES,
            Happened::Outcomes => Self::OUTCOMES,
        }
    }

    /// Names and columns, in order of number. `event` has all of an event as JSON.
    pub(super) fn specs(&self) -> Vec<HistoryTable> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table = |name: &str, numbers: Vec<String>, texts: &[&str]| HistoryTable {
            name: name.to_owned(),
            numbers,
            texts: owned(texts),
        };
        let score = owned(&["probability", "threshold", "minutes_to_failure"]);
        vec![
            table("rows", self.metrics.clone(), &["missing"]),
            table("scores", score.clone(), &["model", "shadow", "level", "cannot_tell", "per_step"]),
            table("alarms", score, &["id", "state", "model", "level", "kind", "event"]),
            table("incidents", Vec::new(), &["id", "state", "event"]),
            table("failures", Vec::new(), &["id", "state", "event"]),
            table(
                "outcomes",
                owned(&["lead_minutes", "net_lead_minutes"]),
                &["model", "outcome", "warning", "event"],
            ),
        ]
    }

    /// The table and row of an event; `None` for one that no table has. `thresholds` are those of the models.
    pub(super) fn row(
        &self,
        event: &Event,
        thresholds: &BTreeMap<String, f64>,
    ) -> Option<(usize, HistoryRow)> {
        let number = |value: Option<f64>| value.map_or(f32::NAN, |value| value as f32);
        let row = |service: &str, numbers, texts| HistoryRow {
            time_millis: event.time.millis(),
            service: service.to_owned(),
            numbers,
            texts,
        };
        // An event that is no JSON keeps its columns.
        let json = || serde_json::to_string(event).unwrap_or_default();
        Some(match &event.body {
            EventBody::Row(one) => {
                let mut values = one.values.as_slice().to_vec();
                values.resize(self.metrics.len(), f32::NAN);
                (Self::ROWS, row(&one.service, values, vec![word(one.missing)]))
            }
            EventBody::Score(one) => {
                let threshold = thresholds.get(one.model.as_str()).copied();
                let numbers =
                    vec![number(one.probability), number(threshold), number(one.minutes_to_failure)];
                let steps = one.per_step.as_ref().and_then(|steps| serde_json::to_string(steps).ok());
                let shadow = if one.shadow { "true" } else { "false" }.to_owned();
                let model = one.model.to_string();
                let texts =
                    vec![model, shadow, word(one.level), word(one.cannot_tell), steps.unwrap_or_default()];
                (Self::SCORES, row(&one.service, numbers, texts))
            }
            EventBody::Warning(one) => {
                let numbers = vec![
                    number(one.probability),
                    number(Some(one.threshold)),
                    number(one.minutes_to_failure),
                ];
                let (id, model) = (one.id.clone(), one.model.clone());
                let texts = vec![id, word(one.state), model, word(one.level), word(one.kind), json()];
                (Self::ALARMS, row(&one.service, numbers, texts))
            }
            EventBody::Incident(one) => {
                let service = one.services.first().map_or("", String::as_str);
                (Self::INCIDENTS, row(service, Vec::new(), vec![one.id.clone(), word(one.state), json()]))
            }
            EventBody::Failure(one) => {
                let texts = vec![one.id.clone(), word(one.state), json()];
                (Self::FAILURES, row(&one.service, Vec::new(), texts))
            }
            EventBody::Outcome(one) => {
                let numbers = vec![number(one.lead_minutes), number(one.net_lead_minutes)];
                let warning = one.warning.clone().unwrap_or_default();
                let texts = vec![one.model.clone(), word(one.outcome), warning, json()];
                (Self::OUTCOMES, row(&one.service, numbers, texts))
            }
            _ => return None,
        })
    }

    /// Rows and scores of one service, each in order of time, as blocks of one row each.
    pub(super) fn minutes(&self, rows: Vec<HistoryRow>, scores: Vec<HistoryRow>) -> Vec<MinuteBlock> {
        let mut scores = scores.into_iter().peekable();
        let mut minutes: Vec<MinuteBlock> = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(time) = Timestamp::from_millis(row.time_millis) else { continue };
            let (mut builder, mut thresholds) = (Builder::default(), BTreeMap::new());
            let values = row.numbers.iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
            let missing = row.texts.first().and_then(|text| parse(text));
            let event = RowEvent { service: row.service.into(), values: values.collect(), missing };
            builder.row(time, &event);
            while scores.next_if(|score| score.time_millis < row.time_millis).is_some() {}
            while let Some(score) = scores.next_if(|score| score.time_millis == row.time_millis) {
                if let Some((score, threshold)) = score_of(score) {
                    if let Some(threshold) = threshold {
                        thresholds.insert(score.model.to_string(), threshold);
                    }
                    builder.score(time, &score);
                }
            }
            let names = minutes.last().map(|last| last.names().clone());
            minutes.extend(builder.build(names.as_ref(), &thresholds));
        }
        minutes
    }
}

/// The score of a row, and the model's threshold then; `None` for a row of other columns.
fn score_of(row: HistoryRow) -> Option<(ScoreEvent, Option<f64>)> {
    let number =
        |place: usize| row.numbers.get(place).copied().filter(|value| !value.is_nan()).map(f64::from);
    let (probability, threshold, minutes_to_failure) = (number(0), number(1), number(2));
    let [model, shadow, level, cannot_tell, steps] = <[String; 5]>::try_from(row.texts).ok()?;
    let score = ScoreEvent {
        service: row.service.into(),
        model: model.into(),
        shadow: shadow == "true",
        probability,
        per_step: serde_json::from_str(&steps).ok(),
        minutes_to_failure,
        level: parse(&level),
        cannot_tell: parse(&cannot_tell),
    };
    Some((score, threshold))
}

/// The event of a row whose last text it is.
pub(super) fn event(row: &HistoryRow) -> Option<Event> {
    serde_json::from_str(row.texts.last()?).ok()
}

/// What JSON calls it; empty for nothing.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// What a word says; `None` for the empty one, and for one of a later version.
fn parse<T: DeserializeOwned>(word: &str) -> Option<T> {
    let value = Some(word).filter(|word| !word.is_empty())?;
    serde_json::from_value(Value::String(value.to_owned())).ok()
}
