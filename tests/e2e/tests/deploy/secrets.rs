//! The canary: a secret is looked for in everything that is written, and in the arguments of every process.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use carthage_e2e::program::Ended;
use carthage_e2e::{Lab, lab};

/// Files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            found.extend(holding(&path, text));
        } else if kind.is_file() {
            let contents = fs::read(&path).unwrap_or_default();
            if contents.windows(text.len()).any(|window| window == text.as_bytes()) {
                found.push(path);
            }
        }
    }
    found
}

/// Whether any process has it among its arguments.
fn is_an_argument(text: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let arguments = processes.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
    arguments.into_iter().any(|arguments| String::from_utf8_lossy(&arguments).contains(text))
}

/// Runs a command, and looks at the arguments of all processes as long as it does; answers whether what uses the secret was
/// among them.
#[track_caller]
fn watched(lab: &Lab, arguments: &[&str], code: i32, secret: &str) -> (Ended, bool) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut used = false;
            while !over.load(Ordering::Relaxed) {
                assert!(!is_an_argument(secret));
                used |= is_an_argument(": canary");
            }
            used
        });
        let ended = lab.run(arguments);
        over.store(true, Ordering::Relaxed);
        let used = watch.join().unwrap();
        (ended.code(code).does_not_say(secret), used)
    })
}

#[test]
fn a_secret_is_nowhere_but_where_it_was_put() {
    let mut lab = lab!();
    let plan = lab.base().join("saved.plan");
    let plan = plan.to_str().unwrap();
    lab.set("TESTLAB_SOURCE", "canary").set("CARTHAGE_PRUNE", "0").set("TESTLAB_FAILS", "3");
    // Another input is another reason, and that does not show it either.
    for (failing, code) in [("3", 3), ("0", 0)] {
        let secret = format!("{:032x}", fastrand::u128(..));
        lab.set("TESTLAB_PASSWORD", &secret).set("TESTLAB_FAILS", failing);
        lab.run(&["plan", "--out", plan, "--json"]).code(2).does_not_say(&secret);
        assert!(!fs::read_to_string(plan).unwrap().contains(&secret));
        let deploy = ["deploy", "--plan", plan, "--yes", "--json", "--progress", "json"];
        let (deployed, used) = watched(&lab, &deploy, code, &secret);
        assert!(used, "the command that uses it was seen");
        deployed.says("used");
        for command in
            [&["logs", "--json"][..], &["logs"], &["status", "--json"], &["check"], &["list", "--json"]]
        {
            lab.run(command).code(0).does_not_say(&secret);
        }
        lab.run(&["logs", "--json"]).says("task:vault.test/keep.command").says("used");
        if code != 0 {
            lab.run(&["logs"]).code(0).says("so it fails");
        }
        let files = holding(lab.base(), &secret);
        assert!(matches!(&files[..], [only] if only.ends_with("srv/password")), "{files:?}");
    }
    lab.run(&["run", "vault.test/keep.*", "--yes"]).code(0);
}
