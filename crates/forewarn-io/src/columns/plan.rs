use super::{
    Role, Sketch,
    legend::{self, Series},
    names::{
        ANNOTATED_NAMES, CALENDAR_NAMES, METRIC_NAMES, METRIC_NAMES_BESIDE_SERVICES, OUTCOME_NAMES,
        ROW_NUMBER_NAMES, SERVICE, SERVICE_NAMES, TIME_NAMES, TIMESTAMP, VALUE_NAMES, has_same_words,
        is_one_of, last_part,
    },
};
use crate::{IoError, ReadOptions, Shape, columns::slots::Slots, error::Origin};
use std::collections::BTreeSet;

/// Roles that are being given out.
pub(super) struct Plan<'a> {
    pub(super) names: &'a [String],
    pub(super) roles: Vec<Option<Role>>,
    pub(super) notes: Vec<String>,
    /// In a wide file of several metrics, what each column holds.
    pub(super) series: Vec<Option<Series>>,
    /// In a wide file, the slot of each column.
    pub(super) wide_slots: Vec<usize>,
}

impl Plan<'_> {
    fn free(&self, index: usize) -> bool {
        self.roles[index].is_none()
    }

    /// Leaves out row numbers and columns without name or content.
    pub(super) fn leave_out_indexes<'s>(
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

    /// The first free column that has one of these names, the earlier names first; else the only one whose name ends
    /// in one of them, as in `kubernetes.pod_name`.
    fn named(&self, names: &[&str], fits: impl Fn(usize) -> bool) -> Option<usize> {
        let free = |same: &dyn Fn(&str) -> bool| {
            let mut found = (0..self.names.len())
                .filter(|&index| same(&self.names[index]) && self.free(index) && fits(index));
            (found.next(), found.next().is_none())
        };
        // The exact name comes before one in another case or with other marks between words.
        let whole = |name: &&str| {
            free(&|found| found == *name)
                .0
                .or_else(|| free(&|found| found.eq_ignore_ascii_case(name)).0)
                .or_else(|| free(&|found| has_same_words(found, name)).0)
        };
        names.iter().find_map(whole).or_else(|| {
            names.iter().find_map(|name| {
                let (first, is_only) =
                    free(&|found| last_part(found).is_some_and(|last| has_same_words(last, name)));
                first.filter(|_| is_only)
            })
        })
    }

    pub(super) fn find_times<'s>(&mut self, sketch: impl Fn(usize) -> &'s Sketch) -> Option<Vec<usize>> {
        let by_name = |name| self.named(&[name], |_| true);
        let pairs = [("date", "time"), ("datum", "uhrzeit"), ("datum", "zeit")];
        for (date, time) in pairs.iter().filter_map(|(date, time)| by_name(date).zip(by_name(time))) {
            if by_name(TIMESTAMP).is_none()
                && (sketch(date).is_time() || sketch(date).may_be_dates())
                && !sketch(time).is_time()
            {
                let (date_name, time_name) = (self.shown(date), self.shown(time));
                self.notes.push(format!("columns {date_name} and {time_name} were read as the time"));
                return Some(vec![date, time]);
            }
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

    pub(super) fn find_service<'s>(&mut self, sketch: impl Fn(usize) -> &'s Sketch) -> Option<usize> {
        let index = self.named(&SERVICE_NAMES, |index| {
            let sketch = sketch(index);
            self.names[index] == SERVICE || (sketch.fractions == 0 && sketch.times == 0)
        })?;
        if self.names[index] != SERVICE {
            self.notes.push(format!("column {} was read as the service", self.shown(index)));
        }
        Some(index)
    }

    pub(super) fn find_shape<'s>(
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
                    None if self.find_series(options, &sketch, true) => Ok(Shape::Wide),
                    None => Err(missing(
                        "the metric that all columns of a wide file hold: set the option `metric`; or names of columns \
                         such as web.error_rate",
                    )),
                };
            }
            Shape::Auto | Shape::Long => {}
        }
        let wanted = options.shape == Shape::Long;
        let value = self.named(&VALUE_NAMES, |_| true);
        let is_name = |index: usize| wanted || sketch(index).is_text();
        let name = self.named(&METRIC_NAMES, is_name).or_else(|| {
            let service = self.named(&SERVICE_NAMES, |index| sketch(index).is_text());
            let beside = |index: usize| is_name(index) && service != Some(index);
            service.and_then(|_| self.named(&METRIC_NAMES_BESIDE_SERVICES, beside))
        });
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
            _ if self.find_series(options, &sketch, false) => Ok(Shape::Wide),
            _ => Ok(Shape::Records),
        }
    }

    /// Whether the columns are series, each of one metric of one service by its name. Where that is not given, `loosely`,
    /// no column may say the service, and the names have to be of metrics that are known or have labels.
    fn find_series<'s>(
        &mut self,
        options: &ReadOptions,
        sketch: &impl Fn(usize) -> &'s Sketch,
        loosely: bool,
    ) -> bool {
        let is_asked = !options.service_columns.is_empty() || !options.columns.is_empty();
        if !loosely && (is_asked || options.metric.is_some() || options.outcome_column.is_some()) {
            return false;
        }
        let holds_numbers = |index: usize| {
            let sketch = sketch(index);
            !sketch.is_text() && !sketch.is_time() && !sketch.others
        };
        let columns: Vec<usize> = (0..self.names.len())
            .filter(|&index| self.free(index) && holds_numbers(index))
            .filter(|&index| !options.drop.contains(&self.names[index]))
            .collect();
        let v1 = forewarn_schema::Schema::v1();
        let is_known =
            |name: &str| v1.position(name).is_some() || options.metrics.iter().any(|spec| spec.name == name);
        let names: Vec<&str> = columns.iter().map(|&index| self.names[index].as_str()).collect();
        let Some(all) = legend::all_series(&names, is_known, loosely).filter(|all| !all.is_empty()) else {
            return false;
        };
        let is_labelled = names.iter().all(|name| name.contains('{'));
        // A service's name may be part of that of a metric, such as http_error_rate, unless several have the same.
        if !loosely && (!is_labelled && !legend::is_whole(&all) || self.may_have_service(sketch)) {
            return false;
        }
        self.series = vec![None; self.names.len()];
        let mut seen = BTreeSet::new();
        let (mut services, mut metrics) = (Vec::new(), Vec::new());
        for (index, series) in columns.into_iter().zip(all) {
            for (list, is_metric, name) in
                [(&mut services, false, &series.service), (&mut metrics, true, &series.metric)]
            {
                if seen.insert((is_metric, name.clone())) {
                    list.push(name.clone());
                }
            }
            self.series[index] = Some(series);
        }
        let first = |names: &[String]| {
            let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
            format!("{}{more}", names[..names.len().min(5)].join(", "))
        };
        self.notes.push(format!(
            "read as a wide file: each column is a metric of a service (services {}; metrics {})",
            first(&services),
            first(&metrics)
        ));
        true
    }

    /// Whether a column may say the service.
    fn may_have_service<'s>(&self, sketch: &impl Fn(usize) -> &'s Sketch) -> bool {
        self.named(&SERVICE_NAMES, |index| {
            self.names[index] == SERVICE || (sketch(index).fractions == 0 && sketch(index).times == 0)
        })
        .is_some()
    }

    pub(super) fn assign(
        &mut self,
        origin: &Origin,
        columns: &[usize],
        role: fn(usize) -> Role,
    ) -> Result<(), IoError> {
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
    pub(super) fn leave_out_the_rest<'s>(
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
            } else if is_one_of(name, &CALENDAR_NAMES) && shape != Shape::Long && sketch.fractions == 0 {
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

    pub(super) fn give_slots<'s>(
        &mut self,
        shape: Shape,
        options: &ReadOptions,
        sketch: impl Fn(usize) -> &'s Sketch,
        slots: &mut Slots,
    ) -> Result<(), IoError> {
        let free: Vec<usize> = (0..self.names.len()).filter(|&index| self.free(index)).collect();
        match shape {
            Shape::Wide => {
                self.wide_slots = vec![0; self.names.len()];
                for index in free {
                    let metric = match self.series.get(index) {
                        None => options.metric.as_deref().unwrap_or_default(),
                        Some(Some(series)) => &series.metric,
                        // What has no series holds no numbers.
                        Some(None) => continue,
                    };
                    self.wide_slots[index] = slots.find_or_add(metric)?;
                    self.roles[index] = Some(Role::WideService);
                }
            }
            Shape::Long => {}
            _ => {
                for index in free {
                    self.roles[index] = Some(Role::Metric(slots.find_or_add(&self.names[index])?));
                }
                for (index, name) in self.names.iter().enumerate() {
                    let Some(Role::Metric(slot)) = self.roles[index] else { continue };
                    if is_one_of(name, &OUTCOME_NAMES)
                        && !slots.slots[slot].is_outcome()
                        && !options.columns.contains(name)
                        && !options.metrics.iter().any(|spec| spec.name == *name)
                        && sketch(index).may_be_flags()
                    {
                        self.notes.push(format!(
                            "column {name:?} was read as a metric: if it says when the service was failing, name it as the \
                             outcome (--failure-column {name}) or leave it out (--drop {name}), for a model that sees it \
                             sees the answer"
                        ));
                    }
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
