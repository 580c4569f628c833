//! Experiments with a service graph.

use crate::prelude::*;
use forewarn_baseline::Input;
use forewarn_experiment::{ExperimentError, Progress, Results};
use forewarn_topology::TopologyError;

/// A client and its server, six days: the server's errors rise a few minutes before those of the client.
fn frames() -> FrameSet {
    let minutes = 6 * 24 * 60;
    let row = |errors: f32| [1000.0, errors, 100.0, 150.0, 200.0, 0.3, 0.4, 200.0, 180.0, 0.0];
    let frame = |service: &str, late: usize| {
        let values = (0..minutes).flat_map(|minute| {
            let failing = minute % 360 >= 100 + late && minute % 360 < 110 + late;
            row(if failing { 0.3 } else { 0.001 + 0.001 * (minute % 7) as f32 })
        });
        Frame::new(service, Schema::v1(), Timestamp::EPOCH, Step::MINUTE, values.collect()).unwrap()
    };
    FrameSet::from_frames(vec![frame("shop", 4), frame("database", 0)]).unwrap()
}

fn run(topology: Option<TopologyFeatures>) -> Result<Results, ExperimentError> {
    let model =
        Model::new("logistic", "last minute", ModelRows::Features, LogisticRegression::new(Input::Snapshot));
    let mut experiment = Experiment::new(Rule::v1()).with_model(model);
    if let Some(topology) = topology {
        experiment = experiment.with_topology(topology);
    }
    experiment.run(Data::from_source(&mut Memory(frames()))?, &|_: Progress<'_>| {})
}

#[test]
fn a_client_is_warned_by_its_server() {
    let graph = ServiceGraph::from_edge_list("shop database").unwrap();
    let with = run(Some(TopologyFeatures::new(&graph))).unwrap();
    let without = run(None).unwrap();
    let features = |results: &Results| results.report().features.clone();
    assert_eq!(features(&with)[..19], features(&without)[..]);
    assert_eq!(features(&with).len(), 19 + 14);
    let of_client = |results: &Results| {
        let set = results.scores("logistic").unwrap().service("shop").unwrap().clone();
        average_precision(set.scores(), set.positive()).unwrap()
    };
    // In four of the five minutes before the shop fails nothing shows but in its database; in the first of them
    // nothing does.
    assert!(
        of_client(&with) > 0.7 && of_client(&without) < 0.2,
        "{} {}",
        of_client(&with),
        of_client(&without)
    );
}

#[test]
fn a_graph_that_needs_another_metric_is_refused_by_name() {
    let graph = ServiceGraph::from_edge_list("shop database").unwrap();
    let error = run(Some(TopologyFeatures::new(&graph).with_metrics("errors", "p99_latency"))).err().unwrap();
    assert!(matches!(error, ExperimentError::Topology(TopologyError::Core(_))), "{error}");
    assert!(error.to_string().contains("\"errors\" is missing"));
}
