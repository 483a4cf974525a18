//! The logs of runs: all that a run did, and the output of its commands.

use std::process::Output;

use carthage_e2e::paper::{AFTER, PaperLab};
use carthage_e2e::program;
use serde_json::Value;

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn logs(lab: &PaperLab, arguments: &[&str]) -> String {
    let logs = lab.run("logs", arguments);
    assert!(logs.status.success(), "{logs:?}");
    text(&logs)
}

#[test]
fn every_run_has_one() {
    let mut lab = lab();
    assert_eq!(lab.run("logs", &[]).status.code(), Some(1));
    assert!(lab.run("check", &[]).status.success());
    lab.ends_well("deploy");
    lab.edits = AFTER;
    lab.ends_well("deploy");
    let list = logs(&lab, &["--list"]);
    let rows: Vec<Vec<_>> = list.lines().map(|row| row.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), 2, "{list}");
    assert_eq!((&rows[0][..2], rows[0][3], rows[1][1]), (&["run", "1"][..], "deploy", "2"));

    // The last one, or one by its number; all of it, or what names mean.
    assert!(logs(&lab, &[]).contains("run task:gateway/base.motd: its inputs changed"));
    let first = logs(&lab, &["--run", "1", "worker-2"]);
    assert!(first.contains("create machine:worker-2: it does not exist"), "{first}");
    assert!(first.contains("done run task:worker-2/join.join") && !first.contains("worker-1"), "{first}");
    let wrong = lab.run("logs", &["--run", "1", "worker-3"]);
    assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
    assert!(text(&lab.run("logs", &["--run", "9"])).contains("there are logs from run 1 to 2"));

    // What programs read is what the run told, with the time.
    let told = logs(&lab, &["--run", "1", "--json"]);
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&told[0]["carthage"], &told[0]["command"]), (&1.into(), &"logs".into()));
    assert_eq!((&told[1]["event"], &told[1]["run"]), (&"started".into(), &1.into()));
    assert!(told[1..].iter().all(|line| line["at"].is_u64()));
    let (begun, done) = (
        told.iter().filter(|line| line["event"] == "begun"),
        told.iter().filter(|line| line["event"] == "done"),
    );
    assert_eq!(begun.count(), done.count());

    // With the layout they go.
    lab.ends_well("destroy");
    assert!(!lab.base().join("testlab").exists());
}

#[test]
fn what_failed_says_where_to_look() {
    let lab = lab();
    let failed = lab.run("deploy", &["--simulate", "1", "--fault", "start:worker-1=fail"]);
    assert!(text(&failed).contains("see: `logs --run 1` has all that was done"), "{failed:?}");
    let told = logs(&lab, &["--simulate", "1", "worker-1"]);
    assert!(told.contains("failed create machine:worker-1: cannot start `worker-1`"), "{told}");
}

#[test]
fn a_log_that_cannot_be_written_fails_no_run() {
    let lab = lab();
    lab.ends_well("deploy");
    std::fs::remove_dir_all(lab.base().join("testlab/log/runs")).unwrap();
    std::fs::write(lab.base().join("testlab/log/runs"), "in the way").unwrap();
    let stopped = lab.run("stop", &["worker-1"]);
    assert!(stopped.status.success(), "{stopped:?}");
    assert_eq!(text(&stopped).matches("the run goes on without").count(), 1, "{stopped:?}");
}
