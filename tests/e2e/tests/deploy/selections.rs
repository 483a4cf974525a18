//! Commands that are about a part of the layout.

use carthage_e2e::lab;

#[test]
fn a_part_and_what_it_needs() {
    let lab = lab!();
    let plan = lab.run(&["plan", "worker-1", "--json"]).code(2);
    let machines: Vec<_> = plan.steps().into_iter().filter(|step| step.starts_with("create ")).collect();
    assert_eq!(
        machines,
        [
            "create network:site.front: it does not exist",
            "create machine:server.test: it does not exist",
            "create machine:worker-1.test: it does not exist",
        ]
    );
    let deployed = lab.run(&["deploy", "machine:worker-1*", "--yes", "--json"]).code(0);
    assert_eq!(deployed.done(), plan.steps());
    let machines = lab.machines();
    assert!(machines["machine:worker-1.test"].starts_with("running"));
    assert!(machines["machine:worker-2.test"].starts_with("absent"));
    assert!(machines["network:site.back"].starts_with("absent"));
    // The rest, but for one.
    lab.run(&["deploy", "--exclude", "worker-2", "--yes"]).code(0);
    assert!(lab.machines()["machine:vault.test"].starts_with("running"));
    assert!(lab.machines()["machine:worker-2.test"].starts_with("absent"));
    lab.run(&["plan", "vault"]).code(0);
    lab.run(&["plan"]).code(2);
}

#[test]
fn unknown_names_are_told() {
    let lab = lab!();
    for command in ["plan", "deploy", "destroy", "list", "status"] {
        let wrong = lab.run(&[command, "worker-11.test", "--yes"]).code(64);
        wrong.says("`worker-11.test` names nothing in this layout").says("did you mean `worker-1.test`?");
        assert!(!lab.state().exists(), "{command} leaves nothing behind");
    }
    lab.run(&["deploy", "network:vault", "--yes"]).code(64).says("names nothing");
    lab.run(&["deplyo"]).code(64).says("deploy");
    // Nobody to ask, and not told to do it without asking.
    lab.run(&["deploy"]).code(64).says("--yes");
    assert!(!lab.state().exists());
}

#[test]
fn destroy_never_leaves_its_selection() {
    let lab = lab!();
    lab.deploy();
    let all = lab.machines();
    for (what, user) in [("server", "machine:worker-1.test"), ("network:site.back", "machine:vault.test")] {
        let blocked = lab.run(&["destroy", what, "--yes"]).code(1);
        blocked.says("stays").says(&format!("`{user}` needs it and is not selected"));
        assert_eq!(lab.machines(), all, "nothing was touched");
    }
    // Part of the selection may go; the rest stays, and that is no success.
    lab.run(&["destroy", "worker-2", "server", "--yes"]).code(3).says("`machine:worker-1.test` needs it");
    assert!(lab.machines()["machine:worker-2.test"].starts_with("absent"));
    assert_eq!(lab.machines()["machine:server.test"], all["machine:server.test"]);
    assert!(!lab.exec("server", &["true"]).contains("worker-2"));
    lab.run(&["destroy", "vault", "network:site.back", "--yes", "--json"]).code(0);
    let left = lab.machines();
    assert!(
        left["machine:vault.test"].starts_with("absent") && left["network:site.back"].starts_with("absent")
    );
    assert_eq!(left["machine:worker-1.test"], all["machine:worker-1.test"]);
    lab.deploy();
    assert_eq!(lab.machines(), all);
}

#[test]
fn stopping_and_starting_parts() {
    let lab = lab!();
    lab.deploy();
    lab.run(&["stop", "worker-*"]).code(0);
    assert!(lab.machines()["machine:worker-1.test"].starts_with("stopped"));
    assert!(lab.machines()["machine:server.test"].starts_with("running"));
    lab.run(&["stop", "server"]).code(0);
    // A worker needs the server to run.
    lab.run(&["start", "worker-1"]).code(0);
    assert!(lab.machines()["machine:server.test"].starts_with("running"));
    assert!(lab.machines()["machine:worker-2.test"].starts_with("stopped"));
    lab.exec("worker-1", &["/usr/local/bin/testlab-page", "fetch", "server.test", "8080"]);
    let done = lab.deploy().done();
    assert_eq!(done, ["start machine:worker-2.test: it is not running"]);
}
