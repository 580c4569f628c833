//! The components that the binary is made of: a software bill of materials, `CycloneDX` 1.5.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde_json::{Value, json};

use crate::command;
use crate::error::XtaskError;

/// The package of the binary.
const ROOT: &str = "forewarn-cli";

/// Writes the list for the binary of a target. It is the same for the same lock file: no time, no random number.
///
/// # Errors
///
/// Cargo's, or the file cannot be written.
pub(crate) fn write(root: &Path, path: &Path, target: &str) -> Result<(), XtaskError> {
    let mut command = MetadataCommand::new();
    let options = ["--locked".to_owned(), "--filter-platform".to_owned(), target.to_owned()];
    let metadata = command.manifest_path(root.join("Cargo.toml")).other_options(options).exec()?;
    let list = list(&metadata, &linked(root, target)?)?;
    let count = list["components"].as_array().map_or(0, Vec::len);
    fs::write(path, format!("{list:#}\n")).map_err(XtaskError::io("write", path))?;
    println!("{}: {count} components", path.display());
    Ok(())
}

/// Names and versions of what a build of the program alone links: cargo's metadata is that of the whole workspace, with
/// what tests turn on.
fn linked(root: &Path, target: &str) -> Result<BTreeSet<(String, String)>, XtaskError> {
    let mut cargo = command::cargo();
    cargo.current_dir(root).args([
        "tree",
        "--locked",
        "--package",
        ROOT,
        "--edges",
        "normal",
        "--target",
        target,
    ]);
    let lines = command::output(cargo.args(["--prefix", "none", "--format", "{p}"]))?;
    let named = lines.lines().filter_map(|line| {
        let (name, rest) = line.split_once(" v")?;
        Some((name.to_owned(), rest.split(' ').next()?.to_owned()))
    });
    Ok(named.collect())
}

fn list(metadata: &Metadata, linked: &BTreeSet<(String, String)>) -> Result<Value, XtaskError> {
    let missing = |what: &str| XtaskError::Usage { message: format!("cargo metadata has no {what}") };
    let is_linked =
        |package: &Package| linked.contains(&(package.name.to_string(), package.version.to_string()));
    let packages: BTreeMap<&PackageId, &Package> = metadata
        .packages
        .iter()
        .filter(|package| is_linked(package))
        .map(|package| (&package.id, package))
        .collect();
    let resolve = metadata.resolve.as_ref().ok_or_else(|| missing("dependencies"))?;
    let edges: BTreeMap<&PackageId, BTreeSet<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|node| {
            // What only builds or tests is not in the binary.
            let is_in = |kinds: &[cargo_metadata::DepKindInfo]| {
                kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            };
            (&node.id, node.deps.iter().filter(|one| is_in(&one.dep_kinds)).map(|one| &one.pkg).collect())
        })
        .collect();
    let root = packages.values().find(|package| package.name.as_str() == ROOT);
    let root = *root.ok_or_else(|| missing(ROOT))?;
    let (mut seen, mut open) = (BTreeSet::from([&root.id]), vec![&root.id]);
    while let Some(id) = open.pop() {
        let next = edges.get(id).into_iter().flatten();
        let next = next.copied().filter(|other| packages.contains_key(*other));
        open.extend(next.filter(|&other| seen.insert(other)));
    }
    let reached = || seen.iter().filter_map(|id| packages.get(*id).copied());
    let mut components: Vec<&Package> = reached().filter(|package| package.id != root.id).collect();
    components.sort_by_key(|package| reference(package));
    let mut dependencies: Vec<Value> = reached()
        .map(|package| {
            let on = edges.get(&package.id).into_iter().flatten().filter_map(|id| packages.get(*id));
            let on: BTreeSet<String> = on.map(|package| reference(package)).collect();
            json!({ "ref": reference(package), "dependsOn": on })
        })
        .collect();
    dependencies.sort_by_key(|one| one["ref"].to_string());
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": component(root, "application") },
        "components": components.iter().map(|package| component(package, "library")).collect::<Vec<_>>(),
        "dependencies": dependencies,
    }))
}

/// A package URL.
fn reference(package: &Package) -> String {
    format!("pkg:cargo/{}@{}", package.name, package.version)
}

fn component(package: &Package, kind: &str) -> Value {
    let purl = reference(package);
    let mut made = json!({
        "type": kind,
        "bom-ref": purl,
        "name": package.name.to_string(),
        "version": package.version.to_string(),
        "purl": purl,
    });
    if let Some(licence) = &package.license {
        // An old way to write "or".
        made["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(repository) = &package.repository {
        made["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    made
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_what_is_linked_and_not_what_only_tests() {
        let manifest = crate::root().join("Cargo.toml");
        let options = ["--locked".to_owned(), "--offline".to_owned()];
        let metadata = MetadataCommand::new().manifest_path(manifest).other_options(options).exec().unwrap();
        let linked = linked(crate::root(), "x86_64-unknown-linux-gnu").unwrap();
        let list = list(&metadata, &linked).unwrap();
        let names: BTreeSet<&str> =
            list["components"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        for name in ["forewarn-server", "tokio", "ring", "serde"] {
            assert!(names.contains(name), "{name}");
        }
        assert!(
            !names.contains("proptest") && !names.contains("criterion") && !names.contains("forewarn-cli")
        );
        let references: BTreeSet<&str> =
            list["dependencies"].as_array().unwrap().iter().map(|one| one["ref"].as_str().unwrap()).collect();
        assert_eq!(references.len(), list["components"].as_array().unwrap().len() + 1);
    }
}
