//! The program `forewarn`: the only place for options, terminals and exit codes. What it does lies in the libraries.

#![expect(
    clippy::doc_markdown,
    reason = "comments of options are help texts, which a terminal shows as they are"
)]

mod command;
mod data;
mod error;
mod experiments;
mod options;
mod output;
mod service;
mod shell;

use clap::Parser;
use command::Command;
use error::CliError;
use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // Help and version are answers, everything else is a command line that was not understood.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            return match error.print() {
                Ok(()) => code,
                Err(_) => ExitCode::FAILURE,
            };
        }
    };
    match command.run() {
        Ok(()) | Err(CliError::ClosedPipe) => ExitCode::SUCCESS,
        Err(CliError::NotUsable) => ExitCode::FAILURE,
        Err(CliError::Usage(message)) => {
            eprintln!("error: {}\nTry --help.", output::printable::text(&message));
            ExitCode::from(2)
        }
        Err(CliError::Failed(message)) => {
            eprintln!("error: {}", output::printable::text(&message));
            ExitCode::FAILURE
        }
    }
}
