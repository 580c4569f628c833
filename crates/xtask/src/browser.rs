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
    named.or_else(|| {
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&folders).collect();
        first_of(&folders)
    })
}

fn first_of(folders: &[PathBuf]) -> Option<PathBuf> {
    let places = |name: &'static str| folders.iter().map(move |folder| folder.join(name));
    NAMES.into_iter().flat_map(places).find(|place| place.is_file())
}

/// Opens the page in the browser and checks what it says of it.
///
/// # Errors
///
/// The check's.
pub(crate) fn check(root: &Path, browser: &Path) -> Result<(), XtaskError> {
    let mut cargo = command::cargo();
    cargo.current_dir(root).args(["test", "--package", "forewarn-eval", "--test", "main", "page::"]);
    command::run(cargo.env("FOREWARN_BROWSER", browser))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_browser_by_name_is_taken() {
        let folder = std::env::temp_dir().join(format!("xtask-{}-browser", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let folders = [folder.join("nothing"), folder.clone()];
        let before = first_of(&folders[1..]).filter(|found| found.starts_with(&folder));
        std::fs::write(folder.join("google-chrome"), "").unwrap();
        std::fs::write(folder.join("chrome"), "").unwrap();
        let found = first_of(&folders);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(before, None);
        assert_eq!(found, Some(folder.join("google-chrome")));
    }
}
