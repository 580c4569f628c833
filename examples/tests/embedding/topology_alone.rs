//! A program that asks a graph of its own where a cascade began, and whom the next one takes along.

use forewarn::topology::{Call, Cascade, CascadeMethod, RootRanking, ServiceGraph, Strengths};
use std::error::Error;

#[test]
fn a_cascade_leads_back_to_its_root() -> Result<(), Box<dyn Error>> {
    let calls = [("web", "cart"), ("web", "search"), ("cart", "database")];
    let graph =
        ServiceGraph::new(calls.map(|(client, server)| Call::new(client, server).with_strength(0.5)))?;
    let anomalies: Vec<f64> = graph
        .services()
        .map(|name| match name {
            "database" => 1.0,
            "cart" => 0.8,
            "web" => 0.6,
            _ => 0.0,
        })
        .collect();
    let suspects = RootRanking::default().rank(&graph, &anomalies)?;
    let database = graph.index_of("database")?;
    assert_eq!(suspects[0].service, database);

    // Half of the failures of a server reach its client: a quarter of the database's reach the web.
    let cascade = Cascade::new(&graph, &Strengths::given(&graph, 0.5)?)?;
    let risk = cascade.risk_of(database, CascadeMethod::Exact)?;
    assert!((risk[graph.index_of("web")?].value - 0.25).abs() < 1e-12);
    assert_eq!(risk[graph.index_of("search")?].value, 0.0);
    Ok(())
}
