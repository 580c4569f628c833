use crate::{
    error::{About, CliError},
    output::{files::NewFile, printable, terminal},
};
use clap::{Args, Subcommand};
use forewarn::{core::read_small_file, live::Shard};
use forewarn_server::{StoppedService, WatchConfig};
use std::{io::Write, path::PathBuf};

/// Largest file of services that is taken in: 1 GiB.
const MOST_BYTES: u64 = 1 << 30;

/// Hand services over between the shards of a live service
///
/// A fleet that is divided otherwise, into more shards or by another graph, has services whose past lies in the store
/// of the shard that had them. While both are stopped, `export` takes them out of one store, and `import` puts them into
/// another: windows, open failures and warnings that fire go on. Whatever is done is journaled.
#[derive(Args)]
pub(crate) struct State {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Take services out of a store, into a file
    Export(Export),
    /// Put the services of files into a store
    Import(Import),
}

/// The live service that is stopped.
#[derive(Args)]
struct Of {
    /// Configuration of the live service, with the shard that it is to be
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The shard, such as 2/5, in place of that of the configuration
    #[arg(long, value_name = "NUMBER/COUNT")]
    shard: Option<Shard>,
}

#[derive(Args)]
struct Export {
    #[command(flatten)]
    of: Of,
    /// Service to take out; may be given more than once [default: all that are of another shard]
    #[arg(long, value_name = "NAME")]
    service: Vec<String>,
    /// Leave the services in the store as well
    #[arg(long)]
    keep: bool,
    /// File to write; it must not be there yet
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(Args)]
struct Import {
    #[command(flatten)]
    of: Of,
    /// Files that `forewarn state export` wrote; services of other shards are left in them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl State {
    pub(crate) fn run(&self) -> Result<(), CliError> {
        match &self.what {
            What::Export(export) => export.run(),
            What::Import(import) => import.run(),
        }
    }
}

impl Of {
    fn open(&self) -> Result<StoppedService, CliError> {
        let config = WatchConfig::from_path(&self.config)?.with_shard(self.shard);
        Ok(StoppedService::open(&config)?)
    }
}

impl Export {
    fn run(&self) -> Result<(), CliError> {
        if self.output.exists() {
            let output = self.output.display();
            return Err(CliError::failed(format!("{output}: is there already; choose another name")));
        }
        let mut stopped = self.of.open()?;
        let services = if self.service.is_empty() { stopped.foreign() } else { self.service.clone() };
        let bytes = stopped.export(&services)?;
        // On disk before the store lets go of them.
        let mut file = NewFile::create(&self.output, &[])?;
        file.write_all(&bytes).about(self.output.display())?;
        file.finish()?;
        if !self.keep {
            stopped.release(&services)?;
        }
        let rest = if self.keep { ", and left where they were" } else { "" };
        terminal::print(&format!("{} services in {}{rest}", services.len(), self.output.display()))
    }
}

impl Import {
    fn run(&self) -> Result<(), CliError> {
        let mut stopped = self.of.open()?;
        let mut refused = 0;
        for file in &self.files {
            let bytes = read_small_file(file, MOST_BYTES).about(file.display())?;
            let imported = stopped.import(&bytes).about(file.display())?;
            terminal::print(&format!(
                "{}: {} services taken in, {} with a warning that goes on; {} of other shards left",
                file.display(),
                imported.taken.len(),
                imported.firing.len(),
                imported.others.len()
            ))?;
            for (service, reason) in &imported.refused {
                eprintln!("{}: {}", printable::text(service), printable::text(reason));
            }
            refused += imported.refused.len();
        }
        if refused > 0 {
            return Err(CliError::failed(format!("{refused} services were not taken in")));
        }
        Ok(())
    }
}
