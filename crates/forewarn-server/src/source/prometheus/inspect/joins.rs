//! Services that two recipes call by different names.

use super::{PrometheusFindings, PrometheusQueries};
use forewarn_prometheus::Recipe;
use forewarn_schema::{printable, printable_names};
use std::collections::{BTreeMap, BTreeSet};

/// Services that have metrics of one recipe only, and, where names are alike, what to write to join them.
pub(super) fn suggestions(findings: &PrometheusFindings, queries: &PrometheusQueries) -> Vec<String> {
    let made_by: BTreeMap<&str, &str> =
        findings.metrics.iter().map(|metric| (metric.name.as_str(), metric.recipe.as_str())).collect();
    let mut by_recipe: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for service in &findings.services {
        for recipe in service.metrics.iter().filter_map(|metric| made_by.get(metric.as_str())) {
            by_recipe.entry(recipe).or_default().insert(&service.name);
        }
    }
    let names: Vec<&str> = queries.recipes().iter().map(Recipe::name).collect();
    let Some((first, others)) = names.split_first() else { return Vec::new() };
    let mut told = Vec::new();
    let none = BTreeSet::new();
    let of_first = by_recipe.get(first).unwrap_or(&none);
    for other in others {
        let of_other = by_recipe.get(other).unwrap_or(&none);
        let both = of_first.intersection(of_other).count();
        let alone: Vec<&str> = of_first.difference(of_other).copied().collect();
        if of_other.is_empty() || alone.is_empty() {
            continue;
        }
        let mut text = format!(
            "{both} services have metrics of both {first} and {other}; of {first} alone: {}",
            printable_names(&alone)
        );
        let candidates: Vec<&str> = of_other.difference(of_first).copied().collect();
        let pairs: Vec<String> = alone
            .iter()
            .filter_map(|&service| Some((alike(service, &candidates)?, service)))
            .map(|(theirs, ours)| format!("{:?} = {:?}", printable(theirs), printable(ours)))
            .collect();
        if !pairs.is_empty() {
            text += &format!(
                ". Names that are alike: add to [source.services.{other}] names = {{ {} }}, and every other name that \
                 it has: those that are not in the map are left out",
                pairs.join(", ")
            );
        }
        told.push(text);
    }
    told
}

/// The only candidate whose last part begins with the service's, or the other way round.
fn alike<'a>(service: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let last = |name: &'a str| name.rsplit('/').next().unwrap_or(name);
    let own = service.rsplit('/').next().unwrap_or(service);
    let same = candidates.iter().filter(|name| last(name) == own);
    if let [only] = same.copied().collect::<Vec<_>>()[..] {
        return Some(only);
    }
    let near = candidates.iter().filter(|name| last(name).starts_with(own) || own.starts_with(last(name)));
    match near.copied().collect::<Vec<_>>()[..] {
        [only] => Some(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn names_are_alike_by_their_last_part_and_only_if_it_is_clear_which() {
        let candidates = ["shop/checkout-v2", "shop/cart", "old/pay", "new/pay"];
        assert_eq!(alike("checkout", &candidates), Some("shop/checkout-v2"));
        assert_eq!(alike("cart", &candidates), Some("shop/cart"));
        assert_eq!(alike("pay", &candidates), None);
        assert_eq!(alike("web", &candidates), None);
    }
}
