//! The state directory: not writable, damaged, or in use.

use std::fs;
use std::path::Path;

use carthage_e2e::{Lab, lab};

#[test]
fn a_directory_that_cannot_be_written() {
    let lab = lab!();
    let file = lab.base().join("file");
    fs::write(&file, "").unwrap();
    let sealed = lab.base().join("sealed");
    fs::create_dir(&sealed).unwrap();
    fs::set_permissions(&sealed, std::os::unix::fs::PermissionsExt::from_mode(0o500)).unwrap();
    let mut places = vec![file.join("below"), Path::new("/sys/carthage").to_owned()];
    if !rustix::process::geteuid().is_root() {
        places.push(sealed.join("below"));
    }
    for place in places {
        let (place, cause) = (place.to_str().unwrap(), place.parent().unwrap().to_str().unwrap());
        let ended = lab.run(&["deploy", "--yes", "--state-dir", place]).code(1);
        let ended =
            ended.says(&format!("`{cause}")).says("because: ").says("--state-dir").does_not_say("panicked");
        assert_eq!(ended.stderr.matches("error: ").count(), 1, "{}", ended.all());
        // Who only looks needs nothing of it, as long as nothing can be there.
        let nothing_there = !cause.ends_with("file");
        lab.run(&["plan", "--state-dir", place]).code(if nothing_there { 2 } else { 1 });
        assert!(!Path::new(place).exists());
    }
    fs::remove_file(file).unwrap();
    fs::remove_dir(sealed).unwrap();
}

/// The store is damaged: whoever reads or writes says so, changes nothing, and a copy put back makes everything good.
#[test]
fn a_damaged_store() {
    let lab = lab!();
    lab.deploy();
    let path = lab.state().join("state.redb");
    let good = fs::read(&path).unwrap();
    let middle = good.len() / 2;
    let garbage = vec![0x5a; good.len()];
    let mut scratched = good.clone();
    scratched[512..middle].fill(0xff);
    for (how, bad) in
        [("empty", &[][..]), ("truncated", &good[..middle]), ("garbage", &garbage), ("scratched", &scratched)]
    {
        fs::write(&path, bad).unwrap();
        for command in ["plan", "status", "deploy", "destroy", "stop", "exec"] {
            let arguments: &[&str] = match command {
                "exec" => &["exec", "server", "true"],
                command => &[command, "--yes"],
            };
            let ended = lab.run(arguments).code(if command == "exec" { 125 } else { 1 });
            let ended = ended.says(&format!("`{}` is damaged", path.display())).says("next: put back a copy");
            let panics = ended.stderr.contains("panicked");
            assert!(!panics, "{how}, {command}: {}", ended.all());
            assert!(fs::read(&path).unwrap() == bad, "{command} changed what was {how}");
        }
    }
    // Without the store the rest is not taken for a layout that was never deployed.
    fs::remove_file(&path).unwrap();
    lab.run(&["deploy", "--yes"]).code(1).says("state.redb");
    fs::write(&path, &good).unwrap();
    lab.run(&["plan"]).code(0);
    lab.run(&["deploy", "--yes"]).code(0).says("nothing to do");
    lab.destroy();
}

/// What cannot be told about one thing does not hide the others.
#[test]
fn a_damaged_record_of_one_machine_and_one_network() {
    let mut lab = lab!();
    lab.deploy();
    let before = lab.machines();
    let records = ["machines/worker-1.test/machine.json", "networks/site.back.json"];
    let records = records.map(|record| lab.state().join("sandbox").join(record));
    let good = records.each_ref().map(|record| fs::read(record).unwrap());
    for record in &records {
        fs::write(record, "{").unwrap();
    }
    let status = lab.run(&["status", "--json"]).code(0).json();
    for (kind, name, record) in
        [("machine", "worker-1.test", &records[0]), ("network", "site.back", &records[1])]
    {
        let line = status.iter().find(|line| line["event"] == kind && line["name"] == name).unwrap();
        assert_eq!(line["state"], "unknown");
        let trouble = line["trouble"].as_str().unwrap();
        assert!(trouble.contains(record.to_str().unwrap()), "{trouble}");
    }
    let mut known = lab.machines();
    for (thing, state) in &before {
        let now = known.remove(thing).unwrap();
        assert!(now == *state || now.starts_with("unknown"), "{thing}: {now}");
    }
    lab.run(&["status"]).code(0).says("unknown").says("10.61.0.2/24");
    // The plan says what it can, and the rest is done; what does not answer is all that fails.
    lab.set("TESTLAB_TEXT", "good evening");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    for (thing, record) in [("machine:worker-1.test", &records[0]), ("network:site.back", &records[1])] {
        let asked = plan.iter().find(|step| step.starts_with(&format!("ask {thing}: cannot be told: ")));
        assert!(asked.is_some_and(|step| step.contains(record.to_str().unwrap())), "{plan:?}");
    }
    let unseen = "cannot be told: `worker-1.test` does not say whether it is there";
    for task in ["program", "page"] {
        assert!(plan.contains(&format!("ask task:worker-1.test/fetch.{task}: {unseen}")), "{plan:?}");
    }
    let (of_server, rest): (Vec<_>, Vec<_>) = plan.iter().partition(|step| step.contains(":server.test/"));
    assert_eq!((of_server.len(), rest.len()), (3, 4), "{plan:?}");
    let deployed = lab.run(&["deploy", "--yes", "--json"]).code(3);
    assert_eq!(deployed.done().iter().collect::<Vec<_>>(), of_server);
    let report = deployed.event("report");
    let things = |list: &str| {
        let mut things: Vec<_> = report[list]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["thing"].as_str().unwrap().to_owned())
            .collect();
        things.sort();
        things
    };
    assert_eq!(things("failed"), ["machine:worker-1.test", "network:site.back"]);
    assert_eq!(things("skipped"), ["machine:vault.test"]);
    for (record, good) in records.iter().zip(good) {
        fs::write(record, good).unwrap();
    }
    assert_eq!(lab.machines(), before);
    lab.run(&["plan"]).code(0);
}

/// The cache is safe to lose: what can be told anew is, and what cannot runs again.
#[test]
fn damaged_stamps() {
    let lab = lab!();
    lab.deploy();
    let (stamps, text) = find(&lab.state().join("cache/stamps"), "\"task\":\"site.announce\"");
    let (before, of_announce): (Vec<_>, Vec<_>) =
        text.lines().partition(|line| !line.contains("\"task\":\"site.announce\""));
    let (ran, begun) = (of_announce.last().unwrap(), before.join("\n"));
    // What was damaged may have been about any task that has a stamp before it, and of the others it says nothing.
    fs::write(&stamps, format!("{ran}\n{}\n{begun}\n", &ran[..10])).unwrap();
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert_eq!(plan.len(), 1, "{plan:?}");
    assert!(
        plan[0].starts_with("run task:server.test/site.announce: its stamp cannot be used: "),
        "{plan:?}"
    );
    assert_eq!(lab.deploy().done(), plan);
    lab.run(&["plan"]).code(0);
}

/// The file that has this in it, and what else it has.
fn find(directory: &Path, text: &str) -> (std::path::PathBuf, String) {
    let mut todo = vec![directory.to_owned()];
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if let Some(all) = fs::read_to_string(&path).ok().filter(|all| all.contains(text)) {
            return (path, all);
        }
    }
    panic!("no `{text}` below {}", directory.display());
}

#[test]
fn two_at_once() {
    let mut lab = lab!();
    lab.set("TESTLAB_WAITS", "true");
    let mut first = lab.start(&["deploy", "--yes", "--json"]);
    first.until("word of the slow task", |line| (line["line"] == "waiting").then_some(()));
    let pid = first.pid().as_raw_nonzero();
    for command in ["deploy", "destroy", "stop"] {
        let second = lab.run(&[command, "--yes"]).code(1);
        let second =
            second.says("another run holds layout `testlab`: `deploy`").says(&format!("process {pid}"));
        drop(second.says("next: "));
    }
    // Others may look, and work inside.
    let status = lab.run(&["status", "--json"]).code(0).event("status");
    assert_eq!((&status["held"], &status["holder"]["command"]), (&true.into(), &"deploy".into()));
    assert_eq!(status["holder"]["pid"], pid.get());
    lab.run(&["plan"]).code(2);
    is_running(&lab, "vault.test");
    lab.exec("vault", &["sh", "-c", "echo now >/run/go"]);
    first.ended().code(0);
    lab.unset("TESTLAB_WAITS");
    lab.deploy();
}

#[track_caller]
fn is_running(lab: &Lab, machine: &str) {
    assert_eq!(lab.machine(machine)["state"], "running");
}
