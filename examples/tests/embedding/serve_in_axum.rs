use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use forewarn::{
    core::AlarmMachine,
    live::{LiveService, ServedModel},
    schema::Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    fs::File,
    sync::{Arc, Mutex},
};

/// One model, and one small state for each service.
struct Served {
    model: ServedModel,
    services: Mutex<BTreeMap<String, (LiveService, Option<AlarmMachine>)>>,
}

#[derive(Deserialize)]
struct Row {
    service: String,
    /// RFC 3339, such as 2024-01-01T00:09:00Z.
    timestamp: String,
    /// One value for each metric, by name; a metric that is absent counts as missing.
    metrics: BTreeMap<String, f32>,
}

#[derive(Serialize)]
struct Answer {
    /// Absent until the service has enough rows.
    score: Option<f32>,
    alarm: bool,
}

async fn push(
    State(served): State<Arc<Served>>,
    Json(row): Json<Row>,
) -> Result<Json<Answer>, (StatusCode, String)> {
    let refused = |error: &dyn std::fmt::Display| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let time: Timestamp = row.timestamp.parse().map_err(|error| refused(&error))?;
    let model = &served.model;
    let values: Vec<f32> =
        model.metrics().names().map(|name| row.metrics.get(name).copied().unwrap_or(f32::NAN)).collect();

    // No `await` while the lock is held: scoring one window takes microseconds.
    let mut services = served.services.lock().map_err(|error| refused(&error))?;
    let (live, machine) = match services.entry(row.service) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => {
            let live = model.start(new.key(), time).map_err(|error| refused(&error))?;
            let machine = model.policy().map(|policy| AlarmMachine::new(policy, model.step()));
            new.insert((live, machine))
        }
    };
    let pushed = model.push_at(live, time, &values).map_err(|error| refused(&error))?;
    let Some(score) = pushed.result else { return Ok(Json(Answer { score: None, alarm: false })) };
    let alarm = match machine {
        Some(machine) => machine.push(time, score).map_err(|error| refused(&error))?.is_some(),
        None => false,
    };
    Ok(Json(Answer { score: Some(score.get()), alarm }))
}

pub fn app(model: ServedModel) -> Router {
    let served = Arc::new(Served { model, services: Mutex::default() });
    Router::new().route("/rows", post(push)).with_state(served)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let model = ServedModel::read(File::open("model.safetensors")?)?;
    axum::serve(tokio::net::TcpListener::bind("127.0.0.1:8080").await?, app(model)).await?;
    Ok(())
}
