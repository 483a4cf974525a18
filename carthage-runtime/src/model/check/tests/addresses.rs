//! Addresses, pools and interfaces.

use super::super::super::place::Placements;
use super::super::super::sample::*;
use super::{lab, plugged, problem, problems, with_lab};

#[test]
fn addresses_lie_in_the_subnet() {
    for (given, expected) in [
        (
            "10.38.0.2",
            "`eth0` of `mirror` has the address 10.38.0.2, outside of its network `Lab`, 10.37.0.0/24",
        ),
        (
            "10.37.0.0",
            "`eth0` of `mirror` has the address 10.37.0.0, the network address of `Lab`, 10.37.0.0/24",
        ),
        (
            "10.37.0.255",
            "`eth0` of `mirror` has the address 10.37.0.255, the broadcast address of `Lab`, 10.37.0.0/24",
        ),
    ] {
        let found = problem(with_lab(vec![member("mirror", 60, plugged("Mirror", 10, given))]));
        let rest = "\n  link: lab.rs:11, network: lab.rs:5\n  write one of 10.37.0.1-10.37.0.254";
        assert_eq!(found, format!("{expected}{rest}"));
    }
    let ends = |prefix| network("Lab", 5, prefix, "");
    for (subnet, given) in
        [("10.0.0.0/31", "10.0.0.0"), ("10.0.0.0/31", "10.0.0.1"), ("10.0.0.7/32", "10.0.0.7")]
    {
        let node = layout(vec![member("lab", 50, ends(subnet)), member("m", 51, plugged("M", 10, given))]);
        assert_eq!(problems(node), Vec::<String>::new(), "{subnet}");
    }
    let bare = layout(vec![member("lab", 50, ends("")), member("m", 51, plugged("M", 10, "10.0.0.1"))]);
    assert!(problem(bare).contains("but its network `Lab` has no subnet"));
}

#[test]
fn a_range_has_one_address_for_each_machine() {
    let workers = |given| with_lab(vec![array("workers", 60, 3, plugged("Worker", 10, given))]);
    assert_eq!(problems(workers("10.37.0.30-10.37.0.32")), Vec::<String>::new());
    for given in ["10.37.0.30", "10.37.0.30-10.37.0.31"] {
        let found = problem(workers(given));
        assert!(found.contains(" for the 3 machines of its array\n"), "{found}");
        assert!(found.ends_with("write `address = \"10.37.0.30-10.37.0.32\"`"), "{found}");
    }
    let one = problem(with_lab(vec![member("m", 60, plugged("M", 10, "10.37.0.30-10.37.0.32"))]));
    assert!(one.contains("for one machine\n") && one.ends_with("write `address = \"10.37.0.30\"`"), "{one}");
    assert!(problem(workers("10.37.0.32-10.37.0.30")).contains("which end before they begin"));
    assert!(problem(workers("10.37.0.254-10.37.1.0")).contains("outside of its network"));
    assert!(problem(workers("10.37.0.253-10.37.0.255")).contains("which include the broadcast address"));
}

#[test]
fn an_address_is_given_once() {
    let found = problem(with_lab(vec![
        member("mirror", 60, plugged("Mirror", 10, "10.37.0.31")),
        array("workers", 61, 3, plugged("Worker", 20, "10.37.0.30-10.37.0.32")),
    ]));
    assert_eq!(
        found,
        "the address 10.37.0.31 on `lab` (lab.rs:50) is given twice\n  to `eth0` of `mirror`: lab.rs:11\n  to `eth0` \
         of `workers.2`: lab.rs:21\n  write another address at one of them, or none: the pool has one"
    );
    // Overlapping at two addresses is one mistake; another machine is another.
    let found = problems(with_lab(vec![
        array("a", 60, 3, plugged("A", 10, "10.37.0.30-10.37.0.32")),
        array("b", 61, 3, plugged("B", 20, "10.37.0.31-10.37.0.33")),
        member("c", 62, plugged("C", 30, "10.37.0.31")),
    ]));
    assert_eq!(found.len(), 2, "{found:#?}");
}

#[test]
fn arrays_of_enclaves_have_networks_of_their_own_or_share_one() {
    let probe = || member("probe", 61, plugged("Probe", 10, "10.37.0.2"));
    let desk = |parts| array("desks", 70, 3, enclave("Desk", 20, parts).domain("desk.example"));
    let own = layout(vec![desk(vec![member("lab", 60, lab()), probe()])]);
    assert_eq!(problems(own), Vec::<String>::new());
    assert_eq!(Placements::leak(own).find("desks.3.probe").unwrap().fqdn(), "probe.desk-3.example");
    let shared = problem(with_lab(vec![desk(vec![probe()])]));
    assert!(
        shared.contains("to `eth0` of `desks.1.probe`: lab.rs:11\n  to `eth0` of `desks.2.probe`"),
        "{shared}"
    );
    assert!(shared.contains("hold the network inside the enclave"), "{shared}");
}

#[test]
fn pools_lie_in_the_subnet_and_suffice() {
    let of = |subnet, pool| problem(layout(vec![member("lab", 50, network("Lab", 5, subnet, pool))]));
    assert!(of("10.37.0.0/24", "10.38.0.5-10.38.0.9").contains("is not inside its subnet 10.37.0.0/24"));
    assert!(of("10.37.0.0/24", "10.37.0.9-10.37.0.5").contains("ends before it begins"));
    assert!(of("10.37.0.0/24", "10.37.0.0-10.37.0.5").contains("has the network's or the broadcast address"));
    assert!(
        of("10.37.0.0/24", "10.37.0.9-10.37.0.255").contains("has the network's or the broadcast address")
    );
    assert!(of("", "10.37.0.9-10.37.0.10").contains("is of no subnet"));

    let small = || member("lab", 50, network("Lab", 5, "10.37.0.0/24", "10.37.0.5-10.37.0.7"));
    let fits = layout(vec![small(), array("workers", 60, 3, plugged("Worker", 10, ""))]);
    assert_eq!(problems(fits), Vec::<String>::new());
    // A fixed address inside the pool takes one of it.
    let taken = problem(layout(vec![
        small(),
        array("workers", 60, 3, plugged("Worker", 10, "")),
        member("mirror", 61, plugged("Mirror", 20, "10.37.0.6")),
    ]));
    assert_eq!(
        taken,
        "the pool of `lab` (lab.rs:50) is too small: 3 links name no address, and of its 3 addresses \
         (10.37.0.5-10.37.0.7) 2 are free\n  write a pool of at least 4 in the `#[network(…)]` of `Lab` (lab.rs:5)"
    );
    // Of a pool that is wrong in itself nothing more is said.
    let wrong = layout(vec![
        member("lab", 50, network("Lab", 5, "10.37.0.0/24", "10.37.0.7-10.37.0.5")),
        array("workers", 60, 9, plugged("Worker", 10, "")),
    ]);
    assert!(problem(wrong).contains("ends before it begins"));
}

#[test]
fn a_link_without_an_address_needs_a_pool_where_there_is_a_subnet() {
    let of = |subnet| {
        layout(vec![
            member("lab", 50, network("Lab", 5, subnet, "")),
            member("mirror", 60, plugged("Mirror", 10, "")),
            member("worker", 61, plugged("Worker", 20, "")),
        ])
    };
    assert_eq!(
        problem(of("10.37.0.0/24")),
        "`eth0` of `mirror` names no address, and its network `Lab` (lab.rs:5) has no pool\n  link: lab.rs:11\n  and a \
         link of `worker`\n  write `#[link(address = \"…\")]`, or `pool = \"…-…\"` in the `#[network(…)]` of `Lab`"
    );
    assert_eq!(problems(of("")), Vec::<String>::new());
}

#[test]
fn interfaces_are_well_formed_and_differ_in_a_machine() {
    let router = |one, other| {
        let links = vec![
            link_called("a", 11, "Lab", "", one),
            link_called("b", 12, "Lab", "", "eth9"),
            link_called("c", 13, "Lab", "", other),
        ];
        // Placed twice: still one mistake of the model.
        let router = machine("Router", 10, links);
        with_lab(vec![member("router", 60, router), named("other", 61, "other", router)])
    };
    assert_eq!(
        problem(router("eth0", "eth0")),
        "`Router` has two interfaces called `eth0`: `a` (lab.rs:11) and `c` (lab.rs:13)\n  write `#[link(name = \"…\")]` \
         at one of them"
    );
    assert_eq!(problems(router("eth0", "eth1")), Vec::<String>::new());
    for bad in ["", "sixteen-letters-", "a/b", "a b", ".."] {
        assert!(problem(router(bad, "eth1")).starts_with("`Router` calls an interface"), "{bad}");
    }
}
