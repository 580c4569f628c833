//! The browser that the report's page is checked in.

use std::path::{Path, PathBuf};

use crate::command;
use crate::error::XtaskError;

/// Browsers that take Chromium's options, by the names that systems give them.
const NAMES: [&str; 7] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chrome.exe",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/// The browser that `FOREWARN_BROWSER` names, else the first on the search path.
pub(crate) fn find() -> Option<PathBuf> {
    let named = std::env::var_os("FOREWARN_BROWSER").filter(|named| !named.is_empty()).map(PathBuf::from);
    named.or_else(|| command::on_path(&NAMES))
}

/// Opens the page in the browser and checks what it says of it.
///
/// # Errors
///
/// The check's.
pub(crate) fn check(root: &Path, browser: &Path) -> Result<(), XtaskError> {
    let mut cargo = command::ignored_test(root, "page::");
    command::run(cargo.env("FOREWARN_BROWSER", browser))
}
