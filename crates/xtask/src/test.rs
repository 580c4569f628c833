//! `cargo xtask test`: every check and every test of the workspace.

mod plan;

use std::panic::resume_unwind;
use std::path::Path;
use std::process::Command;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use cargo_metadata::MetadataCommand;

use crate::error::XtaskError;
use crate::{
    checks::{deny, layers, links},
    command, dashboard,
    delivery::{deploy, release},
    docs::{book, pages, tutorial},
    peers::{browser, libtorch, neon, promtool, pytorch, real_servers, schemathesis, sklearn, wheel},
};
use plan::{Action, Needs};

pub(crate) const HELP: &str = "\
Run every check and every test of the workspace, as CI does; stop at the first that fails.

Usage: cargo xtask test [OPTIONS]

Options:
      --no-libtorch  Leave out what trains through libtorch: no download, no C++ compiler, some minutes less.
                     All else, the pure-Rust trainer of the same models included, needs none of these.
      --no-sklearn   Leave out the comparison of figures with scikit-learn: no Python, no download
  -h, --help         Show this help

In this order: formatting, layer rules, links between pages, clippy, unit and integration tests and doc-tests (all
with Parquet on), each library built on its own, benches once each, docs, examples with small settings; the commands
of the tutorial and of the how-to guides as they stand; all crates packaged as for a release; the documentation site
where there is an mdBook (FOREWARN_MDBOOK, or on the search path); deployment files by what is put under
target/deploy, and the services of the compose file where Prometheus and Alertmanager are; figures beside those of
scikit-learn, which is put under target/ unless FOREWARN_PYTHON names a Python that has it; saved models read and
scored by PyTorch where that Python, or python3, has torch; the report's page in a headless browser where there is one
(FOREWARN_BROWSER, or Chromium or Chrome on the search path); the web page built again by node where there is one,
compared with what is committed, and tested in that browser; queries of recipes in promtool where there is one
(FOREWARN_PROMTOOL, or on the search path); the HTTP API by schemathesis, which is put under target/ unless
FOREWARN_SCHEMATHESIS names one; the live service beside real servers where Prometheus, Alertmanager and vmagent are
(FOREWARN_PROMETHEUS, FOREWARN_ALERTMANAGER, FOREWARN_VMAGENT, or on the search path); vector code on an emulated
64-bit Arm processor where rustc, aarch64-linux-gnu-gcc and qemu-aarch64 can; the wheel of the Python module in a
clean virtual environment, and on a Spark cluster of three workers where there is a Java: maturin and pyspark are put
under target/; then, with libtorch, the fuzz targets, which need a C++ compiler as well, and clippy and tests of the
crates that can use it. libtorch is fetched where it is missing, see `cargo xtask libtorch --help`.
";

/// Whether libtorch takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Libtorch {
    /// It is fetched where missing, and the crates that can use it are tested with it.
    Included,
    /// Nothing is fetched or tested with it.
    LeftOut,
}

/// Whether scikit-learn takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sklearn {
    /// It is fetched where missing, and figures are compared with it.
    Included,
    /// Nothing is fetched or compared.
    LeftOut,
}

/// What a test run is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) libtorch: Libtorch,
    pub(crate) sklearn: Sklearn,
}

impl Scope {
    /// Everything.
    pub(crate) const WHOLE: Self = Self { libtorch: Libtorch::Included, sklearn: Sklearn::Included };
}

/// Runs all steps and prints how long each took.
///
/// # Errors
///
/// The first failed step's.
pub(crate) fn run(root: &Path, scope: Scope) -> Result<(), XtaskError> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    // Each waits for pip most of the time.
    let (deploy, schemathesis, python, spark) = thread::scope(|scope| {
        let deploy = scope.spawn(|| deploy::find(root));
        let schemathesis = scope.spawn(|| schemathesis::find(root));
        let python = scope.spawn(|| wheel::find(root));
        (joined(deploy), joined(schemathesis), joined(python), wheel::find_spark(root))
    });
    let found = plan::Found::in_workspace(&metadata)
        .with_book(book::find())
        .with_browser(browser::find())
        .with_deploy(deploy)
        .with_npm(dashboard::find())
        .with_emulator(neon::find())
        .with_promtool(promtool::find())
        .with_deny(deny::find())
        .with_pytorch(pytorch::find())
        .with_real_servers(real_servers::find())
        .with_schemathesis(schemathesis)
        .with_python(python)
        .with_spark(spark);
    let steps = plan::steps(&found, scope);
    let began = Instant::now();
    let mut report = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        println!("\n== {}/{} {}: {}", number + 1, steps.len(), step.name, step.shows);
        let step_began = Instant::now();
        let outcome = perform(root, &step.action);
        let verdict = match (&outcome, &step.action) {
            (Err(_), _) => "FAILED",
            (Ok(()), Action::Skip(_)) => "skipped",
            (Ok(()), _) => "ok",
        };
        report.push(format!("{verdict:>8} {:>9}  {}", seconds(step_began.elapsed()), step.name));
        if outcome.is_err() {
            summarise(&report, began.elapsed());
            return outcome;
        }
    }
    summarise(&report, began.elapsed());
    Ok(())
}

/// What a thread has found; its panic is this one's.
fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn summarise(report: &[String], took: Duration) {
    println!("\n== summary");
    for line in report {
        println!("{line}");
    }
    println!("{:>8} {:>9}", "total", seconds(took));
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn perform(root: &Path, action: &Action) -> Result<(), XtaskError> {
    match action {
        Action::Cargo(runs) => runs.iter().try_for_each(|arguments| {
            let mut cargo = command::cargo();
            cargo.current_dir(root).args(arguments);
            if arguments.first().is_some_and(|subcommand| subcommand == "doc") {
                cargo.env("RUSTDOCFLAGS", with_warnings_denied(std::env::var("RUSTDOCFLAGS").ok()));
            }
            command::run(&mut cargo)
        }),
        Action::Built(built) => {
            command::run(command::cargo().current_dir(root).args(built.cargo()))?;
            let mut program = Command::new(command::built(root, built.folder(), built.name));
            if built.needs == Needs::Libtorch {
                let (name, path) = libtorch::search_path(root)?;
                program.env(name, path);
            }
            command::run(program.current_dir(root).args(built.arguments))
        }
        Action::Layers => layers::run(root),
        Action::Links => links::check(root),
        Action::Tutorial => tutorial::run(root),
        Action::Pages => pages::run(root),
        Action::Packages => release::packages(root, false),
        Action::Book(mdbook) => book::check(root, mdbook),
        Action::Deploy(python) => deploy::check(root, python),
        Action::Libtorch => libtorch::provide(root),
        Action::Sklearn => sklearn::compare(root),
        Action::Page(browser) => browser::check(root, browser),
        Action::Dashboard(npm) => dashboard::check(root, npm),
        Action::DashboardPages { npm, browser } => dashboard::check_pages(root, npm, browser),
        Action::Promtool(promtool) => promtool::check(root, promtool),
        Action::Deny(program) => deny::check(root, program),
        Action::RealServers(servers) => real_servers::check(root, servers),
        Action::Neon(emulator) => neon::check(root, emulator),
        Action::Pytorch(python) => pytorch::compare(root, python),
        Action::Api(schemathesis) => schemathesis::check(root, schemathesis),
        Action::Python(maturin) => wheel::check(root, maturin),
        Action::Spark(python) => wheel::check_spark(root, python),
        Action::Skip(reason) => {
            println!("skipped: {reason}");
            Ok(())
        }
    }
}

fn with_warnings_denied(flags: Option<String>) -> String {
    match flags {
        Some(flags) if !flags.trim().is_empty() => format!("{flags} -D warnings"),
        _ => "-D warnings".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_rustdoc_flags_are_kept() {
        assert_eq!(with_warnings_denied(None), "-D warnings");
        assert_eq!(with_warnings_denied(Some(" ".to_owned())), "-D warnings");
        assert_eq!(with_warnings_denied(Some("--cfg docsrs".to_owned())), "--cfg docsrs -D warnings");
    }
}
