//! As whom commands, tasks and services run, and what is said where there is nobody but root.

use carthage_e2e::{Lab, lab};

use crate::edits::is_planned_and_done;

/// Whether machines have only one user inside here.
fn alone(lab: &Lab) -> bool {
    let status = lab.run(&["status", "--json"]).code(0);
    status.event("status")["notes"].to_string().contains("machines have one user inside")
}

/// As whom a process with this argument runs in a machine.
fn owner(lab: &Lab, machine: &str, argument: &str) -> String {
    let script = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q \"^sleep $1 \" && stat -c %U $p; done; true";
    lab.run(&["exec", machine, "--user", "root", "--", "sh", "-c", script, "sh", argument]).code(0).stdout
}

/// W-A31: also in the roots of machines, several users at the same time.
#[test]
fn commands_run_as_the_user_that_is_said() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "users");
    if alone(&lab) {
        return refused(&lab);
    }
    lab.deploy();
    let read = |lab: &Lab, machine: &str, file: &str| {
        lab.exec(machine, &["cat", &format!("/var/lib/testlab/{file}")])
    };
    assert_eq!(read(&lab, "web", "machine"), "daemon root\n");
    assert_eq!(lab.exec("web", &["stat", "-c", "%U", "/var/lib/testlab/machine"]), "root\n");
    for machine in ["web", "plain"] {
        assert_eq!(read(&lab, machine, "task"), "bin root\n");
        assert_eq!(read(&lab, machine, "roots"), "root root\n");
        assert_eq!(owner(&lab, machine, "10012"), "bin\n");
    }
    assert_eq!(owner(&lab, "web", "10011"), "daemon\n");
    assert_eq!(lab.exec("web", &["id", "-un"]), "daemon\n");
    assert_eq!(lab.exec("plain", &["id", "-un"]), "root\n");
    // They are the same when the machine has been off.
    lab.run(&["stop", "web"]).code(0);
    lab.run(&["start", "web"]).code(0);
    assert_eq!(
        (owner(&lab, "web", "10011"), owner(&lab, "web", "10012")),
        ("daemon\n".into(), "bin\n".into())
    );
    // What tasks did as somebody else is done again.
    lab.set("TESTLAB_SOURCE", "other-users");
    is_planned_and_done(
        &lab,
        &[
            "update machine:web.test: its runas_user changed from daemon to games",
            "run task:web.test/whoami.works: its user changed from daemon to games",
            "run task:web.test/said.task: its user changed from bin to sys",
            "run task:plain.test/said.task: its user changed from bin to sys",
        ],
    );
    assert_eq!(read(&lab, "web", "machine"), "daemon root\ngames root\n");
    assert_eq!(
        (owner(&lab, "web", "10011"), owner(&lab, "web", "10012")),
        ("games\n".into(), "sys\n".into())
    );
}

/// Where there is only root inside, nothing is begun that asks for another.
fn refused(lab: &Lab) {
    for command in [&["plan"][..], &["deploy", "--yes"]] {
        lab.run(command)
            .code(1)
            .says("machine `web.test` cannot run its commands as `daemon`")
            .says("task `web.test/said.task` cannot run its commands as `bin`")
            .says("task `plain.test/said.task` cannot run its commands as `bin`")
            .does_not_say("said.roots")
            .says("no subordinate ids")
            .says("next: ");
    }
    assert!(lab.machines().values().all(|state| state.starts_with("absent")), "{:?}", lab.machines());
    lab.run(&["list"]).code(0).says("task:web.test/said.task");
    lab.run(&["check"])
        .code(0)
        .says("note: machine `web.test` cannot run its commands as `daemon`")
        .says("0 of 2 machines can be made here");
}
