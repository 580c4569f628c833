use std::collections::{BTreeMap, BTreeSet};

use forewarn_schema::Step;

use super::*;
use crate::{Answer, Labels, Placed, QueryData, Sample, Series};

fn schema() -> Schema {
    Schema::v1()
}

fn all() -> Vec<Recipe> {
    BUILT_IN.iter().map(|(name, _)| Recipe::built_in(name).unwrap()).collect()
}

fn queries(recipe: &Recipe) -> QuerySet {
    recipe.queries(&schema(), &QuerySettings::default()).unwrap()
}

const OWN: &str = r#"
name = "own"
about = "for tests"
service = { labels = ["app"] }
[metrics.request_count]
form = "count"
series = "requests_total"
"#;

#[test]
fn every_built_in_recipe_is_read_and_survives_writing() {
    for (recipe, (name, _)) in all().iter().zip(BUILT_IN) {
        assert_eq!(recipe.name(), *name);
        let set = queries(recipe);
        assert_eq!(set.queries().len(), recipe.metrics().count());
        let again: Recipe = toml::from_str(&toml::to_string(recipe).unwrap()).unwrap();
        assert_eq!(&again, recipe);
    }
    let error = Recipe::built_in("linkerd").unwrap_err().to_string();
    assert!(error.contains("\"linkerd\"") && error.contains("istio"), "{error}");
}

#[test]
fn an_http_recipe_and_kubernetes_make_all_ten_metrics() {
    let kubernetes = Recipe::built_in("kubernetes").unwrap();
    for recipe in all().into_iter().filter(|recipe| recipe.name() != "kubernetes") {
        let alone = queries(&recipe);
        assert!(alone.missing().contains(&"pod_restarts".to_owned()), "{}", recipe.name());
        let both = QuerySet::new(&[recipe.clone(), kubernetes.clone()], &schema(), &QuerySettings::default());
        let both = both.unwrap();
        assert!(both.missing().is_empty(), "{}: {:?}", recipe.name(), both.missing());
        let order: Vec<usize> = both.queries().iter().map(|query| query.index).collect();
        assert_eq!(order, (0..10).collect::<Vec<_>>());
        // The first that makes a metric is taken.
        for query in alone.queries() {
            assert_eq!(both.queries()[query.index].recipe, recipe.name());
        }
    }
}

#[test]
fn ranges_hold_four_scrapes_and_a_step() {
    let recipe = Recipe::from_toml(OWN).unwrap();
    let expression = |step_millis, scrape_interval_millis| {
        let step = Step::from_millis(step_millis).unwrap();
        let settings = QuerySettings { step, scrape_interval_millis, ..QuerySettings::default() };
        recipe.queries(&schema(), &settings).unwrap().queries()[0].expression.clone()
    };
    assert_eq!(expression(60_000, 15_000), "sum by (app) (rate(requests_total[60s])) * 60");
    assert_eq!(expression(60_000, 30_000), "sum by (app) (rate(requests_total[120s])) * 60");
    assert_eq!(expression(10_000, 500), "sum by (app) (rate(requests_total[10s])) * 10");
    assert_eq!(expression(500, 125), "sum by (app) (rate(requests_total[500ms])) * 0.5");
    let wrong = QuerySettings { scrape_interval_millis: 0, ..QuerySettings::default() };
    assert!(matches!(recipe.queries(&schema(), &wrong), Err(PrometheusError::Setting { .. })));
}

#[test]
fn a_selector_reaches_every_series_of_an_application() {
    let selector: Matchers = r#"namespace="shop""#.parse().unwrap();
    let settings = QuerySettings { selector, ..QuerySettings::default() };
    for recipe in all() {
        for query in recipe.queries(&schema(), &settings).unwrap().queries() {
            let selected = query.expression.matches(r#"namespace="shop""#).count();
            let with_range = query.expression.matches("rate(").count();
            assert!(selected >= with_range.max(1), "{}", query.expression);
            assert!(!query.expression.contains("{{") && !query.expression.contains('\n'));
        }
    }
}

#[test]
fn the_fingerprint_is_of_how_numbers_are_made() {
    let own = Recipe::from_toml(OWN).unwrap();
    let fingerprint =
        |settings: &QuerySettings| own.queries(&schema(), settings).unwrap().fingerprint().to_owned();
    let usual = QuerySettings::default();
    // Pinned: models carry it.
    assert_eq!(fingerprint(&usual), "1ab2e3225863a0f4");
    let selector = QuerySettings { selector: r#"zone="a""#.parse().unwrap(), ..usual.clone() };
    assert_eq!(fingerprint(&selector), fingerprint(&usual));
    let slower = QuerySettings { scrape_interval_millis: 60_000, ..usual.clone() };
    let longer = QuerySettings { step: Step::from_millis(300_000).unwrap(), ..usual.clone() };
    let all: BTreeSet<String> = [&usual, &slower, &longer].into_iter().map(fingerprint).collect();
    assert_eq!(all.len(), 3);
    let other = OWN.replace("requests_total", "calls_total");
    assert_ne!(queries(&Recipe::from_toml(&other).unwrap()).fingerprint(), fingerprint(&usual));
}

#[test]
fn what_a_recipe_gets_wrong_is_named() {
    let error = |old: &str, new: &str| Recipe::from_toml(&OWN.replace(old, new)).unwrap_err().to_string();
    for (old, new, named) in [
        ("\"own\"", "\"My own\"", "My own"),
        ("[\"app\"]", "[]", "service.labels"),
        ("[\"app\"]", "[\"app}\"]", "app}"),
        ("requests_total", "requests-total", "requests-total"),
        ("\"count\"", "\"sum\"", "sum"),
        ("form", "colour = 1\nform", "colour"),
        (
            "form = \"count\"",
            "form = \"quantile\"\nunit = \"seconds\"\nquantile = 99.0",
            "above 0 and below 1",
        ),
        (
            "form = \"count\"",
            "form = \"quantile\"\nunit = \"bytes\"\nquantile = 0.9",
            "seconds or milliseconds",
        ),
        ("form = \"count\"", "form = \"rate\"\nunit = \"seconds\"", "expected bytes"),
        ("form = \"count\"", "form = \"share\"\nfailed = ''", "failed_series"),
        ("form = \"count\"", "form = \"share\"\nfailed = 'a=b'", "double quotes"),
    ] {
        let error = error(old, new);
        assert!(error.contains(named), "{new}: {error}");
    }
    let query = |query: &str| {
        let head = OWN.split("[metrics").next().unwrap();
        let text = format!(
            "{head}[fragments]\nf = 'up{{{{range}}}}'\n[metrics.x]\nform='query'\nunit='ratio'\nquery='{query}'"
        );
        Recipe::from_toml(&text)
    };
    assert!(query("{{f}}").is_ok());
    assert!(query("{{ragne}}").unwrap_err().to_string().contains("\"ragne\", expected one of f, range"));
    assert!(query("{{range").unwrap_err().to_string().contains("}}"));
    let head = OWN.replace("[metrics", "[fragments]\nrange = ''\n[metrics");
    assert!(Recipe::from_toml(&head).is_err());
}

#[test]
fn a_metric_or_unit_that_the_schema_lacks_is_named() {
    let of = |metric: &str| {
        let recipe = Recipe::from_toml(&OWN.replace("request_count", metric)).unwrap();
        recipe.queries(&schema(), &QuerySettings::default()).unwrap_err().to_string()
    };
    assert!(of("requests").contains("\"requests\", which the schema lacks"));
    assert!(of("cpu_usage").contains("expected ratio, as in the schema"), "{}", of("cpu_usage"));
}

#[test]
fn only_a_quantile_has_a_ceiling() {
    let set = queries(&Recipe::built_in("grpc").unwrap());
    let ceilings: Vec<bool> = set.queries().iter().map(|query| query.ceiling.is_some()).collect();
    assert_eq!(ceilings, [false, false, true, true, true]);
    let ceiling = "histogram_quantile(1, (sum by (job, le) (grpc_server_handling_seconds_bucket{le=\"+Inf\"}) * 0 \
                   + 1) or (sum by (job, le) (grpc_server_handling_seconds_bucket) * 0)) * 1000";
    assert_eq!(set.queries()[4].ceiling.as_deref(), Some(ceiling));
}

#[test]
fn workloads_join_http_services_by_an_explicit_map() {
    let names = BTreeMap::from([("shop/checkout-v2".to_owned(), "shop/checkout".to_owned())]);
    let kubernetes = Recipe::built_in("kubernetes").unwrap();
    let service = kubernetes.service().clone().with_names(names);
    let recipes = [Recipe::built_in("opentelemetry").unwrap(), kubernetes.with_service(service).unwrap()];
    let set = QuerySet::new(&recipes, &schema(), &QuerySettings::default()).unwrap();
    let answer = |labels: &[(&str, &str)], value| {
        let samples = vec![Sample { time: forewarn_schema::Timestamp::EPOCH, value }];
        let labels = Labels::new(labels.iter().copied()).unwrap();
        let data = QueryData::Vector(vec![Series { labels, samples, histograms: Vec::new() }]);
        Answer { data, warnings: Vec::new(), infos: Vec::new(), partial: false }
    };
    let mut placed = Placed::default();
    set.queries()[0].place(answer(&[("job", "shop/checkout")], 60.0), &mut placed).unwrap();
    let pods = [("namespace", "shop"), ("workload", "checkout-v2"), ("basis", "request")];
    set.queries()[5].place(answer(&pods, 0.5), &mut placed).unwrap();
    let row: Vec<(usize, f64)> =
        placed.services["shop/checkout"].iter().map(|sample| (sample.metric, sample.value)).collect();
    assert_eq!(row, [(0, 60.0), (5, 0.5)]);
    assert!(placed.basis["shop/checkout"].contains("request"));
    // Pushed, the two ways of naming a service cannot be told apart.
    assert!(set.series_map(&schema()).is_err());
}

#[test]
fn rules_record_the_same_queries() {
    let set = queries(&Recipe::built_in("istio").unwrap());
    let file = set.to_rule_file();
    assert!(file.starts_with("groups:\n- name: forewarn\n  interval: 60s\n  rules:\n"), "{file}");
    assert_eq!(file.matches("  - record: forewarn:").count(), 7);
    assert!(file.contains(r#"rate(istio_requests_total{reporter=\"destination\"}[60s])"#), "{file}");
    let map = set.series_map(&schema()).unwrap();
    assert_eq!(map.metric(&Labels::new([("__name__", "forewarn:p99_latency")]).unwrap()), Some(4));
}

#[test]
fn a_recipe_says_which_series_it_reads() {
    let reads =
        |name: &str| Recipe::built_in(name).unwrap().series().into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(reads("grpc"), "grpc_server_handled_total grpc_server_handling_seconds_bucket");
    assert_eq!(
        reads("envoy"),
        "envoy_cluster_upstream_cx_rx_bytes_total envoy_cluster_upstream_cx_tx_bytes_total \
         envoy_cluster_upstream_rq_time_bucket envoy_cluster_upstream_rq_total envoy_cluster_upstream_rq_xx"
    );
    assert_eq!(
        reads("kubernetes"),
        "container_cpu_usage_seconds_total container_memory_working_set_bytes \
         container_network_receive_bytes_total container_network_transmit_bytes_total kube_node_status_capacity \
         kube_pod_container_info kube_pod_container_resource_limits kube_pod_container_resource_requests \
         kube_pod_container_status_restarts_total kube_pod_info kube_pod_owner kube_replicaset_owner"
    );
}
