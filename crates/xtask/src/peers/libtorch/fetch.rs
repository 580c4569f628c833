//! Wheels from pip, into the user's cache, and out of them what libtorch needs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::release::{LIBTORCH, Release, Wheel};
use super::{lock, partial, remove, write};
use crate::command;
use crate::error::XtaskError;
use crate::peers::python;

const UNPACK: &str = include_str!("unpack.py");

/// What `unpack.py` exits with when the wheel is not the one of the table.
const DAMAGED: i32 = 3;

/// Puts headers and libraries of a release into a folder that does not exist yet.
///
/// Wheels are kept in the cache, which `cargo clean` does not touch, and are checked each time they are used.
///
/// # Errors
///
/// No Python with pip, no cache folder, or one of the downloads or files fails.
pub(super) fn fetch(release: &Release, folder: &Path) -> Result<(), XtaskError> {
    let python = python::with_pip("fetching libtorch")?;
    let cache = cache(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())?;
    fs::create_dir_all(&cache).map_err(XtaskError::io("create", &cache))?;
    let _held = lock(&cache.join(".lock"))?;
    let missing: Vec<&Wheel> =
        release.wheels.iter().filter(|wheel| !cache.join(wheel.file).is_file()).collect();
    if !missing.is_empty() {
        download(python, release, &missing, &cache)?;
    }
    release.wheels.iter().try_for_each(|wheel| unpack(python, wheel, &cache.join(wheel.file), folder))
}

/// Has pip fetch wheels, each of the one hash that the table holds, and moves them into the cache when all are there.
fn download(python: &str, release: &Release, wheels: &[&Wheel], cache: &Path) -> Result<(), XtaskError> {
    let partial = partial(cache, "partial-")?;
    fs::create_dir_all(&partial).map_err(XtaskError::io("create", &partial))?;
    let requirements = partial.join("requirements.txt");
    write(&requirements, &requirement_lines(wheels))?;
    // No cache of pip's own: the wheels are kept here. The Python that torch is for need not be the one that fetches.
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-cache-dir", "--disable-pip-version-check", "--no-deps"])
        .args(["--require-hashes", "--only-binary=:all:"])
        .args(["--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"])
        .args(release.platforms.iter().flat_map(|platform| ["--platform", platform]));
    pip.arg("--dest").arg(&partial).arg("--requirement").arg(&requirements);
    command::run(&mut pip)?;
    for wheel in wheels {
        let kept = cache.join(wheel.file);
        fs::rename(partial.join(wheel.file), &kept).map_err(XtaskError::io("put in place", kept))?;
    }
    remove(&partial)
}

fn requirement_lines(wheels: &[&Wheel]) -> String {
    wheels.iter().map(|wheel| format!("{} --hash=sha256:{}\n", wheel.requirement, wheel.sha256)).collect()
}

fn unpack(python: &str, wheel: &Wheel, file: &Path, folder: &Path) -> Result<(), XtaskError> {
    let include = wheel.include.map(|include| format!("{include}=include/"));
    let libraries = wheel.libraries.iter().map(|library| format!("{}{library}=lib/{library}", wheel.lib));
    println!("unpacking {}", file.display());
    let unpacked = command::run_quietly(
        Command::new(python)
            .args(["-c", UNPACK])
            .arg(file)
            .arg(wheel.sha256)
            .arg(folder)
            .args(include.into_iter().chain(libraries)),
    );
    match unpacked {
        Err(XtaskError::Failed { status, .. }) if status.code() == Some(DAMAGED) => {
            remove(file)?;
            Err(XtaskError::DamagedWheel { wheel: file.to_owned() })
        }
        other => other,
    }
}

/// The folder for wheels: below `XDG_CACHE_HOME`, which has to be absolute to count, else below `.cache` at home.
fn cache(xdg: Option<OsString>, home: Option<PathBuf>) -> Result<PathBuf, XtaskError> {
    let base = xdg
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| home.filter(|path| path.is_absolute()).map(|path| path.join(".cache")))
        .ok_or(XtaskError::NoCache)?;
    Ok(base.join(format!("forewarn/libtorch-{LIBTORCH}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_where_the_user_keeps_caches() {
        let home = || Some(PathBuf::from("/home/ada"));
        let folder = |base: &str| PathBuf::from(base).join(format!("forewarn/libtorch-{LIBTORCH}"));
        assert_eq!(cache(Some("/var/cache".into()), home()).unwrap(), folder("/var/cache"));
        assert_eq!(cache(None, home()).unwrap(), folder("/home/ada/.cache"));
        // The specification of XDG_CACHE_HOME has relative paths ignored.
        assert_eq!(cache(Some("cache".into()), home()).unwrap(), folder("/home/ada/.cache"));
        assert!(matches!(cache(None, None), Err(XtaskError::NoCache)));
    }

    #[test]
    fn pip_is_told_one_hash_for_each_wheel() {
        let release = super::super::release::find("linux", "x86_64").unwrap();
        let wheels: Vec<_> = release.wheels.iter().collect();
        let lines = requirement_lines(&wheels);
        assert_eq!(lines.lines().count(), wheels.len());
        assert!(lines.starts_with("torch==2.13.0 --hash=sha256:60fcdcb2f387"), "{lines}");
    }

    /// Three files in a wheel of 404 bytes, made once with Python's `zipfile`, and its hash.
    const SHA256: &str = "1e6720851bfa824ecd20b0b5a08f52070adaa6436d5d9efc617f628cbab21944";
    const SMALL_WHEEL: &[u8] = include_bytes!("small.whl");

    fn small(lib: &'static str, sha256: &'static str) -> Wheel {
        let (requirement, file) = ("small==1", "small-1-py3-none-any.whl");
        Wheel { requirement, file, sha256, include: Some("small/include/"), lib, libraries: &["libsmall.so"] }
    }

    #[test]
    fn a_wheel_is_unpacked_flat_and_refused_when_it_is_not_the_right_one() {
        let python = python::with_pip("this test").unwrap();
        let folder = std::env::temp_dir().join(format!("xtask-{}-unpack", std::process::id()));
        remove(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("small.whl");
        let out = folder.join("out");

        fs::write(&file, SMALL_WHEEL).unwrap();
        unpack(python, &small("small/lib/", SHA256), &file, &out).unwrap();
        assert_eq!(fs::read(out.join("lib/libsmall.so")).unwrap(), b"library");
        assert_eq!(fs::read(out.join("include/deep/small.h")).unwrap(), b"header");
        assert_eq!(fs::read_dir(out.join("lib")).unwrap().count(), 1, "only what is asked for is taken");

        // What is not in the wheel, and a wheel of another hash: both removed, to be fetched again.
        let other = "0000000000000000000000000000000000000000000000000000000000000000";
        for wrong in [small("other/lib/", SHA256), small("small/lib/", other)] {
            fs::write(&file, SMALL_WHEEL).unwrap();
            let error = unpack(python, &wrong, &file, &out).unwrap_err();
            assert!(matches!(error, XtaskError::DamagedWheel { .. }), "{error}");
            assert!(!file.exists());
        }
        remove(&folder).unwrap();
    }
}
