//! What machines inherit of the start dependencies of the scopes around them.

use super::super::super::node::{Kind, Node, Part};
use super::super::super::place::{Placement, Placements};
use super::super::super::sample::*;
use super::random::{ENCLAVES, FIELDS, Random, has_circle};
use super::{problem, problems};
use crate::machine::start::OfValue;
use crate::model::Dependency;

fn after(node: &'static Node, path: &str) -> Vec<&'static str> {
    assert_eq!(problems(node), Vec::<String>::new());
    Placements::leak(node).at(path).starts_after().into_iter().map(Placement::path).collect()
}

/// A machine in an enclave in a layout, each of which depends on a machine of its own.
fn three(said: fn(Node) -> Node, of_enclave: fn(Node) -> Node) -> &'static Node {
    let web = depends(machine("Web", 10, vec![]), 9, vec![("OfModel", None)]);
    let shop = enclave("Shop", 20, vec![member("web", 21, said(web))]);
    let shop = depends(of_enclave(shop), 19, vec![("OfEnclave", None)]);
    let of = |name| machine(name, 30, vec![]);
    let mut all = vec![member("shop", 40, shop)];
    for (field, name) in [("a", "OfModel"), ("b", "OfEnclave"), ("c", "OfLayout")] {
        all.push(member(field, 50, of(name)));
    }
    keep(depends(*layout(all), 39, vec![("OfLayout", None)]))
}

#[test]
fn the_matrix() {
    let web = |said| after(three(said, |node| node), "shop.web");
    assert_eq!(web(|node| node), ["a", "b", "c"]);
    assert_eq!(web(|node| overrides(node, 8, None)), ["a"]);
    assert_eq!(web(|node| overrides(node, 8, Some("Shop"))), ["a", "c"]);
    assert_eq!(web(|node| overrides(node, 8, Some("Industrial"))), ["a"]);
    assert_eq!(web(|node| ignores(node, 8, vec!["OfLayout"])), ["a", "b"]);
    assert_eq!(web(|node| ignores(node, 8, vec!["OfLayout", "OfEnclave"])), ["a"]);
    // On the enclave: its own is not inherited by it, and counts for all inside.
    let inside = |said| after(three(|node| node, said), "shop.web");
    assert_eq!(inside(|node| overrides(node, 8, None)), ["a", "b"]);
    assert_eq!(inside(|node| overrides(node, 8, Some("Industrial"))), ["a", "b"]);
    assert_eq!(inside(|node| ignores(node, 8, vec!["OfLayout"])), ["a", "b"]);
    // A scope that is overridden keeps out what it does not let in itself.
    let both = three(|node| overrides(node, 8, Some("Shop")), |node| overrides(node, 18, None));
    assert_eq!(after(both, "shop.web"), ["a"]);
    // What the layout depends on does not depend on itself.
    assert_eq!(after(three(|node| node, |node| node), "c"), Vec::<&str>::new());
}

#[test]
fn what_is_needed_does_not_wait_for_itself() {
    // The gateway needs the resolver; both are inside, and so is what an inner scope adds to the gateway.
    let gateway = depends(machine("Gateway", 10, vec![]), 9, vec![("Dns", None)]);
    let edge = enclave("Edge", 20, vec![member("gateway", 21, gateway)]);
    let edge = depends(edge, 19, vec![("Clock", None)]);
    let node = depends(
        *layout(vec![
            member("edge", 50, edge),
            array("dns", 51, 2, machine("Dns", 11, vec![])),
            member("clock", 52, machine("Clock", 12, vec![])),
            member("web", 53, machine("Web", 13, vec![])),
            member("log", 54, machine("Log", 14, vec![])),
        ]),
        49,
        vec![("Gateway", None), ("Log", None)],
    );
    let node = keep(node);
    assert_eq!(after(node, "web"), ["edge.gateway", "log"]);
    assert_eq!(after(node, "edge.gateway"), ["dns.1", "dns.2", "clock"]);
    for needed in ["dns.1", "dns.2", "clock", "log"] {
        assert_eq!(after(node, needed), Vec::<&str>::new(), "{needed}");
    }
    // An enclave of which a machine is a part.
    let group = enclave("Group", 20, vec![array("all", 21, 2, machine("One", 10, vec![]))]);
    let node = keep(depends(
        *layout(vec![member("group", 50, group), member("web", 51, machine("Web", 13, vec![]))]),
        49,
        vec![("Group", None)],
    ));
    assert_eq!(after(node, "group.all.2"), Vec::<&str>::new());
    assert_eq!(after(node, "web"), ["group.all.1", "group.all.2"]);
}

#[test]
fn a_circle_says_where_it_comes_from() {
    let one =
        depends(enclave("P", 20, vec![member("a", 21, machine("A", 10, vec![]))]), 19, vec![("B", None)]);
    let two =
        depends(enclave("Q", 30, vec![array("b", 31, 2, machine("B", 11, vec![]))]), 29, vec![("A", None)]);
    let found = problem(layout(vec![member("p", 50, one), member("q", 51, two)]));
    assert_eq!(
        found,
        "machines start after each other: `p.a` -> `q.b` -> `p.a`\n  `p.a` depends on `B`, as all in `p` does: \
         lab.rs:19\n  `q.b` depends on `A`, as all in `q` does: lab.rs:29\n  remove one of these, or write \
         `#[ignore_dependency(B)]` on `A` (lab.rs:10)"
    );
    let mended = depends(
        enclave("Q", 30, vec![array("b", 31, 2, ignores(machine("B", 11, vec![]), 8, vec!["A"]))]),
        29,
        vec![("A", None)],
    );
    assert_eq!(after(layout(vec![member("p", 50, one), member("q", 51, mended)]), "p.a"), ["q.b.1", "q.b.2"]);
}

#[test]
fn what_is_kept_out_is_there() {
    let mirror = || member("mirror", 60, machine("Mirror", 11, vec![]));
    let web = |node: fn(Node) -> Node| {
        let parts = vec![member("web", 50, node(machine("Web", 10, vec![]))), mirror()];
        problem(keep(depends(*layout(parts), 49, vec![("Mirror", None)])))
    };
    assert_eq!(
        web(|node| ignores(node, 8, vec!["Miror"])),
        "`web` ignores a dependency on `Miror` that it does not inherit\n  `#[ignore_dependency]`: lab.rs:8\n  it \
         inherits: `Mirror` (lab.rs:49) — did you mean this? write `#[ignore_dependency(Mirror)]`"
    );
    assert_eq!(
        web(|node| ignores(overrides(node, 7, None), 8, vec!["Mirror"])),
        "`web` ignores a dependency on `Mirror` that it does not inherit\n  `#[ignore_dependency]`: lab.rs:8\n  it \
         inherits none: `override_dependencies` (lab.rs:7) cuts them off"
    );
    assert_eq!(
        web(|node| ignores(node, 8, vec!["Mirror", "Mirror"])),
        "`web` ignores its dependency on `Mirror` twice\n  `#[ignore_dependency]`: lab.rs:8, lab.rs:8\n  remove one of \
         these"
    );
    assert_eq!(
        web(|node| overrides(node, 8, Some("Mirror"))),
        "`web` overrides its dependencies up to `Mirror`, which is not around it\n  `override_dependencies`: lab.rs:8\n  \
         around it are: `Industrial` (lab.rs:1)\n  write one of these, or `true` to inherit nothing at all"
    );
    let own = depends(ignores(machine("Web", 10, vec![]), 8, vec!["Mirror"]), 9, vec![("Mirror", None)]);
    assert_eq!(
        problem(layout(vec![member("web", 50, own), mirror()])),
        "`web` ignores a dependency on `Mirror` that it does not inherit\n  `#[ignore_dependency]`: lab.rs:8\n  it \
         depends on it itself (lab.rs:9): remove one of the two"
    );
    let inner = depends(
        enclave("Inner", 20, vec![member("web", 21, machine("Web", 10, vec![]))]),
        19,
        vec![("Outer", None)],
    );
    let outer = enclave("Outer", 30, vec![member("inner", 31, inner), mirror()]);
    assert_eq!(
        problem(layout(vec![member("outer", 50, outer)])),
        "`outer.inner` depends on `Outer`, which is around it\n  `#[depends_on]`: lab.rs:19\n  what is in `Inner` \
         (lab.rs:20) is a part of it, and would start after itself; name the machines or enclaves that come first"
    );
}

#[test]
fn a_value_is_provided_where_it_is_waited_for() {
    let on = |node: Node| {
        let of = OfValue::of::<crate::machine::start::CommandDependency>();
        node.depends_on(leak(vec![Dependency::value(key("License"), of, at(9))]))
    };
    let web = || member("web", 50, machine("Web", 10, vec![]));
    let found = problem(keep(on(*layout(vec![web()]))));
    assert!(
        found.starts_with(
            "`Industrial` starts after the value `License`, which nothing provides to it\n  `#[depends_on]`: lab.rs:9"
        ),
        "{found}"
    );
    let provided = || provide("license", 40, "License", vec![], vec![]);
    assert_eq!(problems(keep(on(*layout(vec![web(), provided()])))), Vec::<String>::new());
    // One that a machine provides is not there for the scope around it.
    let inside = member("web", 50, machine("Web", 10, vec![provided()]));
    assert_eq!(problems(keep(on(*layout(vec![inside])))).len(), 1);
}

const MACHINES: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// A layout in which each type is placed once, or in one array.
fn tree(random: &mut Random) -> &'static Node {
    let mut around: Vec<Vec<Part>> = vec![Vec::new(); ENCLAVES.len() + 1];
    for (name, field) in MACHINES.into_iter().zip(FIELDS) {
        let wanted = if random.one_in(4) { vec![(MACHINES[random.below(8)], None)] } else { vec![] };
        let node = said(random, depends(machine(name, 4, vec![]), 5, wanted));
        let to = random.below(around.len());
        around[to].push(placed(random, field, node));
    }
    // Each enclave is in one behind it, or in the layout.
    for (at, name) in ENCLAVES.into_iter().enumerate() {
        let node = said(random, enclave(name, 6, std::mem::take(&mut around[at])));
        let to = at + 1 + random.below(ENCLAVES.len() - at);
        around[to].push(placed(random, name, node));
    }
    keep(said(random, *layout(around.swap_remove(ENCLAVES.len()))))
}

fn placed(random: &mut Random, field: &'static str, node: Node) -> Part {
    if random.one_in(4) { array(field, 8, 2, node) } else { member(field, 9, node) }
}

/// Some dependencies, and what keeps them out.
fn said(random: &mut Random, mut node: Node) -> Node {
    let any = |random: &mut Random| match random.below(8) {
        0 => ENCLAVES[random.below(4)],
        _ => MACHINES[random.below(8)],
    };
    if node.kind != Kind::Machine && random.one_in(2) {
        let wanted = (0..=random.below(2)).map(|_| (any(random), None)).collect();
        node = depends(node, 5, wanted);
    }
    if random.one_in(5) {
        node = ignores(node, 6, vec![any(random)]);
    }
    if random.one_in(8) {
        let scope = ENCLAVES.iter().chain(&["Industrial"]).nth(random.below(6)).copied();
        node = overrides(node, 7, scope);
    }
    node
}

/// What the compiler finds in the first elements of arrays is what there is among all.
#[test]
fn random_circles() {
    let mut random = Random(7);
    let (mut circles, mut none, mut inherited) = (0, 0, 0);
    for _ in 0..2000 {
        let all = Placements::leak(tree(&mut random));
        let circle = has_circle(all);
        let found = all.problems();
        let told: Vec<_> = found
            .iter()
            .filter(|problem| problem.contains("after each other") || problem.contains("after itself:"))
            .collect();
        assert_eq!(!told.is_empty(), circle, "{found:#?}");
        circles += usize::from(circle);
        none += usize::from(!circle);
        inherited += usize::from(told.iter().any(|problem| problem.contains(", as all in ")));
    }
    assert!(circles > 100 && none > 100 && inherited > 50, "{circles} {none} {inherited}");
}
