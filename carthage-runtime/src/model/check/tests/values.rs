//! Which of several values is meant: constraints, masks, values of members.

use super::super::super::sample::*;
use super::super::super::value::{Mode, Need, Provide};
use super::{problem, problems};

const NONE: Vec<String> = Vec::new();

/// Needed in one role and provided in another.
#[test]
fn a_value_with_a_constraint_is_provided_by_exactly_that_key() {
    let red = constrained("JoinToken", "Site", "red");
    let of = |provided| {
        let worker = machine("Worker", 20, vec![inject_key("token", 21, red)]);
        layout(vec![provide_key("token", 41, Provide::new(provided)), member("worker", 50, worker)])
    };
    assert_eq!(problems(of(red)), NONE);
    assert_eq!(
        problem(of(constrained("JoinToken", "Site", "blue"))),
        "nothing provides `JoinToken` with `Site = \"red\"` to `worker`\n  needed by field `token` (lab.rs:21)\n  searched: \
         `Worker` (lab.rs:20), `Industrial` (lab.rs:1)\n  needed as `JoinToken` with `Site = \"red\"`, provided as `JoinToken` \
         with `Site = \"blue\"` (lab.rs:41)\n  provide it: write `#[provide(Site = \"red\", …)] token: Arc<JoinToken>` in \
         `Industrial`"
    );
    let plain = problem(of(key("JoinToken")));
    assert!(plain.contains("provided as `JoinToken` (lab.rs:41)"), "{plain}");
    let other = problem(of(constrained("JoinToken", "Hall", "red")));
    assert!(other.contains("provided as `JoinToken` with `Hall = \"red\"`"), "{other}");
}

#[test]
fn the_likes_of_a_value_may_be_provided_side_by_side() {
    let provide =
        |field, line, site| provide_key(field, line, Provide::new(constrained("JoinToken", "Site", site)));
    assert_eq!(problems(layout(vec![provide("a", 10, "red"), provide("b", 11, "blue")])), NONE);
    let twice = problem(layout(vec![provide("a", 10, "red"), provide("b", 11, "red")]));
    assert!(
        twice.starts_with(
            "`Industrial` provides `JoinToken` with `Site = \"red\"` twice: `a` (lab.rs:10) and `b`"
        ),
        "{twice}"
    );
}

#[test]
fn a_masked_value_is_absent_inside() {
    let of = |mode, hidden| {
        let worker = machine("Worker", 20, vec![inject("token", 21, "JoinToken", mode)]);
        let rack = masks(enclave("Rack", 30, vec![member("worker", 31, worker)]), 29, vec![hidden]);
        layout(vec![provide("token", 41, "JoinToken", vec![], vec![]), member("rack", 50, rack)])
    };
    assert_eq!(problems(of(Mode::Required, "Other")), NONE);
    assert_eq!(problems(of(Mode::Optional, "JoinToken")), NONE);
    assert_eq!(
        problem(of(Mode::Required, "JoinToken")),
        "nothing provides `JoinToken` to `rack.worker`\n  needed by field `token` (lab.rs:21)\n  searched: `Worker` \
         (lab.rs:20), `Rack` (lab.rs:30), `Industrial` (lab.rs:1)\n  `Rack` hides the one that is provided around it: \
         `#[mask(JoinToken)]` (lab.rs:29)\n  remove the mask, ask for `Option<Arc<JoinToken>>`, or provide one inside of it"
    );
    // What the scope itself provides is not hidden, nor what is provided inside of the mask.
    let own = |parts| {
        let rack = masks(enclave("Rack", 30, parts), 29, vec!["JoinToken"]);
        layout(vec![provide("token", 41, "JoinToken", vec![], vec![]), member("rack", 50, rack)])
    };
    let worker = || machine("Worker", 20, vec![inject("token", 21, "JoinToken", Mode::Required)]);
    let provides = || provide("token", 32, "JoinToken", vec![], vec![]);
    assert_eq!(problems(own(vec![provides(), member("worker", 31, worker())])), NONE);
    let inner = enclave("Inner", 35, vec![provides(), member("worker", 31, worker())]);
    assert_eq!(problems(own(vec![member("inner", 36, inner)])), NONE);
}

#[test]
fn what_is_made_in_a_scope_that_masks_does_not_see_what_is_hidden() {
    let made = provide("a", 31, "A", vec![], vec![need("token", 12, "JoinToken", Mode::Required)]);
    let rack = masks(enclave("Rack", 30, vec![made]), 29, vec!["JoinToken"]);
    let found =
        problem(layout(vec![provide("token", 41, "JoinToken", vec![], vec![]), member("rack", 50, rack)]));
    assert!(found.contains("needed by what makes `a` (lab.rs:12)"), "{found}");
}

#[test]
fn a_value_of_a_member_is_there() {
    let of = |from: &[&'static str], inner: Vec<_>| {
        let rack = enclave("Rack", 30, vec![member("inner", 31, enclave("Inner", 35, inner))]);
        let taken = Provide::new(key("JoinToken")).from(from.to_vec().leak());
        layout(vec![provide_key("token", 41, taken), member("rack", 50, rack)])
    };
    let provides = || vec![provide("token", 36, "JoinToken", vec![], vec![])];
    assert_eq!(problems(of(&["rack", "inner"], provides())), NONE);
    assert_eq!(
        problem(of(&["rack", "iner"], provides())),
        "`token` of `Industrial` (lab.rs:41) takes `JoinToken` from `rack.iner`, but `iner` is no member of `Rack`; did you mean `inner`?\n  `Rack` \
         (lab.rs:30) has `inner`"
    );
    // Its own would be found on the way back.
    assert_eq!(
        problem(of(&["rack"], provides())),
        "`token` of `Industrial` (lab.rs:41) takes `JoinToken` from `rack`, which does not provide it\n  provide it there: \
         write `#[provide(…)] join_token: Arc<JoinToken>` in `Rack` (lab.rs:30)"
    );
    let array = layout(vec![
        provide_key("token", 41, Provide::new(key("JoinToken")).from(&["racks"])),
        array("racks", 50, 2, enclave("Rack", 30, provides())),
    ]);
    assert!(problem(array).contains("but `racks` of `Industrial` is an array, and each has its own"));
}

/// What is placed is found by its type and by the name of its field, also inside of scopes beside.
#[test]
fn one_of_several_placed_things_is_meant_by_its_field() {
    let of = |field: Option<&'static str>| {
        let need = Need::new(key("Mirror"), Mode::Placed, "mirror", at(21));
        let need = field.map_or(need, |field| need.field(field));
        let worker = machine("Worker", 20, vec![super::Part::new("mirror", at(21), inject_role(need))]);
        let mirrors = enclave(
            "Mirrors",
            30,
            vec![
                named("near", 31, "near", machine("Mirror", 10, vec![])),
                named("far", 32, "far", machine("Mirror", 10, vec![])),
            ],
        );
        layout(vec![member("mirrors", 50, mirrors), member("worker", 51, worker)])
    };
    assert!(problem(of(None)).contains("`mirrors.near` (lab.rs:31), `mirrors.far` (lab.rs:32)"));
    assert_eq!(problems(of(Some("far"))), NONE);
    assert!(problem(of(Some("fr"))).contains("Mirror"), "{}", problem(of(Some("fr"))));
}

#[test]
fn what_is_taken_from_a_member_is_not_made_of_what_takes_it() {
    let vault = |needs: Mode| {
        let token = provide("token", 31, "Token", vec![], vec![need("seed", 31, "Seed", needs)]);
        masks(
            enclave("Vault", 30, vec![token, provide("port", 32, "Port", vec![], vec![])]),
            29,
            vec!["Port"],
        )
    };
    let site = |needs: Mode| {
        layout(vec![
            provide("seed", 40, "Seed", vec![], vec![need("token", 40, "Token", Mode::Required)]),
            provide_key("token", 41, Provide::new(key("Token")).from(&["vault"])),
            member("vault", 42, vault(needs)),
        ])
    };
    assert_eq!(
        problem(site(Mode::Required)),
        "values are made of each other, by way of what is taken `from` a member: `token` of `Industrial` -> `token` of \
         `vault` -> `seed` of `Industrial` -> `token` of `Industrial`\n  `token` of `Industrial`: lab.rs:41\n  `token` of \
         `vault`: lab.rs:31\n  `seed` of `Industrial`: lab.rs:40\n  ask for one of them as `Deferred<…>`, or make it \
         without the others"
    );
    assert_eq!(problems(site(Mode::Deferred)), [""; 0]);
}
