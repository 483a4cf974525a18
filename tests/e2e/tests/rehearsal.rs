//! Rehearsals: nothing is made or kept, what goes wrong is what was asked for, and deploying again mends it.

use std::process::Output;

use carthage_e2e::paper::{BEFORE, PaperLab, PaperWorld, undisturbed};
use carthage_e2e::program;

fn lab() -> PaperLab {
    PaperLab::new(program::find("testlab", env!("CARGO_BIN_EXE_testlab")))
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_rehearsal_leaves_nothing_real() {
    let lab = lab();
    let rehearsed = lab.run("deploy", &["--simulate", "1"]);
    assert_eq!(rehearsed.status.code(), Some(0), "{rehearsed:?}");
    assert_eq!(lab.world(), PaperWorld::default());
    let kept: Vec<_> =
        std::fs::read_dir(lab.base()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(kept, ["simulated"]);
    assert_eq!(lab.run("plan", &["--simulate", "1"]).status.code(), Some(0));
    assert_eq!(lab.run("plan", &[]).status.code(), Some(2));
    assert!(lab.run("destroy", &["--simulate", "1"]).status.success());
}

#[test]
fn without_a_directory_it_is_forgotten() {
    let lab = lab();
    let temporary = lab.base().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let mut rehearse = std::process::Command::new(lab.command("deploy", &[]).get_program());
    rehearse.env_clear().env("TESTLAB_SOURCE", "matrix").env("TMPDIR", &temporary);
    let rehearsed = rehearse.args(["deploy", "--yes", "--simulate", "1"]).output().unwrap();
    assert!(rehearsed.status.success(), "{rehearsed:?}");
    assert!(text(&rehearsed).contains("the machines are simulated"), "{rehearsed:?}");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

/// Nobody waits for an hour here, nor for ever in the real world.
#[test]
fn what_hangs_is_given_up_and_stops_only_what_needs_it() {
    let lab = lab();
    let begun = std::time::Instant::now();
    let one = lab.run("deploy", &["--simulate", "1", "--fault", "start:worker-1=hang"]);
    assert_eq!(one.status.code(), Some(3), "{one:?}");
    assert!(text(&one).contains("cannot start `worker-1`"), "{one:?}");
    assert!(text(&one).contains("it was not done after 1h"), "{one:?}");
    assert!(text(&one).contains("10 done, 1 failed"), "{one:?}");
    assert!(begun.elapsed().as_secs() < 600);
    let first = lab.run("destroy", &["--simulate", "1"]);
    assert!(first.status.success(), "{first:?}");
    let all = lab.run("deploy", &["--simulate", "1", "--fault", "create:gateway=hang"]);
    assert!(text(&all).contains("`machine:gateway` did not succeed"), "{all:?}");
}

#[test]
fn a_task_is_tried_again_as_often_and_as_long_as_it_says() {
    let failing = |fault: &str| lab().command("deploy", &["--simulate", "1", "--fault", fault]).output();
    let twice = failing("run:worker-1=fail#1").unwrap();
    assert!(twice.status.success(), "{twice:?}");
    assert!(text(&twice).contains("try 1 of 3 failed"), "{twice:?}");
    let never = failing("run:worker-1=hang").unwrap();
    assert_eq!(never.status.code(), Some(3), "{never:?}");
    assert!(
        text(&never).contains("try 2 of 3 failed: it was not done after 30s; once more in 2s"),
        "{never:?}"
    );
    assert!(text(&never).contains("task `join.join` of `worker-1` failed"), "{never:?}");
}

#[test]
fn faults_that_make_no_sense_are_refused() {
    let lab = lab();
    let wrong = lab.run("deploy", &["--simulate", "1", "--fault", "strat:web=fail"]);
    assert_eq!(wrong.status.code(), Some(64), "{wrong:?}");
    let alone = lab.run("deploy", &["--fault", "start:web=fail"]);
    assert_eq!(alone.status.code(), Some(64), "{alone:?}");
    assert!(text(&alone).contains("--simulate"), "{alone:?}");
}

/// Whatever goes wrong by chance: deploying again, when nothing does, ends in the world that it would have been.
#[test]
fn deploying_again_mends_what_went_wrong() {
    let world = undisturbed(lab, BEFORE);
    let mut went_wrong = 0;
    for fault in ["*=fail%8", "*=half%8", "*=lose%8", "find:*=lie%20"] {
        for seed in 0..12 {
            let lab = lab();
            // The layout's own implementation is a simulation, which takes the faults; with `--simulate`, it would be another world.
            let struck = lab.run("deploy", &["--simulate", &seed.to_string(), "--fault", fault]);
            went_wrong += usize::from(!struck.status.success());
            let mended = lab.run("deploy", &["--simulate", &seed.to_string()]);
            assert!(mended.status.success(), "{fault} of seed {seed}: {}\n{}", text(&struck), text(&mended));
            assert_eq!(lab.rehearsed(), world, "{fault} of seed {seed}");
        }
    }
    assert!(went_wrong > 20, "{went_wrong} of 48");
}
