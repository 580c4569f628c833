//! Names that columns have in the files that people have.

pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SERVICE: &str = "service";

/// Usual names of the column that says when, the likeliest first.
pub(super) const TIME_NAMES: [&str; 49] = [
    TIMESTAMP,
    "time",
    "_time",
    "@timestamp",
    "ts",
    "datetime",
    "date_time",
    "date",
    "time_stamp",
    "timestamp_ms",
    "timestamp_s",
    "unixtime",
    "unix_time",
    "epoch",
    "eventtime",
    "event_time",
    "ds",
    "datetime_utc",
    "timestamp_utc",
    "time_utc",
    "timestamp_us",
    "timestamp_ns",
    "time_ms",
    "ts_ms",
    "epoch_s",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "unix_ms",
    "unix_timestamp",
    "time_unix",
    "time_unix_nano",
    "log_time",
    "collect_time",
    "sample_time",
    "recorded_at",
    "measured_at",
    "window_start",
    "period_start",
    "start_time",
    "__index_level_0__",
    "clock",
    "begin_time",
    "begin_time_seconds",
    "interval_start",
    "bucket",
    "zeit",
    "zeitstempel",
    "datum",
];

/// Usual names of the column that says which service, the likeliest first.
pub(super) const SERVICE_NAMES: [&str; 33] = [
    SERVICE,
    "service_name",
    "servicename",
    "service.name",
    "svc",
    "app",
    "application",
    "workload",
    "deployment",
    "pod",
    "podname",
    "pod_name",
    "container",
    "container_name",
    "host",
    "hostname",
    "host_name",
    "instance",
    "server",
    "node",
    "machine",
    "job",
    "device",
    "entity",
    "service_id",
    "instance_id",
    "unique_id",
    "microservice",
    "app_name",
    "component",
    "cmdb_id",
    "facet",
    "resource",
];

/// Usual names of the column that says which metric a row of a long file has.
pub(super) const METRIC_NAMES: [&str; 11] = [
    "metric",
    "metric_name",
    "metricname",
    "metric.name",
    "field",
    "__name__",
    "_field",
    "variable",
    "kpi",
    "kpi_name",
    "measurement",
];

/// Names that such a column has beside one of services.
pub(super) const METRIC_NAMES_BESIDE_SERVICES: [&str; 5] =
    ["name", "counter", "counter_name", "indicator", "item"];

/// Usual names of the column of its values.
pub(super) const VALUE_NAMES: [&str; 4] = ["value", "_value", "val", "metric_value"];

/// Names of columns that say nothing of a service: parts of the time, and what `InfluxDB` adds.
pub(super) const CALENDAR_NAMES: [&str; 18] = [
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "weekday",
    "dayofweek",
    "day_of_week",
    "quarter",
    "end_time",
    "end_time_seconds",
    "endtimeseconds",
    "window_end",
    "period_end",
    "interval_end",
    "_span",
    "_spandays",
];
pub(super) const ANNOTATED_NAMES: [&str; 5] = ["result", "table", "_start", "_stop", "_measurement"];

/// Names of labels that tell services apart which have the same name.
pub(super) const LABEL_NAMES: [&str; 34] = [
    "cluster",
    "namespace",
    "region",
    "zone",
    "availability_zone",
    "az",
    "env",
    "environment",
    "dc",
    "datacenter",
    "data_center",
    "instance",
    "pod",
    "host",
    "node",
    "container",
    "endpoint",
    "path",
    "route",
    "method",
    "status",
    "status_code",
    "code",
    "le",
    "quantile",
    "device",
    "interface",
    "mode",
    "job",
    "team",
    "tenant",
    "shard",
    "replica",
    "version",
];

/// Names of columns that say when a service was failing.
pub(super) const OUTCOME_NAMES: [&str; 19] = [
    "label",
    "labels",
    "anomaly",
    "is_anomaly",
    "anomalous",
    "failure",
    "failed",
    "is_failure",
    "failure_active",
    "incident",
    "is_incident",
    "outage",
    "fault",
    "is_fault",
    "target",
    "class",
    "ground_truth",
    "y",
    "will_fail",
];

/// Names that a row number may have.
pub(super) const ROW_NUMBER_NAMES: [&str; 13] = [
    "index",
    "level_0",
    "row",
    "rownum",
    "row_number",
    "rownumber",
    "row_id",
    "no",
    "nr",
    "#",
    "id",
    "_id",
    "offset",
];

/// Whether two names have the same letters and digits, whatever their case and what stands between words.
pub(super) fn has_same_words(a: &str, b: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> + '_ {
        let between = |c: &char| !matches!(c, ' ' | '_' | '-' | '.');
        name.chars().filter(between).map(|c| c.to_ascii_lowercase())
    }
    letters(a).eq(letters(b))
}

/// Whether a name is one that a column of times usually has.
pub(crate) fn is_time_name(name: &str) -> bool {
    is_one_of(name, &TIME_NAMES)
}

/// The one of some labels that says which service, by its usual names, the likeliest first.
pub(crate) fn service_label<'a>(labels: &(impl Iterator<Item = &'a str> + Clone)) -> Option<&'a str> {
    let named = |same: fn(&str, &str) -> bool| {
        SERVICE_NAMES.iter().find_map(|name| labels.clone().find(|label| same(label, name)))
    };
    named(|a, b| a == b).or_else(|| named(has_same_words))
}

/// The last part of a name such as `kubernetes.pod_name`, or the last two of `resource.service.name`; `None` where it
/// has but one.
pub(super) fn last_part(name: &str) -> Option<&str> {
    let (before, last) = name.rsplit_once('.')?;
    match before.rsplit_once('.') {
        Some((_, part)) if last == "name" => Some(&name[name.len() - part.len() - 1 - last.len()..]),
        _ => Some(last),
    }
}

/// Whether a name is one of these, whatever its case.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
