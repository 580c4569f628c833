//! Names of series, as charts and exports have them: `error_rate{service="web"}`, `web.error_rate`.

use super::{Role, service_label};
use std::collections::{BTreeMap, BTreeSet};

/// A metric of a service, as the name of a column says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) service: String,
    pub(crate) metric: String,
}

/// What may lie between a service and its metric.
const MARKS: [char; 7] = ['.', '/', ':', '|', ' ', '_', '-'];

/// What `Datadog` writes before a metric.
const AGGREGATES: [&str; 7] = ["avg:", "sum:", "min:", "max:", "count:", "p95:", "p99:"];

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

/// The metric and the labels of `name{label="value", ...}`, or of `avg:name{label:value,...} by {label}`.
fn labelled(name: &str) -> Option<(&str, Vec<(&str, &str)>)> {
    let (metric, rest) = name.trim().split_once('{')?;
    let metric = AGGREGATES.iter().find_map(|prefix| metric.strip_prefix(prefix)).unwrap_or(metric);
    let mut rest = rest.trim_start();
    let mut labels: Vec<(&str, &str)> = Vec::new();
    while !rest.starts_with('}') {
        let (label, value) = rest.split_once(['=', ':'])?;
        let value = value.trim_start();
        let (value, after) = match value.strip_prefix('"') {
            Some(value) => value.split_once('"')?,
            None => value.split_at(value.find([',', '}'])?),
        };
        labels.push((label.trim(), value.trim()));
        rest = after.trim_start().trim_start_matches(',').trim_start();
        if rest.is_empty() {
            return None;
        }
    }
    Some((metric.trim(), labels))
}

/// The service of a series with labels: the label of a usual name, or the only one.
fn service(name: &str) -> Option<String> {
    let (_, labels) = labelled(name)?;
    service_of(&labels)
}

fn service_of(labels: &[(&str, &str)]) -> Option<String> {
    let labels: Vec<(&str, &str)> =
        labels.iter().copied().filter(|(label, _)| *label != "__name__").collect();
    let label = match labels.as_slice() {
        [] => return None,
        [(only, _)] => only,
        _ => service_label(&labels.iter().map(|(label, _)| *label))?,
    };
    let value = labels.iter().find(|(found, _)| *found == label).map(|(_, value)| (*value).to_owned());
    value.filter(|value| !value.is_empty())
}

/// The series that a name with labels stands for.
pub(crate) fn series(name: &str) -> Option<Series> {
    let (metric, labels) = labelled(name)?;
    let named = || labels.iter().find(|(label, _)| *label == "__name__").map(|(_, value)| *value);
    let metric = Some(metric).filter(|metric| !metric.is_empty()).or_else(named)?;
    Some(Series { service: service_of(&labels)?, metric: metric.to_owned() })
}

/// The series that names stand for, all of them or none. `is_known` says what is a metric; where a mark between a
/// service and its metric may be anything, `loosely`, it need not be known.
pub(crate) fn all_series(
    names: &[&str],
    is_known: impl Fn(&str) -> bool,
    loosely: bool,
) -> Option<Vec<Series>> {
    let labelled: Option<Vec<Series>> = names.iter().map(|name| series(name)).collect();
    let parted = || -> Option<Vec<Series>> {
        names.iter().map(|name| parted(name, &is_known, MARKS.as_slice())).collect()
    };
    let anyhow = || -> Option<Vec<Series>> {
        let mark = MARKS[..4].iter().find(|mark| names.iter().all(|name| name.contains(**mark)))?;
        names
            .iter()
            .map(|name| {
                let (service, metric) = name.trim().split_once(*mark)?;
                let (service, metric) = (service.trim().to_owned(), metric.trim().to_owned());
                Some(Series { service, metric }).filter(|s| !s.service.is_empty() && !s.metric.is_empty())
            })
            .collect()
    };
    let all = labelled.or_else(parted).or_else(|| loosely.then(anyhow).flatten())?;
    let distinct: BTreeSet<(&str, &str)> =
        all.iter().map(|series| (series.service.as_str(), series.metric.as_str())).collect();
    (distinct.len() == all.len()).then_some(all)
}

/// `web.error_rate`, `error_rate web`, `('web', 'error_rate')`: one side of a mark is a metric that is known.
fn parted(name: &str, is_known: &impl Fn(&str) -> bool, marks: &[char]) -> Option<Series> {
    let name = name.trim();
    if is_known(name) {
        return None;
    }
    let tuple = name.strip_prefix('(').and_then(|name| name.strip_suffix(')')).map(|inside| {
        let parts: Vec<&str> = inside.split(',').map(|part| part.trim().trim_matches(['\'', '"'])).collect();
        parts
    });
    let found = |service: &str, metric: &str| {
        let service = service.trim().trim_matches(marks);
        (is_known(metric) && !service.is_empty())
            .then(|| Series { service: service.to_owned(), metric: metric.to_owned() })
    };
    if let Some([a, b]) = tuple.as_deref() {
        return found(a, b).or_else(|| found(b, a));
    }
    // The longest metric comes first: its mark may be one of its own letters.
    let places: Vec<(usize, char)> = name.char_indices().filter(|(_, c)| marks.contains(c)).collect();
    let behind = places.iter().find_map(|&(at, mark)| found(&name[..at], &name[at + mark.len_utf8()..]));
    behind.or_else(|| {
        places.iter().rev().find_map(|&(at, mark)| found(&name[at + mark.len_utf8()..], &name[..at]))
    })
}

/// Whether these are several services, each with the same metrics.
pub(crate) fn is_whole(series: &[Series]) -> bool {
    let mut by_service: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Series { service, metric } in series {
        by_service.entry(service).or_default().insert(metric);
    }
    let mut metrics = by_service.values();
    let first = metrics.next();
    by_service.len() > 1 && metrics.all(|metrics| Some(metrics) == first)
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
            ("avg:errors{service:web} by {service}", Some("web")),
            (r#"{host="web"#, None),
        ] {
            assert_eq!(service(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_name_says_a_service_and_a_metric() {
        let is_known = |name: &str| ["error_rate", "p99_latency"].contains(&name);
        let of = |names: &[&str], loosely| {
            let all = all_series(names, is_known, loosely)?;
            Some(
                all.into_iter()
                    .map(|Series { service, metric }| format!("{service}: {metric}"))
                    .collect::<Vec<_>>(),
            )
        };
        let expected = Some(vec!["web: error_rate".to_owned(), "api: p99_latency".to_owned()]);
        for names in [
            [r#"error_rate{service="web"}"#, r#"p99_latency{service="api"}"#],
            [
                r#"{__name__="error_rate", pod="web", zone="a"}"#,
                r#"{__name__="p99_latency", pod="api", zone="a"}"#,
            ],
            ["avg:error_rate{env:prod,service:web} by {service}", "sum:p99_latency{service:api}.as_count()"],
            ["web.error_rate", "api.p99_latency"],
            ["web_error_rate", "api_p99_latency"],
            ["error_rate web", "p99_latency - api"],
            ["web - error_rate", "api/p99_latency"],
            ["('web', 'error_rate')", "('p99_latency', 'api')"],
        ] {
            assert_eq!(of(&names, false), expected, "{names:?}");
        }
        for names in [
            ["web.error_rate", "queue"],
            ["error_rate", "p99_latency"],
            ["web.errors", "api.latency"],
            ["web.error_rate", "web.error_rate"],
            [r#"error_rate{service="web""#, "error_rate{}"],
        ] {
            assert_eq!(of(&names, false), None, "{names:?}");
        }
        let loosely = of(&["web.http.errors", "api.latency"], true);
        assert_eq!(loosely, Some(vec!["web: http.errors".to_owned(), "api: latency".to_owned()]));
        let series = |names: &[&str]| all_series(names, is_known, false).unwrap();
        assert!(is_whole(&series(&["web_error_rate", "api_error_rate"])));
        assert!(!is_whole(&series(&["web_error_rate", "web_p99_latency"])));
        assert!(!is_whole(&series(&["web_error_rate", "api_p99_latency"])));
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
