use crate::{IoError, MetricSpec, ReadOptions, columns::asked::Asked, options::Conversion};
use forewarn_schema::{Kind, Metric, Schema, Unit, ValidRange};
use std::collections::BTreeMap;

/// A metric of the frames, and how a cell of a file becomes its value.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) metric: Metric,
    /// Values of the file times this are those of the metric.
    pub(crate) factor: f64,
    pub(crate) counter: Counter,
    /// Its position among the counters, where it is one.
    pub(crate) counter_at: usize,
    /// Whether the unit is only assumed, so that one in a cell may change it.
    pub(crate) open_unit: bool,
}

/// Whether a metric counts since a process began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counter {
    No,
    /// By its name: unless it falls too often.
    Perhaps,
    Yes,
}

impl Slot {
    /// Whether a number of the file is a value as it is.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.counter == Counter::No && self.factor == 1.0 && !self.is_outcome()
    }

    pub(crate) fn is_outcome(&self) -> bool {
        self.metric.kind == Kind::Outcome
    }

    /// The metric once its counter has become increases.
    pub(crate) fn as_increase(&self) -> Metric {
        Metric::new(self.metric.name.as_str(), Unit::CountPerStep, Kind::Delta, ValidRange::NON_NEGATIVE)
    }
}

/// The metrics of a reading, in the order in which they appear.
#[derive(Clone, Debug)]
pub(crate) struct Slots {
    pub(crate) slots: Vec<Slot>,
    by_name: BTreeMap<String, usize>,
    /// The slots that are counters, or may be.
    pub(crate) counters: Vec<usize>,
    /// Names that the settings ask for.
    pub(crate) asked: Asked,
    definitions: Definitions,
}

/// What the settings say of metrics.
#[derive(Clone, Debug)]
struct Definitions {
    v1: Schema,
    specs: BTreeMap<String, MetricSpec>,
    units: BTreeMap<String, String>,
    /// Units that files say, where one does; nothing for a column without one.
    of_files: BTreeMap<String, String>,
    counters: Vec<String>,
    outcome: Option<String>,
}

impl Slots {
    pub(crate) fn new(options: &ReadOptions) -> Result<Self, IoError> {
        let mut specs = BTreeMap::new();
        for spec in &options.metrics {
            if spec.name.trim().is_empty() || specs.insert(spec.name.clone(), spec.clone()).is_some() {
                return Err(IoError::Setting {
                    option: "metrics",
                    value: spec.name.clone(),
                    expected: "names of metrics, each once".to_owned(),
                });
            }
        }
        Ok(Self {
            slots: Vec::new(),
            by_name: BTreeMap::new(),
            counters: Vec::new(),
            asked: Asked::new(options),
            definitions: Definitions {
                v1: Schema::v1(),
                specs,
                units: options.units.clone(),
                of_files: BTreeMap::new(),
                counters: options.counters.clone(),
                outcome: options.outcome_column.clone(),
            },
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The position of a metric, which is added where it is new.
    pub(crate) fn find_or_add(&mut self, name: &str) -> Result<usize, IoError> {
        if let Some(slot) = self.find(name) {
            return Ok(slot);
        }
        let mut slot = self.definitions.define(name)?;
        if slot.counter != Counter::No {
            slot.counter_at = self.counters.len();
            self.counters.push(self.slots.len());
        }
        self.by_name.insert(name.to_owned(), self.slots.len());
        self.slots.push(slot);
        Ok(self.slots.len() - 1)
    }

    /// A file says this unit of a metric, or none: files that are read together have to agree where one says it.
    pub(crate) fn learn_unit(&mut self, name: &str, symbol: &str) -> Result<(), IoError> {
        let is_defined = self.by_name.contains_key(name);
        let Definitions { units, specs, of_files, .. } = &mut self.definitions;
        if units.contains_key(name) || specs.get(name).is_some_and(|spec| spec.unit.is_some()) {
            return Ok(());
        }
        if !is_defined {
            of_files.insert(name.to_owned(), symbol.to_owned());
            return Ok(());
        }
        let known = of_files.get(name).map_or("", String::as_str);
        if known == symbol {
            return Ok(());
        }
        Err(IoError::Setting {
            option: "units",
            value: format!("{name}={symbol}"),
            expected: format!(
                "one unit of {name} in all files, and another one says {}; give it as a setting (--unit NAME=UNIT) \
                 where they agree",
                if known.is_empty() { "none".to_owned() } else { format!("{known:?}") }
            ),
        })
    }

    /// Whether a file has said units.
    pub(crate) fn has_units_of_files(&self) -> bool {
        !self.definitions.of_files.is_empty()
    }

    /// Names of settings that no metric has, with the setting: one that is misspelt changes nothing.
    pub(crate) fn unused(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let Definitions { units, counters, .. } = &self.definitions;
        let units = units.keys().map(|name| ("units", name));
        let counters = counters.iter().map(|name| ("counters", name));
        let names = units.chain(counters).map(|(setting, name)| (setting, name.as_str()));
        names.filter(|(_, name)| self.find(name).is_none())
    }

    /// The order of the metrics in frames: that of v1 with an outcome last where they are all of v1, else as they came.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.len()).collect();
        let v1 = &self.definitions.v1;
        let rank = |&slot: &usize| match &self.slots[slot].metric {
            metric if metric.kind == Kind::Outcome => Some(v1.len()),
            metric => v1.position(&metric.name),
        };
        let known = order.iter().filter_map(rank).filter(|&rank| rank < v1.len()).count();
        if known == v1.len() && order.iter().all(|slot| rank(slot).is_some()) {
            order.sort_by_key(|slot| rank(slot));
        }
        order
    }
}

impl Definitions {
    fn define(&self, name: &str) -> Result<Slot, IoError> {
        let spec = self.specs.get(name);
        let is_outcome =
            self.outcome.as_deref() == Some(name) || spec.is_some_and(|s| s.kind == Some(Kind::Outcome));
        if is_outcome {
            return Ok(Slot {
                metric: Metric::outcome(name),
                factor: 1.0,
                counter: Counter::No,
                counter_at: 0,
                open_unit: false,
            });
        }
        let known = self.v1.position(name).map(|index| self.v1.metrics()[index].clone());
        let is_known = known.is_some();
        let mut metric = known.unwrap_or_else(|| Metric::gauge(name));
        let mut factor = 1.0;
        let of_file = || self.of_files.get(name).filter(|symbol| !symbol.is_empty());
        let symbol =
            self.units.get(name).or_else(|| spec.and_then(|spec| spec.unit.as_ref())).or_else(of_file);
        if let Some(symbol) = symbol {
            let conversion = Conversion::of(symbol);
            if is_known && conversion.unit != metric.unit {
                return Err(IoError::Setting {
                    option: "units",
                    value: format!("{name}={symbol}"),
                    expected: format!("a unit that can become that of {name}, which is {}", metric.unit),
                });
            }
            (metric.unit, factor) = (conversion.unit, conversion.factor);
        }
        if let Some(spec) = spec {
            metric.kind = spec.kind.unwrap_or(metric.kind);
            metric.range = spec.range.unwrap_or(metric.range);
        }
        let counter = if metric.kind == Kind::Counter || self.counters.iter().any(|counter| counter == name) {
            Counter::Yes
        } else if name.ends_with("_total") && spec.is_none_or(|spec| spec.kind.is_none()) {
            Counter::Perhaps
        } else {
            Counter::No
        };
        let open_unit = !is_known && symbol.is_none();
        Ok(Slot { metric, factor, counter, counter_at: 0, open_unit })
    }
}
