//! The Python module `forewarn._forewarn`, which the package in `python/forewarn` gives types and documentation.
//!
//! Every function takes and gives Arrow tables, works without the interpreter's lock, and raises `ForewarnError` with
//! the words of the libraries.

mod arrow;
mod error;
mod evaluation;
mod experiment;
mod labels;
mod model;
mod reading;
mod rule;
mod sample;

use error::ForewarnError;
use pyo3::prelude::*;

/// What the package `forewarn` is made of.
#[pymodule]
fn _forewarn(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("ForewarnError", module.py().get_type::<ForewarnError>())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<rule::Rule>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<experiment::Results>()?;
    module.add_class::<experiment::Trained>()?;
    module.add_function(wrap_pyfunction!(reading::summary, module)?)?;
    module.add_function(wrap_pyfunction!(reading::fingerprint, module)?)?;
    module.add_function(wrap_pyfunction!(labels::labels, module)?)?;
    module.add_function(wrap_pyfunction!(labels::episodes, module)?)?;
    module.add_function(wrap_pyfunction!(labels::verdicts, module)?)?;
    module.add_function(wrap_pyfunction!(labels::features, module)?)?;
    module.add_function(wrap_pyfunction!(labels::windows, module)?)?;
    module.add_function(wrap_pyfunction!(sample::label_and_sample, module)?)?;
    module.add_function(wrap_pyfunction!(sample::join_samples, module)?)?;
    module.add_function(wrap_pyfunction!(experiment::evaluate, module)?)?;
    module.add_function(wrap_pyfunction!(experiment::train, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::judge, module)?)?;
    module.add_function(wrap_pyfunction!(evaluation::average_precision, module)?)?;
    Ok(())
}
