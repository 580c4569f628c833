//! Names of series, as charts have them: `error_rate{service="web"}`.

use super::{Role, service_label};
use std::collections::BTreeSet;

/// Names the services of a wide file by the label in the names of their columns, where all have one and no two are
/// alike; says whether.
pub(super) fn shorten(names: &mut [String], roles: &[Role]) -> bool {
    let wide = || names.iter().zip(roles).enumerate().filter(|(_, (_, role))| **role == Role::WideService);
    let found: Option<Vec<(usize, String)>> =
        wide().map(|(index, (name, _))| Some((index, service(name)?))).collect();
    let Some(found) = found else { return false };
    let distinct: BTreeSet<&str> = found.iter().map(|(_, service)| service.as_str()).collect();
    if distinct.len() < found.len() || found.is_empty() {
        return false;
    }
    for (index, service) in found {
        names[index] = service;
    }
    true
}

/// The service in `name{label="value", ...}`: the label of a usual name, or the only one.
fn service(name: &str) -> Option<String> {
    let (_, rest) = name.trim().split_once('{')?;
    let mut rest = rest.strip_suffix('}')?.trim();
    let mut labels: Vec<(&str, &str)> = Vec::new();
    while !rest.is_empty() {
        let (label, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(value) => value.split_once('"')?,
            None => value.split_once(',').unwrap_or((value, "")),
        };
        labels.push((label.trim(), value.trim()));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    labels.retain(|(label, _)| *label != "__name__");
    let label = match labels.as_slice() {
        [(only, _)] => only,
        _ => service_label(&labels.iter().map(|(label, _)| *label))?,
    };
    labels
        .iter()
        .find(|(found, _)| *found == label)
        .map(|(_, value)| (*value).to_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_the_label_that_says_so() {
        for (name, expected) in [
            (r#"error_rate{service="web"}"#, Some("web")),
            (r#"{pod="web-1"}"#, Some("web-1")),
            (r#"{__name__="up", region="a,b", app="web"}"#, Some("web")),
            (r#"{region="a", zone="b"}"#, None),
            (r#"{host=""}"#, None),
            ("web", None),
            ("{web", None),
            (r#"{host="web"#, None),
        ] {
            assert_eq!(service(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn names_that_would_be_alike_stay() {
        let roles = [Role::Time(0), Role::WideService, Role::WideService];
        let mut names = ["Time", r#"{app="a"}"#, r#"{app="b"}"#].map(str::to_owned);
        assert!(shorten(&mut names, &roles));
        assert_eq!(names, ["Time", "a", "b"]);
        let mut names = ["Time", r#"{app="a",v="1"}"#, r#"{app="a",v="2"}"#].map(str::to_owned);
        assert!(!shorten(&mut names, &roles));
    }
}
