//! The recipe of the how-to page.

use std::fs;
use std::path::Path;

use forewarn_prometheus::{QuerySettings, Recipe};
use forewarn_schema::Schema;

#[test]
fn the_recipe_of_the_page_is_one() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/how-to/prometheus-recipes.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).filter_map(|block| block.split("```").next()).collect();
    let [formulas, query, names] = blocks.as_slice() else { panic!("{} blocks", blocks.len()) };
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
