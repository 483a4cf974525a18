//! Names, implementations, and the list of problems as a whole.

use super::super::super::node::ImplementationNode;
use super::super::super::place::Placements;
use super::super::super::sample::*;
use super::super::super::value::Mode;
use super::{plugged, problem, problems};

#[test]
fn full_names_are_unique() {
    let found = problem(layout(vec![
        member(
            "a",
            50,
            enclave("A", 10, vec![member("mirror", 51, machine("Mirror", 5, vec![]))]).domain("x"),
        ),
        member(
            "b",
            60,
            enclave("B", 20, vec![named("m", 61, "mirror", machine("Other", 6, vec![]))]).domain("x"),
        ),
    ]));
    assert_eq!(
        found,
        "two machines are called `mirror.x`: `a.mirror` (lab.rs:51) and `b.m` (lab.rs:61)\n  write `#[member(name = \
         \"…\")]` at one of them, or give an enclave around it a `domain`"
    );
    // An array's elements and a name by hand.
    let found = problem(layout(vec![
        array("workers", 50, 3, machine("Worker", 5, vec![])),
        named("extra", 60, "worker-2", machine("Other", 6, vec![])),
    ]));
    assert!(
        found.starts_with("two machines are called `worker-2`: `workers.2` (lab.rs:50) and `extra`"),
        "{found}"
    );
    // Enclaves without a domain, in an array.
    let room = enclave("Room", 10, vec![member("mirror", 51, machine("Mirror", 5, vec![]))]);
    let found = problem(layout(vec![array("rooms", 50, 3, room)]));
    assert!(found.contains("`rooms.1.mirror` (lab.rs:51) and `rooms.2.mirror`"), "{found}");
    assert!(found.contains("the array `rooms` repeats it: write `domain = \"…\"`"), "{found}");
    let long = named(
        "m",
        50,
        "a-name-of-sixty-three-characters-is-the-longest-that-there-can--",
        machine("M", 5, vec![]),
    );
    assert!(problem(layout(vec![long])).starts_with("the name of `m` (lab.rs:50) is too long"));
}

#[test]
fn what_a_fleet_is_called_is_not_known_yet() {
    let machines = || vec![member("mirror", 51, machine("Mirror", 5, vec![]))];
    let desk = || machine("Desk", 6, vec![]);
    assert_eq!(
        problems(layout(vec![
            fleet("old", 50, desk()),
            fleet("new", 51, desk()),
            named("d", 52, "desk", desk()),
            fleet(
                "rooms",
                53,
                enclave("Room", 10, [machines(), vec![fleet("desks", 54, desk())]].concat()).domain("x")
            ),
            member("hall", 55, enclave("Hall", 20, machines()).domain("x")),
        ])),
        Vec::<String>::new()
    );
    let twice = [machines(), vec![named("m", 61, "mirror", machine("Other", 6, vec![]))]].concat();
    let found = problem(layout(vec![fleet("rooms", 50, enclave("Room", 10, twice))]));
    assert!(found.starts_with("two machines are called `mirror"), "{found}");
}

#[test]
fn every_machine_has_an_implementation() {
    let machines =
        || vec![member("a", 50, machine("A", 10, vec![])), array("b", 51, 3, machine("B", 20, vec![]))];
    let found = problem(keep(bare_layout(machines())));
    assert!(
        found.starts_with("nothing says what `a` is made by\n  nor `b`\n  write `implementation"),
        "{found}"
    );
    let made = enclave("E", 30, machines()).implementation(keep(ImplementationNode::of::<Paper>()));
    assert_eq!(problems(keep(bare_layout(vec![member("e", 60, made)]))), Vec::<String>::new());
}

#[test]
fn problems_come_in_the_order_of_the_source_and_a_message_is_cut_after_a_whole_one() {
    let two = layout(vec![
        member("a", 50, plugged("A", 10, "")),
        member(
            "b",
            51,
            depends(machine("B", 20, vec![inject("t", 21, "Token", Mode::Required)]), 19, vec![("X", None)]),
        ),
        member("lab", 52, network("Lab", 5, "10.37.0.0/24", "10.37.0.9-10.37.0.5")),
    ]);
    let found = problems(two);
    let starts: Vec<_> = found.iter().map(|text| text.split('`').nth(1).unwrap()).collect();
    assert_eq!(starts, ["b", "Token", "Lab"]);

    let many = (0..100).map(|i| {
        let name: &'static str = format!("M{i}{}", "x".repeat(200)).leak();
        member(name, 50, machine(name, 10, vec![inject("t", 21, format!("Token{i}").leak(), Mode::Required)]))
    });
    let all = Placements::leak(layout(many.collect()));
    // Names as long as these are mistakes of their own, and the list holds only so many.
    assert_eq!(all.problems().len(), 128);
    let panic = std::panic::catch_unwind(|| Placements::check::<65536>(&[all])).unwrap_err();
    let message = panic.downcast::<String>().unwrap();
    assert!(
        message
            .starts_with("`Industrial` does not hold together: more than 128 problems\n\nthe name of `M0xxx")
    );
    assert!(message.ends_with("in `Industrial`\n\n… and more, shown when these are mended"), "{message}");
    assert!(message.len() <= 32 * 1024);
}
