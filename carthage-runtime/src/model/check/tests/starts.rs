//! What starts after what.

use super::super::super::node::Mode;
use super::super::super::place::Placements;
use super::super::super::sample::*;
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
    let inner = |mode| {
        let mut b = machine("B", 20, vec![inject("algebra", 21, "Algebra", mode)]);
        if mode == Mode::Optional {
            b = depends(b, 19, vec![("Algebra", None)]);
        }
        layout(vec![member("algebra", 50, enclave("Algebra", 30, vec![member("b", 31, b)]))])
    };
    let around = problem(inner(Mode::Optional));
    assert!(around.contains("`algebra.b` -> `algebra` -> `algebra.b`"), "{around}");
    // Wanting what is around orders nothing.
    assert_eq!(problems(inner(Mode::Placed)), Vec::<String>::new());
    let all = Placements::leak(inner(Mode::Placed));
    assert!(all.at("algebra.b").starts_after().is_empty());
}
