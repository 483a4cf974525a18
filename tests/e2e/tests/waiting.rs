//! Two runs on one layout: the second says who holds it, or waits.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Stdio};

use carthage_e2e::paper::PaperLab;
use carthage_e2e::program;
use rustix::fs::{FileType, FlockOperation, Mode, fcntl_lock, mknodat};

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

/// Holds the layout as a run does, until it is dropped.
fn held(lab: &PaperLab) -> File {
    let path = lab.base().join("testlab/lock");
    let mut file = File::options().write(true).create(true).truncate(true).open(&path).unwrap();
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    let holder = r#"{"pid":4711,"user":"ann","host":"desk","command":"deploy","since":1}"#;
    // Not by another descriptor: that one's closing would end the lock.
    file.write_all(holder.as_bytes()).unwrap();
    file
}

#[test]
fn the_second_says_who_holds_it_or_waits() {
    let lab = lab();
    lab.ends_well("deploy");
    let lock = held(&lab);
    for patience in [&[][..], &["--wait=200ms"]] {
        let refused = lab.run("destroy", patience);
        let text = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{refused:?}");
        assert!(
            text.contains("another run holds layout `testlab`: `deploy` of ann on desk, process 4711"),
            "{text}"
        );
        assert!(text.contains("--wait"), "{text}");
    }
    let mut waiting = lab.command("destroy", &["--wait"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let told = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("waiting for it")));
    assert!(told.is_some());
    assert!(waiting.try_wait().unwrap().is_none(), "it waits");
    drop(lock);
    let said: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(waiting.wait().unwrap().success(), "{said:?}");
    assert_eq!(lab.world(), Default::default());
}

/// A run that has the layout until it is let through the gate.
struct Gated {
    run: Child,
    gate: File,
}

impl Gated {
    /// Begins one, and comes back when it is in the body of its task.
    fn begin(lab: &PaperLab) -> Self {
        let gate = lab.base().with_extension("gate");
        mknodat(rustix::fs::CWD, &gate, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let mut command = lab.command("deploy", &[]);
        let run = command.env("TESTLAB_GATE", &gate).stderr(Stdio::piped()).spawn().unwrap();
        // Opened when the other end is.
        let opened = File::options().write(true).open(&gate).unwrap();
        std::fs::remove_file(gate).unwrap();
        Self { run, gate: opened }
    }

    fn ends_well(self) {
        drop(self.gate);
        let ended = self.run.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
}

/// How often the body of the task has run.
fn passed(lab: &PaperLab) -> usize {
    lab.world().machines["keeper"].files["/count"].len()
}

#[test]
fn of_two_real_runs_the_second_waits_and_finds_nothing_to_do() {
    let mut lab = lab();
    lab.edits = &[("TESTLAB_SOURCE", "gated")];
    let first = Gated::begin(&lab);
    let refused = lab.run("deploy", &[]);
    let text = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(text.contains(&format!("process {}", first.run.id())), "{text}");
    // Who only looks is not kept from it, and sees what is not done yet.
    assert_eq!(lab.run("plan", &[]).status.code(), Some(2));
    let mut second = lab.command("deploy", &["--wait"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("waiting for it"))));
    assert!(second.try_wait().unwrap().is_none(), "it waits");
    first.ends_well();
    let said: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(second.wait().unwrap().success(), "{said:?}");
    assert_eq!(passed(&lab), 1);
}

/// The first is killed: whoever waits has the layout at once, and does what was left.
#[test]
fn who_waits_for_a_run_that_is_killed_carries_on() {
    let mut lab = lab();
    lab.edits = &[("TESTLAB_SOURCE", "gated")];
    let mut first = Gated::begin(&lab);
    let mut second = lab.command("deploy", &["--wait"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(second.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.is_ok_and(|line| line.contains("waiting for it"))));
    first.run.kill().unwrap();
    first.run.wait().unwrap();
    let said: Vec<_> = lines.map_while(Result::ok).collect();
    assert!(second.wait().unwrap().success(), "{said:?}");
    assert_eq!(passed(&lab), 1);
}

#[test]
fn of_many_runs_at_once_each_has_its_turn() {
    let mut lab = lab();
    lab.edits = &[("TESTLAB_SOURCE", "gated")];
    let begin = |text: usize| {
        let mut run = lab.command("deploy", &["--wait"]);
        run.env("TESTLAB_TEXT", text.to_string()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..8).map(begin).collect();
    for run in runs {
        let ended = run.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
    }
    // Each has another source, and finds what the one before has left.
    assert_eq!(passed(&lab), 8);
    let logs = lab.run("logs", &["--list"]);
    let list = String::from_utf8_lossy(&logs.stdout);
    assert!((1..=8).all(|run| list.contains(&format!("{run}"))), "{list}");
}
