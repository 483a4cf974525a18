//! What tasks did is looked at again: `#[invalidator]`, `#[check_completed]`, and forced runs.

use carthage_e2e::lab;

/// Kills the server's service from inside.
const KILL_THE_SERVICE: &str =
    "for p in /proc/[0-9]*; do if [ \"$(cat $p/comm)\" = testlab-page ]; then kill ${p#/proc/}; fi; done";

#[test]
fn a_service_that_died_is_told_and_mended() {
    let lab = lab!();
    lab.deploy();
    lab.exec("server", &["sh", "-c", KILL_THE_SERVICE]);
    let service = carthage_e2e::wait::eventually("the service's death is told", || {
        let machine = lab.machine("server.test");
        (machine["services"][0]["state"] == "ended").then(|| machine["services"][0].clone())
    });
    assert_eq!(service["exit"], "signal 15");
    let plan = lab.run(&["plan", "--json"]).code(2);
    assert_eq!(
        plan.steps(),
        [
            "run task:server.test/site.serve: no longer valid: `still_serving` said no",
            "run task:server.test/site.announce: `serve` runs before it",
        ]
    );
    assert_eq!(lab.deploy().done(), plan.steps());
    assert_eq!(lab.machine("server.test")["services"][0]["state"], "running");
    lab.run(&["plan"]).code(0);
}

#[test]
fn a_task_that_knows_itself_whether_it_is_done() {
    let lab = lab!();
    lab.deploy();
    lab.exec("vault", &["rm", "/var/lib/testlab/mark"]);
    let plan = lab.run(&["plan", "--json"]).code(2);
    assert_eq!(plan.steps(), ["run task:vault.test/works.marked: not done: `has_mark` said no"]);
    // Mended by hand, there is nothing to do.
    lab.exec("vault", &["touch", "/var/lib/testlab/mark"]);
    lab.run(&["plan"]).code(0);
    lab.exec("vault", &["rm", "/var/lib/testlab/mark"]);
    assert_eq!(lab.deploy().done(), plan.steps());
    // Of a machine that does not run it cannot be told, and the plan says so.
    lab.run(&["stop"]).code(0);
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    let asked = "cannot be told until the machine runs: then";
    for step in [
        "start machine:vault.test: it is not running".to_owned(),
        format!("ask task:vault.test/works.marked: {asked} `has_mark` is asked"),
        format!("ask task:server.test/site.serve: {asked} `still_serving` is asked"),
    ] {
        assert!(plan.contains(&step), "{step}: {plan:?}");
    }
    // The services came back with the machines, so that no task had to run.
    let done = lab.deploy().done();
    assert!(done.iter().all(|step| step.starts_with("start machine:")), "{done:?}");
    assert_eq!(lab.ran("server").len(), 4);
}

#[test]
fn a_forced_task_runs_alone_and_the_rest_follows() {
    let lab = lab!();
    lab.deploy();
    let forced = lab.run(&["run", "server.test/site.index", "--json"]).code(0);
    assert_eq!(forced.done(), ["run task:server.test/site.index: forced"]);
    assert_eq!(
        lab.run(&["plan", "--json"]).code(2).steps(),
        [
            "run task:server.test/site.serve: `index` ran later, in run 2",
            "run task:server.test/site.announce: `serve` runs before it",
        ]
    );
    lab.run(&["run", "server.test/site.indxe"]).code(64).says("did you mean `server.test/site.index`?");
    // On a machine that is stopped: it is started for it, and stopped again.
    lab.run(&["stop", "vault"]).code(0);
    lab.run(&["run", "vault.test/works.next"]).code(0);
    assert_eq!(lab.machine("vault.test")["state"], "stopped");
    lab.run(&["start", "vault"]).code(0);
    assert_eq!(lab.ran("vault").last().unwrap(), "works.next");
}
