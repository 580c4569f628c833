//! Series worked out by hand. Counters grow by a fixed number each 15 seconds; a range of 60 s holds four such steps.

#[path = "cases/kubernetes.rs"]
mod kubernetes;

use super::Case;

pub(super) const RECIPES: &[&str] =
    &["opentelemetry", "istio", "envoy", "ingress-nginx", "spring", "grpc", "kubernetes"];

/// The series of one recipe's HTTP metrics.
struct Http {
    recipe: &'static str,
    /// As the answer names the service.
    service: &'static str,
    requests: &'static str,
    /// Labels of answers that are well and that failed.
    well: &'static str,
    failed: &'static str,
    buckets: &'static str,
    /// Other labels of every series.
    labels: &'static str,
    /// `le` of the four buckets: 0.1 s, 0.5 s, 1 s, and all.
    bounds: [&'static str; 4],
    /// Counter of requests where it is another than that of answers.
    begun: Option<&'static str>,
}

const SECONDS: [&str; 4] = ["0.1", "0.5", "1", "+Inf"];
const MILLISECONDS: [&str; 4] = ["100", "500", "1000", "+Inf"];

const HTTP: &[Http] = &[
    Http {
        recipe: "opentelemetry",
        service: "{job=\"shop/web\"}",
        requests: "http_server_request_duration_seconds_count",
        well: "http_response_status_code=\"404\"",
        failed: "http_response_status_code=\"503\"",
        buckets: "http_server_request_duration_seconds_bucket",
        labels: "job=\"shop/web\", instance=\"a\"",
        bounds: SECONDS,
        begun: None,
    },
    Http {
        recipe: "istio",
        service: "{destination_service_namespace=\"shop\", destination_service_name=\"web\"}",
        requests: "istio_requests_total",
        well: "response_code=\"200\"",
        failed: "response_code=\"0\"",
        buckets: "istio_request_duration_milliseconds_bucket",
        labels: "destination_service_namespace=\"shop\", destination_service_name=\"web\", reporter=\"destination\"",
        bounds: MILLISECONDS,
        begun: None,
    },
    Http {
        recipe: "envoy",
        service: "{envoy_cluster_name=\"web\"}",
        requests: "envoy_cluster_upstream_rq_xx",
        well: "envoy_response_code_class=\"2\"",
        failed: "envoy_response_code_class=\"5\"",
        buckets: "envoy_cluster_upstream_rq_time_bucket",
        labels: "envoy_cluster_name=\"web\"",
        bounds: MILLISECONDS,
        begun: Some("envoy_cluster_upstream_rq_total"),
    },
    Http {
        recipe: "ingress-nginx",
        service: "{exported_namespace=\"shop\", exported_service=\"web\"}",
        requests: "nginx_ingress_controller_requests",
        well: "status=\"200\"",
        failed: "status=\"502\"",
        buckets: "nginx_ingress_controller_request_duration_seconds_bucket",
        labels: "exported_namespace=\"shop\", exported_service=\"web\", namespace=\"ingress\"",
        bounds: SECONDS,
        begun: None,
    },
    Http {
        recipe: "spring",
        service: "{application=\"web\"}",
        requests: "http_server_requests_seconds_count",
        well: "outcome=\"CLIENT_ERROR\"",
        failed: "outcome=\"SERVER_ERROR\"",
        buckets: "http_server_requests_seconds_bucket",
        labels: "application=\"web\", uri=\"/cart\"",
        bounds: SECONDS,
        begun: None,
    },
    Http {
        recipe: "grpc",
        service: "{job=\"web\"}",
        requests: "grpc_server_handled_total",
        well: "grpc_code=\"NotFound\"",
        failed: "grpc_code=\"Unavailable\"",
        buckets: "grpc_server_handling_seconds_bucket",
        labels: "job=\"web\", grpc_method=\"Pay\"",
        bounds: SECONDS,
        begun: None,
    },
];

impl Http {
    fn series(
        &self,
        well: &'static str,
        failed: Option<&'static str>,
        buckets: [&'static str; 4],
    ) -> Vec<(String, &'static str)> {
        let Self { requests, labels, .. } = self;
        let mut series = vec![(format!("{requests}{{{labels}, {}}}", self.well), well)];
        series.extend(failed.map(|values| (format!("{requests}{{{labels}, {}}}", self.failed), values)));
        series.extend(self.begun.map(|begun| (format!("{begun}{{{labels}}}"), well)));
        let bounds = self.bounds.iter().zip(buckets);
        series.extend(
            bounds.map(|(le, values)| (format!("{}{{{labels}, le=\"{le}\"}}", self.buckets), values)),
        );
        series
    }

    fn cases(&self) -> [Case; 4] {
        let Self { recipe, service, .. } = *self;
        let case = |about, series, expected: Vec<(&'static str, Option<f64>)>| {
            let expected = expected.into_iter().map(|(metric, value)| (metric, service, value)).collect();
            Case { recipe, about, series, expected }
        };
        // Where requests are counted apart, they are as many as those that are well.
        let count = if self.begun.is_some() { 48.0 } else { 60.0 };
        [
            // 12 well and 3 failed in 15 s; of 15 requests 3 take up to 0.1 s, 6 up to 0.5 s, 6 up to 1 s.
            case(
                "a fifth fails",
                self.series("0+12x60", Some("0+3x60"), ["0+3x60", "0+9x60", "0+15x60", "0+15x60"]),
                vec![
                    ("request_count", Some(count)),
                    ("error_rate", Some(0.2)),
                    // 0.1 + 0.4 * (7.5 - 3) / 6, then 0.5 + 0.5 * (14.25 - 9) / 6 and (14.85 - 9) / 6.
                    ("p50_latency", Some(400.0)),
                    ("p95_latency", Some(937.5)),
                    ("p99_latency", Some(987.5)),
                    ("p99_latency/ceiling", Some(1000.0)),
                ],
            ),
            // Half of the requests take over a second.
            case(
                "no error yet, and a p99 at the ceiling",
                self.series("0+12x60", None, ["0x60", "0x60", "0+6x60", "0+12x60"]),
                vec![
                    ("request_count", Some(48.0)),
                    ("error_rate", Some(0.0)),
                    ("p99_latency", Some(1000.0)),
                    ("p99_latency/ceiling", Some(1000.0)),
                ],
            ),
            case(
                "no traffic",
                self.series("500x60", Some("20x60"), ["10x60", "20x60", "30x60", "40x60"]),
                vec![
                    ("request_count", Some(0.0)),
                    ("error_rate", None),
                    ("p50_latency", None),
                    ("p99_latency", None),
                    ("p99_latency/ceiling", Some(1000.0)),
                ],
            ),
            case(
                "the service is gone",
                self.series("0+12x10", Some("0+3x10"), ["0+3x10", "0+9x10", "0+15x10", "0+15x10"]),
                vec![("request_count", None), ("error_rate", None), ("p99_latency", None)],
            ),
        ]
    }
}

/// A restart of the process, which no counter is to take for traffic: 12 a step, then from 0 again.
fn reset() -> Case {
    Case {
        recipe: "grpc",
        about: "a restart in the last minute",
        series: vec![(
            "grpc_server_handled_total{job=\"web\", grpc_code=\"OK\"}".to_owned(),
            "0+12x37 0 12 24",
        )],
        // At 540 s 36 steps; then 444, a reset to 0, 12, 24: 12 + 0 + 12 + 12.
        expected: vec![
            ("request_count", "{job=\"web\"}", Some(36.0)),
            ("error_rate", "{job=\"web\"}", Some(0.0)),
        ],
    }
}

/// Two scrapes of five are missing: what is left is enough for a rate.
fn failed_scrapes() -> Case {
    Case {
        recipe: "grpc",
        about: "two failed scrapes",
        series: vec![(
            "grpc_server_handled_total{job=\"web\", grpc_code=\"OK\"}".to_owned(),
            "0+12x36 _ _ 468 480",
        )],
        expected: vec![("request_count", "{job=\"web\"}", Some(48.0))],
    }
}

/// One series, its value at all times, and the metric that it makes.
fn alone(
    recipe: &'static str,
    series: &[(&str, &'static str)],
    (metric, labels, value): (&'static str, &'static str, f64),
) -> Case {
    let series = series.iter().map(|&(series, values)| (series.to_owned(), values)).collect();
    Case { recipe, about: metric, series, expected: vec![(metric, labels, Some(value))] }
}

pub(super) fn all() -> Vec<Case> {
    let mut cases: Vec<Case> = HTTP.iter().flat_map(Http::cases).collect();
    cases.extend([reset(), failed_scrapes()]);
    let istio = "{destination_service_namespace=\"shop\", destination_service_name=\"web\"}";
    let nginx = "{exported_namespace=\"shop\", exported_service=\"web\"}";
    let (envoy, spring) = ("{envoy_cluster_name=\"web\"}", "{application=\"web\"}");
    let of = |name: &str, labels: &str| format!("{name}{{{}}}", labels.trim_matches(['{', '}']));
    let mesh = |name| {
        of(
            name,
            "reporter=\"destination\", destination_service_namespace=\"shop\", destination_service_name=\"web\"",
        )
    };
    // 30,000 bytes in 15 s are 2 kB/s.
    cases.extend([
        alone("istio", &[(&mesh("istio_request_bytes_sum"), "0+30000x60")], ("network_in", istio, 2.0)),
        alone("istio", &[(&mesh("istio_response_bytes_sum"), "0+45000x60")], ("network_out", istio, 3.0)),
        alone(
            "ingress-nginx",
            &[(&of("nginx_ingress_controller_request_size_sum", nginx), "0+30000x60")],
            ("network_in", nginx, 2.0),
        ),
        alone(
            "ingress-nginx",
            &[(&of("nginx_ingress_controller_response_size_sum", nginx), "0+45000x60")],
            ("network_out", nginx, 3.0),
        ),
        alone(
            "envoy",
            &[(&of("envoy_cluster_upstream_cx_tx_bytes_total", envoy), "0+30000x60")],
            ("network_in", envoy, 2.0),
        ),
        alone(
            "envoy",
            &[(&of("envoy_cluster_upstream_cx_rx_bytes_total", envoy), "0+45000x60")],
            ("network_out", envoy, 3.0),
        ),
        // A third instance does not know.
        alone(
            "spring",
            &[
                ("process_cpu_usage{application=\"web\", instance=\"a\"}", "0.2x60"),
                ("process_cpu_usage{application=\"web\", instance=\"b\"}", "0.4x60"),
                ("process_cpu_usage{application=\"web\", instance=\"c\"}", "-1x60"),
            ],
            ("cpu_usage", spring, 0.3),
        ),
        // Only the old generation has a limit.
        alone(
            "spring",
            &[
                ("jvm_memory_used_bytes{application=\"web\", area=\"heap\", id=\"old\"}", "300x60"),
                ("jvm_memory_used_bytes{application=\"web\", area=\"heap\", id=\"eden\"}", "100x60"),
                ("jvm_memory_used_bytes{application=\"web\", area=\"nonheap\", id=\"meta\"}", "900x60"),
                ("jvm_memory_max_bytes{application=\"web\", area=\"heap\", id=\"old\"}", "1000x60"),
                ("jvm_memory_max_bytes{application=\"web\", area=\"heap\", id=\"eden\"}", "-1x60"),
            ],
            ("memory_usage", spring, 0.4),
        ),
    ]);
    cases.extend(kubernetes::cases());
    cases
}
