//! Killed at every single instant at which something changes: the next run ends well, and the world is that of a run which
//! nobody killed. The same when the power was cut at that instant, and what was not synced is lost, or some of it.
//!
//! The machines are simulated, so that there is a run for each instant. `crash.rs` does some of it on real ones.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use carthage_e2e::paper::{Edits, MOVED, PaperLab, PaperWorld, undisturbed};
use carthage_e2e::program;

/// With tasks of a model, too.
const SOURCE: (&str, &str) = ("TESTLAB_SOURCE", "generating-matrix");
const BEFORE: Edits = &[SOURCE];
/// Without the model's tasks, and who read what they generate.
const WITHOUT_TASKS: Edits = &[("TESTLAB_SOURCE", "matrix")];
/// Without the model's tasks, without whom the gateway served, and without that it did.
const FEWER: Edits = &[("TESTLAB_SOURCE", "unserved-matrix")];
const AFTER: Edits =
    &[SOURCE, ("TESTLAB_TEXT", "another"), ("TESTLAB_PORT", "8081"), ("TESTLAB_WORKERS", "1")];

fn lab() -> PaperLab {
    let mut lab = PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")));
    lab.edits = BEFORE;
    lab
}

fn killed(lab: &PaperLab, command: &str, at: usize) -> Output {
    lab.command(command, &[]).env("CARTHAGE_CRASH_AT", format!("#{at}")).output().unwrap()
}

/// What is left of what was not synced when the power was cut at an instant.
#[derive(Clone, Copy)]
enum Left {
    /// Nothing at every second instant, and something at the others.
    OneOrTheOther,
    /// Something where the other had nothing.
    TheOther,
    /// At every instant nothing, and once more something.
    Both,
}

impl Left {
    fn nothing(self, at: usize) -> bool {
        match self {
            Self::OneOrTheOther => at.is_multiple_of(2),
            Self::TheOther => !at.is_multiple_of(2),
            Self::Both => true,
        }
    }

    fn something(self, at: usize) -> bool {
        matches!(self, Self::Both) || !self.nothing(at)
    }
}

/// Does something to a fresh site, killed at the first instant, the second and so on, until it is not killed any more; and each
/// time looks at what has become of it, and at what becomes of it when the power was cut at that instant. Answers how many instants
/// there were.
fn at_every_instant(
    left: Left,
    kill: impl Fn(&mut PaperLab, usize) -> Output + Sync,
    look: impl Fn(&PaperLab, &str) + Sync,
) -> usize {
    let (next, over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let one_after_the_other = || {
        let mut killed = 0;
        while !over.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let mut site = lab().may_lose_power();
            let output = kill(&mut site, at);
            if output.status.signal() == Some(9) {
                let cut = site.power_cut();
                look(&site, &format!("a kill at #{at}"));
                if left.nothing(at) {
                    site.loses_power(&cut, None);
                    look(&site, &format!("a power cut at #{at}"));
                }
                if left.something(at) {
                    site.loses_power(&cut, Some(at as u64));
                    look(&site, &format!("a power cut at #{at} that left something"));
                }
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

/// What models have generated, by their directories.
fn generated(site: &PaperLab) -> Vec<String> {
    let Ok(directories) = std::fs::read_dir(site.base().join("testlab/cache/models")) else {
        return Vec::new();
    };
    directories.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A model that has left the layout is found by the record, and so is what was half removed of it.
#[test]
fn in_a_change_with_which_a_model_leaves() {
    let world = undisturbed(lab, WITHOUT_TASKS);
    let instants = at_every_instant(
        Left::Both,
        |site, at| {
            site.ends_well("deploy");
            assert_eq!(generated(site), ["@layout"]);
            site.edits = WITHOUT_TASKS;
            killed(site, "deploy", at)
        },
        |site, after| {
            site.ends_well_after("deploy", after);
            site.is(&world, after);
            assert_eq!(generated(site), [""; 0], "after {after}");
            let plan = String::from_utf8(site.run("plan", &[]).stdout).unwrap();
            assert!(!plan.contains("model:"), "after {after}: {plan}");
        },
    );
    println!("killed at {instants} instants of a change with which a model leaves");
    assert!(instants > 20, "{instants}");
}

/// What a task has started belongs to it from the beginning, and goes with it; and so does what a model has generated.
#[test]
fn in_a_first_deployment_of_tasks_that_are_removed() {
    let with_service = AtomicUsize::new(0);
    let instants = at_every_instant(
        Left::Both,
        |site, at| {
            site.edits = &[];
            let output = killed(site, "deploy", at);
            site.edits = FEWER;
            output
        },
        |site, after| {
            let served =
                |world: &PaperWorld| world.machines.values().any(|machine| !machine.services.is_empty());
            with_service.fetch_add(served(&site.world()).into(), Ordering::Relaxed);
            site.ends_well_after("deploy", after);
            // What tasks have written stays.
            let world = site.world();
            assert!(!served(&world), "after {after}: {world:?}");
            assert_eq!(generated(site), [""; 0], "after {after}");
            assert_eq!(world.machines.into_keys().collect::<Vec<_>>(), ["gateway"], "after {after}");
            assert_eq!(site.run("plan", &[]).status.code(), Some(0), "after {after}");
        },
    );
    let with_service = with_service.into_inner();
    println!("killed at {instants} instants of a first deployment, {with_service} times with a service");
    assert!(instants > 100 && with_service > 20, "{instants} {with_service}");
}

#[test]
fn in_a_first_deployment() {
    let world = undisturbed(lab, BEFORE);
    let instants = at_every_instant(
        Left::OneOrTheOther,
        |site, at| killed(site, "deploy", at),
        |site, after| {
            site.ends_well_after("deploy", after);
            site.is(&world, after);
        },
    );
    println!("killed at {instants} instants of a first deployment");
    assert!(instants > 100, "{instants}");
}

#[test]
fn in_a_change() {
    let world = undisturbed(lab, AFTER);
    let instants = at_every_instant(
        Left::OneOrTheOther,
        |site, at| {
            site.ends_well("deploy");
            site.edits = AFTER;
            killed(site, "deploy", at)
        },
        |site, after| {
            site.ends_well_after("deploy", after);
            site.is(&world, after);
            // Of the logs, some may be gone.
            let logs = site.run("logs", &["--list"]);
            assert!(logs.status.success(), "after {after}: {logs:?}");
        },
    );
    println!("killed at {instants} instants of a change");
    assert!(instants > 50, "{instants}");
}

/// What was begun must not be taken for done by what was done before.
#[test]
fn in_a_change_that_is_then_taken_back() {
    let world = undisturbed(lab, BEFORE);
    at_every_instant(
        Left::TheOther,
        |site, at| {
            site.ends_well("deploy");
            site.edits = AFTER;
            let ended = killed(site, "deploy", at);
            site.edits = BEFORE;
            ended
        },
        |site, after| {
            site.ends_well_after("deploy", after);
            site.is(&world, after);
        },
    );
}

#[test]
fn in_a_move() {
    let plain = || {
        let mut lab = lab();
        lab.edits = &[];
        lab
    };
    let world = undisturbed(plain, MOVED);
    assert!(world.machines.contains_key("portal") && !world.machines.contains_key("gateway"));
    let instants = at_every_instant(
        Left::OneOrTheOther,
        |site, at| {
            site.edits = &[];
            site.ends_well("deploy");
            site.edits = MOVED;
            killed(site, "deploy", at)
        },
        |site, after| {
            site.ends_well_after("deploy", after);
            site.is(&world, after);
        },
    );
    println!("killed at {instants} instants of a move");
    assert!(instants > 50, "{instants}");
}

/// Stamps and kept values of machines that change places are each one's own, whenever that is ended.
#[test]
fn in_a_change_of_places() {
    const BEFORE: Edits = &[("TESTLAB_SOURCE", "desks")];
    const AFTER: Edits = &[("TESTLAB_SOURCE", "swapped-desks"), ("TESTLAB_TEXT", "another")];
    let world = undisturbed(lab, AFTER);
    let instants = at_every_instant(
        Left::Both,
        |site, at| {
            site.edits = BEFORE;
            site.ends_well("deploy");
            site.edits = AFTER;
            killed(site, "deploy", at)
        },
        |site, after| {
            // Who only looks finds all that has run.
            let plan = site.run("plan", &[]);
            let steps = String::from_utf8_lossy(&plan.stdout);
            assert!(
                plan.status.code() <= Some(2) && !steps.contains("sealed.count"),
                "after {after}: {plan:?}"
            );
            site.ends_well_after("deploy", after);
            assert_eq!(site.world(), world, "after {after}");
        },
    );
    println!("killed at {instants} instants of a change of places");
    assert!(instants > 10, "{instants}");
}

#[test]
fn in_the_end() {
    let instants = at_every_instant(
        Left::Both,
        |site, at| {
            site.ends_well("deploy");
            killed(site, "destroy", at)
        },
        |site, after| {
            site.ends_well_after("destroy", after);
            assert_eq!(site.world(), PaperWorld::default(), "after {after}");
            let left: Vec<_> = std::fs::read_dir(site.base()).unwrap().collect();
            assert!(left.is_empty(), "after {after}: {left:?}");
        },
    );
    println!("killed at {instants} instants of a destruction");
    assert!(instants > 20, "{instants}");
}

#[test]
fn in_a_first_deployment_that_is_then_taken_away() {
    at_every_instant(
        Left::TheOther,
        |site, at| killed(site, "deploy", at),
        |site, after| {
            site.ends_well_after("destroy", after);
            assert_eq!(site.world(), PaperWorld::default(), "after {after}");
        },
    );
}

#[test]
fn when_a_run_has_ended_a_power_cut_takes_nothing_away() {
    let world = undisturbed(lab, AFTER);
    let mut site = lab().may_lose_power();
    site.ends_well("deploy");
    site.edits = AFTER;
    site.ends_well("deploy");
    let cut = site.power_cut();
    for seed in std::iter::once(None).chain((0..8).map(Some)) {
        site.loses_power(&cut, seed);
        site.is(&world, &format!("a power cut, seed {seed:?}"));
    }
}

/// A check that sees the first of what a task does takes it for done, unless its stamp says that it was begun: also after a power cut.
#[test]
fn what_a_check_takes_for_done_is_done_wholly() {
    let mut site = lab().may_lose_power();
    site.edits = &[("TESTLAB_SOURCE", "checked")];
    let output = site.command("deploy", &[]).env("CARTHAGE_CRASH_AT", "between-both").output().unwrap();
    assert_eq!(output.status.signal(), Some(9), "{output:?}");
    let cut = site.power_cut();
    site.loses_power(&cut, None);
    let files = |site: &PaperLab| site.world().machines["keeper"].files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(files(&site), ["/first"]);
    site.ends_well("deploy");
    assert_eq!(files(&site), ["/first", "/second"]);
}
