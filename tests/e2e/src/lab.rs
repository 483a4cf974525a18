//! One deployment of the layout under test, in a state directory of its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::footprint::Footprint;
use crate::host;
use crate::program::{Ended, Program, Programs};
use crate::wait::LONG;

/// A lab for the test it is made in; the test ends here when the host cannot make one, with `or …` as its answer.
#[macro_export]
macro_rules! lab {
    () => {
        $crate::lab!(or())
    };
    (or $answer:expr) => {{
        fn here() {}
        let name = ::std::any::type_name_of_val(&here);
        match $crate::Lab::new(name.trim_end_matches("::here"), &$crate::programs!()) {
            Some(lab) => lab,
            None => return $answer,
        }
    }};
}

/// What exists, and what it takes up in the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// Machines and networks, with their state.
    pub machines: BTreeMap<String, String>,
    /// How many processes of which name.
    pub processes: BTreeMap<String, usize>,
    /// How many interfaces in each network namespace.
    pub interfaces: Vec<usize>,
}

/// A state directory, and the program with its settings. What was deployed is destroyed with it.
pub struct Lab {
    dir: tempfile::TempDir,
    programs: Programs,
    settings: BTreeMap<OsString, OsString>,
    abandoned: bool,
    /// Control groups that it ever had: one that is left over may have no process by which it is found.
    groups: RefCell<BTreeSet<PathBuf>>,
}

impl Lab {
    /// A fresh one for a test; `None` if the host cannot make sandboxes.
    ///
    /// # Panics
    /// When there is no place for it.
    pub fn new(test: &str, programs: &Programs) -> Option<Self> {
        host::can_make_sandboxes(test).then(|| Self {
            dir: tempfile::Builder::new().prefix("carthage-e2e-").tempdir().unwrap(),
            programs: programs.clone(),
            settings: BTreeMap::new(),
            abandoned: false,
            groups: RefCell::default(),
        })
    }

    /// Edits the layout, or how the program runs, from now on.
    pub fn set(&mut self, name: &str, value: impl Into<OsString>) -> &mut Self {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// Takes an edit back.
    pub fn unset(&mut self, name: &str) -> &mut Self {
        self.settings.remove(&OsString::from(name));
        self
    }

    /// Uses another copy of the program from now on.
    pub fn use_program(&mut self, program: &Path) -> &mut Self {
        self.programs.testlab = program.to_owned();
        self
    }

    /// The directory given as `--state-dir`.
    pub fn base(&self) -> &Path {
        self.dir.path()
    }

    /// The layout's own directory, in it or where the test has set it to be.
    pub fn state(&self) -> PathBuf {
        let elsewhere = self.settings.get(OsStr::new("CARTHAGE_STATE_DIR"));
        elsewhere.map_or(self.base(), Path::new).join("testlab")
    }

    /// The program with its settings, in a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.programs.testlab);
        let kept = ["PATH", "HOME", "TMPDIR", "USER", "XDG_RUNTIME_DIR"];
        command
            .env_clear()
            .envs(kept.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("TESTLAB_PAGE_PROGRAM", &self.programs.page)
            .env("CARTHAGE_STATE_DIR", self.base())
            .env("CARTHAGE_PRUNE", "1")
            .envs(&self.settings)
            .args(arguments);
        command
    }

    /// Runs the program to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).ended()
    }

    /// Starts the program.
    pub fn start(&self, arguments: &[&str]) -> Program {
        Program::start(self.command(arguments), None)
    }

    /// Deploys everything, which must succeed.
    #[track_caller]
    pub fn deploy(&self) -> Ended {
        self.run(&["deploy", "--yes", "--json"]).code(0)
    }

    /// Runs a command in a machine, which must succeed; answers what it wrote.
    #[track_caller]
    pub fn exec(&self, machine: &str, argv: &[&str]) -> String {
        self.run(&[&["exec", machine, "--"], argv].concat()).code(0).stdout
    }

    /// The status of a machine.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn machine(&self, name: &str) -> Value {
        let status = self.run(&["status", "--json"]).code(0);
        let found = status.json().into_iter().find(|line| line["event"] == "machine" && line["name"] == name);
        found.unwrap_or_else(|| panic!("no machine `{name}`: {}", status.all()))
    }

    /// What exists: machines with their state, addresses and services, and networks.
    #[track_caller]
    pub fn machines(&self) -> BTreeMap<String, String> {
        let of = |line: Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let services = line["services"].as_array().cloned().unwrap_or_default();
            let services: Vec<_> =
                services.iter().map(|s| format!("{} {}", text(&s["name"]), text(&s["state"]))).collect();
            let rest = format!("{} {} {}", text(&line["state"]), line["addresses"], services.join(", "));
            let kind = text(&line["event"]);
            matches!(kind.as_str(), "machine" | "network")
                .then(|| (format!("{kind}:{}", text(&line["name"])), rest))
        };
        self.run(&["status", "--json"]).code(0).json().into_iter().filter_map(of).collect()
    }

    /// Which bodies of tasks ran in a machine, in their order, since it was made.
    #[track_caller]
    pub fn ran(&self, machine: &str) -> Vec<String> {
        self.exec(machine, &["cat", "/var/lib/testlab/ran"]).lines().map(str::to_owned).collect()
    }

    /// What there is of this lab in the kernel.
    pub fn footprint(&self) -> Footprint {
        let footprint = Footprint::of(&self.state());
        self.groups.borrow_mut().extend(footprint.groups.iter().cloned());
        footprint
    }

    /// What of its files has a hidden name, as what is not whole yet has; machines' own files are their own affair.
    fn unfinished(&self) -> Vec<PathBuf> {
        let (mut found, mut todo) = (Vec::new(), vec![self.state()]);
        while let Some(directory) = todo.pop() {
            for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
                let (name, path) = (entry.file_name().to_string_lossy().into_owned(), entry.path());
                if (name.starts_with('.') && name != ".carthage") || name.ends_with(".new") {
                    found.push(path);
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir())
                    && !["upper", "work", "root", "cover"].contains(&&*name)
                {
                    todo.push(path);
                }
            }
        }
        found
    }

    /// What exists, and what it takes up: two of these are equal when nothing has changed in between.
    #[track_caller]
    pub fn world(&self) -> World {
        let mut footprint = self.footprint();
        // Who was served last may take a moment to go.
        loop {
            let now = self.footprint();
            if now.processes == footprint.processes {
                return self.world_with(&footprint);
            }
            footprint = now;
        }
    }

    #[track_caller]
    fn world_with(&self, footprint: &Footprint) -> World {
        let mut processes = BTreeMap::new();
        for name in footprint.processes.values() {
            *processes.entry(name.clone()).or_default() += 1;
        }
        let mut interfaces: Vec<_> = footprint.interfaces.values().map(BTreeSet::len).collect();
        interfaces.sort_unstable();
        World { machines: self.machines(), processes, interfaces }
    }

    /// Makes sure that all is as it was then, and nothing is half-written; answers what it takes up. Who was served last, as by looking at it, may take a moment to go.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn is_as(&self, then: &World) -> Footprint {
        let deadline = Instant::now() + LONG;
        loop {
            let footprint = self.footprint();
            let now = self.world_with(&footprint);
            if now == *then || Instant::now() > deadline {
                assert_eq!(now, *then);
                assert_eq!(self.unfinished(), Vec::<PathBuf>::new(), "files are left half-written");
                return footprint;
            }
        }
    }

    /// Destroys everything, and makes sure that nothing is left of what was there.
    #[track_caller]
    pub fn destroy(&self) {
        self.destroy_all(&self.footprint());
    }

    /// Ditto, of which this is known already.
    #[track_caller]
    pub fn destroy_all(&self, footprint: &Footprint) {
        self.run(&["destroy", "--yes"]).code(0);
        self.is_clean(footprint);
    }

    /// Ends what is there without further demands, for a test that has failed and goes on with another.
    pub fn abandon(&mut self) {
        self.abandoned = true;
    }

    /// Makes sure that nothing is left of what was there.
    ///
    /// # Panics
    /// When something is left.
    #[track_caller]
    pub fn is_clean(&self, footprint: &Footprint) {
        footprint.is_gone();
        let left: Vec<_> = fs::read_dir(self.base()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "files are left");
        let groups: Vec<_> = self.groups.borrow().iter().filter(|group| group.exists()).cloned().collect();
        assert_eq!(groups, Vec::<PathBuf>::new(), "control groups are left");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.state().exists() {
            return;
        }
        let footprint = self.footprint();
        self.settings.retain(|name, _| name == "CARTHAGE_STATE_DIR");
        let ended = self.run(&["destroy", "--yes"]);
        if self.abandoned || std::thread::panicking() {
            // The test has failed; what it leaves must not disturb others.
            footprint.kill();
            return;
        }
        if !ended.status.success() {
            footprint.kill();
            panic!("what the test deployed cannot be destroyed: {}", ended.all());
        }
    }
}
