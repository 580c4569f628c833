use forewarn_schema::{SchemaError, Timestamp, name_difference, printable};

/// An error of any other library, as outside implementations of the traits report theirs.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a window, a label, a split or a model was refused. Files of models have a
/// [`ModelFileError`](crate::ModelFileError).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoreError {
    /// A schema, frame or episode was wrong.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// An outside source, rule, feature or model failed.
    #[error("{what} failed: {source}")]
    Outside {
        /// Which one.
        what: String,
        /// Its own error.
        source: BoxError,
    },
    /// A window with no observation or no prediction period.
    #[error("a window needs at least one step of {part}")]
    EmptyWindow {
        /// `"observation"` or `"period"`.
        part: &'static str,
    },
    /// A window whose parts add up to more steps than can be counted.
    #[error("a window of {observation} + {lead} + {period} steps is too long")]
    WindowTooLong {
        /// Observation window, in steps.
        observation: usize,
        /// Lead time, in steps.
        lead: usize,
        /// Prediction period, in steps.
        period: usize,
    },
    /// A window would reach beyond the rows that there are.
    #[error("a window of {observation} rows ending in row {last_row} does not lie within {rows} rows")]
    WindowOutOfBounds {
        /// Rows a window has.
        observation: usize,
        /// The row it ends in.
        last_row: usize,
        /// Rows there are.
        rows: usize,
    },
    /// Two lists that belong together have different lengths.
    #[error("{what}: expected {expected}, got {got}")]
    LengthMismatch {
        /// What was counted.
        what: &'static str,
        /// Length needed.
        expected: usize,
        /// Length given.
        got: usize,
    },
    /// Samples were used with frames of other services or times than they were made from.
    #[error("the samples were made from other services or times than these frames have")]
    LayoutMismatch,
    /// A stream of frames gave rows that do not follow those before, or too few of them.
    #[error(
        "a piece of {service} has rows {got:?} and {values} values, expected rows from {} on, up to {}",
        expected.start,
        expected.end
    )]
    WrongPiece {
        /// The service.
        service: String,
        /// The rows that are still to come of it.
        expected: std::ops::Range<usize>,
        /// The rows that came.
        got: std::ops::Range<usize>,
        /// The values that came with them.
        values: usize,
    },
    /// A model was given windows of other features than it was fitted on.
    #[error(
        "the windows have other features than the model was fitted on: {}",
        name_difference(expected, got)
    )]
    FeatureMismatch {
        /// Features at fit, in order.
        expected: Vec<String>,
        /// Features now, in order.
        got: Vec<String>,
    },
    /// A score that is not in 0..=1 (NaN never is).
    #[error("{value} is not a score: expected a number in 0..=1")]
    InvalidScore {
        /// The number.
        value: f32,
    },
    /// Evidence whose parts do not add up to the score that it is for.
    #[error("the parts of the evidence add up to {sum}, the score is {score}")]
    EvidenceSum {
        /// Base and contributions as a probability.
        sum: f64,
        /// The score.
        score: f32,
    },
    /// Labels of one class only: nothing can be learnt or measured from them.
    #[error("{part} has {positives} positive windows of {windows}: both classes are needed")]
    SingleClass {
        /// Which data: `"train"`, `"validation"`, `"test"`.
        part: &'static str,
        /// Positive windows.
        positives: usize,
        /// All windows.
        windows: usize,
    },
    /// A model that counts every window alike was given windows that stand for several.
    #[error("{model} does not take weights of windows: fit it on samples without weights")]
    WeightsUnsupported {
        /// The model.
        model: &'static str,
    },
    /// A part of a split has no windows.
    #[error("the {part} part of the split has no windows")]
    EmptyPart {
        /// Which part.
        part: &'static str,
    },
    /// Parts of a split are not in order of time, or share rows or labels.
    #[error(
        "{earlier} and {later} overlap: {service} has a {earlier} window at {earlier_time} and a {later} window at \
         {later_time}, at least {purge} steps must lie between them"
    )]
    SharedWindows {
        /// The part that should come first.
        earlier: &'static str,
        /// The part that should come later.
        later: &'static str,
        /// A service where they meet.
        service: String,
        /// Last time of the earlier part there.
        earlier_time: Timestamp,
        /// First time of the later part there.
        later_time: Timestamp,
        /// Steps that the window, its label and its confirmation span.
        purge: usize,
    },
    /// A service that was to be left out of the earlier parts of a split has windows there.
    #[error("{service} has windows in {earlier} and in {later}: no service may be in both")]
    SharedService {
        /// The service.
        service: String,
        /// The part that should not have it.
        earlier: &'static str,
        /// The part that it was left for.
        later: &'static str,
    },
    /// Picked samples that are not ascending positions.
    #[error("pick {index} is sample {pick} of {samples}: picks must ascend and lie within the samples")]
    UnorderedPicks {
        /// Position among the picks, from 0.
        index: usize,
        /// The position picked.
        pick: u32,
        /// Samples there are.
        samples: usize,
    },
    /// Fractions of a split that are not positive numbers with the sum 1.
    #[error("split fractions {fractions:?} are not positive numbers that add up to 1")]
    SplitFractions {
        /// Train, validation, test.
        fractions: [f64; 3],
    },
    /// A setting outside what makes sense.
    #[error("{name} is {value}: expected {expected}")]
    InvalidSetting {
        /// Which setting.
        name: &'static str,
        /// Its value, as text.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Infinity or NaN where a fit needs numbers.
    #[error("{what} is not finite")]
    NotFinite {
        /// Which quantity, with the feature's name where one is to blame.
        what: String,
    },
    /// A number so large that sums of it may overflow.
    #[error("{what} is beyond {limit:e}")]
    TooLarge {
        /// Which quantity, with the feature's name where one is to blame.
        what: String,
        /// The most that is computed with.
        limit: f64,
    },
    /// There is no element of this number.
    #[error("there is no {what} {index}: there are {count}, from 0")]
    NoSuch {
        /// What was asked for: `"stream"`.
        what: &'static str,
        /// Its number.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// A state was given to another model than the one that started it.
    #[error("{what} belongs to another model")]
    OtherModel {
        /// `"the state"`, `"the fleet"`.
        what: &'static str,
    },
    /// A row that came already, or is older than one that came.
    #[error("{service}: the row at {time} is late or repeated: the next one is due at {due}")]
    LateRow {
        /// Its service.
        service: String,
        /// Its time.
        time: Timestamp,
        /// Time of the row that is due.
        due: Timestamp,
    },
    /// A row between two times of the clock.
    #[error(
        "{service}: a row at {time} is not on the clock: rows are due at {due} and every {step_millis} ms after it; \
         round its time to that, or align raw samples first"
    )]
    OffClock {
        /// Its service.
        service: String,
        /// Its time.
        time: Timestamp,
        /// Time of the row that is due.
        due: Timestamp,
        /// Time between rows, in milliseconds.
        step_millis: i64,
    },
    /// A state that cannot be written as bytes.
    #[error(
        "the state of {what} cannot be saved: {}",
        warm_up_rows.map_or("it can only be rebuilt from all rows".to_owned(),
            |rows| format!("push its last {rows} rows again to rebuild it"))
    )]
    NotSavable {
        /// Which feature.
        what: String,
        /// Rows that a fresh state must see to be the same, bit for bit; `None` where only all of them are enough.
        warm_up_rows: Option<u64>,
    },
    /// Bytes that are no saved state, or were changed.
    #[error("a saved state cannot be restored: {reason}")]
    DamagedState {
        /// What is wrong.
        reason: String,
    },
    /// A saved state of other settings than the one it was to be restored into.
    #[error(
        "a saved state does not belong to {what}: it is of another service, step, schema or model; start one with those \
         that it was saved with"
    )]
    ForeignState {
        /// Which state it was to be restored into.
        what: String,
    },
    /// A fit was ended before there was anything to make a model of.
    #[error("no epoch of the fit is done: there is no model yet")]
    NothingFitted,
    /// A failure of a service that has no rows.
    #[error(
        "{} has a failure at {onset} but no rows: leave its failures out, or correct the name",
        printable(service)
    )]
    UnknownService {
        /// The name.
        service: String,
        /// Onset of its failure.
        onset: Timestamp,
    },
    /// A positive window in whose period no episode begins, which leaves open when it happened.
    #[error(
        "{service} at {time} is labelled positive, but none of the episodes is in its period: a model of when needs them"
    )]
    UnknownOutcome {
        /// Its service.
        service: String,
        /// Time of its last row.
        time: Timestamp,
    },
    /// A score, a failure or a gap that comes after what was already settled.
    #[error("the {what} at {time} is not later than the last one, at {last}")]
    NotLater {
        /// `"score"`, `"failure"`, `"end of a failure"`, `"gap"`.
        what: &'static str,
        /// Its time.
        time: Timestamp,
        /// The time that it should be later than.
        last: Timestamp,
    },
    /// A failure was said to begin while another went on.
    #[error("a failure cannot begin at {onset}: the one that began at {since} has no end yet")]
    StillFailing {
        /// When the new one begins.
        onset: Timestamp,
        /// When the other began.
        since: Timestamp,
    },
    /// A failure was said to end where none went on.
    #[error("no failure can end at {end}: none has begun")]
    NotFailing {
        /// The end.
        end: Timestamp,
    },
}

impl CoreError {
    /// A saved state whose bytes or numbers cannot be used, for
    /// [`FeatureState::restore`](crate::FeatureState::restore).
    pub fn damaged_state(reason: impl Into<String>) -> Self {
        Self::DamagedState { reason: reason.into() }
    }

    /// Wraps the error of an outside implementation; `what` names it.
    pub fn outside(what: impl Into<String>, source: impl Into<BoxError>) -> Self {
        Self::Outside { what: what.into(), source: source.into() }
    }
}
