//! What the manifests keep to: every dependency is used, and each is explained.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use quote::ToTokens;
use toml::Table;

use super::holds;
use super::references::paths;
use super::sources::{all, root};

const MACROS: [&str; 3] = ["proc-macro2", "quote", "syn"];

/// What is declared but named nowhere, with the reason.
const UNNAMED: &[(&str, &str)] = &[];

fn manifest(dir: &Path) -> Table {
    fs::read_to_string(dir.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// The dependencies of a member, of every kind.
fn dependencies(manifest: &Table) -> BTreeSet<String> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    kinds
        .iter()
        .filter_map(|kind| manifest.get(*kind)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

/// Every member's directory, relative to the repository, with its manifest; the face crate's is empty.
fn members() -> BTreeMap<String, Table> {
    let workspace = manifest(root());
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let dirs = members.iter().map(|member| member.as_str().unwrap().to_owned());
    dirs.chain([String::new()]).map(|dir| (dir.clone(), manifest(&root().join(dir)))).collect()
}

#[test]
fn the_macros_need_three_crates_only() {
    let found = dependencies(&manifest(&root().join("carthage-macros")));
    assert_eq!(found, MACROS.map(str::to_owned).into());
}

#[test]
fn every_crate_of_the_workspace_is_used() {
    let declared = manifest(root())["workspace"]["dependencies"].as_table().unwrap().clone();
    let used: BTreeSet<_> = members().values().flat_map(dependencies).collect();
    let broken: Vec<_> = declared.keys().filter(|name| !used.contains(*name)).cloned().collect();
    holds("no member depends on these crates of [workspace.dependencies]", &broken);
}

#[test]
fn every_dependency_is_named_in_the_code() {
    let (sources, members) = (all(), members());
    let mut broken = Vec::new();
    for (dir, manifest) in &members {
        // A member's own files: those of no member further down.
        let further: Vec<_> =
            members.keys().filter(|other| other.len() > dir.len()).map(|other| format!("{other}/")).collect();
        let own = sources.iter().filter(|source| {
            source.path.starts_with(dir) && !further.iter().any(|other| source.path.starts_with(other))
        });
        // The whole text, for tests use dependencies, too; `#[tokio::main]` and `tokio::main` are both paths.
        let named: BTreeSet<String> = own
            .flat_map(|source| paths(syn::parse_file(&source.text).unwrap().to_token_stream()))
            .flat_map(|path| path.into_iter().find(|name| !name.is_empty()))
            .collect();
        for dependency in dependencies(manifest) {
            let name = dependency.replace('-', "_");
            if !named.contains(&name) && !UNNAMED.iter().any(|(unnamed, _)| *unnamed == dependency) {
                broken.push(format!("{dir}/Cargo.toml: {dependency}"));
            }
        }
    }
    holds("these dependencies are declared, but named in no file of their package", &broken);
}

#[test]
fn every_dependency_has_a_reason() {
    let page = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let declared = manifest(root())["workspace"]["dependencies"].as_table().unwrap().clone();
    let outside = declared.iter().filter(|(_, value)| value.get("path").is_none());
    let explained =
        |name: &str| page.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
    let broken: Vec<_> = outside.map(|(name, _)| name.clone()).filter(|name| !explained(name)).collect();
    holds("ARCHITECTURE.md does not say why these crates are used", &broken);
}
