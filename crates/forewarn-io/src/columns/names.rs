//! Names that columns have in the files that people have.

pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SERVICE: &str = "service";

/// Usual names of the column that says when, the likeliest first.
pub(super) const TIME_NAMES: [&str; 41] = [
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
];

/// Usual names of the column that says which service, the likeliest first.
pub(super) const SERVICE_NAMES: [&str; 27] = [
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
pub(super) const CALENDAR_NAMES: [&str; 10] =
    ["year", "month", "day", "hour", "minute", "second", "weekday", "dayofweek", "day_of_week", "quarter"];
pub(super) const ANNOTATED_NAMES: [&str; 5] = ["result", "table", "_start", "_stop", "_measurement"];

/// Names that a row number may have.
pub(super) const ROW_NUMBER_NAMES: [&str; 11] =
    ["index", "level_0", "row", "rownum", "row_number", "rownumber", "row_id", "no", "nr", "#", "id"];

/// Whether two names have the same letters and digits, whatever their case and what stands between words.
pub(super) fn has_same_words(a: &str, b: &str) -> bool {
    let letters = |name: &str| {
        let between = |c: &char| !matches!(c, ' ' | '_' | '-' | '.');
        name.chars().filter(between).map(|c| c.to_ascii_lowercase()).collect::<String>()
    };
    letters(a) == letters(b)
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

/// The last part of a name such as `kubernetes.pod_name`; `None` where it has but one.
pub(super) fn last_part(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, last)| last)
}

/// Whether a name is one of these, whatever its case.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
