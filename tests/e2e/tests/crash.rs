//! Killed at any instant, the next run carries on: the same machines, nothing doubled, nothing left after `destroy`.

use std::os::unix::process::ExitStatusExt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use carthage_e2e::lab::World;
use carthage_e2e::{Ended, Lab, lab};
use rustix::process::Signal;

/// What a deployment that nobody killed looks like: machines, networks, and what they take up. A machine has its first process,
/// and a supervisor for each of its services; the keeper has an end of every link and a bridge for every network.
fn whole() -> World {
    let machines = [
        ("machine:server.test", "running [\"10.61.0.2/24\"] site.serve running"),
        ("machine:vault.test", "running [\"10.62.0.5/24\"] daemons.spawned running"),
        ("machine:worker-1.test", "running [\"10.61.0.5/24\"] "),
        ("machine:worker-2.test", "running [\"10.61.0.6/24\"] "),
        ("network:site.back", "running null "),
        ("network:site.front", "running null "),
    ];
    let processes = [
        ("carthage-keeper", 1),
        ("server", 2),
        ("sleep", 1),
        ("testlab-page", 1),
        ("vault", 2),
        ("worker-1", 1),
        ("worker-2", 1),
    ];
    World {
        machines: machines.map(|(thing, state)| (thing.to_owned(), state.to_owned())).into(),
        processes: processes.map(|(name, count)| (name.to_owned(), count)).into(),
        interfaces: vec![2, 2, 2, 2, 1 + 2 + 4],
    }
}

#[track_caller]
fn is_whole(lab: &Lab) {
    lab.is_as(&whole());
    let status = lab.run(&["status", "--json"]).code(0).event("status");
    assert_eq!(status["unfinished"], serde_json::json!([]), "{status}");
    // Everything works, not only exists.
    lab.exec("worker-2", &["/usr/local/bin/testlab-page", "fetch", "server", "8080"]);
    lab.run(&["plan"]).code(0);
}

#[track_caller]
fn was_killed(ended: &Ended) {
    assert_eq!(ended.status.signal(), Some(9), "{}", ended.all());
}

/// Deploys and is killed there; one thing at a time, so that it is always the same one.
fn killed(lab: &mut Lab, command: &str, point: &str) {
    lab.set("CARTHAGE_CRASH_AT", point);
    was_killed(&lab.run(&[command, "--yes", "--parallel", "1"]));
    lab.unset("CARTHAGE_CRASH_AT");
    // Who only looks is not troubled, and nobody holds the layout.
    lab.run(&["status"]).code(0);
    lab.run(&["plan"]).code(2);
}

/// Killed in a first deployment, which the next one finishes; and killed in a first deployment that is then taken away.
fn in_deploy(test: &str, point: &str, bodies_of_index: usize) {
    let Some(mut lab) = Lab::new(test, &carthage_e2e::programs!()) else { return };
    killed(&mut lab, "deploy", point);
    lab.deploy();
    is_whole(&lab);
    let index = lab.ran("server").iter().filter(|body| *body == "site.index").count();
    assert_eq!(index, bodies_of_index, "how often the body of the first task ran");
    lab.destroy();

    killed(&mut lab, "deploy", point);
    lab.destroy();
}

macro_rules! in_deploy {
    ($($name:ident: $point:literal, $bodies:literal;)*) => {$(
        #[test]
        fn $name() {
            in_deploy(stringify!($name), $point, $bodies);
        }
    )*};
}

in_deploy! {
    when_the_run_has_begun: "run-begun", 1;
    when_addresses_are_assigned: "addresses-assigned", 1;
    when_a_network_is_announced: "network-announced", 1;
    when_a_network_is_made_but_not_recorded: "network-made-unrecorded", 1;
    when_a_network_is_recorded: "network-recorded", 1;
    when_a_machine_is_made_but_not_recorded: "machine-made-unrecorded", 1;
    when_a_machine_is_recorded: "machine-recorded", 1;
    when_a_machine_is_started_but_not_settled: "machine-started-unsettled", 1;
    when_a_machine_is_started: "machine-started", 1;
    when_a_machine_is_introduced: "machine-introduced", 1;
    when_a_task_has_lost_its_stamp: "task-unstamped", 1;
    in_the_body_of_a_task: "task-body", 2;
    when_a_task_has_ended_but_is_not_stamped: "task-ended-unstamped", 2;
    when_a_task_is_stamped: "task-stamped", 1;
}

#[test]
fn in_the_body_of_a_task_that_ran_before() {
    let mut lab = lab!();
    lab.deploy();
    lab.set("TESTLAB_TEXT", "other");
    killed(&mut lab, "deploy", "task-body");
    // Also when the edit is taken back: nobody knows how far the body came.
    lab.unset("TESTLAB_TEXT");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert_eq!(plan[0], "run task:server.test/site.index: was interrupted in run 2");
    assert_eq!(lab.deploy().done(), plan);
    is_whole(&lab);
    assert_eq!(lab.ran("server").iter().filter(|body| *body == "site.index").count(), 3);
}

#[test]
fn when_a_machine_is_removed_but_it_is_not_recorded() {
    let mut lab = lab!();
    lab.deploy();
    let footprint = lab.footprint();
    killed(&mut lab, "destroy", "machine-removed-unrecorded");
    let plan = lab.run(&["plan", "--json"]).code(2).steps();
    assert!(plan[0].ends_with("it was removed from outside"), "{plan:?}");
    lab.deploy();
    is_whole(&lab);
    killed(&mut lab, "destroy", "machine-removed-unrecorded");
    lab.destroy();
    lab.is_clean(&footprint);
}

#[test]
fn when_a_machine_that_left_the_layout_is_removed() {
    let mut lab = lab!();
    lab.deploy();
    lab.set("TESTLAB_SOURCE", "fewer");
    killed(&mut lab, "deploy", "machine-removed-unrecorded");
    lab.deploy();
    lab.run(&["plan"]).code(0);
    let left: Vec<_> = lab.machines().into_keys().collect();
    assert!(!left.contains(&"machine:worker-2.test".to_owned()), "{left:?}");
    lab.unset("TESTLAB_SOURCE");
    lab.deploy();
    is_whole(&lab);
}

/// Has `dies_at` run on a lab of its own at the tenth instant, the twentieth and so on, until it is not killed there any more. Answers
/// how many instants there were; `None` when the host can make no sandboxes.
fn at_every_tenth_instant(test: &str, dies_at: impl Fn(&mut Lab, &str) -> bool + Sync) -> Option<usize> {
    let (next, over) = (AtomicUsize::new(10), AtomicBool::new(false));
    let one_after_the_other = || {
        let mut killed = 0;
        while !over.load(Ordering::Relaxed) {
            let at = format!("#{}", next.fetch_add(10, Ordering::Relaxed));
            match dies_at(&mut Lab::new(test, &carthage_e2e::programs!())?, &at) {
                true => killed += 1,
                false => over.store(true, Ordering::Relaxed),
            }
        }
        Some(killed)
    };
    // What fails in a thread fails the test.
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(one_after_the_other)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|killed| killed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    })
}

/// Runs this, to be killed at that instant; answers whether it was, and otherwise it has ended well.
fn dies(lab: &mut Lab, command: &str, at: &str) -> bool {
    lab.set("CARTHAGE_CRASH_AT", at);
    let ended = lab.run(&[command, "--yes", "--parallel", "1"]);
    lab.unset("CARTHAGE_CRASH_AT");
    ended.status.signal() == Some(9) || !ended.code(0).status.success()
}

#[test]
fn at_every_tenth_instant_of_a_deployment() {
    let instants = at_every_tenth_instant("at_every_tenth_instant_of_a_deployment", |lab, at| {
        let killed = dies(lab, "deploy", at);
        lab.deploy();
        lab.is_as(&whole());
        lab.run(&["plan"]).code(0);
        lab.destroy();
        killed
    });
    assert!(instants.is_none_or(|instants| instants > 10), "{instants:?}");
}

#[test]
fn at_every_tenth_instant_of_a_destruction() {
    let instants = at_every_tenth_instant("at_every_tenth_instant_of_a_destruction", |lab, at| {
        lab.deploy();
        let footprint = lab.footprint();
        let killed = dies(lab, "destroy", at);
        lab.run(&["destroy", "--yes"]).code(0);
        lab.is_clean(&footprint);
        killed
    });
    assert!(instants.is_none_or(|instants| instants > 2), "{instants:?}");
}

#[test]
fn at_random_moments() {
    let mut lab = lab!();
    let seed = std::env::var("CARTHAGE_E2E_SEED")
        .ok()
        .map_or_else(|| fastrand::u64(..), |seed| seed.parse().unwrap());
    // Shown when the test fails: the same moments again with CARTHAGE_E2E_SEED.
    println!("CARTHAGE_E2E_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..12 {
        let edit = if round % 3 == 2 { "fewer" } else { "base" };
        lab.set("TESTLAB_SOURCE", edit);
        let command = if round % 4 == 3 { "destroy" } else { "deploy" };
        let run = lab.start(&[command, "--yes"]);
        // A moment, not a condition: this is when it dies.
        std::thread::sleep(Duration::from_millis(random.u64(0..700)));
        run.signal(Signal::KILL);
        let ended = run.ended();
        assert!(ended.status.signal() == Some(9) || ended.status.success(), "{}", ended.all());
    }
    lab.set("TESTLAB_SOURCE", "base");
    lab.deploy();
    is_whole(&lab);
    lab.destroy();
}
