//! What a policy keeps, and what it leaves until it is named.

use carthage_e2e::lab;

use crate::edits::is_planned_and_done;

#[test]
fn what_is_kept_stays_and_what_waits_is_named() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "kept");
    let steps = [
        "create network:wire: it does not exist",
        "create machine:archive.test: it does not exist",
        "create machine:copy.test: it does not exist",
    ];
    is_planned_and_done(&lab, &steps);
    assert!(lab.machines()["machine:spare.test"].starts_with("absent"));
    lab.run(&["deploy", "spare", "--yes"]).code(0);
    assert!(lab.machines()["machine:spare.test"].starts_with("running"));
    lab.run(&["plan"]).code(0).says("nothing to do");
    let archive = lab.machines()["machine:archive.test"].clone();

    // A tag is no name.
    lab.run(&["stop", "@precious"]).code(0);
    assert!(lab.machines()["machine:archive.test"].starts_with("stopped"));
    assert!(lab.machines()["machine:copy.test"].starts_with("running"));
    lab.run(&["start", "@precious"]).code(0);
    lab.run(&["plan", "@precius"]).code(64).says("did you mean `@precious`?");

    // It is no longer in the layout, and stays, with what it needs.
    lab.set("TESTLAB_SOURCE", "gone");
    let stays = "machine:archive.test stays: mind that `#[policy(orphan = warn)]` keeps it";
    lab.run(&["plan"]).code(2).says(stays).says("`archive.test` left its networks");
    lab.run(&["deploy", "--yes"]).code(0).says(stays);
    lab.run(&["plan"]).code(0).says(stays);
    assert_eq!(lab.machines()["machine:archive.test"], archive);

    lab.set("TESTLAB_SOURCE", "kept");
    lab.run(&["destroy", "--yes"])
        .code(0)
        .says("machine:archive.test stays: `#[policy(destroy = retain)]` keeps it")
        .says("network:wire stays: `machine:archive.test`, which stays, needs it");
    // That nothing else is left is as good.
    lab.run(&["destroy", "--yes"]).code(0).says("machine:archive.test stays").says("nothing to do");
    let left = lab.machines();
    assert_eq!(left["machine:archive.test"], archive);
    assert!(left["network:wire"].starts_with("running"));
    assert!(left["machine:copy.test"].starts_with("absent"), "{left:?}");
    assert!(left["machine:spare.test"].starts_with("absent"), "{left:?}");

    lab.set("TESTLAB_SOURCE", "free");
    lab.deploy();
    lab.run(&["plan"]).code(0);
    lab.destroy();
}
