//! Every rule, on models written by hand: the text that users see.

mod addresses;
mod inheritance;
mod links;
mod names;
mod random;
mod scopes;
mod starts;
mod values;

use super::super::node::{Node, Part};
use super::super::place::Placements;
use super::super::sample::*;
use super::super::value::Mode;

fn problems(node: &'static Node) -> Vec<String> {
    Placements::leak(node).problems()
}

/// The only problem.
#[track_caller]
fn problem(node: &'static Node) -> String {
    let mut found = problems(node);
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

fn lab() -> Node {
    network("Lab", 5, "10.37.0.0/24", "10.37.0.5-10.37.0.25")
}

/// A machine with one link.
fn plugged(name: &'static str, line: u32, address: &str) -> Node {
    machine(name, line, vec![link(line + 1, "Lab", address)])
}

fn with_lab(mut parts: Vec<Part>) -> &'static Node {
    parts.insert(0, member("lab", 50, lab()));
    layout(parts)
}

#[test]
fn the_layout_of_the_design_holds_together() {
    let mirror = machine(
        "Mirror",
        10,
        vec![
            link(12, "Lab", "10.37.0.2"),
            customize(
                "site",
                14,
                "StaticSite",
                "serve",
                vec![need("token", 80, "JoinToken", Mode::Required)],
            ),
        ],
    );
    let worker =
        machine("Worker", 20, vec![link(22, "Lab", ""), inject("token", 24, "JoinToken", Mode::Required)]);
    let worker = depends(worker, 19, vec![("Mirror", None)]);
    let algebra = enclave(
        "Algebra",
        30,
        vec![member("lab", 31, lab()), member("mirror", 32, mirror), array("workers", 33, 3, worker)],
    )
    .domain("algebra");
    let all = Placements::leak(layout(vec![
        provide("token", 41, "JoinToken", vec![], vec![]),
        member("algebra", 42, algebra),
    ]));
    assert_eq!(all.problems(), Vec::<String>::new());
    let worker = all.find("algebra.workers.2").unwrap();
    assert_eq!((worker.name(), worker.fqdn()), ("worker-2", "worker-2.algebra"));
    assert_eq!(worker.stamp_dir(), "algebra/workers/2");
    assert_eq!(worker.starts_after(), [all.find("algebra.mirror").unwrap()]);
}
