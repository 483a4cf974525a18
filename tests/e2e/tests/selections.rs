//! What a command is about, said in other ways than by names.

use std::io::Write;
use std::process::{Output, Stdio};

use carthage_e2e::paper::PaperLab;
use carthage_e2e::program;

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn machines(lab: &PaperLab) -> Vec<String> {
    lab.world().machines.into_keys().collect()
}

#[test]
fn what_is_brought_in_is_told() {
    let lab = lab();
    let plan = text(&lab.run("plan", &["worker-1"]));
    assert!(plan.contains("note: also machine:gateway: machine:worker-1 needs it"), "{plan}");
    assert!(plan.contains("note: also network:front: machine:worker-1 needs it"), "{plan}");
    assert!(!plan.contains("also machine:worker-1"), "{plan}");
    assert!(!text(&lab.run("plan", &[])).contains("note: also"));
    lab.ends_well("deploy");
    assert!(!text(&lab.run("plan", &["worker-1"])).contains("note: also"), "nothing is done to it");
}

#[test]
fn tags_and_files() {
    let lab = lab();
    assert!(lab.run("deploy", &["--on", "@work", "-x", "worker-2"]).status.success());
    assert_eq!(machines(&lab), ["gateway", "worker-1"]);
    assert_eq!(lab.run("plan", &["--on", "@wrok"]).status.code(), Some(64));
    let names = lab.base().join("names");
    std::fs::write(&names, "# all of them\nworker-*\n").unwrap();
    let names = names.to_str().unwrap();
    assert_eq!(lab.run("plan", &["--from-file", names]).status.code(), Some(2));
    assert!(lab.run("deploy", &["--from-file", names]).status.success());
    assert_eq!(machines(&lab), ["gateway", "worker-1", "worker-2"]);

    let mut stop = lab.command("stop", &["--from-file", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    stop.stdin.take().unwrap().write_all(b"worker-1\n").unwrap();
    assert!(stop.wait().unwrap().success());
    let running = lab.world().machines.into_iter().filter(|(_, machine)| machine.runs).count();
    assert_eq!(running, 2);

    // What names nothing does not mean everything.
    std::fs::write(names, "# nobody\n").unwrap();
    let nothing = lab.run("destroy", &["--from-file", names]);
    assert_eq!(nothing.status.code(), Some(64), "{nothing:?}");
    assert_eq!(machines(&lab).len(), 3);
}

#[test]
fn only_that_and_nothing_else() {
    let lab = lab();
    let refused = lab.run("deploy", &["worker-1", "--only"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    for missing in ["machine:gateway is needed, and is not there or does not run", "network:front is needed"]
    {
        assert!(text(&refused).contains(missing), "{refused:?}");
    }
    assert!(!lab.base().join("testlab").exists());
    assert!(lab.run("deploy", &["gateway", "network:*", "--only"]).status.success());
    assert_eq!(machines(&lab), ["gateway"]);
    assert!(lab.run("deploy", &["worker-1", "--only"]).status.success());
    assert!(lab.run("stop", &["gateway"]).status.success());
    assert_eq!(lab.run("deploy", &["worker-2", "--only"]).status.code(), Some(1));
    assert_eq!(machines(&lab), ["gateway", "worker-1"]);
}
