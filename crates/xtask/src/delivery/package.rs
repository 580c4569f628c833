//! The static binary and the image, as they are handed out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::XtaskError;
use crate::{command, delivery::sbom};

pub(crate) const HELP: &str = "\
Build the static binary, stripped, and its list of components, under target/package.

Usage: cargo xtask package [OPTIONS]

Options:
      --twice  Build it a second time, from a clone in another place, and compare: the bytes are the same
      --image  Build the image by buildah and run it by podman: not as root, with a read-only root, until it is ready
  -h, --help   Show this help

Needs the target (rustup target add x86_64-unknown-linux-musl) and musl-gcc (Debian: musl-tools), by which the C and
assembly of ring and zstd are compiled; the image also buildah, podman and runc. A build takes some minutes.
";

/// Processors that it is built for by name of the host's.
pub(crate) const TARGET: &str =
    if cfg!(target_arch = "aarch64") { "aarch64-unknown-linux-musl" } else { "x86_64-unknown-linux-musl" };

/// Tries the image.
const IMAGE_SCRIPT: &str = include_str!("package/image.sh");

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) twice: bool,
    pub(crate) image: bool,
}

/// Builds what is asked for.
///
/// # Errors
///
/// A program that is missing or fails; two builds that differ.
pub(crate) fn run(root: &Path, package: Package) -> Result<(), XtaskError> {
    let folder = root.join("target/package");
    fs::create_dir_all(&folder).map_err(XtaskError::io("make", &folder))?;
    let binary = folder.join("forewarn");
    copy(&build(root, &folder.join("build"))?, &binary)?;
    sbom::write(root, &folder.join("forewarn.cdx.json"), TARGET)?;
    let size = fs::metadata(&binary).map_err(XtaskError::io("read", &binary))?.len();
    println!("{}: {:.1} MB", binary.display(), size as f64 / 1e6);
    let sums = command::output(
        Command::new("sha256sum").current_dir(&folder).args(["forewarn", "forewarn.cdx.json"]),
    )?;
    let path = folder.join("SHA256SUMS");
    fs::write(&path, &sums).map_err(XtaskError::io("write", &path))?;
    print!("{sums}");
    if package.twice {
        again(root, &folder, &binary)?;
    }
    if package.image {
        let place = root.join("crates/forewarn-server/deploy/container/Containerfile");
        let mut script = Command::new("bash");
        script.args(["-euo", "pipefail", "-c", IMAGE_SCRIPT, "image.sh"]).args([&binary, &place]);
        command::run(&mut script)?;
    }
    Ok(())
}

/// Builds a second time from a clone, which neither shares a path with the first nor sees what it built.
fn again(root: &Path, folder: &Path, binary: &Path) -> Result<(), XtaskError> {
    let mut git = Command::new("git");
    let changed = command::output(git.current_dir(root).args(["status", "--porcelain"]))?;
    if !changed.is_empty() {
        let message = "files have changed since the last commit: commit, so that a clone has them too";
        return Err(XtaskError::Usage { message: message.to_owned() });
    }
    let elsewhere = folder.join("elsewhere/a-longer-path");
    if elsewhere.exists() {
        fs::remove_dir_all(&elsewhere).map_err(XtaskError::io("remove", &elsewhere))?;
    }
    command::run(Command::new("git").args(["clone", "--quiet", "--local"]).arg(root).arg(&elsewhere))?;
    let second = build(&elsewhere, &folder.join("elsewhere/target"))?;
    command::run(Command::new("cmp").arg(binary).arg(&second))?;
    println!("both builds have the same bytes");
    Ok(())
}

/// Builds the binary of the sources in `root`. Nothing of where that is, or when, gets into it: paths are remapped, the
/// time is that of the commit, and the lock file says which dependencies.
fn build(root: &Path, target: &Path) -> Result<PathBuf, XtaskError> {
    let mut git = Command::new("git");
    let time = command::output(git.current_dir(root).args(["log", "-1", "--format=%ct"]))?;
    let home = cargo_home();
    let places = [(home.as_path(), "/cargo"), (target, "/target"), (root, "/forewarn")];
    let remapped: Vec<String> =
        places.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect();
    let mapped: Vec<String> =
        places.iter().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display())).collect();
    let mut cargo = command::cargo();
    cargo
        .current_dir(root)
        .args(["build", "--locked", "--profile", "dist", "--package", "forewarn-cli", "--target", TARGET])
        .env("CARGO_ENCODED_RUSTFLAGS", remapped.join("\u{1f}"))
        .env("CFLAGS", mapped.join(" "))
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_TARGET_DIR", target)
        .env("SOURCE_DATE_EPOCH", time.trim());
    command::run(&mut cargo)?;
    Ok(target.join(TARGET).join("dist/forewarn"))
}

/// Where cargo keeps sources of dependencies.
fn cargo_home() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo"));
    std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(home).unwrap_or_default()
}

fn copy(from: &Path, to: &Path) -> Result<(), XtaskError> {
    fs::copy(from, to).map(drop).map_err(XtaskError::io("copy", from))
}
