//! Ctrl-C: the first finishes what was begun, the second abandons it; the next deployment carries on after both.

use std::time::{Duration, Instant};

use carthage_e2e::program::Program;
use carthage_e2e::{Lab, lab};
use rustix::process::Signal;
use serde_json::Value;

const SLOW: &str = "task:vault.test/works.slow";

/// Deploys until the slow task waits for `/run/go`.
fn until_it_waits(lab: &mut Lab) -> Program {
    lab.set("TESTLAB_WAITS", "true");
    let mut deploy = lab.start(&["deploy", "--yes", "--json"]);
    deploy.until("word of the slow task", |line| {
        (line["thing"] == SLOW && line["line"] == "waiting").then_some(())
    });
    deploy
}

/// What happened in a run, in no order, without when it did.
fn told(lines: Vec<Value>) -> Vec<String> {
    let events = ["started", "begun", "done", "failed", "skipped", "output", "progress", "warning"];
    let told = lines.into_iter().filter(|line| events.iter().any(|event| line["event"] == *event));
    let mut told: Vec<_> = told
        .map(|mut line| {
            line.as_object_mut().unwrap().remove("at");
            line.to_string()
        })
        .collect();
    told.sort_unstable();
    told
}

fn log(lab: &Lab) -> Vec<Value> {
    lab.run(&["logs", "--run", "1", "--json"]).code(0).json()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry.as_str().unwrap()).collect()
}

#[test]
fn the_first_finishes_what_was_begun() {
    let mut lab = lab!();
    let deploy = until_it_waits(&mut lab);
    // The log has it, too, in a moment.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !log(&lab).iter().any(|line| line["thing"] == SLOW && line["line"] == "waiting") {
        assert!(Instant::now() < deadline, "{:?}", log(&lab));
    }
    deploy.signal(Signal::INT);
    // Whoever is asked to end still finishes this; others may look meanwhile.
    lab.run(&["status"]).code(0);
    lab.exec("vault", &["sh", "-c", "echo now >/run/go"]);
    let ended = deploy.ended().code(130);
    let report = ended.event("report");
    assert_eq!(told(log(&lab)), told(ended.json()));
    assert!(ended.done().iter().any(|step| step.contains(SLOW)), "{}", ended.all());
    assert!(names(&report["interrupted"]).contains(&"task:vault.test/works.next"), "{}", ended.all());
    assert_eq!(report["failed"], Value::Array(vec![]));
    // What was finished is not done again, what was not begun is.
    let next = lab.deploy();
    assert!(!next.done().iter().any(|step| step.contains(SLOW)), "{}", next.all());
    assert!(next.done().contains(&"run task:vault.test/works.next: never ran".to_owned()), "{}", next.all());
    lab.run(&["plan"]).code(0);
    assert_eq!(lab.ran("vault").iter().filter(|body| *body == "works.slow").count(), 1);
}

#[test]
fn the_second_aborts() {
    let mut lab = lab!();
    let mut deploy = until_it_waits(&mut lab);
    deploy.signal(Signal::INT);
    // The rest must have been finished, or else the two signals might arrive as one.
    std::thread::sleep(Duration::from_millis(200));
    let asked = Instant::now();
    deploy.signal(Signal::INT);
    let ended = deploy.ended().code(130).says("aborted");
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(told(log(&lab)), told(ended.json()));
    // What the abandoned task was running is gone with it.
    let reading = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'read g[o]'";
    assert_eq!(lab.run(&["exec", "vault", "--", "sh", "-c", reading]).code(1).stdout, "0\n");
    lab.unset("TESTLAB_WAITS");
    let next = lab.deploy();
    assert!(next.done().contains(&format!("run {SLOW}: was interrupted in run 1")), "{}", next.all());
    lab.run(&["plan"]).code(0);
    deploy = until_it_waits(&mut lab);
    lab.exec("vault", &["sh", "-c", "echo now >/run/go"]);
    deploy.ended().code(0);
}
