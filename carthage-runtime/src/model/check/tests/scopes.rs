//! Networks and values, looked for in the scopes around.

use super::super::super::node::Part;
use super::super::super::sample::*;
use super::super::super::value::Mode;
use super::{lab, plugged, problem, problems};

#[test]
fn a_forgotten_network_is_one_mistake() {
    let found = problem(layout(vec![
        member("wan", 50, network("Wan", 5, "", "")),
        member(
            "algebra",
            51,
            enclave(
                "Algebra",
                30,
                vec![
                    member("mirror", 31, plugged("Mirror", 10, "10.37.0.2")),
                    array("workers", 32, 3, plugged("Worker", 20, "")),
                ],
            ),
        ),
    ]));
    assert_eq!(
        found,
        "no scope holds the network `Lab`, into which `eth0` of `algebra.mirror` is plugged\n  link: lab.rs:11\n  and a \
         link of `algebra.workers`\n  searched: `Mirror` (lab.rs:10), `Algebra` (lab.rs:30), `Industrial` (lab.rs:1)\n  \
         networks in the layout: `Wan` (lab.rs:50)\n  write `lab: Lab` in `Algebra` or in `Industrial`"
    );
}

#[test]
fn a_network_that_could_be_one_of_several() {
    let found = problem(layout(vec![
        member("left", 50, lab()),
        member("right", 51, lab()),
        member("mirror", 60, plugged("Mirror", 10, "10.37.0.2")),
    ]));
    assert_eq!(
        found,
        "the network `Lab`, into which `eth0` of `mirror` is plugged, could be one of several\n  link: lab.rs:11\n  \
         `Industrial` (lab.rs:1) holds `left` (lab.rs:50), `right` (lab.rs:51)\n  keep one where the machine is, or make \
         them networks of two types"
    );
    let of_array = problem(layout(vec![
        array("labs", 50, 3, lab()),
        member("mirror", 60, plugged("Mirror", 10, "10.37.0.2")),
    ]));
    assert!(
        of_array.contains("is plugged into `Lab`, which is not one network: `Lab` stands 3 times"),
        "{of_array}"
    );
}

#[test]
fn a_forgotten_value_is_one_mistake() {
    let join =
        customize("join", 23, "JoinCluster", "enter", vec![need("token", 12, "JoinToken", Mode::Required)]);
    let worker = machine("Worker", 20, vec![join]);
    let mirror = machine(
        "Mirror",
        25,
        vec![
            inject("token", 26, "JoinToken", Mode::Deferred),
            inject("other", 27, "JoinToken", Mode::Optional),
        ],
    );
    let algebra = enclave("Algebra", 30, vec![array("workers", 31, 3, worker), member("mirror", 32, mirror)]);
    let geometry = enclave("Geometry", 40, vec![provide("token", 41, "JoinToken", vec![], vec![])]);
    let found = problem(layout(vec![member("algebra", 50, algebra), member("geometry", 51, geometry)]));
    assert_eq!(
        found,
        "nothing provides `JoinToken` to `algebra.workers`\n  needed by task `enter` of customization `JoinCluster` \
         (lab.rs:12), in field `join` (lab.rs:23)\n  and by `algebra.mirror`\n  searched: `Worker` (lab.rs:20), \
         `Algebra` (lab.rs:30), `Industrial` (lab.rs:1)\n  `Geometry` (lab.rs:40) provides one, but only to what is \
         inside it\n  provide it: write `#[provide(…)] token: Arc<JoinToken>` in `Algebra` or in `Industrial`"
    );
}

#[test]
fn values_come_from_the_scopes_around_and_the_machine_itself() {
    let wants = |line, parts: Vec<Part>| {
        let mut parts = parts;
        parts.push(inject("token", line, "JoinToken", Mode::Required));
        parts
    };
    let provides = || provide("made", 9, "JoinToken", vec![], vec![]);
    let own = machine("Own", 10, wants(11, vec![provides()]));
    assert_eq!(problems(layout(vec![member("own", 50, own)])), Vec::<String>::new());
    let near = enclave("Near", 20, vec![provides(), member("a", 21, machine("A", 12, wants(13, vec![])))]);
    assert_eq!(problems(layout(vec![member("near", 50, near)])), Vec::<String>::new());
    // A sibling's values are its own.
    let sibling = machine("Sibling", 14, vec![provides()]);
    let found = problem(layout(vec![
        member("own", 50, sibling),
        member("a", 51, machine("A", 12, wants(13, vec![]))),
    ]));
    assert!(found.starts_with("nothing provides `JoinToken` to `a`"), "{found}");
    // A machine is no value.
    let found = problem(layout(vec![
        member("mirror", 50, machine("Mirror", 10, vec![])),
        member("a", 51, machine("A", 12, vec![inject("mirror", 13, "Mirror", Mode::Required)])),
    ]));
    assert!(found.ends_with("`Mirror` is placed (lab.rs:50): write `Placed<Mirror>`"), "{found}");
    // What makes a value needs others.
    let made = provide("a", 10, "A", vec![], vec![need("b", 12, "B", Mode::Required)]);
    let found = problem(layout(vec![made]));
    assert!(found.contains("needed by what makes `a` (lab.rs:12)"), "{found}");
}

#[test]
fn provided_values_do_not_go_round_in_a_circle() {
    let of = |mode| {
        layout(vec![
            provide("chicken", 10, "Chicken", vec!["shell", "unknown"], vec![]),
            provide("egg", 11, "Egg", vec![], vec![need("chicken", 12, "Chicken", mode)]),
            inject("shell", 13, "Egg", Mode::Required),
        ])
    };
    assert_eq!(
        problem(of(Mode::Required)),
        "values of `Industrial` (lab.rs:1) are made of each other: `chicken` -> `egg` -> `chicken`\n  `chicken`: \
         lab.rs:10\n  `egg`: lab.rs:11\n  ask for one of them as `Deferred<…>`, or make it without the others"
    );
    assert_eq!(problems(of(Mode::Deferred)), Vec::<String>::new());
    let itself = layout(vec![provide("a", 10, "A", vec!["a"], vec![])]);
    assert!(problem(itself).contains("is made of itself: `a` -> `a`"));
    // A diamond is no circle, and an inner value may be made of the outer one.
    let inner =
        enclave("Inner", 20, vec![provide("c", 21, "C", vec![], vec![need("b", 22, "B", Mode::Required)])]);
    let diamond = layout(vec![
        provide("a", 10, "A", vec!["b", "c"], vec![]),
        provide("b", 11, "B", vec!["d"], vec![]),
        provide("c", 12, "C", vec!["d"], vec![]),
        provide("d", 13, "D", vec![], vec![]),
        member("inner", 50, inner),
    ]);
    assert_eq!(problems(diamond), Vec::<String>::new());
    let twice = layout(vec![provide("a", 10, "A", vec![], vec![]), provide("b", 11, "A", vec![], vec![])]);
    assert!(
        problem(twice).starts_with("`Industrial` provides `A` twice: `a` (lab.rs:10) and `b` (lab.rs:11)")
    );
}
