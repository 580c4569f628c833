//! The recipe that the how-to page on recipes shows. That its blocks are these files is a test of `examples/`, since a
//! package has no pages of the workspace.

use forewarn_prometheus::{QuerySettings, Recipe};
use forewarn_schema::Schema;

#[test]
fn the_recipe_of_the_page_is_one() {
    let formulas = include_str!("../page/formulas.toml");
    let query = include_str!("../page/query.toml");
    let names = include_str!("../page/names.toml");
    // Fragments come before metrics on the page, and tables may come in any order.
    let recipe = Recipe::from_toml(&format!("{formulas}\n{query}")).unwrap();
    let queries = recipe.queries(&Schema::v1(), &QuerySettings::default()).unwrap();
    let memory = queries.queries().iter().find(|query| query.metric == "memory_usage").unwrap();
    assert_eq!(
        memory.expression,
        "clamp_max( sum by (namespace, app) (shop_memory_bytes{}) \
         / (count by (namespace, app) (up{} == 1) * 2e9), 1)"
    );
    assert_eq!(queries.queries().len(), 5);
    let line = formulas.lines().find(|line| line.starts_with("service")).unwrap();
    let renamed = Recipe::from_toml(&formulas.replace(line, names.trim())).unwrap();
    assert_eq!(renamed.service().names.as_ref().map(|names| names.len()), Some(1));
}

#[test]
fn the_recipe_of_machines_has_its_metrics() {
    let recipe = Recipe::from_toml(include_str!("../page/hosts.toml")).unwrap();
    let queries = recipe.queries(&Schema::v1(), &QuerySettings::default()).unwrap();
    let metrics: Vec<&str> = queries.queries().iter().map(|query| query.metric.as_str()).collect();
    assert_eq!(metrics, ["cpu_usage", "memory_usage", "network_in", "network_out"]);
}
