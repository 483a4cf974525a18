//! What runs is killed or removed from outside: `status` says so, and `deploy` mends it.

use std::fs;

use carthage_e2e::lab::World;
use carthage_e2e::wait::eventually;
use carthage_e2e::{Lab, lab};
use rustix::process::{Signal, kill_process};

/// Waits until the machine is seen in this state.
#[track_caller]
fn is_seen(lab: &Lab, machine: &str, state: &str) {
    eventually(&format!("{machine} is {state}"), || (lab.machine(machine)["state"] == state).then_some(()));
}

/// Deploys, and then everything is as it was: machines, services, names, files, and nothing doubled.
#[track_caller]
fn is_mended(lab: &Lab, before: &World, page: &str) {
    let done = lab.deploy().done();
    assert!(!done.is_empty());
    lab.run(&["plan"]).code(0);
    lab.is_as(before);
    lab.exec("worker-2", &["/usr/local/bin/testlab-page", "fetch", "server", "8080"]);
    assert_eq!(lab.exec("server", &["cat", "/srv/testlab/page"]), page);
}

#[test]
fn a_machine_s_first_process() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    let page = lab.exec("server", &["cat", "/srv/testlab/page"]);
    kill_process(lab.footprint().process("server"), Signal::KILL).unwrap();
    is_seen(&lab, "server.test", "stopped");
    assert_eq!(lab.machine("server.test")["services"][0]["state"], "stopped");
    assert_eq!(lab.machine("worker-1.test")["state"], "running");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert_eq!(plan[0], "start machine:server.test: it is not running");
    is_mended(&lab, &before, &page);
    // Its tasks were not needed: it is the same machine, and its service came back with it.
    assert_eq!(lab.ran("server").len(), 4);
}

#[test]
fn the_keeper() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    let page = lab.exec("server", &["cat", "/srv/testlab/page"]);
    let footprint = lab.footprint();
    kill_process(footprint.process("carthage-keeper"), Signal::KILL).unwrap();
    // No machine outlives it.
    eventually("all have ended with it", || {
        let left = footprint.left();
        (!left.iter().any(|left| left.starts_with("process "))).then_some(())
    });
    for machine in ["server.test", "worker-1.test", "vault.test"] {
        is_seen(&lab, machine, "stopped");
    }
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert!(plan.contains(&"create network:site.front: it does not work".to_owned()), "{plan:?}");
    is_mended(&lab, &before, &page);
}

/// As after a reboot: nothing of it runs, and all that it had in the kernel is gone; only files are left.
#[test]
fn everything_at_once() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    let page = lab.exec("server", &["cat", "/srv/testlab/page"]);
    // With their control groups, which no boot brings back.
    lab.footprint().kill();
    eventually("all have ended", || lab.footprint().processes.is_empty().then_some(()));
    let status = lab.run(&["status"]).code(0);
    assert_eq!(
        status.stdout.matches("stopped").count(),
        6 + 2,
        "networks, machines and services: {}",
        status.all()
    );
    lab.run(&["plan"]).code(2).says("it is not running");
    is_mended(&lab, &before, &page);
    assert_eq!(lab.ran("server").len(), 4);
}

#[test]
fn a_stopped_machine_s_files() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    lab.run(&["stop", "worker-1"]).code(0);
    remove_machine(&lab, "worker-1.test");
    let machine = lab.machine("worker-1.test");
    assert_eq!(machine["state"], "absent");
    assert_eq!(machine["trouble"], "it was removed from outside; `deploy` makes it again");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert_eq!(
        plan,
        [
            "create machine:worker-1.test: it was removed from outside",
            "run task:worker-1.test/fetch.program: the machine is new",
            "run task:worker-1.test/fetch.page: the machine is new",
        ]
    );
    assert_eq!(lab.deploy().done(), plan);
    lab.is_as(&before);
    assert_eq!(lab.ran("worker-1"), ["fetch.program", "fetch.page"]);
}

#[test]
fn a_running_machine_s_files() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    let old = lab.footprint().process("worker-1");
    remove_machine(&lab, "worker-1.test");
    lab.run(&["status"]).code(0).says("removed from outside");
    lab.deploy();
    // The old one is gone, and the new one is whole.
    lab.is_as(&before);
    assert_ne!(lab.footprint().process("worker-1"), old, "it is another machine");
    assert_eq!(lab.ran("worker-1"), ["fetch.program", "fetch.page"]);
    lab.run(&["plan"]).code(0);
}

/// Removes the files of a machine behind the program's back.
fn remove_machine(lab: &Lab, machine: &str) {
    let mut todo = vec![lab.state()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if !entry.file_type().unwrap().is_dir()
                || entry.file_name() == "cache"
                || entry.file_name() == "log"
            {
            } else if entry.file_name() == *machine {
                let script = "chmod -R u+rwx \"$1\" && rm -rf \"$1\"";
                let removed =
                    std::process::Command::new("sh").args(["-c", script, "sh"]).arg(entry.path()).status();
                assert!(removed.unwrap().success());
                return;
            } else {
                todo.push(entry.path());
            }
        }
    }
    panic!("`{machine}` has no files below {}", lab.state().display());
}
