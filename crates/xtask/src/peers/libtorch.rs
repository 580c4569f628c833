//! `cargo xtask libtorch`: a CPU libtorch of the version that `tch` expects.
//!
//! It is cut from Python wheels, which pip fetches and checks against the hashes that [`release`] holds: wherever
//! Rust crates can be had, so can these, mirrors and proxies included. The finished folder is moved into place whole:
//! an interrupted run leaves a `libtorch.partial-*`, which the next one removes, never half a libtorch.

mod fetch;
mod release;

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::error::XtaskError;
use release::{LIBTORCH, Release};

pub(crate) const HELP: &str = "\
Put a CPU libtorch of the version that tch expects under target/libtorch, for the libtorch feature.

Usage: cargo xtask libtorch

Does nothing where a good copy is there already. Where LIBTORCH is set to another folder, that folder
is checked and nothing is fetched: set it to use a libtorch of your own, with CUDA or of the system
(LIBTORCH=/usr). A copy that is not whole or of another version is replaced.

The folder is target/libtorch in the workspace's root, whatever CARGO_TARGET_DIR says, because
.cargo/config.toml names it. `cargo run` and `cargo test` find its shared libraries by themselves; to
start a built program without cargo, add target/libtorch/lib to LD_LIBRARY_PATH.

Needs Linux on x86-64 or 64-bit ARM, and Python 3.8 or newer with pip; takes a download of 540 MB,
kept in $XDG_CACHE_HOME/forewarn or ~/.cache/forewarn, and 490 MB under target/.
";

/// Finds or fetches libtorch.
///
/// # Errors
///
/// `LIBTORCH` names a folder that is no libtorch of the right version; there is none to fetch for this machine;
/// pip, the cache or the target folder fails.
pub(crate) fn provide(root: &Path) -> Result<(), XtaskError> {
    let own = own(root);
    if let Some(theirs) = set_by_user(&own) {
        check(&theirs).map_err(|reason| XtaskError::WrongLibtorch { folder: theirs.clone(), reason })?;
        println!("libtorch {LIBTORCH}: {}, as LIBTORCH says", theirs.display());
        return Ok(());
    }
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    // The wheels are linked to glibc.
    let release = if cfg!(target_env = "gnu") { release::find(os, arch) } else { None };
    let release = release.ok_or(XtaskError::Unsupported { os, arch, version: LIBTORCH })?;

    let target = root.join("target");
    fs::create_dir_all(&target).map_err(XtaskError::io("create", &target))?;
    let _held = lock(&target.join(".libtorch.lock"))?;
    if is_whole(&own, release) {
        println!("libtorch {LIBTORCH}: {} is there already", own.display());
        return Ok(());
    }
    let partial = partial(&target, "libtorch.partial-")?;
    let made = fetch::fetch(release, &partial)
        .and_then(|()| write(&partial.join("lib/libtorch.so"), LINKER_SCRIPT))
        .and_then(|()| write(&partial.join("build-version"), &build_version()));
    if let Err(error) = made {
        remove(&partial)?;
        return Err(error);
    }
    remove(&own)?;
    fs::rename(&partial, &own).map_err(XtaskError::io("put in place", &own))?;
    println!("libtorch {LIBTORCH}: {} is ready", own.display());
    Ok(())
}

/// `-ltorch` in the wheels pulls in CUDA; this one stands for the CPU part alone.
const LINKER_SCRIPT: &str = "INPUT(-ltorch_cpu)\n";

/// What the `build-version` file says, which `torch-sys` reads.
fn build_version() -> String {
    format!("{LIBTORCH}+cpu\n")
}

/// The folder that `.cargo/config.toml` sets `LIBTORCH` to.
fn own(root: &Path) -> PathBuf {
    root.join("target/libtorch")
}

/// The search path of the loader, by its name, with the libraries of libtorch first: cargo sets it for what it runs, and
/// a program that is started without it needs it too.
///
/// # Errors
///
/// A folder whose name cannot stand in a search path.
pub(crate) fn search_path(root: &Path) -> Result<(&'static str, OsString), XtaskError> {
    let own = own(root);
    let libraries = set_by_user(&own).unwrap_or(own).join("lib");
    let name = match std::env::consts::OS {
        "windows" => "PATH",
        "macos" => "DYLD_FALLBACK_LIBRARY_PATH",
        _ => "LD_LIBRARY_PATH",
    };
    let there = std::env::var_os(name).filter(|there| !there.is_empty());
    let there = there.iter().flat_map(std::env::split_paths);
    std::env::join_paths(std::iter::once(libraries.clone()).chain(there))
        .map(|path| (name, path))
        .map_err(|_| XtaskError::Usage { message: format!("{} cannot be in {name}", libraries.display()) })
}

/// `LIBTORCH`, unless it is the folder that `.cargo/config.toml` sets it to.
fn set_by_user(own: &Path) -> Option<PathBuf> {
    let theirs = PathBuf::from(std::env::var_os("LIBTORCH").filter(|value| !value.is_empty())?);
    let same = match (fs::canonicalize(&theirs), fs::canonicalize(own)) {
        (Ok(theirs), Ok(own)) => theirs == own,
        _ => theirs == own,
    };
    (!same).then_some(theirs)
}

/// Whether a folder that [`provide`] made is of this release and has all its parts.
fn is_whole(own: &Path, release: &Release) -> bool {
    fs::read_to_string(own.join("build-version")).is_ok_and(|version| version == build_version())
        && own.join(API_HEADER).is_file()
        && release.libraries().chain(["libtorch.so"]).all(|library| own.join("lib").join(library).is_file())
}

const API_HEADER: &str = "include/torch/csrc/api/include/torch/torch.h";

/// Checks a folder of the user's; the error says what is wrong with it.
fn check(folder: &Path) -> Result<(), String> {
    if !folder.is_absolute() {
        return Err("the path is not absolute".to_owned());
    }
    let libraries =
        ["libtorch_cpu.so", "libtorch.so", "libtorch_cpu.dylib", "libtorch.dylib", "torch_cpu.lib"];
    if !libraries.iter().any(|library| folder.join("lib").join(library).is_file()) {
        return Err("there is no libtorch in its lib/".to_owned());
    }
    match version(folder) {
        Some(version) if version == LIBTORCH => Ok(()),
        Some(version) => Err(format!("tch expects libtorch {LIBTORCH}, this is {version}")),
        None => Err(format!("neither build-version nor {VERSION_HEADER} says which version it is")),
    }
}

const VERSION_HEADER: &str = "include/torch/headeronly/version.h";

/// A libtorch's version without what follows a plus sign, from its `build-version` or, as Python's and Debian's
/// packages have no such file, from its header.
fn version(folder: &Path) -> Option<String> {
    if let Ok(version) = fs::read_to_string(folder.join("build-version")) {
        return Some(version.trim().split('+').next().unwrap_or_default().to_owned());
    }
    let header = fs::read_to_string(folder.join(VERSION_HEADER)).ok()?;
    let number = |part: &str| {
        let prefix = format!("#define TORCH_VERSION_{part} ");
        header.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::trim)
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}

/// Waits until no other process holds the file; freed when the returned file is dropped or the process ends.
fn lock(path: &Path) -> Result<File, XtaskError> {
    let file = File::create(path).map_err(XtaskError::io("create", path))?;
    file.lock().map_err(XtaskError::io("lock", path))?;
    Ok(file)
}

/// A path for a folder in the making, after those that killed runs left are removed.
///
/// Named after the process: a killed run's Python may still be writing to its own.
fn partial(parent: &Path, prefix: &str) -> Result<PathBuf, XtaskError> {
    for entry in fs::read_dir(parent).map_err(XtaskError::io("read", parent))? {
        let entry = entry.map_err(XtaskError::io("read", parent))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            remove(&entry.path())?;
        }
    }
    Ok(parent.join(format!("{prefix}{}", std::process::id())))
}

/// Removes a folder with all that is in it, or a link; nothing there is fine.
fn remove(path: &Path) -> Result<(), XtaskError> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.map_err(XtaskError::io("remove", path))
}

fn write(path: &Path, text: &str) -> Result<(), XtaskError> {
    fs::write(path, text).map_err(XtaskError::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, removed at its end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("xtask-{}-{test}", std::process::id()));
            remove(&path).unwrap();
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn with(&self, file: &str, text: &str) {
            let path = self.0.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            write(&path, text).unwrap();
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_users_libtorch_is_checked() {
        let folder = Folder::new("check");
        assert_eq!(check(Path::new("libtorch")).unwrap_err(), "the path is not absolute");
        assert_eq!(check(&folder.0).unwrap_err(), "there is no libtorch in its lib/");
        folder.with("lib/libtorch.so", "");
        let error = check(&folder.0).unwrap_err();
        assert!(error.starts_with("neither build-version nor include/"), "{error}");
        folder.with(
            VERSION_HEADER,
            "#pragma once\n#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR 13\n#define TORCH_VERSION_PATCH 0\n",
        );
        assert_eq!(check(&folder.0), Ok(()));
        // The file counts for more than the header.
        folder.with("build-version", "2.9.1+cu130\n");
        assert_eq!(check(&folder.0).unwrap_err(), format!("tch expects libtorch {LIBTORCH}, this is 2.9.1"));
        folder.with("build-version", &format!("{LIBTORCH}+cu130\n"));
        assert_eq!(check(&folder.0), Ok(()));
    }

    #[test]
    fn a_copy_that_lacks_a_part_or_is_of_another_version_is_not_whole() {
        let release = release::find("linux", "x86_64").unwrap();
        let folder = Folder::new("whole");
        folder.with("build-version", &build_version());
        folder.with(API_HEADER, "");
        folder.with("lib/libtorch.so", LINKER_SCRIPT);
        for library in release.libraries() {
            assert!(!is_whole(&folder.0, release), "without {library}");
            folder.with(&format!("lib/{library}"), "");
        }
        assert!(is_whole(&folder.0, release));
        folder.with("build-version", "2.12.0+cpu\n");
        assert!(!is_whole(&folder.0, release));
    }

    #[test]
    fn what_killed_runs_left_is_removed_and_nothing_else() {
        let folder = Folder::new("partial");
        folder.with("libtorch.partial-1/lib/libc10.so", "");
        folder.with("libtorch/build-version", "");
        let next = partial(&folder.0, "libtorch.partial-").unwrap();
        assert!(!next.exists() && next.parent() == Some(&*folder.0));
        assert!(!folder.0.join("libtorch.partial-1").exists());
        assert!(folder.0.join("libtorch/build-version").is_file());
    }

    #[test]
    fn removing_takes_folders_files_and_links_but_not_what_a_link_names() {
        let folder = Folder::new("remove");
        folder.with("kept/file", "");
        remove(&folder.0.join("absent")).unwrap();
        #[cfg(unix)]
        {
            let link = folder.0.join("link");
            std::os::unix::fs::symlink(folder.0.join("kept"), &link).unwrap();
            remove(&link).unwrap();
            assert!(fs::symlink_metadata(&link).is_err());
        }
        assert!(folder.0.join("kept/file").is_file());
        remove(&folder.0.join("kept")).unwrap();
        assert!(!folder.0.join("kept").exists());
    }
}
