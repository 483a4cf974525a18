//! What is no longer in the layout: shown in every plan, and removed when that is asked for.

use std::process::Output;

use carthage_e2e::paper::{AFTER, PaperLab, undisturbed};
use carthage_e2e::program;
use serde_json::Value;

const ORPHAN: &str =
    "machine:worker-2 is no longer in the layout: `deploy --prune` or `destroy --orphans` removes it";

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

/// Two workers were deployed, and one of them is no longer in the layout.
fn with_an_orphan() -> PaperLab {
    let mut lab = lab();
    lab.ends_well("deploy");
    lab.edits = &[("TESTLAB_WORKERS", "1")];
    lab.prunes = false;
    lab
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn they_are_in_every_plan_and_stay() {
    let lab = with_an_orphan();
    // What others are told of the workers does not change with this.
    assert!(lab.run("deploy", &[]).status.success());
    let world = lab.world();
    for arguments in [&[][..], &["gateway"], &["worker-2"]] {
        let plan = lab.run("plan", arguments);
        assert_eq!(plan.status.code(), Some(0), "{plan:?}");
        assert!(text(&plan).contains(ORPHAN), "{plan:?}");
    }
    let json = lab.run("plan", &["--json"]);
    let last: Value = serde_json::from_str(text(&json).lines().last().unwrap()).unwrap();
    assert_eq!(last["orphans"], serde_json::json!(["machine:worker-2"]));
    let deploy = lab.run("deploy", &[]);
    assert!(deploy.status.success() && text(&deploy).contains(ORPHAN), "{deploy:?}");
    assert_eq!(lab.world(), world);
}

#[test]
fn they_are_removed_when_that_is_asked_for() {
    let lab = with_an_orphan();
    let plan = lab.run("plan", &["--prune"]);
    assert_eq!(plan.status.code(), Some(2), "{plan:?}");
    assert!(text(&plan).contains("destroy  it is no longer in the layout"), "{plan:?}");
    assert!(lab.run("deploy", &["--prune", "--exclude", "worker-2"]).status.success());
    assert!(lab.world().machines.contains_key("worker-2"));
    assert!(lab.run("deploy", &["--prune"]).status.success());
    assert!(!lab.world().machines.contains_key("worker-2"));
    assert!(!text(&lab.run("plan", &[])).contains("no longer in the layout"));
}

#[test]
fn destroy_can_be_about_them_alone() {
    let lab = with_an_orphan();
    assert!(lab.run("destroy", &["--orphans"]).status.success());
    let left: Vec<_> = lab.world().machines.into_keys().collect();
    assert_eq!(left, ["gateway", "worker-1"]);
    let again = lab.run("destroy", &["--orphans"]);
    assert!(again.status.success() && text(&again).contains("nothing to do"), "{again:?}");
    assert_eq!(lab.world().machines.len(), 2);
}

/// A list that cannot be read says nothing of what is no longer in it.
#[test]
fn nothing_is_one_while_it_cannot_be_told_what_is_in_the_layout() {
    let mut lab = lab();
    lab.ends_well("deploy");
    let world = lab.world();
    lab.edits = &[("TESTLAB_LAST_NAME", "1")];
    for (command, options) in
        [("destroy", &["--orphans"][..]), ("destroy", &["--orphans", "worker-2"]), ("deploy", &[])]
    {
        let refused = lab.run(command, options);
        assert_eq!(refused.status.code(), Some(64), "{refused:?}");
        assert!(text(&refused).contains("worker-1"), "{refused:?}");
        assert_eq!(lab.world(), world);
    }
}

#[test]
fn what_has_changed_is_deployed_beside_them() {
    let mut lab = with_an_orphan();
    lab.edits = AFTER;
    lab.ends_well("deploy");
    assert!(lab.world().machines.contains_key("worker-2"));
    assert!(lab.run("destroy", &["--orphans"]).status.success());
    lab.is(&undisturbed(self::lab, AFTER), "a change, and the removal of what was left");
}

#[test]
fn what_they_have_is_not_given_to_others() {
    let mut lab = with_an_orphan();
    let world = lab.world();
    lab.edits = &[("TESTLAB_SOURCE", "renamed-matrix")];
    for command in ["plan", "deploy"] {
        let refused = lab.run(command, &[]);
        assert_eq!(refused.status.code(), Some(64), "{refused:?}");
        let what =
            "`machine:portal` gets an address that `machine:gateway` has, which is no longer in the layout";
        assert!(text(&refused).contains(what) && text(&refused).contains("--prune"), "{refused:?}");
    }
    assert_eq!(lab.world(), world);
    assert!(lab.run("deploy", &["--prune"]).status.success());
    assert_eq!(lab.world().machines.into_keys().collect::<Vec<_>>(), ["portal"]);
}
