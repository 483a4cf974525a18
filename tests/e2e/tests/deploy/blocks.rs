//! Tasks that return building blocks: what differs is planned, shown, and changed; nothing else is.

use carthage_e2e::{Lab, lab};
use serde_json::Value;

use crate::edits::is_planned_and_done;

/// What the plan says of the building blocks of a task.
#[track_caller]
fn changes(lab: &Lab, task: &str) -> Vec<Value> {
    let plan = lab.run(&["plan", "--json"]).code(2);
    let thing = format!("task:{task}");
    let step = plan.json().into_iter().find(|line| line["thing"] == thing.as_str());
    step.unwrap()["changes"].as_array().cloned().unwrap_or_default()
}

fn whats(changes: &[Value]) -> Vec<&str> {
    changes.iter().filter_map(|change| change["what"].as_str()).collect()
}

#[test]
fn what_differs_is_planned_shown_and_mended() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "blocks");
    // Nothing is there: what will be made is said without asking.
    let made = changes(&lab, "server/wanted.files");
    assert_eq!(
        whats(&made),
        [
            "creates /srv/blocks/",
            "creates /srv/blocks/motd (6 bytes)",
            "creates /srv/blocks/secret (secret)",
            "creates /srv/blocks/link -> motd",
            "adds a line of /srv/blocks/lines: text = hello",
            "runs cp /srv/blocks/motd /srv/blocks/copy",
        ]
    );
    assert_eq!(whats(&changes(&lab, "server/rooted.issue"))[1], "creates /etc/blocks.d/issue (8 bytes)");
    lab.deploy();
    assert_eq!(
        lab.exec("server", &["cat", "/srv/blocks/link", "/srv/blocks/lines"]),
        "hello\ntext = hello\n"
    );
    assert_eq!(lab.exec("server", &["cat", "/etc/blocks.d/issue", "/etc/blocks.d/lines"]), "welcome\none\n");
    assert_eq!(lab.exec("server", &["cat", "/srv/blocks/secret", "/srv/blocks/copy"]), "k4n4r1e-onehello\n");
    lab.run(&["plan"]).code(0).says("nothing to do");
    lab.run(&["deploy", "--yes"]).code(0).says("nothing to do");

    // An edit of the layout: the differences are shown, and what depends on them runs.
    lab.set("TESTLAB_TEXT", "good evening");
    let edited = changes(&lab, "server/wanted.files");
    assert_eq!(whats(&edited), ["changes /srv/blocks/motd", "changes /srv/blocks/lines"]);
    assert_eq!(edited[0]["diff"], "@@ -1 +1 @@\n-hello\n+good evening\n");
    lab.run(&["plan"]).code(2).says("      -text = hello").says("      +text = good evening");
    is_planned_and_done(
        &lab,
        &[
            "run task:server/wanted.files: `/srv/blocks/motd` and `a line of /srv/blocks/lines` differ",
            "run task:server/wanted.note: `files` runs before it",
        ],
    );
    assert_eq!(lab.exec("server", &["cat", "/srv/blocks/link", "/srv/blocks/copy"]), "good evening\nhello\n");

    // Somebody changed things in the machine, and its root.
    let break_it = "rm /srv/blocks/link; chmod 777 /srv/blocks; echo x >>/etc/blocks.d/issue";
    lab.exec("server", &["sh", "-c", break_it]);
    let broken = changes(&lab, "server/wanted.files");
    assert_eq!(
        whats(&broken),
        ["changes /srv/blocks: mode 0777 -> 0755", "creates /srv/blocks/link -> motd"]
    );
    is_planned_and_done(
        &lab,
        &[
            "run task:server/rooted.issue: `/etc/blocks.d/issue` differs",
            "run task:server/wanted.files: `/srv/blocks/` and `/srv/blocks/link` differ",
            "run task:server/wanted.note: `files` runs before it",
        ],
    );
    assert_eq!(lab.exec("server", &["stat", "-c", "%a", "/srv/blocks"]), "755\n");
    assert_eq!(lab.exec("server", &["cat", "/srv/blocks/notes"]), "noted\nnoted\nnoted\n");

    // One that is stopped is not asked what only a running one can tell; its root is.
    lab.exec("server", &["rm", "/etc/blocks.d/lines"]);
    lab.run(&["stop", "server", "--yes"]).code(0);
    let plan = lab.run(&["plan"]).code(2);
    plan.says("compares /srv/blocks/motd (13 bytes)");
    assert_eq!(whats(&changes(&lab, "server/rooted.issue")), ["creates /etc/blocks.d/lines (4 bytes)"]);
    lab.deploy();
    lab.run(&["plan"]).code(0);
    lab.destroy();
}

#[test]
fn a_secret_is_shown_nowhere() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "blocks");
    let mut all = lab.run(&["plan"]).code(2).all();
    all += &lab.deploy().all();
    lab.set("TESTLAB_PASSWORD", "two");
    let changed = changes(&lab, "server/wanted.files");
    assert_eq!(whats(&changed), ["changes /srv/blocks/secret: content changes (secret)"]);
    all += &format!("{changed:?}{}", lab.run(&["plan"]).code(2).all());
    let found = |where_: &str| {
        let grep = std::process::Command::new("grep").args(["-rl", "k4n4r1e"]).arg(where_).output().unwrap();
        String::from_utf8(grep.stdout).unwrap()
    };
    all += &lab.deploy().all();
    all += &lab.run(&["status", "--json"]).code(0).all();
    assert!(!all.contains("k4n4r1e"), "{all}");
    let kept = found(&lab.state().to_string_lossy());
    assert!(kept.lines().all(|path| path.ends_with("/srv/blocks/secret")), "{kept}");
    assert_eq!(lab.exec("server", &["cat", "/srv/blocks/secret"]), "k4n4r1e-two");
}

#[test]
fn what_cannot_be_made_so_is_an_error_that_says_why() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "blocks");
    lab.deploy();
    lab.set("TESTLAB_HOPELESS", "/srv/blocks");
    lab.run(&["plan"]).code(2).says("cannot be made so: `/srv/blocks` is there, and is no file");
    lab.run(&["deploy", "--yes"]).code(1).says("`/srv/blocks` is there, and is no file");
    lab.set("TESTLAB_HOPELESS", "srv/blocks");
    lab.run(&["deploy", "--yes"]).code(1).says("the path `srv/blocks` is not absolute");
    lab.set("TESTLAB_HOPELESS", "error");
    lab.run(&["plan"]).code(2).says("nobody knows what is wanted");
    lab.run(&["deploy", "--yes"]).code(1).says("nobody knows what is wanted");
    lab.unset("TESTLAB_HOPELESS");
    lab.deploy();
    lab.run(&["plan"]).code(0);
}

/// Tasks that are made together are killed together, and each of them carries on.
#[test]
fn killed_together_each_is_known_to_be_interrupted() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "blocks");
    lab.deploy();
    for (at, text, interrupted) in
        [("task-ended-unstamped", "two", &["files", "more"][..]), ("task-stamped", "three", &["more"])]
    {
        lab.set("TESTLAB_TEXT", text);
        lab.exec("server", &["rm", "/srv/blocks/more"]);
        lab.set("CARTHAGE_CRASH_AT", at);
        assert!(!lab.run(&["deploy", "--yes"]).status.success());
        lab.unset("CARTHAGE_CRASH_AT");
        // Both were made, and nobody knows.
        assert_eq!(
            lab.exec("server", &["cat", "/srv/blocks/motd", "/srv/blocks/more"]),
            format!("{text}\nmore\n")
        );
        let plan = lab.run(&["plan", "--json"]).code(2).steps();
        let known: Vec<_> = plan.iter().filter(|step| step.contains("was interrupted")).collect();
        assert_eq!(known.len(), interrupted.len(), "{plan:?}");
        for (step, task) in known.iter().zip(interrupted) {
            assert!(
                step.starts_with(&format!("run task:server/wanted.{task}: was interrupted in run ")),
                "{step}"
            );
        }
        assert_eq!(lab.deploy().done(), plan);
        lab.run(&["plan"]).code(0);
        let status = lab.run(&["status", "--json"]).code(0).event("status");
        assert_eq!(status["unfinished"], serde_json::json!([]), "{status}");
    }
}

/// In a rehearsal files are remembered, and the rest counts as it is to be.
#[test]
fn a_rehearsal_remembers_blocks() {
    let mut lab = lab!();
    lab.set("TESTLAB_SOURCE", "blocks");
    let simulate = ["--simulate", "1"];
    lab.run(&[&["deploy", "--yes"][..], &simulate].concat()).code(0);
    lab.run(&[&["plan"][..], &simulate].concat()).code(0).says("nothing to do");
    lab.set("TESTLAB_TEXT", "good evening");
    let plan = lab.run(&[&["plan"][..], &simulate].concat()).code(2);
    plan.says("-hello").says("+good evening");
    lab.run(&[&["deploy", "--yes"][..], &simulate].concat()).code(0);
    lab.run(&[&["plan"][..], &simulate].concat()).code(0);
    lab.run(&[&["destroy", "--yes"][..], &simulate].concat()).code(0);
}
