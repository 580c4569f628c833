use crate::{Condition, LabelError, Measure, Rule, Span, error::refuse_unless};
use serde::{Deserialize, Serialize};

/// The metrics of [`Schema::v1`](forewarn_schema::Schema::v1) that the presets watch.
const ERROR_RATE: &str = "error_rate";
const REQUESTS: &str = "request_count";

impl Rule {
    /// An error budget that burns too fast; see [`BurnRate`].
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] for an objective outside 0..1, no window, or a factor that no error rate reaches.
    pub fn burn_rate(burn: &BurnRate) -> Result<Self, LabelError> {
        let within = burn.objective > 0.0 && burn.objective < 1.0;
        refuse_unless(within, "objective", &burn.objective.to_string(), "a share between 0 and 1")?;
        let mut any = Vec::new();
        for (index, window) in burn.windows.iter().enumerate() {
            let limit = window.factor * (1.0 - burn.objective);
            let field = format!("windows[{index}].factor");
            let expected = "a positive factor whose error rate is below 1";
            refuse_unless(limit > 0.0 && limit < 1.0, &field, &window.factor.to_string(), expected)?;
            let burns = |over| {
                Measure::weighted_mean(burn.error_rate.as_str(), burn.requests.as_str(), over)
                    .above(limit as f32)
            };
            any.push(burns(window.long).and(burns(window.short)));
        }
        refuse_unless(!any.is_empty(), "windows", "empty", "at least one window")?;
        Self::new(Condition::Any(any))
    }
}

/// Multi-window, multi-burn-rate: the service fails while, for one of the windows, errors burn the budget faster than
/// `factor` allows over both the long window (it matters) and the short one (it still goes on).
///
/// The burn rate is the error rate divided by the budget, `1 - objective`: at 1, the budget is used up just when the
/// period of the objective ends. Error rates are averaged over a window with the requests as weights, as the sum of
/// errors over the sum of requests; a window counts once half its rows are known: **after a start, a window says
/// nothing for half of its length** (1.5 days for the window of 3 days), and until then the minutes are unknown
/// wherever another pair does not decide them, so windows are left out as `missing`. Begin with data that reach back
/// that far, or leave out the long pairs.
///
/// # References
/// B. Beyer et al. (eds.), *The Site Reliability Workbook*, O'Reilly 2018, chapter 5, "Alerting on SLOs", section 6
/// and table 5-8.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnRate {
    /// Share of requests that should succeed, such as 0.999.
    pub objective: f64,
    /// Metric that is the share of failed requests.
    pub error_rate: String,
    /// Metric that counts requests.
    pub requests: String,
    /// Windows, any of which is enough.
    pub windows: Vec<BurnWindow>,
}

/// One pair of windows of a [`BurnRate`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BurnWindow {
    /// How many times faster than the budget allows.
    pub factor: f64,
    /// The long window.
    pub long: Span,
    /// The short window, by custom a twelfth of it.
    pub short: Span,
}

impl BurnWindow {
    /// A pair of windows that fires when a share `budget` of the error budget of a whole `period` is used up within
    /// `long`: its factor is `budget * period / long`. The short window is a twelfth of the long one.
    ///
    /// # Errors
    /// [`LabelError::InvalidField`] unless `budget` is above 0 and at most 1, and `long` and `period` are times (not
    /// steps), `long` the shorter.
    ///
    /// # Examples
    /// ```
    /// use forewarn_label::{BurnWindow, Span};
    ///
    /// let quick = BurnWindow::spending(0.02, Span::hours(1), Span::days(30))?;
    /// assert!((quick.factor - 14.4).abs() < 1e-12);
    /// assert_eq!(quick.short, Span::minutes(5));
    /// # Ok::<(), forewarn_label::LabelError>(())
    /// ```
    pub fn spending(budget: f64, long: Span, period: Span) -> Result<Self, LabelError> {
        refuse_unless(
            budget > 0.0 && budget <= 1.0,
            "budget",
            &budget.to_string(),
            "a share above 0, up to 1",
        )?;
        match (long, period) {
            (Span::Seconds(within), Span::Seconds(all)) if 0 < within && within < all => Ok(Self {
                factor: budget * f64::from(all) / f64::from(within),
                long,
                short: Span::Seconds((within / 12).max(1)),
            }),
            _ => Err(LabelError::InvalidField {
                field: "long".to_owned(),
                value: format!("{long} of {period}"),
                expected: "a time that is shorter than the period",
            }),
        }
    }
}

impl BurnRate {
    /// Shares of the budget and the long windows in which they are spent: the workbook's table, and between its last
    /// two rows the pair that many use as a quick ticket.
    const WORKBOOK: [(f64, u32); 4] = [(0.02, 1), (0.05, 6), (0.1, 24), (0.1, 72)];

    /// The workbook's parameters on the v1 metrics, for an objective over 30 days:
    ///
    /// | budget spent | factor | long | short | the workbook's |
    /// |---|---|---|---|---|
    /// | 2 % | 14.4 | 1 h | 5 min | page |
    /// | 5 % | 6 | 6 h | 30 min | page |
    /// | 10 % | 3 | 1 d | 2 h | ticket |
    /// | 10 % | 1 | 3 d | 6 h | ticket |
    #[must_use]
    pub fn workbook(objective: f64) -> Self {
        Self::over(objective, 30)
    }

    /// [`workbook`](Self::workbook) for an objective over a period of `days` days (7, 28, 90), at least 4: the same
    /// shares of the budget in the same windows, so factors grow with the period. Fewer than 4 count as 4.
    #[must_use]
    pub fn over(objective: f64, days: u32) -> Self {
        let hours = f64::from(days.max(4)) * 24.0;
        let window = |(budget, long): (f64, u32)| BurnWindow {
            factor: budget * hours / f64::from(long),
            long: Span::hours(long),
            short: Span::minutes(long * 5),
        };
        Self {
            objective,
            error_rate: ERROR_RATE.to_owned(),
            requests: REQUESTS.to_owned(),
            windows: Self::WORKBOOK.map(window).to_vec(),
        }
    }

    /// Only the windows that the workbook pages for, the first two.
    #[must_use]
    pub fn page(objective: f64) -> Self {
        let mut burn = Self::workbook(objective);
        burn.windows.truncate(2);
        burn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forewarn_core::FailureRule;
    use forewarn_schema::{Episode, Frame, Metric, Schema, Step, Timestamp};

    #[test]
    fn the_workbooks_table() {
        assert_eq!(
            Rule::burn_rate(&BurnRate::page(0.999)).unwrap().to_string(),
            "(mean of error_rate over 1 h weighted by request_count > 0.0144 \
             and mean of error_rate over 5 min weighted by request_count > 0.0144), \
             or (mean of error_rate over 6 h weighted by request_count > 0.006 \
             and mean of error_rate over 30 min weighted by request_count > 0.006)"
        );
        let table = BurnRate::workbook(0.999).windows;
        let expected = [(14.4, 60, 5), (6.0, 360, 30), (3.0, 1440, 120), (1.0, 4320, 360)];
        assert_eq!(table.len(), expected.len());
        for (window, (factor, long, short)) in table.iter().zip(expected) {
            assert!((window.factor - factor).abs() < 1e-12, "{window:?}");
            assert_eq!((window.long, window.short), (Span::minutes(long), Span::minutes(short)));
            let budget = factor * f64::from(long) / (30.0 * 1440.0);
            let same = BurnWindow::spending(budget, Span::minutes(long), Span::days(30)).unwrap();
            assert!((same.factor - factor).abs() < 1e-12 && same.short == window.short);
        }
        // A week's budget of 2 % is spent in an hour at 3.36 times its pace.
        assert!((BurnRate::over(0.999, 7).windows[0].factor - 3.36).abs() < 1e-12);
    }

    #[test]
    fn parameters_are_checked() {
        for objective in [0.0, 1.0, 1.5, f64::NAN] {
            assert!(Rule::burn_rate(&BurnRate::workbook(objective)).is_err(), "{objective}");
        }
        // 14.4 times a budget of 10 % is an error rate of 144 %, which no service reaches.
        let error = Rule::burn_rate(&BurnRate::workbook(0.9)).unwrap_err().to_string();
        assert!(error.contains("windows[0].factor is 14.4"), "{error}");
        for (budget, long, period) in [
            (0.0, Span::hours(1), Span::days(30)),
            (f64::NAN, Span::hours(1), Span::days(30)),
            (0.1, Span::days(30), Span::days(30)),
            (0.1, Span::steps(60), Span::days(30)),
        ] {
            assert!(BurnWindow::spending(budget, long, period).is_err(), "{budget} {long} {period}");
        }
    }

    /// At an objective of 99.9 %, 10 % of errors for `bad` minutes after 6 hours of none, and when the rule finds them.
    fn detect(bad: usize) -> Option<(i64, i64)> {
        let schema = Schema::new(vec![Metric::gauge(ERROR_RATE), Metric::gauge(REQUESTS)]).unwrap();
        let rate = |minute: usize| if (360..360 + bad).contains(&minute) { 0.1 } else { 0.0 };
        let values = (0..900).flat_map(|minute| [rate(minute), 1000.0]).collect();
        let frame = Frame::new("s", schema, Timestamp::EPOCH, Step::MINUTE, values).unwrap();
        let found = Rule::burn_rate(&BurnRate::page(0.999)).unwrap().assess(frame.view()).unwrap();
        let minutes = |e: &Episode| [e.confirmed_at(), e.end()].map(|time| time.millis() / 60_000);
        assert!(found.episodes.len() <= 1);
        found.episodes.first().map(minutes).map(|[confirmed, end]| (confirmed, end))
    }

    #[test]
    fn a_burn_rate_is_found_when_the_arithmetic_says() {
        // 0.1 n / 60 > 0.0144 needs n = 9 minutes; the short window has been full of errors for long. After 30
        // minutes of errors the short window clears first: 0.1 n / 5 > 0.0144 while one bad minute of the last five
        // is left, so for 4 minutes more; the 6 h window (0.1 * 30 / 360 = 0.0083 > 0.006) goes on while its short
        // one has 0.1 n / 30 > 0.006, 2 bad minutes of 30.
        assert_eq!(detect(8), None);
        assert_eq!(detect(9), Some((368, 373)));
        assert_eq!(detect(30), Some((368, 418)));
    }
}
