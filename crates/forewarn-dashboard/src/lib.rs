#![doc = include_str!("../README.md")]

mod files;

/// A file of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the page, without a slash before it: `assets/app.js`.
    pub path: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Value of `Content-Type`.
    pub content_type: &'static str,
    /// Value of `ETag`, quotes included: equal for equal content.
    pub etag: &'static str,
    /// The content packed by gzip; `None` where that gains nothing.
    pub gzip: Option<&'static [u8]>,
}

/// The file at a path below the page, without a slash before it; `None` if there is none.
///
/// Paths are compared as they are: `..` leads nowhere, and the empty path is no file.
#[must_use]
pub fn file(path: &str) -> Option<File> {
    let index = files::FILES.binary_search_by(|file| file.path.cmp(path)).ok()?;
    files::FILES.get(index).copied()
}

/// All files, in order of their paths.
#[must_use]
pub fn files() -> &'static [File] {
    files::FILES
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::path::{Path, PathBuf};

    /// What the page may weigh as it is sent.
    const MOST_BYTES: usize = 250_000;

    #[test]
    fn every_file_is_found_by_its_path_and_nothing_else_is() {
        for each in files() {
            assert_eq!(file(each.path), Some(*each));
        }
        for path in
            ["", "/", "/index.html", "../Cargo.toml", "assets", "assets/", "assets/app.js/", "ASSETS/APP.JS"]
        {
            assert_eq!(file(path), None, "{path}");
        }
    }

    #[test]
    fn files_are_in_order_and_their_tags_are_quoted_and_differ() {
        let paths: Vec<_> = files().iter().map(|file| file.path).collect();
        assert!(paths.is_sorted_by(|a, b| a < b), "{paths:?}");
        let mut tags: Vec<_> = files().iter().map(|file| file.etag).collect();
        assert!(tags.iter().all(|tag| tag.len() > 10 && tag.starts_with('"') && tag.ends_with('"')));
        tags.sort_unstable();
        tags.dedup();
        assert_eq!(tags.len(), files().len());
    }

    #[test]
    fn packed_content_is_the_content() {
        for file in files() {
            let Some(packed) = file.gzip else { continue };
            let mut unpacked = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == file.bytes, "{}", file.path);
        }
    }

    #[test]
    fn the_page_is_small_enough() {
        let sent = |file: &File| file.gzip.unwrap_or(file.bytes).len();
        let all: usize = files().iter().filter(|file| file.path != "licences.txt").map(sent).sum();
        assert!(all < MOST_BYTES, "{all} bytes");
    }

    #[test]
    fn the_table_has_all_that_was_built() {
        let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist");
        let mut built = Vec::new();
        let mut folders = vec![dist.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path: PathBuf = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|extension| extension != "gz") {
                    built.push(path.strip_prefix(&dist).unwrap().to_str().unwrap().replace('\\', "/"));
                }
            }
        }
        built.sort_unstable();
        assert!(files().iter().map(|file| file.path).eq(built.iter().map(String::as_str)), "{built:?}");
    }

    fn html() -> &'static str {
        std::str::from_utf8(file("index.html").unwrap().bytes).unwrap()
    }

    #[test]
    fn the_page_asks_for_files_that_are_there_and_for_nothing_elsewhere() {
        let mut asked = 0;
        for attribute in ["src=\"", "href=\""] {
            for after in html().split(attribute).skip(1) {
                let address = after.split('"').next().unwrap();
                if address == "/" || address.starts_with("./api/") {
                    continue;
                }
                let path = address.strip_prefix("./").unwrap();
                assert!(file(path).is_some(), "{address}");
                asked += 1;
            }
        }
        assert_eq!(asked, 4, "icon, theme, script and style");
        assert!(!html().contains("<style") && !html().contains("<script>") && !html().contains("style="));
    }

    #[test]
    fn the_page_names_its_base_once_and_before_all_that_depends_on_it() {
        let base = html().find(r#"<base href="/""#).unwrap();
        assert_eq!(html().matches("<base").count(), 1);
        assert!(!html()[..base].contains("src=") && !html()[..base].contains("href="));
    }

    #[test]
    fn licences_of_what_is_bundled_are_listed() {
        let text = std::str::from_utf8(file("licences.txt").unwrap().bytes).unwrap();
        for package in [
            "react ",
            "react-dom ",
            "uplot ",
            "@dagrejs/dagre ",
            "@dagrejs/graphlib ",
            "@fontsource-variable/inter ",
        ] {
            assert!(text.contains(&format!("- {package}")), "{package}");
        }
    }
}
