//! `cargo xtask layers`: which crate may know which.
//!
//! The stages meet in the types of `forewarn-core` and nowhere else, so that each can be embedded alone. [`rules`]
//! holds the rules as data, [`workspace`] what they are held against.

mod rules;
mod workspace;

use std::path::Path;

use crate::error::XtaskError;
use workspace::Workspace;

pub(crate) const HELP: &str = "\
Check that no crate depends on one that its layer may not know, and print each broken rule on a line.

Usage: cargo xtask layers

    forewarn-schema
      ^
    forewarn-core
      ^
    the stages: io, prometheus, sim, label, window, baseline, recurrent, topology, eval
      ^
    forewarn, the facade
      ^
    forewarn-examples, forewarn-benches

- A crate depends on layers below its own only: no stage on a stage, be it for tests.
- schema and core bring no libtorch, async runtime, HTTP client or random generator; schema no ndarray.
- Only forewarn-recurrent names tch.
- No library depends on a command-line parser, an error type for applications or a logger's setup.
- With default features, no library needs a C library or a C compiler.

The rules are in crates/xtask/src/checks/layers/rules.rs.
";

/// Reads the workspace's metadata and prints every broken rule.
///
/// # Errors
///
/// A rule is broken, or cargo fails.
pub(crate) fn run(root: &Path) -> Result<(), XtaskError> {
    let workspace = Workspace::read(root)?;
    let broken = rules::broken(&workspace);
    for rule in &broken {
        println!("{rule}");
    }
    if broken.is_empty() {
        println!("layers: {} crates keep the rules", workspace.members.len());
        Ok(())
    } else {
        Err(XtaskError::Layers { broken: broken.len() })
    }
}
