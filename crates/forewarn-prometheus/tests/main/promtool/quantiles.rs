//! `histogram_quantile` of this crate beside that of Prometheus, on histograms from a seed.

use std::fs;

use forewarn_prometheus::{ClassicBucket, histogram_quantile};
use serde_json::{Value, json};

use super::run;

/// A small generator with a fixed stream: any numbers do, as long as they are the same every time.
struct Stream(u64);

impl Stream {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

#[test]
#[ignore = "needs promtool: run by cargo xtask test"]
fn classic_quantiles_are_those_of_prometheus() {
    let mut stream = Stream(7);
    let (mut series, mut tests) = (Vec::new(), Vec::<Value>::new());
    for histogram in 0..40 {
        let bounds = [-1.0, 0.0, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0];
        let mut buckets: Vec<ClassicBucket> = Vec::new();
        let mut count = 0;
        for upper in bounds.into_iter().filter(|_| stream.next(3) > 0).collect::<Vec<_>>() {
            count += stream.next(50);
            buckets.push(ClassicBucket { upper, count: count as f64 });
        }
        count += stream.next(20);
        buckets.push(ClassicBucket { upper: f64::INFINITY, count: count as f64 });
        // Some counts fall, as they do when a scrape is torn.
        if histogram % 4 == 0 && buckets.len() > 3 {
            buckets[2].count = (buckets[1].count - 1.0).max(0.0);
        }
        for bucket in &buckets {
            let le = if bucket.upper.is_finite() { bucket.upper.to_string() } else { "+Inf".to_owned() };
            let name = format!("b{{h=\"{histogram}\", le=\"{le}\"}}");
            series.push(json!({ "series": name, "values": bucket.count.to_string() }));
        }
        for q in [0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0] {
            let value = histogram_quantile(q, &buckets);
            let quantile = format!("histogram_quantile({q}, b{{h=\"{histogram}\"}})");
            // promtool cannot compare NaN, which is the one number that is not itself.
            let (expression, value) = if value.is_nan() {
                (format!("{quantile} == bool {quantile}"), 0.0)
            } else {
                (quantile, value)
            };
            let labels = format!("{{h=\"{histogram}\"}}");
            tests.push(json!({
                "expr": expression, "eval_time": "0s", "exp_samples": [{ "labels": labels, "value": value }],
            }));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("quantiles.test.yml");
    let tests = json!([{ "interval": "15s", "input_series": series, "promql_expr_test": tests }]);
    fs::write(&file, json!({ "rule_files": [], "evaluation_interval": "15s", "tests": tests }).to_string())
        .unwrap();
    run(&["test", "rules"], &file);
}
