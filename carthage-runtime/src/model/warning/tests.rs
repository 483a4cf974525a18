//! Every rule, on models written by hand, and what silences it.

use super::super::node::{Kind, Node, Part, Role};
use super::super::place::Placements;
use super::super::profile::Profile;
use super::super::sample::*;
use super::super::value::{Mode, Need, Provide};
use super::super::{ImplementationNode, Member};
use super::Warning;

fn warnings(node: &'static Node) -> Vec<String> {
    told(&[Placements::leak(node)])
}

fn told(profiles: &[&'static Placements]) -> Vec<String> {
    let tell = |Warning { rule, at, text, .. }| format!("{rule} {at}: {text}");
    Placements::warnings(profiles).into_iter().map(tell).collect()
}

fn web() -> Part {
    member("web", 90, machine("Web", 30, vec![]))
}

#[test]
fn nothing_is_said_of_what_is_used() {
    let node = layout(vec![
        member("lab", 2, network("Lab", 40, "10.0.0.0/24", "10.0.0.1-10.0.0.9")),
        provide("token", 3, "Token", vec![], vec![]),
        provide("name", 4, "Name", vec![], vec![]),
        provide("made", 5, "Made", vec!["name"], vec![]),
        member(
            "web",
            6,
            machine(
                "Web",
                30,
                vec![
                    link(31, "Lab", ""),
                    inject("token", 32, "Token", Mode::Optional),
                    customize("site", 33, "Site", "serve", vec![need("made", 50, "Made", Mode::Deferred)]),
                ],
            ),
        ),
    ]);
    assert_eq!(warnings(node), [""; 0]);
}

#[test]
fn values_that_nobody_asks_for() {
    let mentioned = provide_key("mentioned", 6, Provide::new(key("Mentioned")).mentioned());
    let node = layout(vec![
        provide("token", 3, "Token", vec![], vec![]),
        provide("_own", 4, "Own", vec![], vec![]),
        mentioned,
        // Wanted with another constraint, and hidden.
        provide_key("red", 7, Provide::new(constrained("Badge", "Site", "red"))),
        provide_key("blue", 8, Provide::new(constrained("Badge", "Site", "blue"))),
        provide("hidden", 9, "Hidden", vec![], vec![]),
        member(
            "rack",
            10,
            masks(
                enclave(
                    "Rack",
                    20,
                    vec![member(
                        "web",
                        21,
                        machine(
                            "Web",
                            30,
                            vec![
                                inject_key("badge", 31, constrained("Badge", "Site", "blue")),
                                inject("hidden", 32, "Hidden", Mode::Optional),
                            ],
                        ),
                    )],
                ),
                19,
                vec!["Hidden"],
            ),
        ),
    ]);
    assert_eq!(
        warnings(node),
        [
            "unneeded-value lab.rs:3: `token` of `Industrial` provides `Token`, and nothing asks for it",
            "unneeded-value lab.rs:7: `red` of `Industrial` provides `Badge` with `Site = \"red\"`, and nothing asks for it",
            "unneeded-value lab.rs:9: `hidden` of `Industrial` provides `Hidden`, and nothing asks for it",
        ]
    );
}

#[test]
fn all_of_a_type_are_all_of_them() {
    let node = layout(vec![
        provide_key("red", 7, Provide::new(constrained("Badge", "Site", "red"))),
        provide_key("blue", 8, Provide::new(constrained("Badge", "Site", "blue"))),
        member("web", 9, machine("Web", 30, vec![inject("badges", 31, "Badge", Mode::Every)])),
    ]);
    assert_eq!(warnings(node), [""; 0]);
}

#[test]
fn a_value_that_is_taken_from_inside_is_asked_for_there() {
    let from = provide_key("seen", 2, Provide::new(key("Token")).from(&["rack"]));
    let rack = enclave("Rack", 20, vec![provide("token", 21, "Token", vec![], vec![]), web()]);
    let node = layout(vec![from, member("rack", 3, rack)]);
    assert_eq!(
        warnings(node),
        ["unneeded-value lab.rs:2: `seen` of `Industrial` provides `Token`, and nothing asks for it"]
    );
}

#[test]
fn what_is_of_use_in_one_place_is_of_use() {
    let rack = |name: &'static str, parts: Vec<Part>| {
        let mut all = vec![provide("token", 21, "Token", vec![], vec![])];
        all.extend(parts);
        member(name, 50, enclave("Rack", 20, all))
    };
    let asks = member("web", 22, machine("Web", 30, vec![inject("token", 31, "Token", Mode::Required)]));
    assert_eq!(warnings(layout(vec![rack("one", vec![web()]), rack("two", vec![asks])])), [""; 0]);
}

#[test]
fn groups_without_machines_and_networks_without_links() {
    let lab = |field| member(field, 41, network("Lab", 40, "10.0.0.0/24", "10.0.0.1-10.0.0.9"));
    let inner = enclave("Inner", 60, vec![lab("_spare")]);
    let node = layout(vec![
        web(),
        lab("lab"),
        // Told once, of the outer one.
        member("outer", 70, enclave("Outer", 61, vec![member("inner", 71, inner)])),
        member("_later", 72, enclave("Later", 62, vec![lab("_spare")])),
        // Its attribute tells of it.
        member("bare", 73, enclave("Bare", 63, vec![])),
    ]);
    assert_eq!(
        warnings(node),
        [
            "no-links lab.rs:41: nothing is plugged into `lab` of `Industrial`",
            "no-machines lab.rs:70: there is no machine in `outer` of `Industrial`",
        ]
    );
    assert_eq!(warnings(layout(vec![])), ["no-machines lab.rs:1: there is no machine in `Industrial`"]);
}

#[test]
fn what_nobody_refers_to_is_not_stood_for() {
    let uplink = keep(node(Kind::Network, "Uplink", 42, vec![]));
    let spare = keep(node(Kind::Network, "Spare", 43, vec![]));
    let backbone = keep(network("Backbone", 40, "10.0.0.0/24", "10.0.0.1-10.0.0.9"));
    let stands = Member::new(backbone).is(leak(vec![uplink, spare]));
    let node = layout(vec![
        Part::new("backbone", at(2), Role::Member(stands)),
        member("web", 3, machine("Web", 30, vec![link(31, "Uplink", "")])),
    ]);
    assert_eq!(
        warnings(node),
        [
            "unneeded-stand-in lab.rs:2: `backbone` of `Industrial` stands for `Spare`, which nothing refers to"
        ]
    );
}

#[test]
fn masks_that_hide_nothing() {
    let rack = |own: bool| {
        let mut parts = vec![web()];
        if own {
            parts.push(provide("_port", 22, "Port", vec![], vec![]));
        }
        masks(enclave("Rack", 20, parts), 19, vec!["Port"])
    };
    let told = ["idle-mask lab.rs:19: `Rack` hides `Port`, which nothing around provides"];
    assert_eq!(warnings(layout(vec![member("rack", 2, rack(false))])), told);
    let around = || provide("_port", 3, "Port", vec![], vec![]);
    assert_eq!(warnings(layout(vec![around(), member("rack", 2, rack(false))])), [""; 0]);
    // What it provides itself is seen inside, whatever it hides.
    assert_eq!(warnings(layout(vec![around(), member("rack", 2, rack(true))])), told);
}

#[test]
fn profiles() {
    let full = Member::new(keep(machine("Probe", 50, vec![]))).only(&["full"]);
    let badge = inject_role(Need::new(key("Token"), Mode::Required, "token", at(51)));
    let asks = machine("Asks", 51, vec![Part::new("token", at(51), badge)]);
    let node = layout(vec![
        web(),
        Part::new("probe", at(2), Role::Member(full)),
        // Asked for in one of them.
        provide("token", 3, "Token", vec![], vec![]),
        Part::new("asks", at(4), Role::Member(Member::new(keep(asks)).only(&["full"]))),
    ]);
    let paper = keep(ImplementationNode::of::<Paper>());
    let among = &["small", "full", "tiny", "other"];
    let profile = |name, line| Profile::new(name, at(line)).among(among);
    let profiles = [
        profile("small", 101),
        profile("full", 102),
        profile("tiny", 103),
        profile("other", 104).makes(leak(vec![(key("Web"), paper), (key("Gone"), paper)])),
    ];
    let all: Vec<_> = profiles.into_iter().map(|profile| Placements::leak_in(node, keep(profile))).collect();
    assert_eq!(
        told(&all),
        [
            "same-profile lab.rs:103: profile `tiny` deploys the same as `small`",
            "same-profile lab.rs:104: profile `other` deploys the same as `small`",
            "unmatched-in-profile lab.rs:104: profile `other` says what `Gone` is made by, which is nowhere in the layout",
        ]
    );
}
