//! Edits of the layout.

use std::fs;

use carthage_e2e::{Ended, Lab, lab};

/// The plan names exactly these steps and exits with 2; deploying does exactly that, and then nothing is left to do.
#[track_caller]
pub(crate) fn is_planned_and_done(lab: &Lab, steps: &[&str]) -> Ended {
    let plan = lab.run(&["plan", "--json"]).code(2);
    assert_eq!(sorted(plan.steps()), sorted(steps.iter().map(ToString::to_string).collect()));
    let deployed = lab.deploy();
    assert_eq!(sorted(deployed.done()), sorted(plan.steps()), "the plan is what happens");
    is_all_done(lab);
    deployed
}

fn sorted(mut steps: Vec<String>) -> Vec<String> {
    steps.sort();
    steps
}

/// There is nothing to do, and doing it changes nothing.
#[track_caller]
fn is_all_done(lab: &Lab) {
    lab.run(&["plan"]).code(0).says("nothing to do");
    let before = lab.world();
    lab.run(&["deploy", "--yes"]).code(0).says("nothing to do");
    lab.is_as(&before);
}

#[test]
fn once_and_again() {
    let lab = lab!();
    lab.run(&["status"]).code(0).says("never deployed");
    lab.run(&["plan", "--json"]).code(2);
    lab.run(&["list"]).code(0).says("machine:worker-2.test");
    assert!(!lab.state().exists(), "who only looks leaves nothing");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    let deployed = lab.deploy();
    let done: Vec<_> = sorted(deployed.done());
    // A step that is asked for only when the machine runs is the one that the plan could not tell.
    let told = |step: &String| !step.contains("works.marked");
    assert_eq!(
        done.iter().filter(|step| told(step)).collect::<Vec<_>>(),
        sorted(plan.clone()).iter().filter(|step| told(step)).collect::<Vec<_>>()
    );
    assert_eq!(done.len(), plan.len());
    let page = lab.exec("worker-2", &["cat", "/var/lib/testlab/page"]);
    assert!(
        page.starts_with("hello\ntoken: ") && page.trim_end().len() == "hello\ntoken: ".len() + 32,
        "{page:?}"
    );
    assert_eq!(page, lab.exec("server.test", &["cat", "/srv/testlab/page"]));
    is_all_done(&lab);
    for (machine, bodies) in [("server", 4), ("worker-1", 2), ("vault", 7)] {
        assert_eq!(lab.ran(machine).len(), bodies, "each body ran once in {machine}");
    }
    lab.destroy();
    lab.run(&["status"]).code(0).says("never deployed");
}

#[test]
fn a_text_and_a_port() {
    let mut lab = lab!();
    lab.deploy();
    lab.set("TESTLAB_TEXT", "good evening");
    is_planned_and_done(
        &lab,
        &[
            "run task:server.test/site.index: its inputs changed",
            "run task:server.test/site.serve: `index` runs before it",
            "run task:server.test/site.announce: `serve` runs before it",
        ],
    );
    assert!(lab.exec("server", &["cat", "/srv/testlab/page"]).starts_with("good evening\n"));
    lab.set("TESTLAB_PORT", "8081");
    is_planned_and_done(
        &lab,
        &[
            "run task:server.test/site.serve: its inputs changed",
            "run task:server.test/site.announce: `serve` runs before it",
            "run task:worker-1.test/fetch.page: its inputs changed",
            "run task:worker-2.test/fetch.page: its inputs changed",
        ],
    );
    // The service was replaced: one process of it, on the new port only.
    let serving = lab.exec(
        "server",
        &["sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -o '[s]erve 80[0-9]*'"],
    );
    assert_eq!(serving, "serve 8081\n");
    assert!(lab.exec("worker-1", &["cat", "/var/lib/testlab/page"]).starts_with("good evening\n"));
}

#[test]
fn comments_change_nothing_and_one_word_does() {
    let mut lab = lab!();
    lab.deploy();
    lab.set("TESTLAB_SOURCE", "comments");
    is_all_done(&lab);
    lab.set("TESTLAB_SOURCE", "tokens");
    is_planned_and_done(
        &lab,
        &[
            "run task:server.test/site.index: its source changed",
            "run task:server.test/site.serve: `index` runs before it",
            "run task:server.test/site.announce: `serve` runs before it",
        ],
    );
    assert!(lab.exec("server", &["cat", "/srv/testlab/page"]).starts_with("hello \n"));
}

#[test]
fn a_worker_less() {
    let mut lab = lab!();
    lab.deploy();
    assert!(lab.exec("server", &["cat", "/etc/hosts"]).contains("worker-2.test"));
    let page = lab.exec("worker-1", &["cat", "/var/lib/testlab/page"]);
    lab.set("TESTLAB_SOURCE", "fewer");
    is_planned_and_done(
        &lab,
        &[
            "destroy machine:worker-2.test: it is no longer in the layout",
            "update machine:server.test: `worker-2.test` left its networks",
            "update machine:worker-1.test: `worker-2.test` left its networks",
        ],
    );
    assert!(!lab.exec("server", &["cat", "/etc/hosts"]).contains("worker-2.test"));
    assert_eq!(lab.exec("worker-1", &["cat", "/var/lib/testlab/page"]), page);
    lab.run(&["exec", "worker-2", "--", "true"]).code(125).says("worker-1.test");
    // Back again it is a new machine, with nothing of the old one in it.
    lab.unset("TESTLAB_SOURCE");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert!(plan.contains(&"create machine:worker-2.test: it does not exist".to_owned()), "{plan:?}");
    assert!(
        plan.contains(&"update machine:server.test: it can reach `worker-2.test` now".to_owned()),
        "{plan:?}"
    );
    lab.deploy();
    assert_eq!(lab.ran("worker-2"), ["fetch.program", "fetch.page"]);
    is_all_done(&lab);
}

#[test]
fn a_machine_and_a_network_more() {
    let mut lab = lab!();
    lab.deploy();
    let before = lab.machines();
    lab.set("TESTLAB_SOURCE", "more");
    is_planned_and_done(
        &lab,
        &[
            "create network:site.side: it does not exist",
            "create machine:bridge.test: it does not exist",
            "update machine:server.test: it can reach `bridge.test` now",
            "update machine:worker-1.test: it can reach `bridge.test` now",
            "update machine:worker-2.test: it can reach `bridge.test` now",
        ],
    );
    let after = lab.machines();
    before
        .iter()
        .for_each(|(thing, state)| assert_eq!(after.get(thing), Some(state), "{thing} stays as it was"));
    assert!(
        after["machine:bridge.test"].contains("10.61.0.7/24")
            && after["machine:bridge.test"].contains("10.63.0.5/24")
    );
    lab.exec(
        "bridge",
        &["/bin/sh", "-c", "exec 3<>/dev/null; getent hosts worker-1.test | grep -q 10.61.0.5"],
    );
    lab.exec("worker-1", &["sh", "-c", "getent hosts bridge | grep -q 10.61.0.7"]);
    // And back: the machine goes, then its network.
    lab.unset("TESTLAB_SOURCE");
    let deployed = is_planned_and_done(
        &lab,
        &[
            "destroy machine:bridge.test: it is no longer in the layout",
            "destroy network:site.side: it is no longer in the layout",
            "update machine:server.test: `bridge.test` left its networks",
            "update machine:worker-1.test: `bridge.test` left its networks",
            "update machine:worker-2.test: `bridge.test` left its networks",
        ],
    );
    let at = |thing: &str| deployed.done().iter().position(|step| step.contains(thing)).unwrap();
    assert!(at("machine:bridge.test:") < at("network:site.side"), "{:?}", deployed.done());
    assert_eq!(lab.machines(), before);
}

#[test]
fn addresses_are_known_before_and_stay() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "more");
    let plan = lab.run(&["plan", "--json"]).code(2);
    let addresses = |machine: &str| {
        let step =
            plan.json().into_iter().find(|step| step["thing"] == format!("machine:{machine}")).unwrap();
        step["details"].to_string()
    };
    assert!(addresses("bridge.test").contains("10.61.0.5/24"), "{}", addresses("bridge.test"));
    assert!(addresses("worker-1.test").contains("10.61.0.6/24"), "{}", addresses("worker-1.test"));
    lab.deploy();
    for (machine, address) in [("bridge", "10.61.0.5"), ("worker-1", "10.61.0.6"), ("worker-2", "10.61.0.7")]
    {
        let inside = lab.exec(machine, &["hostname", "-I"]);
        assert!(inside.split_whitespace().any(|a| a == address), "{machine}: {inside}");
    }
    // The one with the first address goes; the others keep theirs, though the layout alone would now give them others.
    lab.unset("TESTLAB_SOURCE");
    lab.deploy();
    assert!(lab.machines()["machine:worker-1.test"].contains("10.61.0.6/24"));
    assert!(lab.machines()["machine:worker-2.test"].contains("10.61.0.7/24"));
    // What is given to one alone is free again when it is gone.
    lab.set("TESTLAB_SOURCE", "more");
    lab.deploy();
    assert!(lab.machines()["machine:bridge.test"].contains("10.61.0.5/24"));
}

#[test]
fn services_are_replaced_and_ended_by_a_rerun() {
    let mut lab = lab!();
    let services = |lab: &Lab| {
        let machine = lab.machine("vault.test");
        let services = machine["services"].as_array().unwrap().clone();
        services.iter().map(|s| s["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let running = |lab: &Lab| {
        let script = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'sleep 1000[0-9]'";
        let found = lab.exec("vault", &["sh", "-c", script]);
        let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
        found.sort();
        found
    };
    lab.set("TESTLAB_DAEMONS", "3");
    lab.deploy();
    assert_eq!(services(&lab), ["daemons.spawned", "daemons.spawned.2", "daemons.spawned.3"]);
    assert_eq!(running(&lab), ["sleep 10001", "sleep 10002", "sleep 10003"]);
    let log = lab.machine("vault.test")["services"][1]["log"].as_str().unwrap().to_owned();
    assert_eq!(fs::read_to_string(&log).unwrap(), "daemon 2 of 3\n");
    lab.set("TESTLAB_DAEMONS", "2");
    is_planned_and_done(&lab, &["run task:vault.test/daemons.spawned: its inputs changed"]);
    assert_eq!(services(&lab), ["daemons.spawned", "daemons.spawned.2"]);
    assert_eq!(running(&lab), ["sleep 10001", "sleep 10002"]);
    assert_eq!(fs::read_to_string(&log).unwrap(), "daemon 2 of 3\ndaemon 2 of 2\n");
    lab.run(&["stop", "vault"]).code(0);
    lab.run(&["start", "vault"]).code(0);
    assert_eq!(running(&lab), ["sleep 10001", "sleep 10002"]);
    assert_eq!(fs::read_to_string(&log).unwrap(), "daemon 2 of 3\ndaemon 2 of 2\ndaemon 2 of 2\n");
    lab.set("TESTLAB_DAEMONS", "0");
    lab.deploy();
    assert_eq!(services(&lab), Vec::<String>::new());
}

#[test]
fn one_at_a_time_or_eight() {
    let (one, eight) = (lab!(), lab!());
    let deploy = |lab: &Lab, parallel| {
        let deployed = lab.run(&["deploy", "--yes", "--json", "--parallel", parallel]).code(0);
        sorted(deployed.done())
    };
    assert_eq!(deploy(&one, "1"), deploy(&eight, "8"));
    eight.is_as(&one.world());
}

#[test]
fn a_rebuilt_program_carries_on() {
    let mut lab = lab!();
    let original = carthage_e2e::programs!().testlab;
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("testlab");
    fs::copy(&original, &copy).unwrap();
    lab.use_program(&copy).deploy();
    // Whoever builds again replaces the file that the machines were started from.
    fs::remove_file(&copy).unwrap();
    lab.use_program(&original);
    is_all_done(&lab);
    lab.run(&["stop", "worker-1"]).code(0);
    lab.run(&["start", "worker-1"]).code(0);
    lab.exec("worker-1", &["true"]);
    lab.destroy();
}
