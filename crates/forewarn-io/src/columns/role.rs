/// What a column of the file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A part of the time, by its position among the parts.
    Time(usize),
    /// A part of the service's name.
    Service(usize),
    /// The metric in this slot.
    Metric(usize),
    /// In a long file, the name of the row's metric, and its value.
    MetricName,
    Value,
    /// In a wide file, the service of this column.
    WideService,
    Ignored,
}
