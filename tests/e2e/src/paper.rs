//! A layout of simulated machines under test, and what there is of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::paper_world::changes;
pub use crate::paper_world::{PaperMachine, PaperWorld};
use crate::power::{Disk, Trace};

/// The layout in a state directory of its own, as a test has edited it.
pub struct PaperLab {
    directory: tempfile::TempDir,
    testlab: PathBuf,
    /// Whether what is no longer in the layout goes with a deployment, from now on: most tests are about all that changes.
    pub prunes: bool,
    /// How the source is edited, from now on.
    pub edits: Edits,
    /// Where it is written down what is done to the storage, from now on.
    trace: Option<tempfile::NamedTempFile>,
}

/// A site as it was at an instant, but for what was not synced.
pub struct PowerCut {
    disk: Disk,
    world: Option<Vec<u8>>,
}

/// Settings of the layout, as if its source had been edited.
pub type Edits = &'static [(&'static str, &'static str)];

/// As it is in the source.
pub const BEFORE: Edits = &[];
/// A file, a service and the number of machines are others.
pub const AFTER: Edits = &[("TESTLAB_TEXT", "another"), ("TESTLAB_PORT", "8081"), ("TESTLAB_WORKERS", "1")];

/// What has another name in the source is kept.
pub const MOVED: Edits = &[("TESTLAB_SOURCE", "moved-matrix"), ("TESTLAB_PORT", "8081")];

impl PaperLab {
    /// A fresh one, for this program.
    ///
    /// # Panics
    /// When there is no place for it.
    pub fn new(testlab: PathBuf) -> Self {
        // Where nothing has to be written to a disk: a process that is killed leaves what it has written all the same.
        let memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let place = if memory.is_dir() { memory } else { &temporary };
        let directory = tempfile::Builder::new().prefix("carthage-matrix-").tempdir_in(place).unwrap();
        Self { directory, testlab, prunes: true, edits: BEFORE, trace: None }
    }

    /// Notes what is done to the storage from now on, so that the power can be cut.
    ///
    /// # Panics
    /// When there is no place for it.
    pub fn may_lose_power(mut self) -> Self {
        self.trace = Some(tempfile::NamedTempFile::new_in(self.base().parent().unwrap()).unwrap());
        self
    }

    /// Notes what is on the disk now, and from now on nothing more.
    ///
    /// # Panics
    /// When that was never noted.
    pub fn power_cut(&mut self) -> PowerCut {
        let trace = self.trace.take().unwrap();
        PowerCut {
            disk: Trace::read(trace.path()).replay(self.base()),
            world: std::fs::read(self.world_file()).ok(),
        }
    }

    /// Makes it be as after that power cut, in which the simulated world lost nothing. Of what was not synced all is lost, or, with a
    /// seed, some.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn loses_power(&self, cut: &PowerCut, seed: Option<u64>) {
        cut.disk.lose_power(self.base(), seed.map(fastrand::Rng::with_seed));
        if let Some(world) = &cut.world {
            let file = self.world_file();
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, world).unwrap();
        }
    }

    /// Where everything is.
    pub fn base(&self) -> &Path {
        self.directory.path()
    }

    /// The program, in a clean environment.
    pub fn command(&self, command: &str, arguments: &[&str]) -> Command {
        let mut program = Command::new(&self.testlab);
        program.env_clear().env("TESTLAB_SOURCE", "matrix").envs(self.edits.iter().copied());
        program.args([command, "--yes", "--progress", "quiet", "--parallel", "1", "--state-dir"]);
        program.arg(self.base()).args(arguments);
        program.envs(self.trace.iter().map(|trace| ("CARTHAGE_STORAGE_TRACE", trace.path())));
        if self.prunes && matches!(command, "plan" | "deploy") && !arguments.contains(&"--plan") {
            program.arg("--prune");
        }
        program
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, command: &str, arguments: &[&str]) -> Output {
        self.command(command, arguments).output().unwrap()
    }

    /// Runs it, expecting that it succeeds.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn ends_well(&self, command: &str) {
        self.ends_well_after(command, "nothing");
    }

    /// Runs it, expecting that it succeeds.
    ///
    /// # Panics
    /// When it does not; with what happened before.
    #[track_caller]
    pub fn ends_well_after(&self, command: &str, after: &str) {
        let output = self.run(command, &[]);
        assert!(output.status.success(), "{command} after {after}: {output:?}");
    }

    fn world_file(&self) -> PathBuf {
        self.base().join("testlab/simulated/world")
    }

    /// What there is in a rehearsal.
    pub fn rehearsed(&self) -> PaperWorld {
        read(&self.base().join("simulated/testlab/simulated/world"))
    }

    /// What there is.
    ///
    /// # Panics
    /// When a thing was made that was there already, or the file cannot be read.
    pub fn world(&self) -> PaperWorld {
        read(&self.world_file())
    }

    /// Everything is as it must be, and there is nothing to do.
    ///
    /// # Panics
    /// When it is not; with what happened before.
    #[track_caller]
    pub fn is(&self, world: &PaperWorld, after: &str) {
        assert_eq!(self.world(), *world, "after {after}");
        let plan = self.run("plan", &[]);
        assert_eq!(plan.status.code(), Some(0), "after {after}: {plan:?}");
        let tokens = std::fs::read_to_string(self.world_file()).unwrap();
        // What comes after the name of what is joined, which may have got another one.
        let token = |line: &str| {
            let after = |name| line.split_once(name).map(|(_, token)| token.to_owned());
            ["gateway ", "portal "].into_iter().find_map(after)
        };
        let tokens: BTreeSet<_> = tokens.lines().filter_map(token).collect();
        assert_eq!(tokens.len(), 1, "one token for all, after {after}");
    }
}

/// A world, out of its file.
fn read(path: &Path) -> PaperWorld {
    let changes = changes(path);
    let mut made = BTreeSet::new();
    for (kind, change) in &changes {
        let name = change["name"].as_str().unwrap_or_default();
        match &**kind {
            "machine" => assert!(made.insert(name), "`{name}` was made twice: {changes:?}"),
            "no-machine" => drop(made.remove(name)),
            "renamed" if made.remove(name) => made.extend(change["to"].as_str()),
            _ => {}
        }
    }
    PaperWorld::after(&changes).without_chance()
}

/// The world after these edits, when nobody kills anything.
///
/// # Panics
/// When something is wrong already.
pub fn undisturbed(fresh: impl Fn() -> PaperLab, edits: Edits) -> PaperWorld {
    let mut site = fresh();
    site.ends_well("deploy");
    site.edits = edits;
    site.ends_well("deploy");
    let world = site.world();
    assert!(world.machines.len() >= 2 && world.machines.values().all(|machine| machine.runs), "{world:?}");
    world
}
