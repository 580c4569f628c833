use crate::{LogConfig, LogFormat, ServerError};
use std::io;
use tracing_subscriber::{Layer, filter::Targets, fmt, prelude::*, registry};

/// Writes the log of this process to standard error from now on, as `[log]` says. Once a process; a second call changes
/// nothing.
///
/// # Errors
/// [`ServerError::Config`] for a filter that cannot be understood.
pub fn start_log(config: &LogConfig) -> Result<(), ServerError> {
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match config.format {
        LogFormat::Json => lines.json().boxed(),
        LogFormat::Text => lines.boxed(),
    };
    // An error says that something else in this process logs already: a program that embeds the service, or a test.
    let _set = registry().with(lines.with_filter(filter(config)?)).try_init();
    Ok(())
}

/// Which lines are written.
pub(crate) fn filter(config: &LogConfig) -> Result<Targets, ServerError> {
    config.filter.parse::<Targets>().map_err(|error| ServerError::Config {
        reason: format!(
            "log.filter: {:?}: {error}; expected a level, or levels by target such as \"info,forewarn::access=debug\"",
            forewarn_schema::printable(&config.filter)
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_refused() {
        let of = |filter: &str| LogConfig { filter: filter.to_owned(), ..LogConfig::default() };
        for right in ["info", "warn,forewarn::access=debug", "off"] {
            filter(&of(right)).unwrap();
        }
        let error = filter(&of("forewarn=loud")).unwrap_err().to_string();
        assert!(error.contains("log.filter") && error.contains("loud"), "{error}");
    }
}
