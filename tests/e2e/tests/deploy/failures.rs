//! Tasks that fail: what depends on them is skipped, the rest is done, and the next deployment carries on.

use carthage_e2e::{Lab, lab};
use serde_json::Value;

fn things(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|entry| entry["thing"].as_str().unwrap()).collect()
}

#[test]
fn only_what_comes_after_is_skipped() {
    let mut lab = lab!();
    lab.set("TESTLAB_FAILS", "true");
    let failed = lab.run(&["deploy", "--yes", "--json"]).code(3);
    let report = failed.event("report");
    assert_eq!(things(&report["failed"]), ["task:vault.test/works.shaky"]);
    assert_eq!(things(&report["skipped"]), ["task:vault.test/works.leaning"]);
    let causes = report["failed"][0]["causes"].to_string();
    for said in ["works.shaky", "vault.test", "exit status 7", "the roof is down", "works.rs:"] {
        assert!(causes.contains(said), "{said}: {causes}");
    }
    assert!(report["failed"][0]["hint"].is_string());
    // All that does not come after it has run: later tasks of the same machine, and other machines.
    assert_eq!(report["done"].as_array().unwrap().len(), 6 + 15 - 2);
    assert_eq!(lab.ran("vault").last().unwrap(), "works.unlock");
    lab.exec("worker-1", &["test", "-s", "/var/lib/testlab/page"]);
    // It is not forgotten, whether the cause is mended or not.
    lab.run(&["deploy", "--yes"])
        .code(1)
        .says("failed: task:vault.test/works.shaky")
        .says("the roof is down")
        .says("next: ");
    lab.unset("TESTLAB_FAILS");
    let plan = lab.run(&["plan", "--json"]).code(2);
    assert_eq!(
        plan.steps(),
        ["run task:vault.test/works.shaky: failed in run 2", "run task:vault.test/works.leaning: never ran"]
    );
    assert_eq!(lab.deploy().done(), plan.steps());
    lab.run(&["plan"]).code(0);
}

#[test]
fn machines_that_need_the_failed_one_are_skipped() {
    let mut lab = lab!();
    lab.set("TESTLAB_PAGE_PROGRAM", "/nonexistent/page");
    let failed = lab.run(&["deploy", "--yes", "--json"]).code(3);
    let report = failed.event("report");
    assert_eq!(things(&report["failed"]), ["task:server.test/site.program"]);
    assert!(report["failed"][0]["causes"].to_string().contains("/nonexistent/page"));
    let mut skipped = things(&report["skipped"]);
    skipped.sort_unstable();
    assert_eq!(
        skipped,
        [
            "machine:worker-1.test",
            "machine:worker-2.test",
            "task:server.test/site.announce",
            "task:server.test/site.serve"
        ]
    );
    assert!(lab.machines()["machine:vault.test"].starts_with("running"));
    assert!(lab.machines()["machine:worker-1.test"].starts_with("absent"));
    lab.unset("TESTLAB_PAGE_PROGRAM");
    let done = lab.deploy().done();
    assert_eq!(done[0], "run task:server.test/site.program: failed in run 1");
    assert_eq!(
        lab.ran("server"),
        ["site.index", "site.program", "site.program", "site.serve", "site.announce"]
    );
    lab.run(&["plan"]).code(0);
}

#[test]
fn a_check_that_cannot_tell() {
    let mut lab = lab!();
    lab.deploy();
    for (run, (how, why)) in
        [("fails", "the light is off"), ("panics", "it panicked: the light is off")].into_iter().enumerate()
    {
        lab.set("TESTLAB_CHECK", how).set("TESTLAB_TEXT", format!("text {run}"));
        let plan = lab.run(&["plan", "--json"]).code(2).steps();
        let asked = format!("ask task:vault.test/works.marked: cannot be told: `has_mark` failed: {why}");
        assert!(plan.contains(&asked), "{plan:?}");
        let changed = "run task:server.test/site.index: its inputs changed".to_owned();
        assert!(plan.contains(&changed), "{plan:?}");
        // Everything else is done.
        let deployed = lab.run(&["deploy", "--yes", "--json"]).code(3);
        let report = deployed.event("report");
        assert_eq!(things(&report["failed"]), ["task:vault.test/works.marked"]);
        assert_eq!(report["failed"][0]["causes"], serde_json::json!(["`has_mark` failed", why]));
        assert!(deployed.done().contains(&changed));
    }
    // It was asked, and not run; the answer, once there is one, is what counts.
    lab.unset("TESTLAB_CHECK");
    lab.run(&["plan"]).code(0);
    assert_eq!(lab.ran("vault").iter().filter(|task| *task == "works.marked").count(), 1);
}

#[test]
fn a_hash_that_panics() {
    let mut lab = lab!();
    let works = "the `hash` of task `works.shaky` failed (";
    let is_told = |lab: &Lab| {
        let plan = lab.run(&["plan", "--json"]).code(2).steps();
        let asked = format!("ask task:vault.test/works.shaky: cannot be told: {works}");
        let asked = plan.iter().find(|step| step.starts_with(&asked));
        assert!(asked.unwrap().ends_with(": it panicked: the scales are broken"), "{plan:?}");
        let deployed = lab.run(&["deploy", "--yes", "--json"]).code(3);
        let report = deployed.event("report");
        assert_eq!(things(&report["failed"]), ["task:vault.test/works.shaky"]);
        assert_eq!(things(&report["skipped"]), ["task:vault.test/works.leaning"]);
        let causes = &report["failed"][0]["causes"];
        assert!(causes[0].as_str().unwrap().starts_with(works), "{causes}");
        assert_eq!(causes[1], "it panicked: the scales are broken");
        deployed.done()
    };
    lab.set("TESTLAB_HASH_PANICS", "true");
    // Everything else is done, on a new machine and on one that is there.
    assert_eq!(is_told(&lab).len(), 6 + 15 - 2);
    lab.set("TESTLAB_TEXT", "good evening");
    assert!(is_told(&lab).contains(&"run task:server.test/site.index: its inputs changed".to_owned()));
    let report = lab.run(&["run", "vault.test/works.shaky", "--json"]).code(1).event("report");
    assert_eq!(things(&report["failed"]), ["task:vault.test/works.shaky"]);
    lab.unset("TESTLAB_HASH_PANICS");
    assert_eq!(
        lab.deploy().done(),
        ["run task:vault.test/works.shaky: never ran", "run task:vault.test/works.leaning: never ran"]
    );
    lab.run(&["plan"]).code(0);
}
