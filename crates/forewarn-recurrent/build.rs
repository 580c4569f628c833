//! With the `libtorch` feature, lets tests and programs find libtorch's shared libraries when they run.
//!
//! Cargo puts a library folder on the loader's path only if it lies in a package's own output folder. So the folder
//! that `LIBTORCH` names is linked to from there, and the link is announced: every test, example and program that
//! depends on this package then runs under `cargo` with no setting of its own.

use std::{env, error::Error, fs, path::Path, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["LIBTORCH", "LIBTORCH_LIB", "LIBTORCH_USE_PYTORCH"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    if env::var_os("CARGO_FEATURE_LIBTORCH").is_none() || env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return Ok(());
    }
    // Neither is set when a copy of the system is used, which the loader finds by itself.
    let Some(root) = env::var_os("LIBTORCH_LIB").or_else(|| env::var_os("LIBTORCH")) else {
        return Ok(());
    };
    let libraries = PathBuf::from(root).join("lib");
    if !libraries.is_dir() {
        println!(
            "cargo::error=no libtorch at {}: set LIBTORCH to a folder that holds include/ and lib/ of the version that tch expects, \
             turn on the feature download-libtorch of tch with LIBTORCH unset, or, in forewarn's own repository, run \
             `cargo xtask libtorch`",
            libraries.display()
        );
        return Ok(());
    }
    let link = PathBuf::from(env::var("OUT_DIR")?).join("libtorch");
    point(&link, &fs::canonicalize(&libraries)?)?;
    println!("cargo::rustc-link-search=native={}", link.display());
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", link.display());
    Ok(())
}

/// Makes `link` point to `target`, wherever it pointed before.
#[cfg(unix)]
fn point(link: &Path, target: &Path) -> std::io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::unix::fs::symlink(target, link)
}

/// Makes `link` point to `target`, wherever it pointed before.
#[cfg(windows)]
fn point(link: &Path, target: &Path) -> std::io::Result<()> {
    match fs::remove_dir(link) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::os::windows::fs::symlink_dir(target, link)
}
