//! The Python module as a wheel, and a Spark cluster that it is used on.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;
use crate::peers::python;

/// The crate, a workspace of its own.
const CRATE: &str = "crates/forewarn-python";
/// What builds the wheel, what its tests compare it with, and the Spark that it is used on.
const BUILD: &str = "crates/forewarn-python/tests/requirements-build.txt";
const TESTS: &str = "crates/forewarn-python/tests/requirements.txt";
const SPARK: &str = "crates/forewarn-python/tests/requirements-spark.txt";
/// The page that is run with nothing but what it installs.
const NOTEBOOKS: &str = "docs/how-to/notebooks.md";
/// Where the wheel is put, and where it is compiled.
const WHEELS: &str = "target/wheels";
const TARGET: &str = "target/python";

/// Why there may be no wheel.
pub(crate) const NO_PYTHON: &str =
    "no Python of 3.9 or later with pip is here, or pip cannot install maturin";

/// Why there may be no cluster.
pub(crate) const NO_SPARK: &str =
    "no Java is here (17 or later, as java on the search path), or pip cannot install pyspark";

/// The maturin in a virtual environment under `target/maturin`, which is made where it is missing.
pub(crate) fn find(root: &Path) -> Option<PathBuf> {
    let programs = python::environment(root, "target/maturin", BUILD, "the wheel of the Python module");
    programs.inspect_err(|error| println!("{error}")).ok().map(|programs| programs.join("maturin"))
}

/// The Python of a virtual environment with pyspark under `target/spark`, where there is a Java.
pub(crate) fn find_spark(root: &Path) -> Option<PathBuf> {
    command::on_path(&["java", "java.exe"])?;
    let programs = python::environment(root, "target/spark", SPARK, "the cluster of Spark");
    programs.inspect_err(|error| println!("{error}")).ok().map(|programs| programs.join("python"))
}

/// Checks the crate, builds its wheel, uses that alone in a new virtual environment, runs the tests of the module beside
/// the program, and checks its types.
///
/// # Errors
///
/// Something is not formatted, a lint fires, the wheel is not built or not installed, or a test fails.
pub(crate) fn check(root: &Path, maturin: &Path) -> Result<(), XtaskError> {
    let manifest = format!("{CRATE}/Cargo.toml");
    command::run(command::cargo().current_dir(root).args(["fmt", "--check", "--manifest-path", &manifest]))?;
    let mut clippy = command::cargo();
    clippy.current_dir(root).env("CARGO_TARGET_DIR", root.join(TARGET));
    command::run(clippy.args(["clippy", "--locked", "--manifest-path", &manifest, "--", "-D", "warnings"]))?;
    let wheel = build(root, maturin)?;
    alone(root, &wheel)?;
    let programs = python::environment(root, "target/python-tests", TESTS, "the tests of the Python module")?;
    let python = programs.join("python");
    test(root, &python, &wheel, &["--ignore=tests/test_spark.py"])?;
    types(root, &python)
}

/// Runs the tests that need a cluster, which this Python has the programs of.
///
/// # Errors
///
/// As [`check`].
pub(crate) fn check_spark(root: &Path, python: &Path) -> Result<(), XtaskError> {
    test(root, python, &built(root)?, &["tests/test_spark.py"])
}

/// The wheel in the quick profile.
fn build(root: &Path, maturin: &Path) -> Result<PathBuf, XtaskError> {
    let wheels = root.join(WHEELS);
    if wheels.exists() {
        fs::remove_dir_all(&wheels).map_err(XtaskError::io("remove", &wheels))?;
    }
    let mut build = Command::new(maturin);
    build.current_dir(root).env("CARGO_TARGET_DIR", root.join(TARGET));
    build.args(["build", "--locked", "--quiet", "--manifest-path"]).arg(format!("{CRATE}/Cargo.toml"));
    command::run(build.arg("--out").arg(&wheels))?;
    built(root)
}

/// The wheel that was built.
fn built(root: &Path) -> Result<PathBuf, XtaskError> {
    let folder = root.join(WHEELS);
    let entries = fs::read_dir(&folder).map_err(XtaskError::io("read", &folder))?;
    let mut wheels: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    wheels.retain(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheels.sort();
    wheels.pop().ok_or_else(|| XtaskError::Usage { message: format!("{}: has no wheel", folder.display()) })
}

/// The wheel with nothing but what it asks for, in a virtual environment that is made for it; then with what the page
/// about notebooks installs beside it, and that page.
fn alone(root: &Path, wheel: &Path) -> Result<(), XtaskError> {
    let folder = root.join("target/python-clean");
    let python = python::with_pip("the Python module")?;
    command::run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder))?;
    let python = folder.join(if cfg!(windows) { "Scripts" } else { "bin" }).join("python");
    install(&python, wheel, &[])?;
    // From a folder where no source of the package lies.
    let script = "import forewarn\nassert str(forewarn.Rule.v1()).startswith('error_rate')\n\
                  print('forewarn', forewarn.__version__, forewarn.__file__)";
    command::run(Command::new(&python).current_dir(&folder).args(["-c", script]))?;
    let page =
        fs::read_to_string(root.join(NOTEBOOKS)).map_err(XtaskError::io("read", root.join(NOTEBOOKS)))?;
    install(&python, wheel, &beside_the_wheel(&page))?;
    let mut run = Command::new(&python);
    run.env("FOREWARN_PROGRAM", command::release_program(root)?).env("PYTHONDONTWRITEBYTECODE", "1");
    run.arg(root.join(CRATE).join("tests/pages.py")).args([NOTEBOOKS, "6"]).arg(folder.join("page"));
    command::run(&mut run)
}

/// What a page has pip install with the wheel.
fn beside_the_wheel(page: &str) -> Vec<&str> {
    let line = page.lines().find_map(|line| line.strip_prefix("pip install target/wheels/"));
    line.map_or_else(Vec::new, |line| line.split_whitespace().skip(1).collect())
}

fn install(python: &Path, wheel: &Path, more: &[&str]) -> Result<(), XtaskError> {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(more);
    command::run(pip.arg(wheel))
}

/// Installs the wheel beside what its tests need, and runs some of them.
fn test(root: &Path, python: &Path, wheel: &Path, which: &[&str]) -> Result<(), XtaskError> {
    install(python, wheel, &["--force-reinstall", "--no-deps"])?;
    let program = command::release_program(root)?;
    let mut tests = Command::new(python);
    tests.current_dir(root.join(CRATE)).env("FOREWARN_PROGRAM", program).env("PYTHONDONTWRITEBYTECODE", "1");
    tests.env("PATH", path_with(python)?).args([
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--durations=5",
    ]);
    command::run(tests.args(which))
}

/// Whether the stubs say what the library has, and a user's script with types passes a strict check by them.
fn types(root: &Path, python: &Path) -> Result<(), XtaskError> {
    // Not where the source of the package lies: what is installed is checked.
    let tests = root.join(CRATE).join("tests");
    let run = |arguments: &[&str]| {
        let mut check = Command::new(python);
        command::run(
            check.current_dir(&tests).env("MYPY_CACHE_DIR", root.join("target/mypy")).args(arguments),
        )
    };
    run(&["-m", "mypy.stubtest", "--concise", "--ignore-disjoint-bases", "forewarn._forewarn"])?;
    run(&["-m", "mypy", "--strict", "typed.py"])
}

/// The search path, with the folder of this Python first: what it starts is to be of the same environment.
fn path_with(python: &Path) -> Result<OsString, XtaskError> {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let folder = python.parent().map(Path::to_owned);
    std::env::join_paths(folder.into_iter().chain(std::env::split_paths(&own)))
        .map_err(|_| XtaskError::Usage { message: format!("{} cannot be in PATH", python.display()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_release_is_pinned() {
        for file in [BUILD, TESTS, SPARK] {
            let text = fs::read_to_string(crate::root().join(file)).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            assert!(lines.clone().count() > 0 && lines.clone().all(|line| line.contains("==")), "{text}");
        }
    }

    /// The line of a manifest with this key.
    fn value(manifest: &str, key: &str) -> String {
        let text = fs::read_to_string(crate::root().join(manifest)).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        line.to_owned()
    }

    #[test]
    fn the_page_about_notebooks_says_what_it_needs() {
        let page = fs::read_to_string(crate::root().join(NOTEBOOKS)).unwrap();
        assert_eq!(beside_the_wheel(&page), ["pandas"]);
    }

    #[test]
    fn version_edition_and_rust_are_those_of_the_workspace() {
        for key in ["version", "edition", "rust-version", "license"] {
            assert_eq!(value("Cargo.toml", key), value("crates/forewarn-python/Cargo.toml", key));
        }
    }
}
