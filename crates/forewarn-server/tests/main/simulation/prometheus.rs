//! A Prometheus whose answers are a function of the query and the time.

use forewarn_schema::Schema;
use forewarn_server::runtime::{HttpRequest, HttpResponse};
use forewarn_sim::StressWalk;
use serde_json::{Value, json};
use std::fmt::Write;

/// Services.
const SERVICES: u64 = 24;

/// The past and future of some services, minute by minute.
pub(super) struct Prometheus {
    /// By service, then minute, then metric.
    rows: Vec<Vec<Vec<f32>>>,
    metrics: Vec<String>,
    /// The minute, since 1970, that the first row is of.
    first: i64,
}

impl Prometheus {
    pub(super) fn new(first: i64, minutes: usize) -> Self {
        let walk = |service: u64| -> Vec<Vec<f32>> {
            let run = StressWalk::new(minutes, 100 + service).run().unwrap();
            let view = run.frame.view();
            (0..view.rows()).map(|row| view.row(row).unwrap().to_vec()).collect()
        };
        let metrics = Schema::v1().names().map(str::to_owned).collect();
        Self { rows: (0..SERVICES).map(walk).collect(), metrics, first }
    }

    /// A recipe of all metrics, each by one query that is its name.
    pub(super) fn recipe() -> String {
        let mut text =
            "name = \"sim\"\nabout = \"one query a metric\"\nservice = { labels = [\"job\"] }\n".to_owned();
        for metric in Schema::v1().metrics() {
            let unit = serde_json::to_value(&metric.unit).unwrap();
            let unit = unit.as_str().unwrap();
            write!(
                text,
                "[metrics.{0}]\nform = \"query\"\nunit = \"{unit}\"\nquery = \"{0}\"\n",
                metric.name
            )
            .unwrap();
        }
        text
    }

    pub(super) fn answer(&self, request: &HttpRequest, now: i64) -> HttpResponse {
        let form = String::from_utf8_lossy(&request.body).into_owned();
        let field = |name: &str| {
            let pair = form.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            pair.unwrap_or_default().to_owned()
        };
        let seconds = |name: &str| field(name).split('.').next().and_then(|text| text.parse::<i64>().ok());
        let data = if request.url.ends_with("/buildinfo") {
            json!({ "version": "2.42.0", "goVersion": "go1.19" })
        } else if request.url.ends_with("/query_range") {
            let (Some(from), Some(to)) = (seconds("start"), seconds("end")) else { panic!("{form}") };
            self.matrix(&field("query"), from / 60..=to / 60)
        } else if form.contains("time%28%29") {
            json!({ "resultType": "scalar", "result": [now / 1000, (now / 1000).to_string()] })
        } else {
            json!({ "resultType": "vector", "result": [] })
        };
        HttpResponse::new(200, json!({ "status": "success", "data": data }).to_string())
    }

    fn matrix(&self, metric: &str, minutes: std::ops::RangeInclusive<i64>) -> Value {
        let place = self.metrics.iter().position(|name| name == metric).unwrap();
        let series = self.rows.iter().enumerate().map(|(service, rows)| {
            let value = |minute: i64| {
                let row = rows.get(usize::try_from(minute - self.first).ok()?)?;
                Some(json!([minute * 60, row[place].to_string()]))
            };
            let values: Vec<Value> = minutes.clone().filter_map(value).collect();
            json!({ "metric": { "job": format!("shop/service-{service:02}") }, "values": values })
        });
        json!({ "resultType": "matrix", "result": series.collect::<Vec<_>>() })
    }
}
