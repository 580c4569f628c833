use super::*;
use crate::{Call, strategies};
use proptest::prelude::*;

fn cascade(graph: &ServiceGraph) -> Cascade {
    Cascade::new(graph, &Strengths::given(graph, Strengths::USUAL).unwrap()).unwrap()
}

/// Every way in which calls can pass failures on or not, with its probability, and for each who brings whom down.
fn brute_force(graph: &ServiceGraph, mut visit: impl FnMut(f64, &[Vec<bool>])) {
    let edges: Vec<_> = graph.edges().map(|(i, j, traffic)| (i, j, traffic.strength.unwrap())).collect();
    let services = graph.len();
    for world in 0..1u32 << edges.len() {
        let mut probability = 1.0;
        // downs[j][i]: a failure of j brings i down.
        let mut downs: Vec<Vec<bool>> =
            (0..services).map(|j| (0..services).map(|i| i == j).collect()).collect();
        for (bit, &(client, server, strength)) in edges.iter().enumerate() {
            let live = world >> bit & 1 == 1;
            probability *= if live { strength } else { 1.0 - strength };
            downs[server][client] |= live;
        }
        // Warshall's closure.
        for k in 0..services {
            for j in 0..services {
                for i in 0..services {
                    downs[j][i] |= downs[j][k] && downs[k][i];
                }
            }
        }
        visit(probability, &downs);
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exact_answers_are_those_of_enumeration(graph in strategies::graph(5, 9), own in strategies::probabilities(5)) {
        let (services, own) = (graph.len(), &own[..graph.len()]);
        let mut risk = vec![vec![0.0; services]; services];
        let mut failing = vec![0.0; services];
        brute_force(&graph, |probability, downs| {
            for (i, failing) in failing.iter_mut().enumerate() {
                let spared: f64 = (0..services).filter(|&j| downs[j][i]).map(|j| 1.0 - own[j]).product();
                *failing += probability * (1.0 - spared);
            }
            for (risk, downs) in risk.iter_mut().zip(downs) {
                risk.iter_mut().zip(downs).for_each(|(risk, &down)| *risk += probability * f64::from(u8::from(down)));
            }
        });
        let model = cascade(&graph);
        let found = model.failure_probabilities(own, CascadeMethod::Exact).unwrap();
        let radii = model.blast_radii(CascadeMethod::default()).unwrap();
        let bounds = model.failure_bounds(own).unwrap();
        for service in 0..services {
            prop_assert!(close(found[service].value, failing[service]));
            prop_assert!(bounds[service] >= failing[service] - 1e-9);
            let row = model.risk_of(service, CascadeMethod::Exact).unwrap();
            prop_assert!(row.iter().zip(&risk[service]).all(|(found, &risk)| close(found.value, risk)));
            prop_assert!(close(radii[service].value, risk[service].iter().sum::<f64>() - 1.0));
        }
    }

    #[test]
    fn worlds_agree_with_exact_answers(graph in strategies::graph(12, 24), own in strategies::probabilities(12), seed: u64) {
        let (model, own) = (cascade(&graph), &own[..graph.len()]);
        let worlds = CascadeMethod::Worlds(Worlds::new(4096, seed).unwrap());
        // Five standard errors, and for what is so rare that it never happened: fewer than six worlds of it.
        let agree = |exact: &[CascadeEstimate], sampled: &[CascadeEstimate], most: f64| {
            exact.iter().zip(sampled).all(|(exact, sampled)| {
                (exact.value - sampled.value).abs() <= 5.0 * sampled.standard_error + 6.0 * most / 4096.0
            })
        };
        let exact = model.failure_probabilities(own, CascadeMethod::Exact).unwrap();
        prop_assert!(agree(&exact, &model.failure_probabilities(own, worlds).unwrap(), 1.0));
        let exact = model.risk_of(0, CascadeMethod::Exact).unwrap();
        prop_assert!(agree(&exact, &model.risk_of(0, worlds).unwrap(), 1.0));
        let exact = model.blast_radii(CascadeMethod::Exact).unwrap();
        prop_assert!(agree(&exact, &model.blast_radii(worlds).unwrap(), graph.len() as f64));
    }

    #[test]
    fn more_trouble_never_helps(graph in strategies::graph(6, 12), own in strategies::probabilities(6), worse in 0usize..6) {
        let (model, own) = (cascade(&graph), &own[..graph.len()]);
        let mut more = own.to_vec();
        let index = worse % graph.len();
        more[index] = f64::midpoint(more[index], 1.0);
        let before = model.failure_probabilities(own, CascadeMethod::Exact).unwrap();
        let after = model.failure_probabilities(&more, CascadeMethod::Exact).unwrap();
        prop_assert!(before.iter().zip(&after).all(|(a, b)| b.value >= a.value - 1e-12));
    }
}

/// A tree: the bound, which takes servers for independent, is exact there.
#[test]
fn the_bound_is_exact_on_a_tree() {
    let calls =
        (1..15).map(|i| Call::new(format!("s{:02}", (i - 1) / 2), format!("s{i:02}")).with_strength(0.4));
    let model = cascade(&ServiceGraph::new(calls).unwrap());
    let own: Vec<f64> = (0..15).map(|i| f64::from(i) / 30.0).collect();
    let exact = model.failure_probabilities(&own, CascadeMethod::Exact).unwrap();
    let bounds = model.failure_bounds(&own).unwrap();
    assert!(exact.iter().zip(bounds).all(|(exact, bound)| close(exact.value, bound)));
}

/// Layers of services, each called by three of the layer before.
fn layered(layers: usize, width: usize) -> ServiceGraph {
    let name = |layer: usize, place: usize| format!("l{layer:02}-{:04}", place % width);
    ServiceGraph::new((1..layers).flat_map(|layer| {
        (0..width).flat_map(move |place| {
            (0..3).map(move |step| {
                Call::new(name(layer - 1, place * 7 + step * 11), name(layer, place)).with_strength(0.35)
            })
        })
    }))
    .unwrap()
}

#[test]
fn a_large_graph_is_sampled_and_a_risk_row_sums_to_the_radius() {
    let graph = layered(6, 200);
    let model = cascade(&graph);
    let server = graph.index_of("l05-0003").unwrap();
    let worlds = Worlds::new(2048, 3).unwrap();
    let risk = model.risk_of(server, CascadeMethod::Auto(worlds)).unwrap();
    let radius = model.blast_radii(CascadeMethod::Auto(worlds)).unwrap()[server];
    let direct = risk.iter().map(|risk| risk.value).sum::<f64>() - 1.0;
    assert!(radius.standard_error > 0.0 && radius.standard_error < 0.05 * radius.value);
    // The same worlds lie under both, so this is the error of counting by marks alone.
    assert!((radius.value - direct).abs() < 4.0 * radius.standard_error, "{radius:?} {direct}");
    assert!(matches!(
        model.risk_of(server, CascadeMethod::Exact),
        Err(TopologyError::TooManyOutcomes { .. })
    ));
}

#[test]
fn what_is_no_question_is_refused() {
    let model = cascade(&ServiceGraph::new([Call::new("a", "b")]).unwrap());
    let says = |error: TopologyError, expected: &str| assert_eq!(error.to_string(), expected);
    says(
        model.failure_probabilities(&[0.1, 1.2], CascadeMethod::Exact).unwrap_err(),
        "failure probability of b is 1.2: expected a probability, 0 to 1",
    );
    says(model.failure_bounds(&[0.1]).unwrap_err(), "failure probabilities: expected 2, got 1");
    assert!(model.risk_of(2, CascadeMethod::Exact).is_err());
}

#[test]
fn the_same_seed_gives_the_same_bits() {
    let graph = layered(4, 30);
    let own = vec![0.01; graph.len()];
    let answers = |seed| {
        let (model, worlds) = (cascade(&graph), CascadeMethod::Worlds(Worlds::new(256, seed).unwrap()));
        (model.failure_probabilities(&own, worlds).unwrap(), model.blast_radii(worlds).unwrap())
    };
    assert_eq!(answers(5), answers(5));
    assert_ne!(answers(5), answers(6));
}
