//! The command line, as people and scripts use it, on real machines.

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use common::{Lab, Terminal, signal};
use rustix::process::Signal;
use serde_json::json;

/// The text with one space between words.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn looking_makes_nothing() {
    let lab = Lab::new();
    lab.run(&["check"]).ended(0);
    let listed = lab.run(&["list", "machine:*"]).ended(0).out;
    assert_eq!(listed.lines().filter(|line| line.starts_with("machine:")).count(), 4, "{listed}");
    let plan = words(&lab.run(&["plan"]).ended(2).out);
    assert!(plan.contains("~ task:worker-2.algebra/join.fetch run never ran"), "{plan}");
    assert!(plan.contains("eth0 10.37.0.6/24 on algebra.lab"), "addresses are known before: {plan}");
    let status = lab.run(&["status"]).ended(0).out;
    assert!(status.contains("absent") && status.ends_with("never deployed\n"), "{status}");
    assert!(lab.run(&["exec", "mirror", "true"]).ended(125).err.contains("not deployed"));
    assert!(lab.run(&["start"]).ended(1).err.contains("`industrial` is not deployed"));
    lab.run(&["destroy"]).ended(0);
    // There is something to do, and nobody to ask.
    assert!(lab.run(&["deploy"]).ended(64).err.contains("next: add --yes"));
    assert_eq!(lab.left(), [""; 0].map(Into::<std::path::PathBuf>::into));
}

#[test]
fn check_shows_the_layout_as_it_is_resolved() {
    let lab = Lab::new();
    let checked = lab.run(&["check"]).ended(0).out;
    let lines: Vec<_> = checked.lines().map(words).collect();
    let tree = [
        "layout:industrial A lab of four machines.",
        "value token `JoinToken`, kept",
        "enclave:algebra domain algebra Where the work is done.",
        "network:algebra.lab 10.37.0.0/24 The wire that everything in the lab is plugged into.",
        "machine:mirror.algebra Sandbox Serves a page to the lab.",
        "link eth0 algebra.lab 10.37.0.2/24",
        "applies site StaticSite: index, program, serve",
        "machine:worker-1.algebra Sandbox Fetches the page from the mirror; three of them.",
        "link eth0 algebra.lab 10.37.0.5/24",
        "applies join JoinCluster: program, fetch",
        "starts after mirror.algebra",
    ];
    assert_eq!(lines[..tree.len()], tree);
    assert!(checked.lines().nth(4).unwrap().starts_with("    machine:"), "below its enclave: {checked}");
    assert!(!checked.contains('\x1b') && !checked.contains("warning:"), "{checked}");
    lab.run(&["check", "--deny-warnings"]).ended(0);
    lab.run(&["check", "--allow", "no-link"]).ended(64);
    let json = lab.run(&["check", "--json"]).ended(0).json();
    let worker = json.iter().find(|line| line["name"] == "worker-2.algebra").unwrap();
    assert_eq!(
        [
            &worker["event"],
            &worker["path"],
            &worker["depth"],
            &worker["links"][0]["address"],
            &worker["starts_after"]
        ],
        [
            &json!("item"),
            &json!("algebra.workers.2"),
            &json!(2),
            &json!("10.37.0.6/24"),
            &json!(["mirror.algebra"])
        ]
    );
    assert!(worker["at"].as_str().unwrap().contains("main.rs:"), "{worker}");
    let end = json.last().unwrap();
    assert_eq!([&end["event"], &end["machines"], &end["lints"]], [&json!("check"), &json!(4), &json!(0)]);
    assert_eq!(lab.left(), [""; 0].map(Into::<std::path::PathBuf>::into));
}

#[test]
fn wrong_usage_is_64_and_says_what_was_meant() {
    let lab = Lab::new();
    assert!(lab.run(&["deplyo"]).ended(64).err.contains("'deploy'"));
    assert!(lab.run(&["plan", "mirorr"]).ended(64).err.contains("did you mean `mirror"));
    assert!(lab.run(&["plan", "--exclude", "machine:"]).ended(64).err.contains("names nothing"));
    assert!(lab.run(&["deploy", "--parallel", "none"]).ended(64).err.contains("--parallel"));
    assert!(lab.run(&["plan", "task:*"]).ended(64).err.contains("tasks are for `run`"));
    lab.run(&[]).ended(64);
    assert!(lab.run(&["exec", "--help"]).ended(0).out.contains("lab exec -u web -C /srv mirror -- ls -l"));
    let told = lab.run(&["plan", "mirorr", "--json"]).ended(64);
    assert_eq!(told.json()[0]["event"], "error");
}

#[test]
fn a_whole_life() {
    let lab = Lab::new();
    let deployed = lab.run(&["deploy", "--yes", "--json"]).ended(0).json();
    let of = |event: &str| deployed.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!((of("step").len(), of("begun").len(), of("done").len()), (14, 14, 14));
    assert_eq!(of("report")[0]["done"].as_array().unwrap().len(), 14);
    assert_eq!(
        lab.run(&["deploy", "--json"]).ended(0).json(),
        [json!({
            "event": "plan", "steps": 0, "unchanged": 5, "notes": of("plan")[0]["notes"], "orphans": []
        })]
    );
    lab.run(&["plan"]).ended(0);

    let lock = fs::read(lab.dir().join("industrial/lock")).unwrap();
    assert!(lock.is_empty(), "what a run holds is given back when it ends, not left to the kernel");

    commands_inside(&lab);

    let status = lab.run(&["status", "mirror", "--json"]).ended(0).json();
    let mirror = &status[0];
    assert_eq!((&mirror["event"], &mirror["state"]), (&json!("machine"), &json!("running")));
    assert_eq!((&mirror["addresses"], &mirror["in_layout"]), (&json!(["10.37.0.2/24"]), &json!(true)));
    assert_eq!(
        (&mirror["services"][0]["name"], &mirror["services"][0]["state"]),
        (&json!("site.serve"), &json!("running"))
    );
    assert_eq!((&status[1]["run"], &status[1]["held"]), (&json!(2), &json!(false)));

    lab.run(&["stop", "worker-3"]).ended(0);
    assert!(
        lab.run(&["exec", "worker-3", "true"])
            .ended(125)
            .err
            .contains("next: start it with `start worker-3.algebra`")
    );
    let plan = words(&lab.run(&["plan"]).ended(2).out);
    assert!(plan.contains("machine:worker-3.algebra start it is not running"), "{plan}");
    lab.run(&["start", "worker-3"]).ended(0);
    lab.run(&["exec", "worker-3", "true"]).ended(0);

    lab.run(&["run", "mirror*/site.index"]).ended(0);
    let plan = words(&lab.run(&["plan"]).ended(2).out);
    assert!(plan.contains("`index` ran later, in run"), "{plan}");
    assert!(
        lab.run(&["run", "mirror*/site.indx"])
            .ended(64)
            .err
            .contains("did you mean `mirror.algebra/site.index`")
    );

    // Never more than is selected.
    let stays = lab.run(&["destroy", "mirror", "--yes"]).ended(1).out;
    assert!(stays.contains("machine:mirror.algebra stays") && stays.contains("needs it"), "{stays}");
    lab.run(&["destroy"]).ended(64);
    lab.run(&["destroy", "worker-*", "--yes"]).ended(0);
    let status = lab.run(&["status"]).ended(0).out;
    assert_eq!((status.matches("absent").count(), status.matches("running").count()), (3, 3), "{status}");
    let gone = lab.run(&["destroy", "--yes", "--progress", "quiet"]).ended(0);
    assert!(gone.out.contains("industrial: 2 done") && gone.err.is_empty(), "{}{}", gone.out, gone.err);
    assert!(lab.left().is_empty(), "{:?}", lab.left());
}

fn commands_inside(lab: &Lab) {
    let said = lab
        .feed(&["exec", "worker-2", "--", "sh", "-c", "cat; echo told >&2; exit 7"], b"in\0\xc3\xbc")
        .ended(7);
    assert_eq!((said.out.as_str(), said.err.as_str()), ("in\0ü", "told\n"));
    let said = lab
        .run(&["exec", "-C", "/tmp", "-e", "A=b c", "mirror", "sh", "-c", "pwd; echo $A; hostname; id -u"])
        .ended(0);
    assert_eq!(said.out, "/tmp\nb c\nmirror\n0\n");
    lab.run(&["exec", "mirror", "--", "sh", "-c", "kill -KILL $$"]).ended(137);
    assert!(lab.run(&["exec", "mirorr", "true"]).ended(125).err.contains("did you mean `mirror.algebra`"));
    assert!(lab.run(&["exec", "mirror", "no-such-program"]).ended(125).err.contains("no-such-program"));
    let much = lab.run(&["exec", "mirror", "--", "head", "-c", "10000000", "/dev/zero"]).ended(0);
    assert_eq!(much.out.len(), 10_000_000);

    // Nobody reads any more.
    let mut child = lab.start(&["exec", "mirror", "yes"], Stdio::null());
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 4]).unwrap();
    drop(out);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(141), &b""[..]));

    // A signal is passed on, and what the command says to it is waited for.
    let script = "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    let mut child = lab.start(&["exec", "mirror", "--", "sh", "-c", script], Stdio::null());
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    signal(&child, Signal::TERM);
    out.read_line(&mut line).unwrap();
    assert_eq!((line.as_str(), child.wait().unwrap().code()), ("ready\ncaught\n", Some(9)));

    // What it leaves behind neither holds it up nor stays: it is killed when the command has ended.
    lab.run(&["exec", "mirror", "--", "sh", "-c", "sleep 987 & echo started"]).ended(0);
    let gone = "n=0; while grep -qs '^sleep.987' /proc/[0-9]*/cmdline; do \
                n=$((n+1)); [ $n -lt 200 ] || exit 1; sleep 0.05; done";
    lab.run(&["exec", "mirror", "--", "sh", "-c", gone]).ended(0);

    let mut shell = Terminal::start(lab.command(&["shell", "worker-1", "-e", "PS1=>"]), 31, 101);
    shell.write("stty size; tty; echo $TERM; hostname; echo =$((6*7))=\n");
    let said = shell.wait_for("=42=");
    assert!(said.contains("31 101") && said.contains("/dev/pts/") && said.contains("xterm"), "{said}");
    assert!(said.contains("worker-1"), "{said}");
    shell.resize(44, 111);
    shell.write("while [ \"$(stty size)\" != '44 111' ]; do sleep 0.05; done; echo re'sized'\n");
    shell.wait_for("resized");
    shell.write("sh -c 'echo be\"\"gun; exec sleep 987'\n");
    shell.wait_for("begun");
    shell.write("\x03echo $?=status\n");
    shell.wait_for("130=status");
    shell.write("exit 5\n");
    let (code, said) = shell.end();
    assert_eq!(code, 5, "{said}");
    let mut shell = Terminal::start(lab.command(&["shell", "worker-1"]), 24, 80);
    shell.write("echo $((6*7))=\n");
    shell.wait_for("42=");
    signal(&shell.child, Signal::TERM);
    assert_eq!(shell.end().0, 143);
    assert!(lab.run(&["shell", "mirror"]).ended(125).err.contains("needs a terminal"));
}

#[test]
fn asked_on_a_terminal_and_one_at_a_time() {
    let lab = Lab::new();
    let mut first = Terminal::start(lab.command(&["deploy"]), 30, 120);
    first.wait_for("[y/N] ");
    let second = lab.run(&["deploy", "--yes"]).ended(1).err;
    assert!(second.contains("another run holds layout `industrial`: `deploy` of "), "{second}");
    assert!(second.contains(&format!("process {}", first.child.id())), "{second}");
    let status = lab.run(&["status"]).ended(0).out;
    assert!(status.contains("now: `deploy` of "), "{status}");
    first.write("n\n");
    let (code, said) = first.end();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert!(lab.left().is_empty());

    let mut asked = Terminal::start(lab.command(&["deploy"]), 30, 120);
    asked.wait_for("[y/N] ");
    signal(&asked.child, Signal::INT);
    assert_eq!(asked.end().0, 130);
    assert!(lab.left().is_empty());

    let mut yes = Terminal::start(lab.command(&["deploy", "mirror"]), 30, 120);
    yes.wait_for("[y/N] ");
    yes.write("y\n");
    yes.wait_for("run task:mirror.algebra/site.serve");
    yes.wait_for("5 done");
    assert_eq!(yes.end().0, 0);
}

#[test]
fn interrupted_it_finishes_what_was_begun_and_carries_on_later() {
    let lab = Lab::new();
    for signals in [1, 2] {
        let mut child = lab.start(&["deploy", "-y", "--parallel", "1", "--progress", "plain"], Stdio::null());
        let mut progress = BufReader::new(child.stderr.take().unwrap()).lines();
        let begun = |line: &String| line.starts_with("run task:mirror.algebra/site.program");
        assert!(progress.by_ref().map_while(Result::ok).any(|line| begun(&line)));
        signal(&child, Signal::INT);
        if signals == 2 {
            assert!(progress.by_ref().map_while(Result::ok).any(|line| line.starts_with("finishing")));
            signal(&child, Signal::INT);
        }
        let rest: Vec<_> = progress.map_while(Result::ok).collect();
        let report = child.wait_with_output().unwrap();
        assert_eq!(report.status.code(), Some(130), "{rest:?}");
        let report = String::from_utf8(report.stdout).unwrap();
        if signals == 1 {
            assert!(
                rest.iter().any(|line| line.starts_with("done run task:mirror.algebra/site.program")),
                "{rest:?}"
            );
            assert!(
                report.contains("left: machine:worker-1.algebra: interrupted before it was done"),
                "{report}"
            );
            // The second time it must not find everything done.
            lab.run(&["destroy", "-y"]).ended(0);
        }
    }
    lab.run(&["deploy", "--yes"]).ended(0);
    lab.run(&["plan"]).ended(0);
}

#[test]
fn bad_worlds() {
    let lab = Lab::new();
    let said = lab.run(&["deploy", "--yes", "--state-dir", "/proc/nowhere"]).ended(1).err;
    assert!(
        said.contains("`/proc/nowhere`") && said.contains("next: ") && said.contains("--state-dir"),
        "{said}"
    );

    lab.run(&["deploy", "mirror", "--yes"]).ended(0);
    let file = lab.dir().join("industrial/state.redb");
    let good = fs::read(&file).unwrap();
    for bad in [&good[..good.len() / 3], b"garbage", b""] {
        fs::write(&file, bad).unwrap();
        for command in [&["deploy", "--yes"][..], &["plan"], &["status"], &["destroy", "--yes"]] {
            let said = lab.run(command).ended(1).err;
            assert!(
                said.contains("state.redb` is damaged") && said.contains("next: put back a copy"),
                "{said}"
            );
        }
        assert!(fs::read(&file).unwrap() == bad, "what is damaged stays as it is");
    }
    fs::write(&file, &good).unwrap();
    lab.run(&["plan", "mirror"]).ended(0);

    // Nobody reads the list.
    let mut child = lab.start(&["list"], Stdio::null());
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr.as_slice()), (Some(0), &b""[..]));
}
