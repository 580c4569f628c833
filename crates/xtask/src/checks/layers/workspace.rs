//! What the layer rules need to know of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

use crate::command;
use crate::error::XtaskError;

/// The workspace, and the crate that is one of its own.
const MANIFESTS: [&str; 2] = ["Cargo.toml", "crates/forewarn-python/Cargo.toml"];

/// The members of a workspace, by name.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    pub(super) members: Vec<Member>,
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// What its manifest names, for any target and feature.
    pub(super) declared: Vec<Declared>,
    /// What its default features bring, directly or not, for normal use and for building, on any target: all that a
    /// program that embeds it compiles.
    pub(super) tree: Vec<Brought>,
}

/// A line of a manifest's dependencies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Declared {
    /// The package, not what it is renamed to.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

/// A package of a dependency tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Brought {
    pub(super) name: String,
    /// Its manifest's `links` key: the native library it links.
    pub(super) links: Option<String>,
}

impl Workspace {
    /// Asks cargo.
    ///
    /// # Errors
    ///
    /// `cargo metadata` or `cargo tree` fails.
    pub(super) fn read(root: &Path) -> Result<Self, XtaskError> {
        let mut members = Vec::new();
        for manifest in MANIFESTS.map(|manifest| root.join(manifest)) {
            let metadata = MetadataCommand::new().manifest_path(&manifest).exec()?;
            let links = links(&metadata);
            for package in metadata.workspace_packages() {
                members.push(Member {
                    name: package.name.to_string(),
                    declared: declared(package),
                    tree: tree(&manifest, package, &links)?,
                });
            }
        }
        members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Self { members })
    }
}

/// The `links` keys there are, by name and version.
type Links = BTreeMap<(String, String), String>;

fn links(metadata: &Metadata) -> Links {
    let key = |package: &Package| (package.name.to_string(), package.version.to_string());
    metadata.packages.iter().filter_map(|package| Some((key(package), package.links.clone()?))).collect()
}

fn declared(package: &Package) -> Vec<Declared> {
    let mut declared: Vec<_> = package
        .dependencies
        .iter()
        .map(|dependency| Declared {
            name: dependency.name.clone(),
            kind: match dependency.kind {
                DependencyKind::Development => Kind::Dev,
                DependencyKind::Build => Kind::Build,
                _ => Kind::Normal,
            },
        })
        .collect();
    declared.sort();
    declared.dedup();
    declared
}

/// The tree of a package alone.
///
/// Not from the graph in cargo's metadata: there, features that other members or tests turn on are turned on for all.
fn tree(manifest: &Path, package: &Package, links: &Links) -> Result<Vec<Brought>, XtaskError> {
    let text = command::output(
        command::cargo()
            .args(["tree", "--manifest-path"])
            .arg(manifest)
            .args(["--package", &package.id.repr, "--edges", "normal,build", "--target", "all"])
            .args(["--prefix", "none", "--format", "{p}"]),
    )?;
    Ok(tree_of(&text, links))
}

/// Reads lines such as `serde v1.0.229 (*)`; the first is the package itself.
fn tree_of(text: &str, links: &Links) -> Vec<Brought> {
    let packages: BTreeSet<(String, String)> = text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let (name, rest) = line.split_once(" v")?;
            let version = rest.split(' ').next().unwrap_or(rest);
            Some((name.to_owned(), version.to_owned()))
        })
        .collect();
    packages
        .into_iter()
        .map(|package| Brought { links: links.get(&package).cloned(), name: package.0 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_with_its_native_libraries() {
        let links =
            Links::from([(("zstd-sys".to_owned(), "2.0.16+zstd.1.5.7".to_owned()), "zstd".to_owned())]);
        let text = "\
forewarn-io v0.1.0 (/src/crates/forewarn-io)
forewarn-core v0.1.0 (/src/crates/forewarn-core)
thiserror-impl v2.0.21 (proc-macro) (*)
zstd-sys v2.0.16+zstd.1.5.7
forewarn-core v0.1.0 (/src/crates/forewarn-core) (*)
";
        let brought = |name: &str, links: Option<&str>| Brought {
            name: name.to_owned(),
            links: links.map(str::to_owned),
        };
        assert_eq!(
            tree_of(text, &links),
            [
                brought("forewarn-core", None),
                brought("thiserror-impl", None),
                brought("zstd-sys", Some("zstd"))
            ]
        );
    }

    #[test]
    fn this_workspace_is_read() {
        let workspace = Workspace::read(crate::root()).unwrap();
        let member = |name: &str| workspace.members.iter().find(|member| member.name == name).unwrap();
        let recurrent = member("forewarn-recurrent");
        // Optional dependencies are declared, but not brought.
        assert!(recurrent.declared.contains(&Declared { name: "tch".to_owned(), kind: Kind::Normal }));
        assert!(!recurrent.tree.iter().any(|brought| brought.name == "tch"));
        assert!(recurrent.tree.iter().any(|brought| brought.name == "forewarn-core"));
        // Its tests and the feature that other crates' tests turn on do not count.
        let schema = member("forewarn-schema");
        assert!(schema.declared.contains(&Declared { name: "proptest".to_owned(), kind: Kind::Dev }));
        assert!(!schema.tree.iter().any(|brought| brought.name == "proptest"));
        assert!(schema.tree.iter().any(|brought| brought.name == "serde_derive"));
    }
}
