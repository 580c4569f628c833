//! Rules on one metric: `watch` settles which one, `statistic` says what is computed of it, `severity` makes a
//! probability of that, `fitted` is what any of them fits into.

mod cusum;
mod double_exponential;
mod ewma;
mod fitted;
mod rolling_mean;
mod rolling_z_score;
mod seasonal_band;
mod severity;
mod static_threshold;
mod statistic;
mod theil_sen;
mod trend;
mod watch;

pub use cusum::Cusum;
pub use double_exponential::DoubleExponential;
pub use ewma::Ewma;
pub use fitted::FittedRule;
pub(crate) use fitted::KINDS;
pub use rolling_mean::RollingMean;
pub use rolling_z_score::RollingZScore;
pub use seasonal_band::SeasonalBand;
pub use static_threshold::StaticThreshold;
pub use theil_sen::TheilSen;
pub use trend::Trend;
pub use watch::{Direction, Watch, Watched};
