//! The range, small, on real sandboxes: who reaches whom, and trainees who come and go.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails, and says what it leaves out")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A range that nobody else sees; what is left of it goes when this is dropped.
struct Range {
    base: tempfile::TempDir,
}

impl Range {
    fn new(trainees: &str) -> Self {
        let range = Self { base: tempfile::tempdir().unwrap() };
        range.trainees(trainees);
        range
    }

    fn dir(&self) -> PathBuf {
        self.base.path().join("state")
    }

    /// Edits the list.
    fn trainees(&self, names: &str) {
        fs::write(self.base.path().join("trainees"), names.replace(' ', "\n")).unwrap();
    }

    fn command(&self, arguments: &str) -> Command {
        // Beside the test, if both were copied to where another user can run them.
        let beside = std::env::current_exe().unwrap().with_file_name("range");
        let built = PathBuf::from(env!("CARGO_BIN_EXE_range"));
        let mut command = Command::new(if beside.is_file() { beside } else { built });
        let given = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARTHAGE_"));
        given.for_each(|(name, _)| _ = command.env_remove(name));
        command.args(["--progress", "quiet"]).args(arguments.split(' '));
        command
            .env("CARTHAGE_STATE_DIR", self.dir())
            .env("RANGE_TRAINEES", self.base.path().join("trainees"));
        command
    }

    /// Runs a command that has to end like this; answers what it says.
    #[track_caller]
    fn run(&self, arguments: &str, code: i32) -> String {
        let output = self.command(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments}: {said}");
        said.into_owned()
    }

    /// The names of what `plan` would do this to.
    fn planned(&self, action: &str) -> Vec<String> {
        let output = self.command("plan --prune --json").output().unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        let steps = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let named = steps.filter(|step| step["event"] == "step" && step["action"] == action);
        named.map(|step| step["thing"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether one reaches the other.
    fn reaches(&self, from: &str, to: &str) -> bool {
        let ping = format!("exec {from} -- busybox ping -c 1 -W 2 {to}");
        let output = self.command(&ping).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        // Neither a wrong command nor a machine that does not run is an answer.
        assert!(said.contains("1 packets transmitted"), "{said}{}", String::from_utf8_lossy(&output.stderr));
        output.status.success()
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        if self.dir().exists() {
            let output = self.command("destroy --yes").output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success() || std::thread::panicking(), "{said}");
        }
    }
}

/// Whether the host has the programs that the machines need.
fn has_programs(test: &str) -> bool {
    let missing = ["ip", "busybox"].into_iter().find(|program| {
        !["/usr/bin", "/bin", "/usr/sbin", "/sbin"].iter().any(|dir| Path::new(dir).join(program).exists())
    });
    if let Some(program) = missing {
        eprintln!("skipped: {test}: `{program}` is not installed");
    }
    missing.is_none()
}

#[test]
fn profiles() {
    let range = Range::new("ann bob");
    // Before it, there may be notes about what this user cannot do.
    assert!(range.run("check --deny-warnings", 0).contains("range-small: fine; 11 machines"));
    assert!(range.run("check --profile full", 0).contains("range-full: fine; 71 machines"));
    let full = range.run("list desk-20* --profile full", 0);
    assert_eq!(full.matches("machine:desk-20.site").count(), 3, "{full}");
    assert!(range.run("list desk-20*", 64).contains("desk-20"));
    assert!(range.run("plan --profile ful", 64).contains("'full'"));
    assert!(!range.dir().exists(), "looking makes nothing");
}

#[test]
fn who_reaches_whom() {
    if !has_programs("who_reaches_whom") {
        return;
    }
    let range = Range::new("ann");
    range.run("deploy --yes", 0);
    range.run("plan", 0);
    for (from, to, reaches) in [
        ("mail.site1", "10.81.1.3", true),
        ("mail.site1", "10.81.2.2", true),
        ("mail.site3", "10.81.1.2", true),
        ("mail.site1", "10.81.2.3", false),
        ("files.site2", "10.81.2.2", true),
        ("ann", "10.81.3.2", true),
        ("ann", "10.81.3.3", false),
        ("router.site2", "10.81.3.1", true),
    ] {
        assert_eq!(range.reaches(from, to), reaches, "{from} to {to}");
    }
    // Without its router, a site is alone.
    range.run("stop router.site2", 0);
    assert!(!range.reaches("mail.site1", "10.81.2.2") && range.reaches("mail.site1", "10.81.3.2"));
    assert!(range.reaches("mail.site2", "10.81.2.3"));
    range.run("deploy --yes", 0);
    assert!(range.reaches("mail.site1", "10.81.2.2"), "a router that is started again has its routes again");
}

#[test]
fn trainees_come_and_go() {
    if !has_programs("trainees_come_and_go") {
        return;
    }
    let range = Range::new("ann bob");
    range.run("deploy ann bob --yes", 0);
    range.trainees("ann carl");
    assert_eq!(range.planned("create").iter().filter(|thing| thing.contains("carl")).count(), 1);
    assert_eq!(range.planned("destroy"), ["machine:bob"]);
    let only = range.run("plan carl", 2);
    assert!(only.contains("machine:carl") && !only.contains("ann"), "{only}");
    assert!(only.contains("machine:bob is no longer in the layout"), "{only}");
    range.run("deploy carl --yes", 0);
    let status = range.run("status", 0);
    assert!(
        status.lines().any(|line| line.contains("machine:bob") && line.contains("no longer")),
        "{status}"
    );
    range.run("destroy bob --yes", 0);
    range.run("destroy ann --yes", 0);
    assert!(range.planned("create").contains(&"machine:ann".to_owned()));

    // A list that cannot be read is no empty list: nothing goes because of it.
    fs::remove_file(range.base.path().join("trainees")).unwrap();
    let said = range.run("deploy --yes", 1);
    assert!(said.contains("cannot read") && said.contains("trainees"), "{said}");
    range.trainees("ann Bob");
    let said = range.run("plan", 64);
    assert!(said.contains("`Bob` cannot be one of `seats`") && said.contains("main.rs:"), "{said}");
    let status = range.run("status", 0);
    assert!(status.lines().any(|line| line.contains("machine:carl") && line.contains("running")), "{status}");
}
