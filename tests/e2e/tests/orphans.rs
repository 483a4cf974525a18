//! What is no longer in the layout: shown in every plan, and removed when that is asked for.

use std::process::Output;

use carthage::state::{Dirs, Store};
use carthage_e2e::paper::{AFTER, Edits, PaperLab, undisturbed};
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

/// A layout with a model that has tasks was deployed, and what has them is no longer in it.
fn with_an_old_model(source: Edits) -> PaperLab {
    let mut lab = lab();
    lab.edits = source;
    lab.ends_well("deploy");
    lab.edits = &[];
    lab.prunes = false;
    lab
}

const GENERATING: Edits = &[("TESTLAB_SOURCE", "generating-matrix")];
const ARCHIVED: Edits = &[("TESTLAB_SOURCE", "archived-matrix")];

/// What models have generated of this name.
fn is_there(lab: &PaperLab, path: &str) -> bool {
    lab.base().join("testlab/cache/models").join(path).exists()
}

#[test]
fn models_are_like_all_else() {
    let lab = with_an_old_model(GENERATING);
    let plan = lab.run("plan", &[]);
    for orphan in ["model:testlab", "machine:reader"] {
        let told = format!(
            "{orphan} is no longer in the layout: `deploy --prune` or `destroy --orphans` removes it"
        );
        assert!(text(&plan).contains(&told), "{plan:?}");
    }
    let status = lab.run("status", &[]);
    let row = text(&status).lines().find(|line| line.starts_with("model:testlab")).unwrap().to_owned();
    assert!(row.contains("no longer in the layout") && row.contains("cache/models/@layout"), "{status:?}");
    let json = text(&lab.run("status", &["--json"]));
    let lines = json.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let model = lines.into_iter().find(|line| line["event"] == "model").unwrap();
    assert_eq!((&model["name"], &model["in_layout"]), (&"testlab".into(), &false.into()));
    lab.ends_well("deploy");
    assert!(is_there(&lab, "@layout/peers"));
    // It is there as long as what needed it is.
    let kept = lab.run("deploy", &["--prune", "model:testlab"]);
    let why = "`machine:reader` needs it and is not selected";
    assert!(text(&kept).contains(why) && is_there(&lab, "@layout/peers"), "{kept:?}");
    let plan = text(&lab.run("plan", &["--prune"]));
    let at =
        |thing: &str| plan.lines().position(|line| line.contains(thing) && line.contains("destroy")).unwrap();
    assert!(at("machine:reader") < at("model:testlab"), "{plan}");
    assert!(lab.run("deploy", &["--prune", "machine:reader"]).status.success());
    assert!(lab.run("destroy", &["--orphans", "model:test*"]).status.success());
    assert!(!is_there(&lab, "@layout"));
    assert!(!text(&lab.run("plan", &[])).contains("no longer in the layout"));
    assert!(lab.world().machines.contains_key("gateway"));
}

#[test]
fn what_is_on_record_of_a_model_is_removed_with_it() {
    let lab = with_an_old_model(GENERATING);
    // It may be deleted at any time.
    std::fs::remove_dir_all(lab.base().join("testlab/cache/models")).unwrap();
    assert!(text(&lab.run("plan", &[])).contains("model:testlab is no longer in the layout"));
    assert!(lab.run("destroy", &["--orphans"]).status.success());
    assert!(!text(&lab.run("plan", &[])).contains("model:testlab"));
    lab.ends_well("destroy");
    assert!(!lab.base().join("testlab").exists());
}

/// As the layout said it when it was deployed last.
#[test]
fn models_go_by_their_policy() {
    let lab = with_an_old_model(ARCHIVED);
    let deploy = lab.run("deploy", &["--prune"]);
    let stays = "model:archive stays: `#[policy(orphan = retain)]` keeps it";
    assert!(deploy.status.success() && text(&deploy).contains(stays), "{deploy:?}");
    assert!(!lab.world().machines.contains_key("filed.archive"), "{:?}", lab.world());
    assert!(is_there(&lab, "archive/who"));
    assert!(lab.run("destroy", &["--orphans"]).status.success());
    assert!(is_there(&lab, "archive/who"));
    lab.ends_well("destroy");
    assert!(!lab.base().join("testlab").exists());
}

/// An older version wrote nothing down of it.
#[test]
fn models_are_put_on_record_by_the_next_deployment() {
    let mut lab = lab();
    lab.edits = GENERATING;
    lab.ends_well("deploy");
    let dirs = Dirs::find("testlab", Some(lab.base())).unwrap();
    Store::open(&dirs, "test").unwrap().remove_record("model:testlab").unwrap();
    lab.prunes = false;
    let deploy = lab.run("deploy", &[]);
    assert!(text(&deploy).contains("nothing to do"), "{deploy:?}");
    lab.edits = &[];
    assert!(text(&lab.run("plan", &[])).contains("model:testlab is no longer in the layout"));
}
