//! Names that columns have in the files that people have.

pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SERVICE: &str = "service";

/// Usual names of the column that says when, the likeliest first.
pub(super) const TIME_NAMES: [&str; 18] = [
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

/// Usual names of the column of its values.
pub(super) const VALUE_NAMES: [&str; 4] = ["value", "_value", "val", "metric_value"];

/// Names of columns that say nothing of a service: parts of the time, and what `InfluxDB` adds.
pub(super) const CALENDAR_NAMES: [&str; 10] =
    ["year", "month", "day", "hour", "minute", "second", "weekday", "dayofweek", "day_of_week", "quarter"];
pub(super) const ANNOTATED_NAMES: [&str; 5] = ["result", "table", "_start", "_stop", "_measurement"];

/// Names that a row number may have.
pub(super) const ROW_NUMBER_NAMES: [&str; 11] =
    ["index", "level_0", "row", "rownum", "row_number", "rownumber", "row_id", "no", "nr", "#", "id"];

/// Whether a name is one of these, whatever its case.
pub(super) fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
