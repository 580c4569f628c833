#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod exposition;
mod histogram;
mod limits;
mod otlp;
mod place;
mod recipe;
mod remote_write;
mod series;
mod text;
mod wire;

pub use answer::{
    Answer, BuildInfo, Flavour, MetricMetadata, QueryData, read_build_info, read_metadata, read_names,
    read_query,
};
pub use error::PrometheusError;
pub use exposition::{
    Entry, Exemplar, ExpositionParser, ExpositionSample, ExpositionWriter, FamilyKind, TextFormat,
    read_exposition,
};
pub use histogram::{
    Bucket, BucketLayout, ClassicBucket, NativeHistogram, highest_finite_bound, histogram_quantile,
};
pub use limits::Limits;
pub use otlp::{
    OtlpEncoding, OtlpMetric, OtlpMetrics, OtlpPoint, OtlpValue, RefusedPoints, Temporality, read_otlp,
};
pub use place::{Placed, PlacedLeftOut, SeriesMap, ServiceLabels, ServiceOf};
pub use recipe::{
    BLIND_SHARE, BUILT_IN, CeilingCheck, Formula, Matchers, Query, QuerySet, QuerySettings, Recipe,
    SourceUnit,
};
pub use remote_write::{
    FamilyMetadata, RefusedWrites, RemoteWriteVersion, WriteRequest, Written, encode_remote_write,
    encode_remote_write_2, read_remote_write,
};
use series::sample;
pub use series::{
    CounterState, Increment, Labels, NAME, STALE_BITS, Sample, Series, increase, is_stale, rate,
};
