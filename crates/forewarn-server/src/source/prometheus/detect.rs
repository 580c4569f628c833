//! Which built-in recipes a server has series for.

use super::{client::Client, retry::Failure};
use forewarn_prometheus::{BUILT_IN, NAME, Recipe};
use serde::Serialize;
use std::collections::BTreeSet;

/// The recipe that is joined with one for requests.
const WORKLOADS: &str = "kubernetes";

/// Share of a recipe's series that must be there for it to be taken by itself.
const ENOUGH: f64 = 0.5;

/// A recipe and which of its series a server has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RecipeMatch {
    /// Its name.
    pub name: String,
    /// Series that it reads and the server has.
    pub found: Vec<String>,
    /// Series that it reads and the server lacks.
    pub lacking: Vec<String>,
}

impl RecipeMatch {
    /// Share of the series that are there, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.found.len() as f64 / (self.found.len() + self.lacking.len()).max(1) as f64
    }
}

/// What was found.
pub(crate) struct Detected {
    pub(crate) matches: Vec<RecipeMatch>,
    /// The best recipe for requests, and that for workloads where there is one.
    pub(crate) chosen: Vec<String>,
}

/// Looks for the series of all built-in recipes.
pub(crate) fn detect(client: &Client) -> Result<Detected, Failure> {
    let recipes: Vec<Recipe> = BUILT_IN.iter().filter_map(|(name, _)| Recipe::built_in(name).ok()).collect();
    let matches = look(client, &recipes)?;
    let for_requests = matches.iter().filter(|one| one.name != WORKLOADS && one.share() >= ENOUGH);
    // Of equal ones the first, as they are listed.
    let best = for_requests.reduce(|best, one| if one.share() > best.share() { one } else { best });
    let workloads = matches.iter().find(|one| one.name == WORKLOADS && one.share() >= ENOUGH);
    let chosen = best.into_iter().chain(workloads).map(|one| one.name.clone()).collect();
    Ok(Detected { matches, chosen })
}

/// Which of the recipes' series there are.
pub(crate) fn look(client: &Client, recipes: &[Recipe]) -> Result<Vec<RecipeMatch>, Failure> {
    let wanted: BTreeSet<String> = recipes.iter().flat_map(Recipe::series).collect();
    let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let query = format!("count by ({NAME}) ({{{NAME}=~\"{}\"}})", names.join("|"));
    let answer = client.at(&query, None)?;
    let series = answer.data.into_series().map_err(|error| Failure::of_answer(200, None, &error))?;
    let there: BTreeSet<&str> = series.iter().filter_map(|one| one.labels.name()).collect();
    let part = |recipe: &Recipe| {
        let (found, lacking) = recipe.series().into_iter().partition(|name| there.contains(name.as_str()));
        RecipeMatch { name: recipe.name().to_owned(), found, lacking }
    };
    Ok(recipes.iter().map(part).collect())
}
