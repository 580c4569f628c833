use crate::PrometheusError;

/// How much one message may hold. Checked against declared sizes and counts before memory is taken for them.
///
/// Any number is allowed; 0 refuses every message that has such a part. A message beyond a limit is
/// [`PrometheusError::Limit`], which names the setting, its value and what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, after inflating. Default 32 MiB.
    pub max_bytes: usize,
    /// Bytes of one line of exposition text. Default 64 KiB.
    pub max_line_bytes: usize,
    /// Series of one message. Default 100,000.
    pub max_series: usize,
    /// Samples of one message, histograms among them. Default 1,000,000.
    pub max_samples: usize,
    /// Labels of one series, or attributes of one data point. Default 64.
    pub max_labels: usize,
    /// Bytes of all names and values of one series' labels. Default 16 KiB.
    pub max_label_bytes: usize,
    /// Buckets of one histogram, those that are not written down included. Default 2,000.
    pub max_buckets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_line_bytes: 64 << 10,
            max_series: 100_000,
            max_samples: 1_000_000,
            max_labels: 64,
            max_label_bytes: 16 << 10,
            max_buckets: 2_000,
        }
    }
}

impl Limits {
    pub(crate) fn bytes(&self, found: usize) -> Result<(), PrometheusError> {
        within("bytes", found, self.max_bytes, "max_bytes")
    }

    pub(crate) fn line_bytes(&self, found: usize) -> Result<(), PrometheusError> {
        within("bytes of one line", found, self.max_line_bytes, "max_line_bytes")
    }

    pub(crate) fn series(&self, found: usize) -> Result<(), PrometheusError> {
        within("series", found, self.max_series, "max_series")
    }

    pub(crate) fn samples(&self, found: usize) -> Result<(), PrometheusError> {
        within("samples", found, self.max_samples, "max_samples")
    }

    pub(crate) fn labels(&self, found: usize) -> Result<(), PrometheusError> {
        within("labels", found, self.max_labels, "max_labels")
    }

    pub(crate) fn label_bytes(&self, found: usize) -> Result<(), PrometheusError> {
        within("bytes of labels", found, self.max_label_bytes, "max_label_bytes")
    }

    pub(crate) fn buckets(&self, found: usize) -> Result<(), PrometheusError> {
        within("buckets", found, self.max_buckets, "max_buckets")
    }
}

fn within(
    what: &'static str,
    found: usize,
    limit: usize,
    setting: &'static str,
) -> Result<(), PrometheusError> {
    if found <= limit {
        return Ok(());
    }
    Err(PrometheusError::Limit { what, found: found as u64, limit: limit as u64, setting })
}
