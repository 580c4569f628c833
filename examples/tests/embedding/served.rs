//! The program of the page about axum, asked over HTTP.

use super::serve_in_axum;
use forewarn::{
    baseline::Input,
    core::Save,
    live::{ServedModel, Serving},
    prelude::*,
    window::Normalisation,
};
use serde_json::{Value, json};
use std::{error::Error, net::SocketAddr, thread};

/// A model file in memory: logistic regression on a simulated week, with the pipeline and a policy of its own.
fn model_file() -> Result<Vec<u8>, Box<dyn Error>> {
    let frames = FrameSet::from_frames(vec![StressWalk::new(7 * 24 * 60, 7).run()?.frame])?;
    let spec = WindowSpec::default();
    let labels = label(&frames, &ThresholdRule::v1(), spec, Target::Active)?;
    let split = chronological(&labels, Fractions::default())?;
    let pipeline =
        Pipeline::fit(Features::default(), split.train(), &frames, Normalisation::ZScore, Scope::Service, 1)?;
    let features = pipeline.apply(&frames)?;
    let (train, validation) = (split.train().on(&features)?, split.validation().on(&features)?);
    let model = LogisticRegression::new(Input::Snapshot).fit(train, validation, &mut Silent)?;
    let mut envelope = model.to_envelope(spec)?;
    let policy = Some(AlarmPolicy::for_window(Score::new(0.5)?, spec));
    let serving = Serving { policy, ..Serving::new(frames.schema().clone(), Step::MINUTE) };
    serving.add_to(&mut envelope, Some(&pipeline))?;
    let mut file = Vec::new();
    envelope.write(&mut file)?;
    Ok(file)
}

/// Serves on a port of this machine for as long as the test runs.
fn serve(model: ServedModel) -> Result<SocketAddr, Box<dyn Error>> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            axum::serve(listener, serve_in_axum::app(model)).await
        })
    });
    Ok(address)
}

/// Status and body of an answer.
fn post(agent: &ureq::Agent, url: &str, row: &Value) -> Result<(u16, String), Box<dyn Error>> {
    let body = serde_json::to_vec(row)?;
    let mut answer = agent.post(url).header("content-type", "application/json").send(&body)?;
    Ok((answer.status().as_u16(), answer.body_mut().read_to_string()?))
}

#[test]
fn rows_over_http_score_as_in_process_and_bad_ones_are_refused() -> Result<(), Box<dyn Error>> {
    let file = model_file()?;
    let twin = ServedModel::read(&file[..])?;
    let url = format!("http://{}/rows", serve(ServedModel::read(&file[..])?)?);
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();

    // Two services at a time, one model. Every row of one is scored by a twin of the model in this process too.
    let hour = StressWalk::new(60, 11).run()?.frame;
    let view = hour.view();
    let names: Vec<&str> = view.schema().names().collect();
    let mut state = twin.start("shop", view.start())?;
    let mut scores = 0;
    for row in (0..60).filter(|row| row % 11 != 5) {
        let values = view.row(row).ok_or("a row")?;
        let metrics: serde_json::Map<String, Value> =
            names.iter().zip(values).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
        for service in ["cart", "shop"] {
            let sent =
                json!({"service": service, "timestamp": view.time(row).to_string(), "metrics": metrics});
            let (status, body) = post(&agent, &url, &sent)?;
            assert_eq!(status, 200, "{body}");
            let answer: Value = serde_json::from_str(&body)?;
            if service == "shop" {
                let expected = twin.push_at(&mut state, view.time(row), values)?.result;
                let found = answer["score"].as_f64().map(|score| score as f32);
                assert_eq!(found, expected.map(Score::get), "row {row}");
                scores += usize::from(found.is_some());
            }
        }
    }
    assert!((40..60).contains(&scores), "{scores}");

    // A row that is late, and one that has no time.
    let late = json!({"service": "shop", "timestamp": view.time(3).to_string(), "metrics": {}});
    let (status, body) = post(&agent, &url, &late)?;
    assert_eq!(status, 422);
    assert!(body.contains("shop"), "{body}");
    let (status, _) = post(&agent, &url, &json!({"service": "shop", "timestamp": "soon", "metrics": {}}))?;
    assert_eq!(status, 422);
    Ok(())
}
