//! Dependencies between modules point one way.

use std::collections::BTreeMap;

use quote::ToTokens;

use super::references::paths;
use super::sources::{Source, all};

/// For each module of the runtime, the modules that it may name; a path below one allows that part of it only. Everything
/// may name `error` and `crash`.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("crash", &[]),
    ("error", &[]),
    ("pattern", &[]),
    ("reason", &[]),
    ("step", &["reason"]),
    ("event", &["reason", "step"]),
    ("user_cache", &[]),
    ("inject", &["model::Key", "model::Constraint"]),
    ("model", &["machine::engine", "machine::implementation", "machine::start"]),
    ("guest", &["machine::engine"]),
    ("ssh", &["guest", "machine::engine", "state::Files", "state::storage"]),
    ("state", &["inject", "machine::engine"]),
    ("task", &["inject", "machine::engine", "reason", "state"]),
    ("network", &["event", "machine::engine", "model", "state"]),
    ("machine", &["event", "inject", "model", "pattern", "ssh::layout_key", "state"]),
    ("block", &["guest", "inject", "machine", "step"]),
    (
        "customize",
        &["block", "event", "inject", "layout", "machine", "model", "reason", "state", "step", "task"],
    ),
    ("layout", &["customize", "event", "inject", "machine", "model", "network", "state", "step", "task"]),
    (
        "deploy",
        &[
            "customize",
            "event",
            "inject",
            "layout",
            "machine",
            "model",
            "network",
            "pattern",
            "reason",
            "state",
            "step",
            "task",
        ],
    ),
    (
        "backend",
        &[
            "event",
            "guest",
            "machine::capability",
            "machine::engine",
            "machine::implementation",
            "machine::start",
            "ssh",
            "state::Files",
            "user_cache",
        ],
    ),
    ("cli", &["backend", "deploy", "event", "inject::Scope", "layout", "machine", "state"]),
];

const RUNTIME: &str = "carthage-runtime/src/";

fn broken(sources: &[Source]) -> Vec<String> {
    let exported = exported(sources);
    let mut broken = Vec::new();
    for source in sources.iter().filter(|source| !source.only_tests) {
        let Some(inside) = source.path.strip_prefix(RUNTIME).filter(|path| *path != "lib.rs") else {
            continue;
        };
        let place: Vec<_> = inside.trim_end_matches(".rs").split('/').filter(|name| *name != "mod").collect();
        let Some((_, may)) = MAY_NAME.iter().find(|(module, _)| *module == place[0]) else {
            broken.push(format!("{}: the module `{}` is not in MAY_NAME", source.path, place[0]));
            continue;
        };
        for path in paths(source.file.to_token_stream()) {
            let Some(target) = resolve(&path, &place, &exported) else { continue };
            let known = MAY_NAME.iter().any(|(module, _)| target[0] == *module);
            let own = target[0] == place[0] && !stranger(&place, &target);
            let allowed =
                matches!(&*target[0], "crash" | "error") || may.iter().any(|may| begins(&target, may));
            if known && !own && !allowed {
                broken.push(format!("{} names `{}`", source.path, target.join("::")));
            }
        }
    }
    broken
}

/// What the crate's root exports, with the module it comes from.
fn exported(sources: &[Source]) -> BTreeMap<String, Vec<String>> {
    let root = sources.iter().filter(|source| source.path == format!("{RUNTIME}lib.rs"));
    let uses = root.flat_map(|root| paths(root.file.to_token_stream()));
    uses.filter(|path| path.len() > 1).filter_map(|path| Some((path.last()?.clone(), path))).collect()
}

/// The path from the crate's root, if it is one of this crate.
fn resolve(path: &[String], place: &[&str], exported: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    let supers = path.iter().take_while(|name| *name == "super").count();
    let from_root = match path.first()?.as_str() {
        "crate" | "carthage" | "carthage_runtime" => path[1..].to_vec(),
        "super" => {
            let above = place.len().checked_sub(supers)?;
            place[..above]
                .iter()
                .map(|name| (*name).to_owned())
                .chain(path[supers..].iter().cloned())
                .collect()
        }
        _ => return None,
    };
    let first = from_root.first()?;
    Some(exported.get(first).cloned().unwrap_or(from_root))
}

/// Implementations lie beside each other in one module, and are strangers to each other.
fn stranger(place: &[&str], target: &[String]) -> bool {
    place[0] == "backend" && place.len() > 1 && target.len() > 1 && {
        let module = |name: &str| name.chars().all(|letter| letter.is_lowercase() || letter == '_');
        module(&target[1]) && place[1] != target[1] && target[1] != "helper_main"
    }
}

fn begins(target: &[String], may: &str) -> bool {
    let may: Vec<_> = may.split("::").collect();
    target.len() >= may.len() && target.iter().zip(&may).all(|(name, may)| name == may)
}

#[test]
fn modules_name_only_what_they_may() {
    super::holds(
        "a module names one that it must not depend on; see MAY_NAME and ARCHITECTURE.md",
        &broken(&all()),
    );
}

#[test]
fn the_rule_finds_what_it_is_for() {
    let lib = Source::new("carthage-runtime/src/lib.rs", "mod machine; pub use machine::{Host, Machine};");
    let find = |path: &str, text: &str| {
        let sources = [
            Source::new("carthage-runtime/src/lib.rs", &lib.text),
            Source::new(&format!("{RUNTIME}{path}"), text),
        ];
        broken(&sources).len()
    };
    assert_eq!(find("deploy/plan.rs", "use crate::backend::Sandbox;"), 1);
    assert_eq!(find("deploy/plan.rs", "use crate::{layout::Placed, backend};"), 1);
    assert_eq!(find("deploy/plan.rs", "fn f() { crate::cli::main() }"), 1);
    assert_eq!(find("deploy/mod.rs", "use super::cli;"), 1);
    assert_eq!(find("deploy/plan.rs", "use super::report::Plan; use crate::Machine;"), 0);
    assert_eq!(find("model/node.rs", "use crate::Machine;"), 1);
    assert_eq!(find("model/node.rs", "use crate::machine::implementation::Tpm;"), 0);
    assert_eq!(find("backend/vm/mod.rs", "use super::sandbox::Sandbox;"), 1);
    assert_eq!(find("backend/vm/mod.rs", "use crate::backend::sandbox;"), 1);
    assert_eq!(find("backend/vm/disk.rs", "use super::image; use super::super::vm::image::Image;"), 0);
    assert_eq!(find("backend/vm/mod.rs", "use crate::deploy::Plan;"), 1);
    assert_eq!(find("extra/mod.rs", ""), 1);
}
