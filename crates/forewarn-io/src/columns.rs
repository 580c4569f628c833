use crate::{
    DateOrder, IoError, ReadOptions, Shape,
    error::Origin,
    slots::Slots,
    time_form::{Shown, is_text_time, shown_order},
};
use forewarn_core::table::{Decimal, is_missing, number};
use std::collections::BTreeMap;

pub(crate) const TIMESTAMP: &str = "timestamp";
pub(crate) const SERVICE: &str = "service";

/// Usual names of the column that says when, the likeliest first.
const TIME_NAMES: [&str; 18] = [
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
const SERVICE_NAMES: [&str; 27] = [
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
const METRIC_NAMES: [&str; 11] = [
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
const VALUE_NAMES: [&str; 4] = ["value", "_value", "val", "metric_value"];

/// Names of columns that say nothing of a service: parts of the time, and what `InfluxDB` adds.
const CALENDAR_NAMES: [&str; 10] =
    ["year", "month", "day", "hour", "minute", "second", "weekday", "dayofweek", "day_of_week", "quarter"];
const ANNOTATED_NAMES: [&str; 5] = ["result", "table", "_start", "_stop", "_measurement"];

/// Names that a row number may have.
const ROW_NUMBER_NAMES: [&str; 11] =
    ["index", "level_0", "row", "rownum", "row_number", "rownumber", "row_id", "no", "nr", "#", "id"];

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

/// What the first cells of a column hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketch {
    numbers: u64,
    /// Numbers that are one more than the one before.
    consecutive: u64,
    fractions: u64,
    last: Option<f64>,
    times: u64,
    texts: u64,
    others: bool,
    /// Which number of its dates is the day, where one of them shows it.
    order: Option<DateOrder>,
}

impl Sketch {
    /// Adds a cell.
    pub(crate) fn push(&mut self, text: &str, decimal: Option<Decimal>) {
        if is_missing(text) {
            return;
        }
        if is_text_time(text) {
            self.times += 1;
            if let (None, Some(Shown::Order(order))) = (self.order, shown_order(text)) {
                self.order = Some(order);
            }
        } else if let Ok(value) = number(text, decimal) {
            self.numbers += 1;
            self.fractions += u64::from(value.fract() != 0.0);
            self.consecutive += u64::from(self.last.is_some_and(|last| value == last + 1.0));
            self.last = Some(value);
        } else if text.trim().starts_with(|c: char| c.is_ascii_digit()) {
            // A number with a unit.
            self.numbers += 1;
            self.fractions += 1;
        } else {
            self.texts += 1;
        }
    }

    /// That of a column of text, which may be times where it is called so.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_text(name: &str) -> Self {
        match is_one_of(name, &TIME_NAMES) {
            true => Self::of_time(),
            false => Self { texts: 1, ..Self::default() },
        }
    }

    /// That of a column that holds neither numbers, times nor text.
    pub(crate) fn of_other() -> Self {
        Self { others: true, ..Self::default() }
    }

    #[cfg(feature = "parquet")]
    pub(crate) fn of_time() -> Self {
        Self { times: 1, ..Self::default() }
    }

    /// That of a column of numbers, whole ones or not.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_number(is_whole: bool) -> Self {
        Self { numbers: 2, fractions: u64::from(!is_whole), ..Self::default() }
    }

    fn is_empty(&self) -> bool {
        self.numbers + self.times + self.texts == 0 && !self.others
    }

    fn is_text(&self) -> bool {
        self.numbers == 0 && self.texts > 0
    }

    fn is_time(&self) -> bool {
        self.times > 0 && self.numbers + self.texts == 0
    }

    fn counts_rows(&self) -> bool {
        self.numbers > 0
            && self.texts + self.times + self.fractions == 0
            && self.consecutive + 1 == self.numbers
    }
}

/// The columns of a file.
#[derive(Debug)]
pub(crate) struct Columns {
    /// One for each column, in the file's order.
    pub(crate) roles: Vec<Role>,
    /// Names of the file's columns, in order, after renaming.
    pub(crate) names: Vec<String>,
    pub(crate) shape: Shape,
    /// Parts of the time and of the service's name; none of the latter where all rows are of one service.
    pub(crate) time_parts: usize,
    pub(crate) service_parts: usize,
    pub(crate) notes: Vec<String>,
}

/// What is known of a file besides its columns' names.
pub(crate) struct Header<'a> {
    pub(crate) origin: &'a Origin,
    pub(crate) names: Vec<String>,
    /// What the first cells of each column hold; empty where there are no rows.
    pub(crate) sketches: &'a [Sketch],
    pub(crate) annotated: bool,
}

impl Columns {
    /// Gives each column its role, and its metrics slots.
    pub(crate) fn new(header: Header<'_>, options: &ReadOptions, slots: &mut Slots) -> Result<Self, IoError> {
        let Header { origin, names, sketches, annotated } = header;
        let file = || origin.file();
        let names: Vec<String> = names.into_iter().map(|name| renamed(name, options)).collect();
        let blank = Sketch::default();
        let sketch = |index: usize| sketches.get(index).unwrap_or(&blank);
        let mut plan = Plan { names: &names, roles: vec![None; names.len()], notes: Vec::new() };
        plan.leave_out_indexes(origin, sketch, options)?;
        let by_name = unique(origin, &names, &plan.roles)?;
        let find = |name: &String| by_name.get(name.as_str()).copied();
        let unknown = |column: &str| IoError::UnknownColumn {
            file: file(),
            column: column.to_owned(),
            available: names.clone(),
        };
        let all = |wanted: &[String]| -> Result<Vec<usize>, IoError> {
            wanted.iter().map(|name| find(name).ok_or_else(|| unknown(name))).collect()
        };

        let times = match options.time_columns.as_slice() {
            [] => plan
                .find_times(sketch)
                .ok_or_else(|| IoError::NoTimestamp { file: file(), columns: names.clone() })?,
            wanted => all(wanted)?,
        };
        plan.assign(origin, &times, Role::Time)?;
        let shape = plan.find_shape(origin, options, sketch)?;
        let services = match options.service_columns.as_slice() {
            [] if shape == Shape::Wide => Vec::new(),
            [] => plan.find_service(sketch).into_iter().collect(),
            wanted => all(wanted)?,
        };
        plan.assign(origin, &services, Role::Service)?;
        let outcome = options.outcome_column.as_ref().filter(|_| shape == Shape::Records);
        if let Some(outcome) = outcome
            && find(outcome).is_none_or(|index| plan.roles[index].is_some_and(|role| role != Role::Ignored))
        {
            let available = names.iter().enumerate().filter(|(index, _)| plan.roles[*index].is_none());
            let available = available.map(|(_, name)| name.clone()).collect();
            return Err(IoError::UnknownOutcome { file: file(), column: outcome.clone(), available });
        }
        for index in all(&options.columns)
            .or_else(|error| if shape == Shape::Records { Err(error) } else { Ok(Vec::new()) })?
        {
            if plan.roles[index] == Some(Role::Ignored) {
                plan.roles[index] = None;
            }
        }
        if let Some(index) = outcome.and_then(find) {
            plan.roles[index] = None;
        }
        plan.leave_out_the_rest(shape, options, sketch, annotated, slots);
        plan.give_slots(shape, options, slots)?;

        let Plan { roles, notes, .. } = plan;
        let roles: Vec<Role> = roles.into_iter().map(|role| role.unwrap_or(Role::Ignored)).collect();
        let has_input = roles.iter().any(|role| match role {
            Role::Metric(slot) => !slots.slots[*slot].is_outcome(),
            Role::Value | Role::WideService => true,
            _ => false,
        });
        if !has_input {
            return Err(IoError::NoMetrics { file: file(), columns: names });
        }
        Ok(Self { roles, shape, time_parts: times.len(), service_parts: services.len(), notes, names })
    }
}

impl Columns {
    /// Which number of the dates is the day, as the first rows show.
    pub(crate) fn date_order(&self, sketches: &[Sketch]) -> Option<DateOrder> {
        let times = self.roles.iter().zip(sketches).filter(|(role, _)| matches!(role, Role::Time(_)));
        times.filter_map(|(_, sketch)| sketch.order).next()
    }
}

/// The name that the settings give to a column.
pub(crate) fn renamed(name: String, options: &ReadOptions) -> String {
    if let Some(to) = options.rename.get(&name) {
        return to.clone();
    }
    match options.metrics.iter().find(|spec| spec.column.as_deref() == Some(name.as_str())) {
        Some(spec) => spec.name.clone(),
        None => name,
    }
}

/// The name of a long file's metric, where it is one that is taken.
pub(crate) fn taken_metric<'a>(name: &'a str, options: &'a ReadOptions) -> Option<&'a str> {
    let name = name.trim();
    let spec = options.metrics.iter().find(|spec| spec.column.as_deref() == Some(name));
    let name = options.rename.get(name).map_or_else(|| spec.map_or(name, |spec| &spec.name), String::as_str);
    let asked = options.columns.is_empty()
        || options.columns.iter().any(|column| column == name)
        || options.outcome_column.as_deref() == Some(name);
    (asked && !options.drop.iter().any(|column| column == name)).then_some(name)
}

/// The position of each name; those without a name are left out.
fn unique<'a>(
    origin: &Origin,
    names: &'a [String],
    roles: &[Option<Role>],
) -> Result<BTreeMap<&'a str, usize>, IoError> {
    let mut by_name = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() && roles[index].is_some() {
            continue;
        }
        if let Some(first) = by_name.insert(name.as_str(), index) {
            return Err(IoError::DuplicateColumn {
                file: origin.file(),
                column: name.clone(),
                first: first + 1,
                second: index + 1,
            });
        }
    }
    Ok(by_name)
}

/// Roles that are being given out.
struct Plan<'a> {
    names: &'a [String],
    roles: Vec<Option<Role>>,
    notes: Vec<String>,
}

impl Plan<'_> {
    fn free(&self, index: usize) -> bool {
        self.roles[index].is_none()
    }

    /// Leaves out row numbers and columns without name or content.
    fn leave_out_indexes<'s>(
        &mut self,
        origin: &Origin,
        sketch: impl Fn(usize) -> &'s Sketch,
        options: &ReadOptions,
    ) -> Result<(), IoError> {
        let asked = |name: &String| {
            options.columns.contains(name)
                || options.time_columns.contains(name)
                || options.service_columns.contains(name)
        };
        for (index, name) in self.names.iter().enumerate().filter(|(_, name)| !asked(name)) {
            let sketch = sketch(index);
            let is_pandas = name.starts_with("Unnamed: ") || name.starts_with("__index_level_");
            let may_count = name.is_empty() || is_pandas || is_one_of(name, &ROW_NUMBER_NAMES);
            // An index may also be the time.
            if sketch.is_time() && (name.is_empty() || is_pandas) {
                continue;
            }
            if name.is_empty() && sketch.is_empty() {
                self.roles[index] = Some(Role::Ignored);
            } else if may_count && (sketch.counts_rows() || is_pandas) {
                self.roles[index] = Some(Role::Ignored);
                self.notes.push(format!("column {} counts rows and was left out", self.shown(index)));
            } else if name.is_empty() {
                return Err(IoError::EmptyColumnName { file: origin.file(), position: index + 1 });
            }
        }
        Ok(())
    }

    fn shown(&self, index: usize) -> String {
        match self.names[index].as_str() {
            "" => (index + 1).to_string(),
            name => format!("{name:?}"),
        }
    }

    /// The first free column that has one of these names, the earlier names first.
    fn named(&self, names: &[&str], fits: impl Fn(usize) -> bool) -> Option<usize> {
        // The exact name comes before one in another case.
        let position = |name: &str, same: fn(&str, &str) -> bool| {
            self.names
                .iter()
                .enumerate()
                .position(|(index, found)| same(found, name) && self.free(index) && fits(index))
        };
        names.iter().find_map(|name| {
            position(name, |a, b| a == b).or_else(|| position(name, |a, b| a.eq_ignore_ascii_case(b)))
        })
    }

    fn find_times<'s>(&mut self, sketch: impl Fn(usize) -> &'s Sketch) -> Option<Vec<usize>> {
        let by_name = |name| self.named(&[name], |_| true);
        if by_name(TIMESTAMP).is_none()
            && let (Some(date), Some(time)) = (by_name("date"), by_name("time"))
            && sketch(date).is_time()
            && !sketch(time).is_time()
        {
            self.notes.push("columns \"date\" and \"time\" were read as the time".to_owned());
            return Some(vec![date, time]);
        }
        if let Some(index) =
            self.named(&TIME_NAMES, |index| self.names[index] == TIMESTAMP || !sketch(index).is_text())
        {
            if self.names[index] != TIMESTAMP {
                self.notes.push(format!("column {} was read as the time", self.shown(index)));
            }
            return Some(vec![index]);
        }
        let mut times = (0..self.names.len()).filter(|&index| self.free(index) && sketch(index).is_time());
        let (first, second) = (times.next()?, times.next());
        if second.is_some() {
            return None;
        }
        self.notes.push(format!("column {} was read as the time", self.shown(first)));
        Some(vec![first])
    }

    fn find_service<'s>(&mut self, sketch: impl Fn(usize) -> &'s Sketch) -> Option<usize> {
        let index = self.named(&SERVICE_NAMES, |index| {
            let sketch = sketch(index);
            self.names[index] == SERVICE || (sketch.fractions == 0 && sketch.times == 0)
        })?;
        if self.names[index] != SERVICE {
            self.notes.push(format!("column {} was read as the service", self.shown(index)));
        }
        Some(index)
    }

    fn find_shape<'s>(
        &mut self,
        origin: &Origin,
        options: &ReadOptions,
        sketch: impl Fn(usize) -> &'s Sketch,
    ) -> Result<Shape, IoError> {
        let missing = |expected: &str| IoError::Shape {
            file: origin.file(),
            expected: expected.to_owned(),
            columns: self.names.to_vec(),
        };
        match options.shape {
            Shape::Records => return Ok(Shape::Records),
            Shape::Wide => {
                return match options.metric {
                    Some(_) => Ok(Shape::Wide),
                    None => Err(missing(
                        "the metric that all columns of a wide file hold: set the option `metric`",
                    )),
                };
            }
            Shape::Auto | Shape::Long => {}
        }
        let wanted = options.shape == Shape::Long;
        let name = self.named(&METRIC_NAMES, |index| wanted || sketch(index).is_text());
        let value = self.named(&VALUE_NAMES, |_| true);
        match (name, value) {
            (Some(name), Some(value)) => {
                (self.roles[name], self.roles[value]) = (Some(Role::MetricName), Some(Role::Value));
                if !wanted {
                    let (name, value) = (self.shown(name), self.shown(value));
                    self.notes.push(format!(
                        "read as a long file: {name} has the metrics' names, {value} their values"
                    ));
                }
                Ok(Shape::Long)
            }
            _ if wanted => Err(missing("columns \"metric\" and \"value\" of a long file: rename them")),
            _ => Ok(Shape::Records),
        }
    }

    fn assign(&mut self, origin: &Origin, columns: &[usize], role: fn(usize) -> Role) -> Result<(), IoError> {
        for (part, &index) in columns.iter().enumerate() {
            if self.roles[index].is_some_and(|role| role != Role::Ignored) {
                let column = self.names[index].clone();
                return Err(IoError::ColumnTwice { file: origin.file(), column });
            }
            self.roles[index] = Some(role(part));
        }
        Ok(())
    }

    /// Leaves out, with a note each, what was not asked for or cannot be a metric.
    fn leave_out_the_rest<'s>(
        &mut self,
        shape: Shape,
        options: &ReadOptions,
        sketch: impl Fn(usize) -> &'s Sketch,
        annotated: bool,
        slots: &Slots,
    ) {
        let is_outcome = |name: &String| options.outcome_column.as_ref() == Some(name);
        let v1 = forewarn_schema::Schema::v1();
        let mut left_out: Vec<(&str, Vec<String>)> = Vec::new();
        let mut note = |reason: &'static str, name: String| match left_out
            .iter_mut()
            .find(|(known, _)| *known == reason)
        {
            Some((_, names)) => names.push(name),
            None => left_out.push((reason, vec![name])),
        };
        for (index, name) in self.names.iter().enumerate() {
            if self.roles[index].is_some() {
                continue;
            }
            let sketch = sketch(index);
            let asked = options.columns.contains(name) || is_outcome(name);
            let defined =
                v1.position(name).is_some() || options.metrics.iter().any(|spec| spec.name == *name);
            let reason = if options.drop.contains(name) && !is_outcome(name) {
                "as asked"
            } else if shape == Shape::Long {
                "which a long file does not need"
            } else if !options.columns.is_empty() && !asked && shape == Shape::Records {
                "which were not asked for"
            } else if asked || slots.find(name).is_some() || defined {
                continue;
            } else if annotated && is_one_of(name, &ANNOTATED_NAMES) {
                "which InfluxDB adds"
            } else if is_one_of(name, &CALENDAR_NAMES) && shape == Shape::Records && sketch.fractions == 0 {
                "which are parts of the time"
            } else if sketch.others {
                "whose type is not that of a number"
            } else if sketch.is_text() {
                "which hold text"
            } else if sketch.is_time() {
                "which hold times"
            } else {
                continue;
            };
            self.roles[index] = Some(Role::Ignored);
            note(reason, self.shown(index));
        }
        for (reason, names) in left_out {
            let (shown, more) = (names[..names.len().min(10)].join(", "), names.len().saturating_sub(10));
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            self.notes.push(format!("left out columns, {reason}: {shown}{more}"));
        }
    }

    fn give_slots(&mut self, shape: Shape, options: &ReadOptions, slots: &mut Slots) -> Result<(), IoError> {
        let free: Vec<usize> = (0..self.names.len()).filter(|&index| self.free(index)).collect();
        match shape {
            Shape::Wide => {
                let metric = options.metric.as_deref().unwrap_or_default();
                slots.find_or_add(metric)?;
                free.into_iter().for_each(|index| self.roles[index] = Some(Role::WideService));
            }
            Shape::Long => {}
            _ => {
                for index in free {
                    self.roles[index] = Some(Role::Metric(slots.find_or_add(&self.names[index])?));
                }
                let has_service = self.roles.iter().any(|role| matches!(role, Some(Role::Service(_))));
                let metrics = self.roles.iter().filter(|role| matches!(role, Some(Role::Metric(_)))).count();
                if !has_service
                    && options.shape == Shape::Auto
                    && metrics > 1
                    && self.is_perhaps_wide(options)
                {
                    self.notes.push(format!(
                        "no column names services, so the {} columns were read as metrics of one: if each is a service, give the \
                         shape `wide` and a `metric` (--shape wide --metric NAME)",
                        metrics
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether the columns may be services: none is a metric that is known, and none is the outcome.
    fn is_perhaps_wide(&self, options: &ReadOptions) -> bool {
        let v1 = forewarn_schema::Schema::v1();
        options.outcome_column.is_none()
            && options.metrics.is_empty()
            && self
                .names
                .iter()
                .all(|name| v1.position(name).is_none() && !is_one_of(name, &["value", "label"]))
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
