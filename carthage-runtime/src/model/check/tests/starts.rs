//! What starts after what.

use super::super::super::node::Node;
use super::super::super::place::Placements;
use super::super::super::sample::*;
use super::super::super::value::Mode;
use super::{problem, problems};

#[test]
fn start_dependencies_are_in_the_layout_and_clear() {
    let worker = |wanted| depends(machine("Worker", 20, vec![]), 19, vec![wanted]);
    let mirror = || machine("Mirror", 10, vec![]);
    let found = problem(layout(vec![member("worker", 50, worker(("Mirror", None)))]));
    assert_eq!(
        found,
        "`worker` depends on `Mirror`, which is not in the layout\n  `#[depends_on]`: lab.rs:19\n  searched: `Worker` \
         (lab.rs:20), `Industrial` (lab.rs:1)\n  write `mirror: Mirror` in `Industrial`"
    );
    let two = |wanted| {
        layout(vec![
            named("mirror_a", 50, "a", mirror()),
            named("mirror_b", 51, "b", mirror()),
            member("worker", 60, worker(wanted)),
        ])
    };
    let found = problem(two(("Mirror", None)));
    assert_eq!(
        found,
        "`worker` depends on `Mirror`, which could be one of several\n  `#[depends_on]`: lab.rs:19\n  `Industrial` \
         (lab.rs:1) holds `mirror_a` (lab.rs:50), `mirror_b` (lab.rs:51)\n  write `#[depends_on(Mirror, name = …)]` with \
         one of these fields' names"
    );
    let clear = two(("Mirror", Some("mirror_b")));
    assert_eq!(problems(clear), Vec::<String>::new());
    let all = Placements::leak(clear);
    assert_eq!(all.at("worker").starts_after(), [all.at("mirror_b")]);
    assert!(
        problem(two(("Mirror", Some("mirror_c")))).contains("called `mirror_c`, which is not in the layout")
    );
}

#[test]
fn machines_do_not_start_after_each_other() {
    let found = problem(layout(vec![
        member("a", 50, depends(machine("A", 10, vec![]), 9, vec![("B", None)])),
        array("b", 51, 3, machine("B", 20, vec![inject("c", 21, "C", Mode::Placed)])),
        member("c", 52, depends(machine("C", 30, vec![]), 29, vec![("A", None)])),
        member("d", 53, depends(machine("D", 40, vec![]), 39, vec![("A", None), ("C", None)])),
    ]));
    assert_eq!(
        found,
        "machines start after each other: `a` -> `b` -> `c` -> `a`\n  `a` depends on `B`: lab.rs:9\n  `b` wants the \
         placed `C`: lab.rs:21\n  `c` depends on `A`: lab.rs:29\n  remove one of these"
    );
    let itself =
        problem(layout(vec![array("a", 50, 3, depends(machine("A", 10, vec![]), 9, vec![("A", None)]))]));
    assert!(
        itself.starts_with("a machine starts after itself: `a` -> `a`\n  `a` depends on `A`: lab.rs:9"),
        "{itself}"
    );
    // Through an enclave.
    let b = depends(machine("B", 20, vec![]), 19, vec![("Algebra", None)]);
    let around = problem(in_algebra(b));
    assert!(around.contains("`algebra.b` -> `algebra` -> `algebra.b`"), "{around}");
}

fn in_algebra(b: Node) -> &'static Node {
    layout(vec![member("algebra", 50, enclave("Algebra", 30, vec![array("b", 31, 2, b)]))])
}

#[test]
fn what_is_around_is_made_of_what_is_inside() {
    let wanted = |line| need("algebra", line, "Algebra", Mode::Placed);
    let found = problem(in_algebra(machine("B", 20, vec![inject("algebra", 21, "Algebra", Mode::Placed)])));
    assert_eq!(
        found,
        "`algebra.b` wants the placed `Algebra`, which it is a part of\n  needed by field `algebra` (lab.rs:21)\n  \
         `Algebra` (lab.rs:30) is around `algebra.b` (lab.rs:31): each would wait for the other to be made\n  \
         ask for it where it is used, in a setup task: `#[inject] algebra: &Placed<Algebra>`"
    );
    // What makes a value of its own likewise.
    let found =
        problem(in_algebra(machine("B", 20, vec![provide("v", 22, "Value", vec![], vec![wanted(80)])])));
    assert!(found.contains("\n  needed by what makes `v` (lab.rs:80)\n"), "{found}");
    // A task comes when all is made, and orders nothing by wanting it.
    let fine = in_algebra(machine("B", 20, vec![customize("site", 23, "Site", "serve", vec![wanted(81)])]));
    assert_eq!(problems(fine), Vec::<String>::new());
    assert!(Placements::leak(fine).at("algebra.b.1").starts_after().is_empty());
    // What is around may generate something for it, as may its own model; what is beside it starts before it.
    let reads = |wanted| {
        let made = need("made", 82, wanted, Mode::Generated);
        machine("B", 20, vec![customize("site", 23, "Site", "serve", vec![made])])
    };
    for wanted in ["Algebra", "Industrial", "B"] {
        let fine = in_algebra(reads(wanted));
        assert_eq!(problems(fine), Vec::<String>::new());
        assert!(Placements::leak(fine).at("algebra.b.1").starts_after().is_empty());
    }
    let beside = |parts| layout([vec![member("b", 51, reads("C"))], parts].concat());
    let fine = beside(vec![member("c", 52, machine("C", 40, vec![]))]);
    assert_eq!(problems(fine), Vec::<String>::new());
    assert_eq!(Placements::leak(fine).at("b").starts_after()[0].path(), "c");
    assert!(problem(beside(vec![])).contains("`b` wants the placed `C`, which is not in the layout"));
    let several = problem(beside(vec![array("c", 52, 2, machine("C", 40, vec![]))]));
    assert!(several.contains("needed by task `serve`"), "{several}");
    // Also the layout itself, and what is around by several scopes; each mistake is told once.
    let b = machine(
        "B",
        20,
        vec![inject("top", 21, "Industrial", Mode::Placed), inject("algebra", 22, "Algebra", Mode::Placed)],
    );
    let two = enclave("Inner", 40, vec![member("b", 41, b), named("c", 42, "c", b)]);
    let found =
        problems(layout(vec![member("algebra", 50, enclave("Algebra", 30, vec![member("inner", 31, two)]))]));
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].contains("which it is a part of") && found[0].contains("and so does `algebra.inner.c`"),
        "{found:#?}"
    );
}
