//! Killed at every single instant at which something changes: the next run ends well, and the world is that of a run which
//! nobody killed.
//!
//! The machines are simulated, so that there is a run for each instant. `crash.rs` does some of it on real ones.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::os::unix::process::ExitStatusExt;
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use carthage_e2e::paper::{Edits, PaperLab, PaperWorld, undisturbed};
use carthage_e2e::program;

/// With tasks of a model, too.
const SOURCE: (&str, &str) = ("TESTLAB_SOURCE", "generating-matrix");
const BEFORE: Edits = &[SOURCE];
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

/// Does something to a fresh site, killed at the first instant, the second and so on, until it is not killed any more; and each
/// time looks at what has become of it. Answers how many instants there were.
fn at_every_instant(
    kill: impl Fn(&mut PaperLab, usize) -> Output + Sync,
    look: impl Fn(&PaperLab, usize) + Sync,
) -> usize {
    let (next, over) = (AtomicUsize::new(1), AtomicBool::new(false));
    let one_after_the_other = || {
        let mut killed = 0;
        while !over.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let mut site = lab();
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

#[test]
fn in_a_first_deployment() {
    let world = undisturbed(lab, BEFORE);
    let instants = at_every_instant(
        |site, at| killed(site, "deploy", at),
        |site, at| {
            site.ends_well("deploy");
            site.is(&world, &format!("a kill at #{at}"));
        },
    );
    println!("killed at {instants} instants of a first deployment");
    assert!(instants > 100, "{instants}");
}

#[test]
fn in_a_change() {
    let world = undisturbed(lab, AFTER);
    let instants = at_every_instant(
        |site, at| {
            site.ends_well("deploy");
            site.edits = AFTER;
            killed(site, "deploy", at)
        },
        |site, at| {
            site.ends_well("deploy");
            site.is(&world, &format!("a kill at #{at}"));
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
            killed(site, "destroy", at)
        },
        |site, at| {
            site.ends_well("destroy");
            assert_eq!(site.world(), PaperWorld::default(), "after a kill at #{at}");
            let left: Vec<_> = std::fs::read_dir(site.base()).unwrap().collect();
            assert!(left.is_empty(), "after a kill at #{at}: {left:?}");
        },
    );
    println!("killed at {instants} instants of a destruction");
    assert!(instants > 20, "{instants}");
}

#[test]
fn in_a_first_deployment_that_is_then_taken_away() {
    at_every_instant(
        |site, at| killed(site, "deploy", at),
        |site, at| {
            let destroyed = site.run("destroy", &[]);
            assert!(destroyed.status.success(), "after a kill at #{at}: {destroyed:?}");
            assert_eq!(site.world(), PaperWorld::default(), "after a kill at #{at}");
        },
    );
}
