//! Child processes, each announced before it runs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::XtaskError;

/// The cargo that runs this program.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

macro_rules! all_but_libtorch {
    () => {
        "--features=forewarn/parquet,forewarn/prometheus,forewarn/ndarray,forewarn/proptest,forewarn-io/parquet,\
         forewarn-store/history"
    };
}

/// Turns on all there is but libtorch: what default features leave out is tested too.
pub(crate) const ALL_BUT_LIBTORCH: &str = all_but_libtorch!();

/// All there is.
pub(crate) const ALL_WITH_LIBTORCH: &str = concat!(
    all_but_libtorch!(),
    ",forewarn/libtorch,forewarn-benches/libtorch,forewarn-cli/libtorch,forewarn-examples/libtorch"
);

/// The run of integration tests that are ignored unless asked for, because they need what not every machine has. It is
/// that of the whole workspace, so that nothing is built twice; the path of the tests says which ones.
pub(crate) fn ignored_test(root: &Path, test: &str) -> Command {
    let mut cargo = cargo();
    cargo.current_dir(root).args(["test", "--workspace", ALL_BUT_LIBTORCH, "--test", "main"]);
    cargo.args(["--", "--ignored", test]);
    cargo
}

/// The program `forewarn` of a release, which is built.
///
/// # Errors
///
/// It cannot be built.
pub(crate) fn release_program(root: &Path) -> Result<PathBuf, XtaskError> {
    // As `cargo run --release` builds it: `--package` would compile most crates again, with fewer features.
    run(cargo().current_dir(root).args(["build", "--release", "--bin", "forewarn"]))?;
    Ok(built(root, "release", "forewarn"))
}

/// A program that was built: in which folder of the target folder, and its name.
pub(crate) fn built(root: &Path, folder: &str, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |at| root.join(at));
    target.join(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The pages of a folder, in order of name.
///
/// # Errors
///
/// The folder cannot be read.
pub(crate) fn pages_in(folder: &Path) -> Result<Vec<PathBuf>, XtaskError> {
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(XtaskError::io("read", folder))? {
        let page = entry.map_err(XtaskError::io("read", folder))?.path();
        if page.extension().is_some_and(|extension| extension == "md") {
            pages.push(page);
        }
    }
    pages.sort();
    Ok(pages)
}

/// The first of these programs, by name, that is in a folder of the search path.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
    first_in(&folders, names)
}

fn first_in(folders: &[PathBuf], names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|place| place.is_file())
}

/// Runs a command to its end, its output going where this program's goes.
///
/// # Errors
///
/// The program cannot be started, or does not exit with 0.
pub(crate) fn run(command: &mut Command) -> Result<(), XtaskError> {
    println!("$ {}", line(command));
    run_quietly(command)
}

/// As [`run`], but not announced.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_quietly(command: &mut Command) -> Result<(), XtaskError> {
    let status = command.stdin(Stdio::null()).status().map_err(|source| start_error(command, source))?;
    if status.success() { Ok(()) } else { Err(XtaskError::Failed { command: line(command), status }) }
}

/// Runs a command to its end and gives what it printed; its complaints go where this program's go.
///
/// # Errors
///
/// As [`run`], and when the output is not text.
pub(crate) fn output(command: &mut Command) -> Result<String, XtaskError> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| start_error(command, source))?;
    if !output.status.success() {
        return Err(XtaskError::Failed { command: line(command), status: output.status });
    }
    String::from_utf8(output.stdout).map_err(|_| XtaskError::NotText { command: line(command) })
}

fn start_error(command: &Command, source: std::io::Error) -> XtaskError {
    XtaskError::Start { program: command.get_program().to_string_lossy().into_owned(), source }
}

/// The command as one would type it: variables, program, arguments. A program's folder and all but the first line
/// of an argument (a script's text) are left out.
pub(crate) fn line(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| value.map(|value| format!("{}={}", name.to_string_lossy(), word(value))));
    variables
        .chain([word(program.file_name().unwrap_or(program.as_os_str()))])
        .chain(command.get_args().map(word))
        .collect::<Vec<_>>()
        .join(" ")
}

fn word(argument: &OsStr) -> String {
    let argument = argument.to_string_lossy();
    let (first, more) = argument.split_once('\n').map_or((&*argument, ""), |(first, _)| (first, "..."));
    if more.is_empty() && !first.is_empty() && !first.contains([' ', '\'', '"', '*', '$']) {
        first.to_owned()
    } else {
        format!("'{first}{more}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = Command::new("/opt/bin/cargo");
        command
            .args(["doc", "a b", "", "one\ntwo"])
            .env("RUSTDOCFLAGS", "-D warnings")
            .env_remove("LIBTORCH");
        assert_eq!(line(&command), "RUSTDOCFLAGS='-D warnings' cargo doc 'a b' '' 'one...'");
    }

    #[cfg(unix)]
    #[test]
    fn a_failure_keeps_the_exit_code() {
        let error = run(Command::new("sh").args(["-c", "exit 7"])).unwrap_err();
        assert_eq!(error.exit_code(), 7);
        let error = output(Command::new("sh").args(["-c", "kill -9 $$"])).unwrap_err();
        assert_eq!(error.exit_code(), 1);
        assert_eq!(output(Command::new("sh").args(["-c", "echo all well"])).unwrap(), "all well\n");
    }

    #[test]
    fn a_program_is_found_by_its_first_name() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-path", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let names = ["first-of-xtask", "second-of-xtask"];
        let found = |file: &str| {
            std::fs::write(folder.join(file), "").unwrap();
            first_in(&[folder.join("nothing"), folder.clone()], &names)
        };
        let (other, second, first) = (found("third-of-xtask"), found(names[1]), found(names[0]));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(other, None);
        assert_eq!(second, Some(folder.join(names[1])));
        assert_eq!(first, Some(folder.join(names[0])));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&mut Command::new("no-such-program-of-xtask")).unwrap_err();
        assert!(error.to_string().contains("no-such-program-of-xtask"), "{error}");
        assert_eq!(error.exit_code(), 1);
    }
}
