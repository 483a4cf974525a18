//! Plans that are saved: what is deployed is what was saved, or nothing.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use carthage_e2e::paper::{AFTER, PaperLab, PaperWorld, undisturbed};
use carthage_e2e::program;
use serde_json::Value;

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

/// Saves a plan; answers what it says, and where it is.
fn planned(lab: &PaperLab, arguments: &[&str]) -> (Vec<Value>, PathBuf) {
    let file = lab.base().join("saved.plan");
    let saves = ["--out", file.to_str().unwrap(), "--json"];
    let plan = lab.run("plan", &[&saves, arguments].concat());
    assert!(matches!(plan.status.code(), Some(0 | 2)), "{plan:?}");
    (lines(&plan).into_iter().filter(|line| line["event"] == "step").collect(), file)
}

fn deployed(lab: &PaperLab, file: &Path, arguments: &[&str]) -> Output {
    lab.run("deploy", &[&["--plan", file.to_str().unwrap()], arguments].concat())
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The things and what is done to them.
fn words(steps: &[Value]) -> Vec<(String, String)> {
    let word = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    steps.iter().map(|step| (word(step, "thing"), word(step, "action"))).collect()
}

#[track_caller]
fn refused(output: &Output, says: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
    assert!(text.contains("the plan does not hold any more, and nothing was done"), "{text}");
    says.iter().for_each(|says| assert!(text.contains(says), "{says:?} in {text}"));
}

#[test]
fn what_was_saved_is_what_is_done() {
    let mut lab = lab();
    let (steps, file) = planned(&lab, &[]);
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!lab.base().join("testlab").exists(), "a plan writes nothing but its file");
    let deploy = deployed(&lab, &file, &["--json"]);
    assert!(deploy.status.success(), "{deploy:?}");
    let report = lines(&deploy).into_iter().find(|line| line["event"] == "report").unwrap();
    let mut done = words(report["done"].as_array().unwrap());
    let mut planned_ones = words(&steps);
    done.sort();
    planned_ones.sort();
    assert_eq!(done, planned_ones);

    // It is about what it was made for, in one profile of one layout, with names or without.
    lab.edits = AFTER;
    let (steps, file) = planned(&lab, &["gateway"]);
    assert!(words(&steps).iter().all(|(thing, _)| thing.contains("gateway")), "{steps:?}");
    assert!(deployed(&lab, &file, &[]).status.success());
    assert_eq!(lab.run("plan", &["gateway"]).status.code(), Some(0));
    assert_eq!(lab.run("plan", &[]).status.code(), Some(2));
    let (_, file) = planned(&lab, &[]);
    assert!(deployed(&lab, &file, &[]).status.success());
    lab.is(&undisturbed(self::lab, AFTER), "two saved plans");

    // Nothing to do can be saved, too, and stays so.
    let (steps, file) = planned(&lab, &[]);
    assert!(steps.is_empty());
    assert!(deployed(&lab, &file, &[]).status.success());
}

#[test]
fn a_plan_for_another_state_is_refused() {
    let lab = lab();
    let (_, first) = planned(&lab, &[]);
    lab.ends_well("deploy");
    let world = lab.world();
    let since = deployed(&lab, &first, &[]);
    refused(
        &since,
        &["run 1 has done: ", "create machine:gateway", "run task:worker-2/join.join", "plan again"],
    );
    assert_eq!(lab.world(), world);
    let (_, second) = planned(&lab, &[]);
    lab.ends_well("destroy");
    refused(&deployed(&lab, &second, &[]), &["the layout was destroyed, or its state is kept elsewhere"]);
    assert!(!lab.base().join("testlab").exists(), "who is refused leaves nothing behind");
    lab.ends_well("deploy");
    refused(&deployed(&lab, &second, &[]), &["the layout's state is another"]);
}

#[test]
fn a_plan_for_another_layout_is_refused_thing_by_thing() {
    let mut lab = lab();
    let (_, fresh) = planned(&lab, &[]);
    lab.edits = &[("TESTLAB_WORKERS", "1")];
    refused(
        &deployed(&lab, &fresh, &[]),
        &["machine:worker-2: planned was: create, because it does not exist; now it is: nothing"],
    );
    assert!(!lab.base().join("testlab").exists());
    lab.edits = &[];
    refused(
        &deployed(&lab, &fresh, &["--simulate", "7"]),
        &["simulated world: planned was for none, and this is `Simulated 7`"],
    );
    lab.ends_well("deploy");

    let (none, saved) = planned(&lab, &[]);
    assert!(none.is_empty());
    let world = lab.world();
    lab.edits = &[("TESTLAB_TEXT", "another")];
    let changed = deployed(&lab, &saved, &[]);
    refused(
        &changed,
        &["task:gateway/base.motd: planned was: nothing; now it is: run, because its inputs changed"],
    );
    assert_eq!(lab.world(), world);
}

/// The machine seems not to run when its turn comes, after the plan was compared.
#[test]
fn what_needs_something_else_at_its_turn_is_left_as_it_is() {
    let mut lab = lab();
    assert!(lab.run("deploy", &["--simulate", "7"]).status.success());
    let world = lab.rehearsed();
    lab.edits = &[("TESTLAB_TEXT", "another"), ("TESTLAB_PORT", "8081")];
    let (_, file) = planned(&lab, &["--simulate", "7"]);
    let lied = deployed(&lab, &file, &["--simulate", "7", "--fault", "find:gateway=lie#2"]);
    let told = String::from_utf8_lossy(&lied.stdout).into_owned();
    assert_eq!(lied.status.code(), Some(1), "{lied:?}");
    assert!(told.contains("`machine:gateway` would need `start` now, which is not in the plan"), "{told}");
    assert_eq!(lab.rehearsed(), world);
}

#[test]
fn what_is_no_plan_is_told() {
    let lab = lab();
    let (_, file) = planned(&lab, &[]);
    let text = std::fs::read_to_string(&file).unwrap();
    let try_with = |text: &str, says: &str| {
        std::fs::write(&file, text).unwrap();
        let wrong = deployed(&lab, &file, &[]);
        let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
        assert!(told.contains(says) && told.contains("next: plan again"), "{told}");
    };
    try_with(&text.replace("create", "remove"), "it is damaged");
    try_with(&text.replace("plan\":1", "plan\":9"), "it is of version 9");
    try_with("machine:gateway\n", "it does not begin as a plan does");
    assert_eq!(lab.run("deploy", &["--plan", "/nowhere"]).status.code(), Some(1));
    assert_eq!(lab.run("deploy", &["--plan", file.to_str().unwrap(), "gateway"]).status.code(), Some(64));
    assert_eq!(lab.world(), PaperWorld::default());
}

#[test]
fn what_is_said_besides_a_plan_is_what_it_says() {
    let mut lab = lab();
    lab.prunes = false;
    let (_, file) = planned(&lab, &[]);
    let more = deployed(&lab, &file, &["--prune"]);
    assert_eq!(more.status.code(), Some(64), "{more:?}");
    assert!(
        String::from_utf8_lossy(&more.stderr).contains("the plan was made without `--prune`"),
        "{more:?}"
    );
    let (_, file) = planned(&lab, &["--prune"]);
    assert!(deployed(&lab, &file, &["--prune"]).status.success());
}
