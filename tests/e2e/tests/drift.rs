//! What was changed from outside is told by `status` and `plan`, and mended by `deploy`.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::fs;
use std::path::PathBuf;
use std::process::Output;

use carthage_e2e::paper::{BEFORE, PaperLab, undisturbed};
use carthage_e2e::program;
use serde_json::{Value, json};

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

fn world(lab: &PaperLab) -> PathBuf {
    lab.base().join("testlab/simulated/world")
}

/// Something happens in the simulated world that nobody asked for.
fn happens(lab: &PaperLab, changes: &[Value]) {
    let mut text = fs::read_to_string(world(lab)).unwrap();
    changes.iter().for_each(|change| text.push_str(&format!("{change}\n")));
    fs::write(world(lab), text).unwrap();
}

/// How the things differ from what was deployed, as `THING: DRIFT`.
fn drift(status: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&status.stdout);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let drifted =
        lines.filter_map(|line| Some(format!("{}: {}", line["name"].as_str()?, line["drift"].as_str()?)));
    drifted.collect()
}

#[track_caller]
fn planned(lab: &PaperLab, arguments: &[&str], says: &[&str]) {
    let plan = lab.run("plan", arguments);
    let text = String::from_utf8_lossy(&plan.stdout);
    let text: Vec<_> = text.split_whitespace().collect();
    let text = text.join(" ");
    assert_eq!(plan.status.code(), Some(2), "{plan:?}");
    says.iter().for_each(|says| assert!(text.contains(says), "{says:?} in {text}"));
}

#[test]
fn what_is_missing_is_made_again() {
    let lab = lab();
    lab.ends_well("deploy");
    let nothing = lab.run("status", &["--probe", "--json"]);
    assert_eq!((nothing.status.code(), drift(&nothing)), (Some(0), vec![]));
    happens(
        &lab,
        &[json!({ "no-machine": { "name": "worker-1" } }), json!({ "no-network": { "name": "back" } })],
    );
    let status = lab.run("status", &["--probe", "--json"]);
    assert_eq!(status.status.code(), Some(2), "{status:?}");
    assert_eq!(drift(&status), ["worker-1: missing", "back: missing"]);
    assert_eq!(lab.run("status", &[]).status.code(), Some(0));
    assert_eq!(lab.run("status", &["--probe", "gateway"]).status.code(), Some(0));
    planned(
        &lab,
        &[],
        &[
            "+ machine:worker-1 create it was removed from outside",
            "+ network:back create it was removed from outside",
        ],
    );
    lab.ends_well("deploy");
    lab.is(&undisturbed(self::lab, BEFORE), "what was missing came back");
    assert_eq!(lab.run("status", &["--probe"]).status.code(), Some(0));
}

#[test]
fn what_was_made_anew_behind_our_back_runs_its_tasks_again() {
    let lab = lab();
    lab.ends_well("deploy");
    let text = fs::read_to_string(world(&lab)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut made = lines.into_iter().find(|line| line["machine"]["name"] == "worker-1").unwrap();
    made["machine"]["identity"] = "another".into();
    happens(
        &lab,
        &[
            json!({ "no-machine": { "name": "worker-1" } }),
            made,
            json!({ "runs": { "name": "worker-1", "runs": true } }),
        ],
    );
    let status = lab.run("status", &["--probe", "--json"]);
    assert_eq!((status.status.code(), drift(&status)), (Some(2), vec!["worker-1: changed".to_owned()]));
    planned(
        &lab,
        &[],
        &[
            "~ machine:worker-1 update it is not the one that was deployed",
            "task:worker-1/join.configure run",
        ],
    );
    lab.ends_well("deploy");
    lab.is(&undisturbed(self::lab, BEFORE), "another machine was taken over");
    assert_eq!(lab.run("status", &["--probe"]).status.code(), Some(0));
}

#[test]
fn what_does_not_answer_is_not_known_and_lies_are_believed_until_the_next_look() {
    let lab = lab();
    assert!(lab.run("deploy", &["--simulate", "1"]).status.success());
    let silent = ["--simulate", "1", "--fault", "find:worker-1=fail"];
    let status = lab.run("status", &[&silent[..], &["--probe", "--json"]].concat());
    assert_eq!((status.status.code(), drift(&status)), (Some(2), vec!["worker-1: unknown".to_owned()]));
    planned(&lab, &silent, &["? machine:worker-1 ask cannot be told", "? task:worker-1/join.join ask"]);
    let lies = ["--simulate", "1", "--fault", "find:*=lie"];
    let status = lab.run("status", &[&lies[..], &["--probe", "--json"]].concat());
    assert_eq!(drift(&status), ["front: missing", "back: missing"], "{status:?}");
    planned(
        &lab,
        &lies,
        &["~ machine:gateway start it is not running", "+ network:front create it was removed"],
    );
    assert_eq!(lab.run("plan", &["--simulate", "1"]).status.code(), Some(0));
}

#[test]
fn what_was_changed_behind_our_back_is_mended_in_place() {
    let lab = lab();
    lab.ends_well("deploy");
    happens(&lab, &[json!({ "altered": { "name": "worker-1", "altered": true } })]);
    let status = lab.run("status", &["--probe", "--json"]);
    assert_eq!((status.status.code(), drift(&status)), (Some(2), vec!["worker-1: changed".to_owned()]));
    let told = String::from_utf8_lossy(&lab.run("status", &[]).stdout).into_owned();
    assert!(told.contains("is not that of its model (simulated); `deploy` mends it"), "{told}");
    planned(&lab, &[], &["~ machine:worker-1 update changed from outside: its memory", "1 to update"]);
    lab.ends_well("deploy");
    assert_eq!(lab.run("plan", &[]).status.code(), Some(0));
    lab.is(&undisturbed(self::lab, BEFORE), "what was changed is as it was");
    // A rehearsal can have it happen.
    assert!(lab.run("destroy", &[]).status.success());
    assert!(lab.run("deploy", &["--simulate", "1", "--fault", "start:worker-1=alter"]).status.success());
    planned(&lab, &["--simulate", "1"], &["~ machine:worker-1 update changed from outside: its memory"]);
}
