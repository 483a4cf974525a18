//! The example, run as a user runs it, on the engines that the tests are given.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use carthage_conformance::host;

/// The machines that serve the page.
const MACHINES: &[&str] = &[
    "sandbox-1",
    "sandbox-2",
    "container-1",
    "container-2",
    "host",
    #[cfg(feature = "vm")]
    "vm",
];

struct Mixed {
    dir: tempfile::TempDir,
    engine: String,
    text: &'static str,
}

impl Mixed {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mixed"));
        command.args(arguments).env("DOCKER_HOST", &self.engine).env("MIXED_TEXT", self.text);
        command.env("CARTHAGE_STATE_DIR", self.dir.path()).stdin(Stdio::null());
        for file in ["KERNEL", "INITRD", "IMAGE"] {
            if let Some(path) = std::env::var_os(format!("CARTHAGE_TEST_VM_{file}")) {
                command.env(format!("MIXED_{file}"), path);
            }
        }
        command.output().unwrap()
    }

    /// Runs a command that has to end like this; answers what it said.
    #[track_caller]
    fn ended(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}{complaints}");
        said
    }

    #[track_caller]
    fn pages_say(&self, text: &str) {
        for machine in MACHINES {
            let fetch = ["exec", machine, "--", "busybox", "wget", "-q", "-O", "-", "http://127.0.0.1:8080/"];
            assert_eq!(self.ended(0, &fetch).trim_end(), text, "{machine}");
        }
    }
}

impl Drop for Mixed {
    fn drop(&mut self) {
        if std::fs::read_dir(self.dir.path()).is_ok_and(|mut left| left.next().is_some()) {
            self.run(&["destroy", "--yes"]);
        }
    }
}

/// What a registry would have: nothing is fetched from one.
fn import_busybox(engine: &str, root: &Path) {
    let tar = Command::new("tar").arg("-C").arg(root).args(["-c", "."]).stdout(Stdio::piped()).spawn();
    let mut tar = tar.unwrap();
    let mut docker = Command::new("docker");
    docker.args(["-H", engine, "import", "-", "docker.io/library/busybox:stable"]);
    let imported = docker.stdin(tar.stdout.take().unwrap()).output().unwrap();
    assert!(tar.wait().unwrap().success() && imported.status.success(), "{imported:?}");
}

#[test]
fn one_customization_on_every_kind_of_machine() {
    let name = "one_customization_on_every_kind_of_machine";
    let Ok(engine) = std::env::var("CARTHAGE_TEST_DOCKER") else {
        let root = rustix::process::geteuid().is_root();
        let why = match root {
            false => "only root can use the engines that are started for the tests",
            true => "no Docker was started for the tests; `cargo xtask test` starts one",
        };
        return host::skip(name, "docker", why);
    };
    if !host::can_make_sandboxes(name) {
        return;
    }
    import_busybox(&engine, Path::new(&std::env::var_os("CARTHAGE_TEST_ROOT").unwrap()));
    let mut mixed = Mixed { dir: tempfile::tempdir().unwrap(), engine, text: "Good morning." };

    mixed.ended(0, &["deploy", "--yes", "--progress", "quiet"]);
    mixed.pages_say("Good morning.");
    assert!(mixed.ended(0, &["plan"]).contains("nothing to do"));

    mixed.text = "Good evening.";
    let plan = mixed.ended(2, &["plan"]);
    let runs: Vec<_> = plan.lines().filter(|line| line.starts_with('~')).collect();
    assert_eq!(runs.len(), MACHINES.len(), "{plan}");
    for machine in MACHINES {
        let task = format!("~ task:{machine}/site.index ");
        assert!(
            runs.iter().any(|run| run.starts_with(&task) && run.contains("`/srv/mixed/index.html` differs")),
            "{plan}"
        );
    }
    mixed.ended(0, &["deploy", "--yes", "--progress", "quiet"]);
    mixed.pages_say("Good evening.");

    let gone = mixed.ended(0, &["destroy", "--yes", "--progress", "quiet"]);
    assert!(gone.contains("- machine:host") && gone.contains("retain"), "{gone}");
    assert_eq!(std::fs::read_dir(mixed.dir.path()).unwrap().count(), 0, "its state goes, too");
}
