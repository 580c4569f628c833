//! Examples of the forewarn workspace; each file is a program of its own. Start with `quickstart`.

/// The programs of pages that show one in full, as tests of the documentation.
#[cfg(doctest)]
#[doc = include_str!("../docs/how-to/labels-from-incidents.md")]
mod labels_from_incidents {}
