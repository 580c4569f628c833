//! Errors as Python sees them: the libraries' own words.

use pyo3::{PyErr, create_exception, exceptions::PyException};
use std::error::Error;

create_exception!(
    forewarn,
    ForewarnError,
    PyException,
    "Something that forewarn cannot work with: what was found, where, what was expected, and what to do."
);

/// The exception for an error of any library.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        ForewarnError::new_err(failure.0)
    }
}
