//! Whether what the pages of a built site point to is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::XtaskError;

/// Checks every page: files by relative addresses, and the places in them.
///
/// # Errors
///
/// Addresses that lead nowhere; each is printed.
pub(super) fn check(site: &Path) -> Result<(), XtaskError> {
    let mut pages = BTreeMap::new();
    read_pages(site, &mut pages)?;
    let mut broken = BTreeSet::new();
    for (page, text) in &pages {
        let folder = page.parent().unwrap_or(site);
        for address in addresses(text) {
            let (file, place) =
                address.split_once('#').map_or((address, None), |(file, place)| (file, Some(place)));
            let file = file.split('?').next().unwrap_or_default();
            let target = if file.is_empty() { page.clone() } else { flat(&folder.join(file)) };
            let target = if target.is_dir() { target.join("index.html") } else { target };
            let has_place =
                |place: &str| pages.get(&target).is_none_or(|text| text.contains(&format!("id=\"{place}\"")));
            if !target.is_file() || !place.filter(|place| !place.is_empty()).is_none_or(has_place) {
                broken.insert(format!("{}: {address}", page.strip_prefix(site).unwrap_or(page).display()));
            }
        }
    }
    broken.iter().for_each(|line| println!("{line}"));
    println!("{} pages", pages.len());
    if broken.is_empty() { Ok(()) } else { Err(XtaskError::Links { broken: broken.len() }) }
}

fn read_pages(folder: &Path, pages: &mut BTreeMap<PathBuf, String>) -> Result<(), XtaskError> {
    for entry in fs::read_dir(folder).map_err(XtaskError::io("read", folder))? {
        let path = entry.map_err(XtaskError::io("read", folder))?.path();
        if path.is_dir() {
            read_pages(&path, pages)?;
        } else if path.extension().is_some_and(|kind| kind == "html") && !path.ends_with("404.html") {
            let text = fs::read_to_string(&path).map_err(XtaskError::io("read", &path))?;
            pages.insert(path, text);
        }
    }
    Ok(())
}

/// Addresses within the site that a page has.
fn addresses(page: &str) -> impl Iterator<Item = &str> {
    let starts = [" href=\"", " src=\""];
    let found = starts.into_iter().flat_map(move |start| page.split(start).skip(1));
    let whole = found.filter_map(|after| after.split('"').next());
    // What begins with a slash is code that a page shows: the site has relative addresses only.
    whole.filter(|address| !address.contains(':') && !address.starts_with('/') && !address.is_empty())
}

/// A path without `..`.
fn flat(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            std::path::Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_places_that_are_not_there_are_found() {
        let site = std::env::temp_dir().join(format!("xtask-{}-site", std::process::id()));
        fs::create_dir_all(site.join("a")).unwrap();
        let page = |text: &str| fs::write(site.join("a/one.html"), text).unwrap();
        fs::write(site.join("two.html"), "<h1 id=\"top\">Two</h1>").unwrap();
        page(
            "<a href=\"../two.html#top\"> <a href=\"https://x.y\"> <img src=\"../two.html\"> <a href=\"#\">",
        );
        let sound = check(&site);
        page("<a href=\"../two.html#bottom\"> <a href=\"three.html\">");
        let broken = check(&site);
        fs::remove_dir_all(&site).unwrap();
        assert!(sound.is_ok(), "{sound:?}");
        assert!(matches!(broken, Err(XtaskError::Links { broken: 2 })), "{broken:?}");
    }
}
