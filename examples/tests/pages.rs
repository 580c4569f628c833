//! Code that pages of the repository show is code that a package tests.

#![expect(clippy::unwrap_used, reason = "helpers of tests may fail as tests do")]

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

/// The blocks of code in this language, without lines that rustdoc hides.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let texts = page.split(fence.as_str()).skip(1).filter_map(|after| after.split("```").next());
    texts.map(|text| text.split_inclusive('\n').filter(|line| !line.starts_with("# ")).collect()).collect()
}

#[test]
fn the_program_of_the_first_page_is_that_of_the_facade() {
    let first = blocks(&read("README.md"), "rust");
    assert_eq!(first, blocks(&read("crates/forewarn/README.md"), "rust"));
    assert_eq!(first.len(), 1);
}

#[test]
fn the_recipe_of_the_how_to_page_is_tested() {
    let files = ["formulas", "query", "hosts", "names"];
    let files = files.map(|name| read(&format!("crates/forewarn-prometheus/tests/page/{name}.toml")));
    assert_eq!(blocks(&read("docs/how-to/prometheus-recipes.md"), "toml"), files);
}

/// Names of the pages in a folder of the documentation.
fn pages(folder: &str) -> Vec<String> {
    let at = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(folder);
    let names = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{folder}/{name}")).collect()
}

#[test]
fn rust_on_a_page_is_tested() {
    let doc_tests = read("examples/lib.rs");
    let pages = ["tutorial", "how-to", "explanation", "reference"].into_iter().flat_map(pages);
    let mut count = 0;
    for page in pages.filter(|page| read(page).contains("```rust")) {
        count += 1;
        // Where not by rustdoc, then by being equal to a program that is: see below.
        let is_equal = ["docs/how-to/own-rule.md", "docs/how-to/serve-in-axum.md"].contains(&page.as_str());
        let is_doc_test = doc_tests.contains(&format!("{page:?}").replace("docs/", "../docs/"))
            && !read(&page).contains("ignore\n");
        assert!(is_equal || is_doc_test, "{page}");
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn the_programs_of_how_to_pages_are_tested() {
    let page = blocks(&read("docs/how-to/serve-in-axum.md"), "rust,ignore");
    assert_eq!(page, [read("examples/tests/embedding/serve_in_axum.rs")]);
    let page = blocks(&read("docs/how-to/own-rule.md"), "rust,ignore");
    let laws = read("examples/tests/embedding/laws.rs");
    assert!(page.len() == 1 && laws.contains(&page[0]), "{page:?}");
}
