//! The tests of vector code on an emulated 64-bit Arm processor, for machines that have another one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::error::XtaskError;

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// The crate that is compiled for several kinds of processor.
const PACKAGE: &str = "forewarn-recurrent";

const LINKERS: [&str; 1] = ["aarch64-linux-gnu-gcc"];

const EMULATORS: [&str; 2] = ["qemu-aarch64", "qemu-aarch64-static"];

/// Why there may be nothing to do.
pub(crate) const NOTHING: &str = if cfg!(target_arch = "aarch64") {
    "this processor has NEON: the tests above ran on it"
} else {
    "needs the Rust target aarch64-unknown-linux-gnu, aarch64-linux-gnu-gcc with its C library, and qemu-aarch64"
};

/// What builds and runs programs for Arm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Emulator {
    pub(crate) linker: PathBuf,
    pub(crate) runner: PathBuf,
}

/// The emulator of this machine, if all of it is there and needed.
pub(crate) fn find() -> Option<Emulator> {
    let needed = cfg!(all(target_os = "linux", not(target_arch = "aarch64")));
    (needed && has_library()).then_some(())?;
    Some(Emulator { linker: command::on_path(&LINKERS)?, runner: command::on_path(&EMULATORS)? })
}

/// Whether rustc has a standard library for the target.
fn has_library() -> bool {
    let mut rustc = Command::new("rustc");
    let folder = command::output(rustc.args(["--print", "target-libdir", "--target", TARGET]));
    folder.is_ok_and(|folder| Path::new(folder.trim_end()).is_dir())
}

/// Builds the tests for Arm and runs them.
///
/// # Errors
///
/// They do not build, or one fails.
pub(crate) fn check(root: &Path, emulator: &Emulator) -> Result<(), XtaskError> {
    let mut cargo = command::cargo();
    cargo.current_dir(root).args([
        "test",
        "--package",
        PACKAGE,
        "--lib",
        "--test",
        "main",
        "--target",
        TARGET,
    ]);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", &emulator.linker);
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", &emulator.runner);
    // Linked statically, so that the emulator need not know where the C library lies. Flags of the user are for
    // another processor.
    cargo.env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS", "-Ctarget-feature=+crt-static");
    command::run(cargo.env_remove("RUSTFLAGS"))
}
