use crate::error::CliError;
use clap::{Args, Command};
use std::io::{self, Write};

/// Print a completion script for a shell
///
/// For bash: forewarn completions bash > ~/.local/share/bash-completion/completions/forewarn
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: clap_complete::Shell,
}

impl Completions {
    /// Prints the script of `command`.
    pub(crate) fn run(&self, mut command: Command) -> Result<(), CliError> {
        // Into memory first: the generator takes a closed pipe for a reason to panic.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "forewarn", &mut script);
        Ok(io::stdout().lock().write_all(&script)?)
    }
}

/// Prints the manual page of the program and its commands, as roff.
pub(crate) fn manual(command: &Command) -> Result<(), CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands() {
        let man = clap_mangen::Man::new(subcommand.clone());
        writeln!(page, ".SH {}", subcommand.get_name().to_uppercase())?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    Ok(io::stdout().lock().write_all(&page)?)
}
