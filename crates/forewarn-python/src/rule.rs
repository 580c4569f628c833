//! Failure rules.

use crate::error::Failure;
use forewarn::label;
use pyo3::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What counts as failing; see the class of this name in the package.
#[pyclass(frozen, eq, module = "forewarn", from_py_object)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rule(pub(crate) label::Rule);

#[pymethods]
impl Rule {
    /// Reads the sentence of a comparison, such as `error_rate >= 0.05 for 2 steps`.
    #[staticmethod]
    fn parse(text: &str) -> PyResult<Self> {
        Ok(Self(text.parse().map_err(Failure::from)?))
    }

    /// Reads a rule of more than a line.
    #[staticmethod]
    fn from_toml(text: &str) -> PyResult<Self> {
        Ok(Self(label::Rule::from_toml(text).map_err(Failure::from)?))
    }

    /// Reads what `to_json` gives.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        Ok(Self(label::Rule::from_json(text).map_err(Failure::from)?))
    }

    /// An error rate of at least 5 % for two steps.
    #[staticmethod]
    fn v1() -> Self {
        Self(label::Rule::v1())
    }

    /// Failing where a column says so.
    #[staticmethod]
    fn outcome(column: &str) -> PyResult<Self> {
        Ok(Self(label::Rule::outcome(column).map_err(Failure::from)?))
    }

    /// The rule as data.
    fn to_json(&self) -> PyResult<String> {
        Ok(serde_json::to_string(&self.0).map_err(Failure::from)?)
    }

    /// Metrics that it asks for, in order of name.
    #[getter]
    fn metrics(&self) -> Vec<String> {
        self.0.metrics().into_iter().map(str::to_owned).collect()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Rule({:?})", self.0.to_string())
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.0.hash(&mut hasher);
        hasher.finish()
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<(Py<PyAny>, (String,))> {
        // A function of the package: pickle finds it by its name, as it does no method.
        let read = py.import("forewarn")?.getattr("_rule_from_json")?;
        Ok((read.unbind(), (self.to_json()?,)))
    }
}
