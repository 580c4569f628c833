//! Tests and documentation of the libraries, built from their packages alone: a file that no package has is missing
//! here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::MetadataCommand;

use crate::command::{self, ALL_BUT_LIBTORCH};
use crate::error::XtaskError;

/// Packages whose tests start servers and programs: they take minutes, and show nothing more of packages than that
/// they build, which `cargo xtask release --verify` does.
const LEFT_OUT: &[&str] = &["forewarn-cli", "forewarn-server"];

/// Packages every library, unpacks them side by side, runs their tests and builds their documentation there.
///
/// # Errors
///
/// A package that cannot be made, does not pass its tests, or is documented with a warning.
pub(crate) fn test(root: &Path) -> Result<(), XtaskError> {
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let published = metadata.workspace_packages().into_iter().filter(|package| package.publish.is_none());
    let packages: Vec<(String, String)> = published
        .map(|package| (package.name.to_string(), format!("{}-{}", package.name, package.version)))
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .collect();
    let mut package = command::cargo();
    package.current_dir(root).args(["package", "--quiet", "--allow-dirty", "--no-verify"]);
    package.args(packages.iter().flat_map(|(name, _)| ["--package", name]));
    command::run(&mut package)?;
    let target = metadata.target_directory.as_std_path();
    let (fresh, place) = (target.join("package/unpacked"), target.join("package/tests"));
    for (_, folder) in &packages {
        let unpacked = fresh.join(folder);
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked).map_err(XtaskError::io("remove", &unpacked))?;
        }
        fs::create_dir_all(&fresh).map_err(XtaskError::io("make", &fresh))?;
        let archive = target.join("package").join(format!("{folder}.crate"));
        command::run_quietly(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&fresh))?;
        copy_changed(&unpacked, &place.join(folder))?;
    }
    let manifest = root.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(XtaskError::io("read", &manifest))?;
    write_changed(&place.join("Cargo.toml"), workspace(&packages, &text).as_bytes())?;
    let lock = root.join("Cargo.lock");
    fs::copy(&lock, place.join("Cargo.lock")).map_err(XtaskError::io("copy", &lock))?;
    let mut test = command::cargo();
    test.current_dir(&place).args(["test", "--quiet", "--workspace", ALL_BUT_LIBTORCH]);
    command::run(test.env("CARGO_TARGET_DIR", target))?;
    let mut doc = command::cargo();
    doc.current_dir(&place).args(["doc", "--quiet", "--workspace", "--no-deps", ALL_BUT_LIBTORCH]);
    command::run(doc.env("CARGO_TARGET_DIR", target.join("package/doc")).env("RUSTDOCFLAGS", "-D warnings"))
}

/// A workspace of these packages, each found beside the others, with the profiles of another workspace's manifest: what
/// they need from elsewhere is then built once for both.
fn workspace(packages: &[(String, String)], manifest: &str) -> String {
    let profiles = manifest.find("\n[profile.").map_or("", |at| &manifest[at..]);
    let members: Vec<String> = packages.iter().map(|(_, folder)| format!("{folder:?}")).collect();
    let found: String =
        packages.iter().map(|(name, folder)| format!("{name} = {{ path = {folder:?} }}\n")).collect();
    format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[patch.crates-io]\n{found}{profiles}",
        members.join(", ")
    )
}

/// Makes one folder equal to another, and touches no file that is so already: cargo builds again what is newer. (Files
/// of a package all have one time, the same in each package.)
fn copy_changed(from: &Path, to: &Path) -> Result<(), XtaskError> {
    fs::create_dir_all(to).map_err(XtaskError::io("make", to))?;
    let names = entries(from)?;
    for gone in entries(to)?.difference(&names).map(|name| to.join(name)) {
        let removed = if gone.is_dir() { fs::remove_dir_all(&gone) } else { fs::remove_file(&gone) };
        removed.map_err(XtaskError::io("remove", &gone))?;
    }
    for name in &names {
        let (from, to) = (from.join(name), to.join(name));
        if from.is_dir() {
            copy_changed(&from, &to)?;
        } else {
            write_changed(&to, &fs::read(&from).map_err(XtaskError::io("read", &from))?)?;
        }
    }
    Ok(())
}

fn write_changed(path: &Path, bytes: &[u8]) -> Result<(), XtaskError> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(XtaskError::io("write", path))
}

/// Names in a folder.
fn entries(folder: &Path) -> Result<BTreeSet<PathBuf>, XtaskError> {
    let read = fs::read_dir(folder).map_err(XtaskError::io("read", folder))?;
    read.map(|entry| entry.map(|entry| PathBuf::from(entry.file_name())))
        .collect::<Result<_, _>>()
        .map_err(XtaskError::io("read", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_find_each_other_and_have_the_profiles() {
        let packages = [("a".to_owned(), "a-0.1.0".to_owned()), ("b".to_owned(), "b-0.2.0".to_owned())];
        let text = workspace(&packages, "[workspace]\nmembers = []\n\n[profile.test]\nopt-level = 2\n");
        let expected = "[workspace]\nresolver = \"3\"\nmembers = [\"a-0.1.0\", \"b-0.2.0\"]\n\n[patch.crates-io]\n\
                        a = { path = \"a-0.1.0\" }\nb = { path = \"b-0.2.0\" }\n\n[profile.test]\nopt-level = 2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn only_what_changed_is_written_and_what_is_gone_is_removed() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-extracted", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        let write = |path: PathBuf, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for (name, text) in [("same", "1"), ("src/new", "2"), ("src/changed", "3")] {
            write(from.join(name), text);
        }
        for (name, text) in [("same", "1"), ("src/changed", "old"), ("gone/file", "4"), ("gone too", "5")] {
            write(to.join(name), text);
        }
        let old = fs::File::open(to.join("same")).unwrap();
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        old.set_modified(long_ago).unwrap();
        copy_changed(&from, &to).unwrap();
        let read = |name: &str| fs::read_to_string(to.join(name)).unwrap();
        let found = (read("same"), read("src/new"), read("src/changed"));
        let untouched = fs::metadata(to.join("same")).unwrap().modified().unwrap();
        let names = entries(&to).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, ("1".to_owned(), "2".to_owned(), "3".to_owned()));
        assert_eq!(untouched, long_ago);
        assert_eq!(names, BTreeSet::from(["same".into(), "src".into()]));
    }
}
