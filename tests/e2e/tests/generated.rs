//! Tasks of models: they run on the controller when the layout is deployed and at no other time, and what they generate is taken in by
//! the machines inside.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Output;

use carthage_e2e::paper::{Edits, PaperLab, PaperWorld};
use carthage_e2e::program;
use serde_json::Value;

const SOURCE: (&str, &str) = ("TESTLAB_SOURCE", "generated");
const LAB: Edits = &[SOURCE];

fn lab() -> PaperLab {
    let mut lab = PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")));
    lab.edits = LAB;
    lab
}

fn file(lab: &PaperLab, model: &str, name: &str) -> PathBuf {
    lab.base().join("testlab/cache/models").join(model).join(name)
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The steps of a plan, as `task:testlab/authority never ran`.
fn planned(lab: &PaperLab) -> Vec<String> {
    let plan = lab.run("plan", &["--json"]);
    assert!(matches!(plan.status.code(), Some(0 | 2)), "{plan:?}");
    let word = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let lines: Vec<Value> = String::from_utf8_lossy(&plan.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let steps = lines.iter().filter(|line| line["thing"].is_string());
    steps.map(|step| format!("{} {}", word(step, "thing"), word(step, "why"))).collect()
}

fn tasks(steps: &[String]) -> Vec<&str> {
    steps.iter().map(String::as_str).filter(|step| step.starts_with("task:")).collect()
}

#[test]
fn they_run_when_the_layout_is_deployed_and_at_no_other_time() {
    let lab = lab();
    for looking in ["check", "list", "plan", "status"] {
        let looked = lab.run(looking, &[]);
        assert!(matches!(looked.status.code(), Some(0 | 2)), "{looking}: {looked:?}");
        assert!(!lab.base().join("testlab").exists(), "`{looking}` has made something");
    }
    let listed = text(&lab.run("list", &[]));
    for name in ["model:testlab", "model:inside", "model:node.inside", "task:node.inside/key"] {
        assert!(listed.contains(name), "{name} in {listed}");
    }
    let tree = text(&lab.run("check", &[]));
    assert!(tree.contains("render, count"), "{tree}");
    let steps = planned(&lab);
    // What is around comes first, and the machine after all of it.
    let at = |thing: &str| steps.iter().position(|step| step.starts_with(thing)).unwrap_or(usize::MAX);
    let order = ["task:testlab/authority", "task:inside/render", "task:inside/count", "task:node.inside/key"];
    let order: Vec<_> = order.iter().chain(&["machine:node.inside"]).map(|thing| at(thing)).collect();
    assert!(order.is_sorted() && order[4] < steps.len(), "{steps:?}");
    assert!(steps.contains(&"task:inside/render never ran".to_owned()), "{steps:?}");
    lab.ends_well("deploy");
    let node = &lab.world().machines["node.inside"];
    assert_eq!((&*node.files["/etc/inside/hosts"], &*node.files["/etc/key"]), ("here", "key"));
    let hosts = std::fs::read_to_string(file(&lab, "inside", "hosts")).unwrap();
    assert_eq!(hosts, "here node.inside authority");
    assert_eq!(planned(&lab), [""; 0]);
    lab.ends_well("deploy");
    assert_eq!(std::fs::read_to_string(file(&lab, "inside", "count")).unwrap(), "x", "none ran again");
    let logged = text(&lab.run("logs", &["--run", "1", "model:inside"]));
    assert!(logged.contains("task:inside/render"), "{logged}");
    lab.ends_well("destroy");
    assert_eq!(lab.world(), PaperWorld::default());
    assert_eq!(std::fs::read_dir(lab.base()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn they_run_again_when_their_inputs_change_and_then_the_machine_takes_it_in() {
    let mut lab = lab();
    lab.ends_well("deploy");
    lab.edits = &[SOURCE, ("TESTLAB_SITE", "there")];
    let expected = [
        "task:inside/render its inputs changed",
        "task:inside/count `render` runs before it",
        "task:node.inside/install.hosts `task:inside/render` runs before it",
    ];
    assert_eq!(planned(&lab), expected);
    lab.ends_well("deploy");
    assert_eq!(lab.world().machines["node.inside"].files["/etc/inside/hosts"], "there");
    assert_eq!(planned(&lab), [""; 0]);
    // One that is forced alone: what it generates is taken in by the next deployment.
    let forced = lab.run("run", &["inside/count"]);
    assert!(forced.status.success(), "{forced:?}");
    assert_eq!(std::fs::read_to_string(file(&lab, "inside", "count")).unwrap(), "xxx");
    let steps = planned(&lab);
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert!(
        steps[0].starts_with("task:node.inside/install.hosts `task:inside/count` ran later"),
        "{steps:?}"
    );
}

#[test]
fn a_directory_that_is_gone_is_made_again() {
    let lab = lab();
    lab.ends_well("deploy");
    std::fs::remove_dir_all(file(&lab, "inside", "")).unwrap();
    let steps = planned(&lab);
    assert!(steps.contains(&"task:inside/render never ran".to_owned()), "{steps:?}");
    assert!(!steps.iter().any(|step| step.starts_with("task:testlab/")), "{steps:?}");
    assert!(!file(&lab, "inside", "").exists(), "a plan makes nothing");
    lab.ends_well("deploy");
    assert!(file(&lab, "inside", "hosts").exists());
    assert_eq!(planned(&lab), [""; 0]);
    // The same by the command.
    let stays = text(&lab.run("destroy", &["model:inside"]));
    assert!(stays.contains("needs it and is not selected"), "{stays}");
    assert!(lab.run("destroy", &["node.inside", "model:inside"]).status.success());
    assert!(!file(&lab, "inside", "").exists() && file(&lab, "@layout", "ca").exists());
}

#[test]
fn one_that_fails_stops_what_is_inside_and_nothing_else() {
    let mut lab = lab();
    lab.edits = &[SOURCE, ("TESTLAB_FAILS", "true")];
    let failed = lab.run("deploy", &[]);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    let said = text(&failed);
    assert!(
        said.contains("task `render` of `inside` failed") && said.contains("nothing can be rendered"),
        "{said}"
    );
    let machines: BTreeSet<_> = lab.world().machines.into_keys().collect();
    assert_eq!(machines, BTreeSet::from(["other".to_owned()]), "{said}");
    lab.edits = LAB;
    let steps = planned(&lab);
    assert!(steps.contains(&"task:inside/render failed in run 1".to_owned()), "{steps:?}");
    assert!(!tasks(&steps).iter().any(|step| step.starts_with("task:testlab/")), "{steps:?}");
    lab.ends_well("deploy");
    assert_eq!(planned(&lab), [""; 0]);
}

/// That a directory is there does not mean that all is in it.
#[test]
fn a_machine_alone_needs_models_whose_tasks_have_run() {
    let mut lab = lab();
    lab.edits = &[SOURCE, ("TESTLAB_FAILS", "true")];
    assert_eq!(lab.run("deploy", &["node.inside"]).status.code(), Some(3));
    assert!(file(&lab, "inside", "").is_dir());
    lab.edits = LAB;
    let refused = lab.run("deploy", &["node.inside", "--only"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(text(&refused).contains("the tasks of model:inside are needed, and have not run"), "{refused:?}");
    assert!(lab.world().machines.is_empty());
    assert!(lab.run("deploy", &["model:inside"]).status.success());
    assert!(lab.run("deploy", &["model:node.inside", "--only"]).status.success());
    assert!(lab.run("deploy", &["node.inside", "--only"]).status.success());
    assert!(lab.world().machines.contains_key("node.inside"));
}

#[test]
fn one_that_is_killed_runs_again() {
    let lab = lab();
    let killed = lab.command("deploy", &[]).env("CARTHAGE_CRASH_AT", "model-task-body").output().unwrap();
    assert_eq!(killed.status.signal(), Some(9), "{killed:?}");
    let steps = planned(&lab);
    assert!(steps.contains(&"task:inside/render was interrupted in run 1".to_owned()), "{steps:?}");
    lab.ends_well("deploy");
    assert_eq!(planned(&lab), [""; 0]);
}

#[test]
fn hosts_of_their_own_kind_have_tasks_like_others() {
    let mut lab = lab();
    assert!(planned(&lab).contains(&"task:other/ports.office never ran".to_owned()));
    lab.ends_well("deploy");
    assert_eq!(lab.world().machines["other"].files["/vlan/1"], "20");
    lab.edits = &[SOURCE, ("TESTLAB_VLAN", "30")];
    assert_eq!(planned(&lab), ["task:other/ports.office no longer valid: `is_the_offices` said no"]);
    lab.ends_well("deploy");
    assert_eq!(lab.world().machines["other"].files["/vlan/1"], "30");
    assert_eq!(planned(&lab), [""; 0]);
    // One that cannot be opened is told where it is asked, and stops nothing else.
    lab.edits = &[SOURCE, ("TESTLAB_VLAN", "30"), ("TESTLAB_CLOSED", "true"), ("TESTLAB_SITE", "there")];
    let steps = planned(&lab);
    let closed = steps.iter().find(|step| step.starts_with("task:other/ports.office cannot be told"));
    assert!(closed.is_some_and(|step| step.contains("the console does not answer")), "{steps:?}");
    let failed = lab.run("deploy", &[]);
    assert_eq!(failed.status.code(), Some(3), "{failed:?}");
    assert_eq!(lab.world().machines["node.inside"].files["/etc/inside/hosts"], "there");
}

#[test]
fn a_machine_brings_in_the_tasks_of_the_models_around_it() {
    let lab = lab();
    let deployed = lab.run("deploy", &["node.inside"]);
    assert!(deployed.status.success(), "{deployed:?}");
    assert!(file(&lab, "@layout", "ca").exists() && file(&lab, "inside", "hosts").exists());
    assert!(!lab.world().machines.contains_key("other"));
    // What starts machines runs no tasks.
    assert!(lab.run("stop", &[]).status.success());
    std::fs::remove_dir_all(file(&lab, "inside", "")).unwrap();
    let started = lab.run("start", &[]);
    assert!(lab.world().machines["node.inside"].runs, "{started:?}");
    assert!(!file(&lab, "inside", "").exists());
}
