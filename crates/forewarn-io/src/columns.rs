mod asked;
pub(crate) mod cells;
pub(crate) mod legend;
mod names;
mod plan;
mod role;
mod sketch;
pub(crate) mod slots;
pub(crate) mod time_form;
pub(crate) mod writable;

use crate::{
    DateOrder, IoError, ReadOptions, Shape,
    columns::{slots::Slots, time_form::TimeReader},
    error::{Origin, clip},
};
pub(crate) use names::{SERVICE, TIMESTAMP, is_time_name, service_label};
use plan::Plan;
pub(crate) use role::Role;
pub(crate) use sketch::Sketch;
use std::collections::BTreeMap;

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
    /// In a wide file, the slot of each column's metric.
    pub(crate) wide_slots: Vec<usize>,
    /// Whether columns of a wide file hold metrics of their own.
    pub(crate) is_series: bool,
    /// Columns that say when and which service.
    pub(crate) places: Vec<usize>,
    /// Columns that the settings leave out.
    dropped: Vec<String>,
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
        let in_file = names;
        let mut names: Vec<String> = in_file.iter().map(|name| renamed(name.clone(), options)).collect();
        let unwrapped = unwrap(&mut names, options);
        in_file.iter().zip(&names).for_each(|(in_file, name)| slots.asked.see(in_file, name));
        let blank = Sketch::default();
        let sketch = |index: usize| sketches.get(index).unwrap_or(&blank);
        let mut plan = Plan {
            names: &names,
            roles: vec![None; names.len()],
            notes: Vec::new(),
            series: Vec::new(),
            wide_slots: Vec::new(),
        };
        plan.notes.extend(unwrapped);
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
        if let (Shape::Records, Some(metric)) = (shape, &options.metric) {
            plan.notes.push(format!(
                "`metric` {:?} was not used: each column is a metric; where each is a service, give the shape `wide`",
                clip(metric)
            ));
        }
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
        plan.give_slots(shape, options, sketch, slots)?;

        let Plan { roles, mut notes, series, wide_slots, .. } = plan;
        let roles: Vec<Role> = roles.into_iter().map(|role| role.unwrap_or(Role::Ignored)).collect();
        let has_input = roles.iter().any(|role| match role {
            Role::Metric(slot) => !slots.slots[*slot].is_outcome(),
            Role::Value | Role::WideService => true,
            _ => false,
        });
        if !has_input {
            return Err(IoError::NoMetrics { file: file(), columns: names });
        }
        let is_series = !series.is_empty();
        if is_series {
            for (name, series) in names.iter_mut().zip(series) {
                if let Some(series) = series {
                    *name = series.service;
                }
            }
        } else if shape == Shape::Wide && legend::shorten(&mut names, &roles) {
            notes.push("services are the labels in the names of their columns".to_owned());
        }
        let (time_parts, service_parts) = (times.len(), services.len());
        let is_place = |index: &usize| matches!(roles[*index], Role::Time(_) | Role::Service(_));
        let places = (0..roles.len()).filter(is_place).collect();
        Ok(Self {
            roles,
            names,
            shape,
            time_parts,
            service_parts,
            notes,
            wide_slots,
            is_series,
            places,
            dropped: options.drop.clone(),
        })
    }
}

impl Columns {
    /// Columns that are read for what they hold, whatever it is for, but for those that `is_read` is false for.
    #[cfg(feature = "parquet")]
    pub(crate) fn of_cells(names: Vec<String>, is_read: impl Fn(usize) -> bool) -> Self {
        let role = |index| if is_read(index) { Role::Value } else { Role::Ignored };
        Self {
            roles: (0..names.len()).map(role).collect(),
            names,
            shape: Shape::Records,
            time_parts: 0,
            service_parts: 0,
            notes: Vec::new(),
            wide_slots: Vec::new(),
            is_series: false,
            places: Vec::new(),
            dropped: Vec::new(),
        }
    }

    /// Columns that are left out and are called as labels are, but for those that settings name.
    pub(crate) fn labels_left_out(&self) -> Vec<usize> {
        let is_label = |name: &str| {
            let last = names::last_part(name).unwrap_or(name);
            names::is_one_of(last, &names::LABEL_NAMES)
        };
        let columns = self.names.iter().zip(&self.roles).enumerate();
        columns
            .filter(|(_, (name, role))| {
                **role == Role::Ignored && is_label(name) && !self.dropped.contains(name)
            })
            .map(|(index, _)| index)
            .collect()
    }

    /// Tells a reader of times what the first rows show of them.
    pub(crate) fn teach(&self, sketches: &[Sketch], times: &mut TimeReader) {
        times.learn(self.date_order(sketches));
        let columns = self.names.iter().zip(sketches);
        let mut of_times = columns.zip(&self.roles).filter(|(_, role)| matches!(role, Role::Time(_)));
        let only = of_times.next().filter(|_| of_times.next().is_none());
        if let Some(((_, sketch), _)) = only {
            times.learn_exponent_digits(sketch.exponent_digits);
        }
        if let Some(((name, sketch), _)) = only
            && sketch.counts_days(names::is_one_of(name, &["date", "datum", "day"]))
        {
            times.learn_days();
        }
    }

    /// Which number of the dates is the day, as the first rows show.
    fn date_order(&self, sketches: &[Sketch]) -> Option<DateOrder> {
        let times = self.roles.iter().zip(sketches).filter(|(role, _)| matches!(role, Role::Time(_)));
        times.filter_map(|(_, sketch)| sketch.order).next()
    }
}

/// Names of objects around metrics that say nothing of them.
const CONTAINERS: [&str; 8] =
    ["metrics", "metric", "_source", "fields", "values", "data", "stats", "payload"];

/// Takes the names of such objects away, where what is left is the name of a metric or of no other column; says so.
fn unwrap(names: &mut [String], options: &ReadOptions) -> Option<String> {
    let v1 = forewarn_schema::Schema::v1();
    let is_asked = |name: &String| {
        let lists = [&options.columns, &options.drop, &options.time_columns, &options.service_columns];
        lists.into_iter().any(|list| list.contains(name))
            || options.outcome_column.as_ref() == Some(name)
            || options.metrics.iter().any(|spec| spec.name == *name)
    };
    let mut found = Vec::new();
    for (index, name) in names.iter().enumerate().filter(|(_, name)| !is_asked(name)) {
        let Some((around, inner)) = name.split_once('.') else { continue };
        let is_document =
            around == "_source" || around == "result" && names.iter().any(|name| name == "preview");
        if (is_document || CONTAINERS.contains(&around) && v1.position(inner).is_some())
            && !names.iter().any(|other| other == inner)
        {
            found.push((index, inner.to_owned()));
        }
    }
    let first = found.first().map(|(index, inner)| (names[*index].clone(), inner.clone()));
    for (index, inner) in found {
        names[index] = inner;
    }
    first.map(|(name, inner)| {
        format!("columns were read by the ends of their names, such as {name:?} as {inner:?}")
    })
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

impl Slots {
    /// The name of a long file's metric, where it is one that is taken.
    pub(crate) fn taken<'a>(&mut self, name: &'a str, options: &'a ReadOptions) -> Option<&'a str> {
        let in_file = name.trim();
        let spec = options.metrics.iter().find(|spec| spec.column.as_deref() == Some(in_file));
        let name = options
            .rename
            .get(in_file)
            .map_or_else(|| spec.map_or(in_file, |spec| &spec.name), String::as_str);
        self.asked.see(in_file, name);
        let asked = options.columns.is_empty()
            || options.columns.iter().any(|column| column == name)
            || options.outcome_column.as_deref() == Some(name);
        (asked && !options.drop.iter().any(|column| column == name)).then_some(name)
    }
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
