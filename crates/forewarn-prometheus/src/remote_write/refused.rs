use crate::PrometheusError;

/// How much of a request was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Samples.
    pub samples: u64,
    /// Native histograms.
    pub histograms: u64,
    /// Exemplars.
    pub exemplars: u64,
}

/// What of a request was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusedWrites {
    /// Series whose labels are wrong: none is the name, one comes twice, is not UTF-8, or refers to a symbol that is
    /// not there.
    pub series_with_wrong_labels: u64,
    /// Series with more labels, or bytes of labels, than the limits allow.
    pub series_over_label_limits: u64,
    /// Series beyond the limit of a request.
    pub series_over_limit: u64,
    /// Samples and histograms beyond the limit of a request.
    pub samples_over_limit: u64,
    /// Samples and histograms of refused series.
    pub samples_of_refused_series: u64,
    /// Samples and histograms at a time that is in no calendar.
    pub samples_out_of_time: u64,
    /// Histograms whose parts contradict each other, or of more buckets than the limits allow.
    pub wrong_histograms: u64,
    /// Exemplars, none of which is kept. They alone make no request partial.
    pub exemplars: u64,
    /// The first reason, for the answer.
    pub first: Option<PrometheusError>,
}

impl RefusedWrites {
    /// Whether something that should have been stored was not.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.first.is_some()
    }

    pub(super) fn keep_first(&mut self, error: PrometheusError) {
        self.first.get_or_insert(error);
    }

    /// Counts a series by why it was refused.
    pub(super) fn series(&mut self, error: PrometheusError, samples: u64) {
        *match &error {
            PrometheusError::Limit { setting: "max_series", .. } => &mut self.series_over_limit,
            PrometheusError::Limit { .. } => &mut self.series_over_label_limits,
            _ => &mut self.series_with_wrong_labels,
        } += 1;
        self.samples_of_refused_series += samples;
        self.keep_first(error);
    }

    /// Counts a sample or histogram by why it was refused.
    pub(super) fn sample(&mut self, error: PrometheusError) {
        *match &error {
            PrometheusError::Limit { setting: "max_samples", .. } => &mut self.samples_over_limit,
            PrometheusError::Time { .. } => &mut self.samples_out_of_time,
            _ => &mut self.wrong_histograms,
        } += 1;
        self.keep_first(error);
    }
}
