//! The workspace's own commands: `cargo xtask --help`.
//!
//! | command | what it does |
//! |---|---|
//! | `cargo xtask test` | every check and every test of the workspace, as CI runs them |
//! | `cargo xtask layers` | refuses a dependency between crates that may not know each other |
//! | `cargo xtask dashboard` | builds the web page from its sources |
//! | `cargo xtask libtorch` | puts a CPU libtorch under `target/libtorch` |
//! | `cargo xtask figures` | makes the tables of README and docs again |
//! | `cargo xtask soak` | kills a store 1,000 times, and fuzzes the engine and every reader for as long as asked |
//! | `cargo xtask book` | builds the documentation site and checks its links |
//! | `cargo xtask manifests` | writes plain manifests from the Helm chart |
//! | `cargo xtask package` | builds the static binary, its list of components, and the image |
//! | `cargo xtask release` | checks that the crates can be published |
//!
//! Every one of them waits for this crate to compile, so it has few dependencies and no derive for the command line.

mod checks;
mod command;
mod dashboard;
mod delivery;
mod docs;
mod error;
mod peers;
mod soak;
mod test;

use std::path::Path;
use std::process::ExitCode;

use error::XtaskError;
use lexopt::ValueExt;
use lexopt::prelude::{Long, Short, Value};

const HELP: &str = "\
The workspace's own commands.

Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  test       Run every check and every test of the workspace, as CI does
  layers     Check that no crate depends on one that its layer may not know
  dashboard  Build the web page of crates/forewarn-dashboard; needs node
  libtorch   Put a CPU libtorch under target/libtorch, for the libtorch feature
  figures    Make the tables of README and docs by the commands beside them
  soak       Kill a store at 1,000 points, and fuzz engine and readers for as long as asked
  book       Build the documentation site, and check its links; needs mdBook
  manifests  Write the plain manifests of Kubernetes from the Helm chart
  package    Build the static binary, its list of components, and the image
  release    Check that the crates can be published

Options:
  -h, --help  Show this help, or a command's own after its name

Exit code: 0 all well, 1 a check failed, 2 wrong usage, else that of the program that failed.
";

/// A parsed command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Help(&'static str),
    Test(test::Scope),
    Layers,
    Dashboard,
    Libtorch,
    Soak(soak::Soak),
    Figures(docs::figures::Figures),
    Book,
    Manifests,
    Package(delivery::package::Package),
    Release(delivery::release::Release),
}

/// The commands, for errors.
const COMMANDS: &str =
    "test, layers, dashboard, libtorch, figures, soak, book, manifests, package or release";

fn main() -> ExitCode {
    let outcome = parse(lexopt::Parser::from_env()).and_then(run);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(request: Request) -> Result<(), XtaskError> {
    let root = root();
    match request {
        Request::Help(text) => {
            print!("{text}");
            Ok(())
        }
        Request::Test(scope) => test::run(root, scope),
        Request::Layers => checks::layers::run(root),
        Request::Dashboard => dashboard::build(root),
        Request::Libtorch => peers::libtorch::provide(root),
        Request::Soak(soak) => soak::run(root, soak),
        Request::Figures(wanted) => docs::figures::run(root, wanted),
        Request::Book => docs::book::build(root),
        Request::Manifests => delivery::deploy::write(root),
        Request::Package(package) => delivery::package::run(root, package),
        Request::Release(release) => delivery::release::run(root, release),
    }
}

/// The workspace's root: two folders above this crate.
fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().nth(2).unwrap_or(package)
}

fn parse(mut parser: lexopt::Parser) -> Result<Request, XtaskError> {
    let (mut request, help) = match parser.next()? {
        Some(Short('h') | Long("help")) => return Ok(Request::Help(HELP)),
        Some(Value(command)) => match command.to_str() {
            Some("test") => (Request::Test(test::Scope::WHOLE), test::HELP),
            Some("layers") => (Request::Layers, checks::layers::HELP),
            Some("dashboard") => (Request::Dashboard, dashboard::HELP),
            Some("libtorch") => (Request::Libtorch, peers::libtorch::HELP),
            Some("soak") => (Request::Soak(soak::Soak::USUAL), soak::HELP),
            Some("figures") => (Request::Figures(docs::figures::Figures::default()), docs::figures::HELP),
            Some("book") => (Request::Book, docs::book::HELP),
            Some("manifests") => (Request::Manifests, delivery::deploy::HELP),
            Some("package") => {
                (Request::Package(delivery::package::Package::default()), delivery::package::HELP)
            }
            Some("release") => {
                (Request::Release(delivery::release::Release::default()), delivery::release::HELP)
            }
            _ => {
                let command = command.to_string_lossy();
                return Err(usage(format!("there is no command {command:?}: expected {COMMANDS}")));
            }
        },
        Some(other) => return Err(other.unexpected().into()),
        None => return Err(usage(format!("a command is missing: expected {COMMANDS}"))),
    };
    while let Some(argument) = parser.next()? {
        match (argument, &mut request) {
            (Short('h') | Long("help"), _) => return Ok(Request::Help(help)),
            (Long("no-libtorch"), Request::Test(scope)) => scope.libtorch = test::Libtorch::LeftOut,
            (Long("no-sklearn"), Request::Test(scope)) => scope.sklearn = test::Sklearn::LeftOut,
            (Long("kills"), Request::Soak(soak)) => soak.kills = parser.value()?.parse()?,
            (Long("seed"), Request::Soak(soak)) => soak.seed = parser.value()?.parse()?,
            (Long("fuzz-minutes"), Request::Soak(soak)) => soak.fuzz_minutes = parser.value()?.parse()?,
            (Long("list"), Request::Figures(wanted)) => wanted.list = true,
            (Long("reuse"), Request::Figures(wanted)) => wanted.reuse = true,
            (Long("check"), Request::Figures(wanted)) => wanted.check = true,
            (Value(part), Request::Figures(wanted)) if wanted.part.is_none() => {
                let found = part.to_str().and_then(docs::figures::named);
                let unknown = || format!("there is no part {part:?}: cargo xtask figures --list names them");
                wanted.part = Some(found.ok_or_else(|| usage(unknown()))?);
            }
            (Long("fuzz-target"), Request::Soak(soak)) => {
                soak.fuzz_target = Some(soak::Target::named(&parser.value()?.string()?)?);
            }
            (Long("twice"), Request::Package(package)) => package.twice = true,
            (Long("image"), Request::Package(package)) => package.image = true,
            (Long("verify"), Request::Release(release)) => release.verify = true,
            (Long("test"), Request::Release(release)) => release.test = true,
            (other, _) => return Err(other.unexpected().into()),
        }
    }
    Ok(request)
}

fn usage(message: String) -> XtaskError {
    XtaskError::Usage { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Request, XtaskError> {
        parse(lexopt::Parser::from_args(arguments))
    }

    #[test]
    fn commands_and_their_options_are_understood() {
        assert_eq!(parsed(&["layers"]).unwrap(), Request::Layers);
        assert_eq!(parsed(&["dashboard"]).unwrap(), Request::Dashboard);
        assert_eq!(parsed(&["libtorch"]).unwrap(), Request::Libtorch);
        assert_eq!(parsed(&["book"]).unwrap(), Request::Book);
        assert_eq!(parsed(&["manifests"]).unwrap(), Request::Manifests);
        let both = delivery::package::Package { twice: true, image: true };
        assert_eq!(parsed(&["package", "--twice", "--image"]).unwrap(), Request::Package(both));
        let both = delivery::release::Release { verify: true, test: true };
        assert_eq!(parsed(&["release", "--verify", "--test"]).unwrap(), Request::Release(both));
        let whole = test::Scope::WHOLE;
        assert_eq!(parsed(&["test"]).unwrap(), Request::Test(whole));
        let no_libtorch = test::Scope { libtorch: test::Libtorch::LeftOut, ..whole };
        assert_eq!(parsed(&["test", "--no-libtorch"]).unwrap(), Request::Test(no_libtorch));
        assert_eq!(parsed(&["soak"]).unwrap(), Request::Soak(soak::Soak::USUAL));
        let long = soak::Soak { kills: 5_000, seed: 9, fuzz_minutes: 60, fuzz_target: None };
        let options = ["soak", "--kills", "5000", "--seed=9", "--fuzz-minutes", "60"];
        assert_eq!(parsed(&options).unwrap(), Request::Soak(long));
        assert_eq!(parsed(&["figures"]).unwrap(), Request::Figures(docs::figures::Figures::default()));
        let part =
            docs::figures::Figures { part: Some("shop"), reuse: true, ..docs::figures::Figures::default() };
        assert_eq!(parsed(&["figures", "shop", "--reuse"]).unwrap(), Request::Figures(part));
        let neither = test::Scope { sklearn: test::Sklearn::LeftOut, ..no_libtorch };
        assert_eq!(parsed(&["test", "--no-sklearn", "--no-libtorch"]).unwrap(), Request::Test(neither));
    }

    #[test]
    fn each_command_has_its_own_help() {
        assert_eq!(parsed(&["-h"]).unwrap(), Request::Help(HELP));
        assert_eq!(parsed(&["--help"]).unwrap(), Request::Help(HELP));
        assert_eq!(parsed(&["test", "--no-libtorch", "--help"]).unwrap(), Request::Help(test::HELP));
        assert_eq!(parsed(&["layers", "--help"]).unwrap(), Request::Help(checks::layers::HELP));
        assert_eq!(parsed(&["dashboard", "-h"]).unwrap(), Request::Help(dashboard::HELP));
        assert_eq!(parsed(&["libtorch", "-h"]).unwrap(), Request::Help(peers::libtorch::HELP));
        assert_eq!(parsed(&["soak", "-h"]).unwrap(), Request::Help(soak::HELP));
        assert_eq!(parsed(&["book", "-h"]).unwrap(), Request::Help(docs::book::HELP));
        assert_eq!(parsed(&["manifests", "-h"]).unwrap(), Request::Help(delivery::deploy::HELP));
        assert_eq!(parsed(&["package", "-h"]).unwrap(), Request::Help(delivery::package::HELP));
        assert_eq!(parsed(&["release", "-h"]).unwrap(), Request::Help(delivery::release::HELP));
    }

    #[test]
    fn what_is_not_understood_is_named_and_exits_with_2() {
        for (arguments, named) in [
            (&[][..], "a command is missing"),
            (&["lint"], "\"lint\""),
            (&["--fast"], "--fast"),
            (&["layers", "--no-libtorch"], "--no-libtorch"),
            (&["libtorch", "--no-sklearn"], "--no-sklearn"),
            (&["test", "--no-libtorch=yes"], "yes"),
            (&["libtorch", "2.13.0"], "2.13.0"),
            (&["soak", "--kills", "many"], "many"),
            (&["figures", "no-such-part"], "no-such-part"),
            (&["figures", "shop", "foresight"], "foresight"),
            (&["soak", "--reuse"], "--reuse"),
            (&["release", "--image"], "--image"),
        ] {
            let error = parsed(arguments).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{arguments:?}");
            assert!(error.to_string().contains(named), "{arguments:?}: {error}");
        }
    }

    #[test]
    fn the_root_is_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }
}
