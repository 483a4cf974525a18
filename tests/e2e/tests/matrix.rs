//! Killed at every single instant at which something changes: the next run ends well, and the world is that of a run which
//! nobody killed.
//!
//! The machines are simulated, so that there is a run for each instant. `crash.rs` does some of it on real ones.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]
#![expect(clippy::print_stdout, reason = "how many instants there were is worth knowing")]

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use carthage_e2e::program;
use serde_json::Value;

/// The layout in a state directory of its own, as a test has edited it.
struct Site {
    directory: tempfile::TempDir,
    edits: &'static [(&'static str, &'static str)],
}

/// What there is, but for what each new thing is called by its maker, and for what is made by chance.
#[derive(Debug, Default, PartialEq, Eq)]
struct World {
    networks: BTreeMap<String, ()>,
    /// Whether it runs, its files, its services.
    machines: BTreeMap<String, (bool, BTreeMap<String, String>, BTreeMap<String, ()>)>,
}

const BEFORE: &[(&str, &str)] = &[];
/// A file, a service and the number of machines are others.
const AFTER: &[(&str, &str)] =
    &[("TESTLAB_TEXT", "another"), ("TESTLAB_PORT", "8081"), ("TESTLAB_WORKERS", "1")];

impl Site {
    fn new() -> Self {
        // Where nothing has to be written to a disk: a process that is killed leaves what it has written all the same.
        let memory = Path::new("/dev/shm");
        let temporary = std::env::temp_dir();
        let place = if memory.is_dir() { memory } else { &temporary };
        let directory = tempfile::Builder::new().prefix("carthage-matrix-").tempdir_in(place).unwrap();
        Self { directory, edits: BEFORE }
    }

    fn run(&self, command: &str, crash_at: Option<usize>) -> Output {
        let testlab = program::find("testlab", env!("CARGO_BIN_EXE_testlab"));
        let mut program = Command::new(testlab);
        program.env_clear().env("TESTLAB_SOURCE", "matrix").envs(self.edits.iter().copied());
        program.args([command, "--yes", "--progress", "quiet", "--parallel", "1", "--state-dir"]);
        program.arg(self.directory.path());
        program.envs(crash_at.map(|number| ("CARTHAGE_CRASH_AT", format!("#{number}"))));
        program.output().unwrap()
    }

    #[track_caller]
    fn ends_well(&self, command: &str) {
        let output = self.run(command, None);
        assert!(output.status.success(), "{command}: {output:?}");
    }

    fn world_file(&self) -> PathBuf {
        self.directory.path().join("testlab/simulated/world")
    }

    fn world(&self) -> World {
        let text = std::fs::read_to_string(self.world_file()).unwrap_or_default();
        let mut world = World::default();
        for line in text.lines() {
            let change: Value = serde_json::from_str(line).unwrap();
            let (kind, change) = change.as_object().unwrap().iter().next().unwrap();
            let word = |name: &str| change[name].as_str().unwrap_or_default().to_owned();
            let (name, machine) = (word("name"), word("machine"));
            match &**kind {
                "network" => drop(world.networks.insert(name, ())),
                "no-network" => drop(world.networks.remove(&name)),
                "machine" => {
                    let before = world.machines.insert(name.clone(), Default::default());
                    assert!(before.is_none(), "`{name}` was made twice: {text}");
                }
                "no-machine" => drop(world.machines.remove(&name)),
                "runs" => world.machines.get_mut(&name).unwrap().0 = change["runs"] == true,
                "entry" => {
                    let contents = change["entry"]["contents"].as_str().unwrap_or_default();
                    // Behind the name there is the token.
                    let contents = contents.split(' ').next().unwrap_or_default().to_owned();
                    world.machines.get_mut(&machine).unwrap().1.insert(word("path"), contents);
                }
                "service" => drop(world.machines.get_mut(&machine).unwrap().2.insert(name, ())),
                "no-service" => drop(world.machines.get_mut(&machine).unwrap().2.remove(&name)),
                other => panic!("`{other}` is not known here"),
            }
        }
        world
    }

    /// Everything is as it must be, and there is nothing to do.
    #[track_caller]
    fn is(&self, world: &World, at: usize) {
        assert_eq!(self.world(), *world, "after a kill at #{at}");
        let plan = self.run("plan", None);
        assert_eq!(plan.status.code(), Some(0), "after a kill at #{at}: {plan:?}");
        let tokens = std::fs::read_to_string(self.world_file()).unwrap();
        let tokens: std::collections::BTreeSet<_> =
            tokens.lines().filter_map(|line| Some(line.split_once("gateway ")?.1.to_owned())).collect();
        assert_eq!(tokens.len(), 1, "one token for all, after a kill at #{at}");
    }
}

/// Does something to a fresh site, killed at the first instant, the second and so on, until it is not killed any more; and each
/// time looks at what has become of it. Answers how many instants there were.
fn at_every_instant(
    kill: impl Fn(&mut Site, usize) -> Output + Sync,
    look: impl Fn(&Site, usize) + Sync,
) -> usize {
    let (next, over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let one_after_the_other = || {
        let mut killed = 0;
        while !over.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let mut site = Site::new();
            let output = kill(&mut site, at);
            if output.status.signal() == Some(9) {
                look(&site, at);
                killed += 1;
            } else {
                assert!(output.status.success(), "{output:?}");
                over.store(true, Ordering::Relaxed);
            }
        }
        killed
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one_after_the_other)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

/// The world after these edits, when nobody kills anything.
fn undisturbed(edits: &'static [(&'static str, &'static str)]) -> World {
    let mut site = Site::new();
    site.ends_well("deploy");
    site.edits = edits;
    site.ends_well("deploy");
    let world = site.world();
    assert!(world.machines.len() >= 2 && world.machines.values().all(|machine| machine.0), "{world:?}");
    world
}

#[test]
fn in_a_first_deployment() {
    let world = undisturbed(BEFORE);
    let instants = at_every_instant(
        |site, at| site.run("deploy", Some(at)),
        |site, at| {
            site.ends_well("deploy");
            site.is(&world, at);
        },
    );
    println!("killed at {instants} instants of a first deployment");
    assert!(instants > 100, "{instants}");
}

#[test]
fn in_a_change() {
    let world = undisturbed(AFTER);
    let instants = at_every_instant(
        |site, at| {
            site.ends_well("deploy");
            site.edits = AFTER;
            site.run("deploy", Some(at))
        },
        |site, at| {
            site.ends_well("deploy");
            site.is(&world, at);
        },
    );
    println!("killed at {instants} instants of a change");
    assert!(instants > 50, "{instants}");
}

#[test]
fn in_the_end() {
    let instants = at_every_instant(
        |site, at| {
            site.ends_well("deploy");
            site.run("destroy", Some(at))
        },
        |site, at| {
            site.ends_well("destroy");
            assert_eq!(site.world(), World::default(), "after a kill at #{at}");
            let left: Vec<_> = std::fs::read_dir(site.directory.path()).unwrap().collect();
            assert!(left.is_empty(), "after a kill at #{at}: {left:?}");
        },
    );
    println!("killed at {instants} instants of a destruction");
    assert!(instants > 20, "{instants}");
}

#[test]
fn in_a_first_deployment_that_is_then_taken_away() {
    at_every_instant(
        |site, at| site.run("deploy", Some(at)),
        |site, at| {
            let destroyed = site.run("destroy", None);
            assert!(destroyed.status.success(), "after a kill at #{at}: {destroyed:?}");
            assert_eq!(site.world(), World::default(), "after a kill at #{at}");
        },
    );
}
