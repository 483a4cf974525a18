//! `cargo xtask pages`: writes the parts of pages that come from the code. A test of the pages compares them.
//!
//! The table of capabilities is read from the source, so that it has every implementation, also those whose libraries this host
//! does not have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The page with the table.
const PAGE: &str = "docs/guide/implementations.md";
/// What stands before and after the table.
const BEGIN: &str = "<!-- what follows is written by `cargo xtask pages` -->\n";
const END: &str = "<!-- until here -->";

/// Which implementations come first, in this order.
const ORDER: [&str; 6] = ["Sandbox", "Container", "Vm", "BareMetal", "Local", "Simulated"];

/// Writes what has changed. (A test that includes this file only compares.)
#[cfg_attr(test, allow(dead_code, reason = "the test only compares"))]
pub(crate) fn run(root: &Path) -> Result<()> {
    let path = root.join(PAGE);
    let (old, new) = rewritten(root)?;
    if old != new {
        fs::write(&path, new).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// The page as it is, and as it should be.
pub(crate) fn rewritten(root: &Path) -> Result<(String, String)> {
    let path = root.join(PAGE);
    let old = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let (before, rest) =
        old.split_once(BEGIN).with_context(|| format!("{PAGE} has no `{}`", BEGIN.trim()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{PAGE} has no `{END}`"))?;
    let new = format!("{before}{BEGIN}\n{}\n{END}{after}", table(root)?);
    Ok((old, new))
}

/// Each capability, with the implementations that declare it.
fn table(root: &Path) -> Result<String> {
    let declared = declared(&root.join("carthage-runtime/src/backend"))?;
    let mut names: Vec<_> = declared.keys().cloned().collect();
    names.sort_by_key(|name| {
        (ORDER.iter().position(|first| first == name).unwrap_or(ORDER.len()), name.clone())
    });
    let heads = names.iter().map(|name| format!(" `{name}` |")).collect::<String>();
    let mut table = format!("| capability | |{heads}\n|---|---|{}\n", ":-:|".repeat(names.len()));
    for (capability, about) in capabilities(root)? {
        let cells =
            names.iter().map(|name| if declared[name].contains(&capability) { " yes |" } else { " |" });
        table.push_str(&format!("| `{capability}` | {about} |{}\n", cells.collect::<String>()));
    }
    Ok(table)
}

/// All capabilities with what they are, in the order of their table.
fn capabilities(root: &Path) -> Result<Vec<(String, String)>> {
    let path = root.join("carthage-runtime/src/machine/capability.rs");
    let source = fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let (_, table) = source.rsplit_once("\ntable! {\n").context("capability.rs has no `table!`")?;
    let (mut found, mut about) = (Vec::new(), String::new());
    for line in table.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("/// ") {
            about = [about.as_str(), text].join(" ").trim().to_owned();
        } else if let Some((name, _)) = line.split_once(": \"")
            && name.starts_with(|first: char| first.is_ascii_uppercase())
        {
            // `OfflineRoot with FileTree`: who has the one has the other.
            let name = name.split(' ').next().unwrap_or(name);
            found.push((name.to_owned(), std::mem::take(&mut about)));
        }
    }
    Ok(found)
}

/// What each implementation declares by `capabilities!`.
fn declared(below: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut declared = BTreeMap::new();
    for path in sources(below)? {
        let source =
            fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
        for rest in source.split("\ncrate::capabilities!(").skip(1) {
            let (inside, _) = rest.split_once(')').context("a `capabilities!` that does not end")?;
            let (name, list) = inside.rsplit_once(':').context("a `capabilities!` without a list")?;
            let name = name.rsplit_once("> ").map_or(name, |(_, name)| name);
            let name = name.split_once('<').map_or(name, |(name, _)| name).trim();
            let list = list.split(',').map(|capability| capability.trim().to_owned());
            declared.insert(name.to_owned(), list.filter(|capability| !capability.is_empty()).collect());
        }
    }
    Ok(declared)
}

fn sources(below: &Path) -> Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![below.to_owned()]);
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot read `{}`", dir.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    Ok(found)
}
