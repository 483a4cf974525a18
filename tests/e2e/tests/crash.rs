//! Killed at any instant, the next run carries on: the same machines, nothing doubled, nothing left after `destroy`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test ends where something is not as it must be, and says how much it has tried"
)]

use std::os::unix::process::ExitStatusExt;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;
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

/// Who is killed, as `CARTHAGE_CRASH_AT` has it, and whether that has happened when the program has ended.
#[derive(Clone, Copy)]
enum Who {
    Run,
    Keeper,
    FirstProcess,
}

impl Who {
    fn at(self, instant: usize) -> String {
        match self {
            Self::Run => format!("#{instant}"),
            Self::Keeper => format!("keeper:#{instant}"),
            Self::FirstProcess => format!("machine:#{instant}"),
        }
    }

    /// Runs this, in which he is to be killed at that instant; answers whether he was, and otherwise it has ended well.
    #[track_caller]
    fn dies(self, lab: &mut Lab, command: &str, instant: usize) -> bool {
        lab.set("CARTHAGE_CRASH_AT", self.at(instant));
        let ended = lab.run(&[command, "--yes", "--parallel", "1"]);
        lab.unset("CARTHAGE_CRASH_AT");
        match self {
            Self::Run => ended.status.signal() == Some(9) || !ended.code(0).status.success(),
            // It has been mended in the same run, or not.
            Self::Keeper => !ended.status.success() || !has_its_first_keeper(lab),
            Self::FirstProcess => !ended.status.success(),
        }
    }
}

/// Whether there is a keeper that was started with the variable: only the first is.
fn has_its_first_keeper(lab: &Lab) -> bool {
    let variables = |pid| std::fs::read_to_string(format!("/proc/{pid}/environ"));
    // One that has ended meanwhile has none.
    let first = |pid| variables(pid).is_ok_and(|variables| variables.contains("CARTHAGE_CRASH_AT"));
    let processes = lab.footprint().processes;
    processes.iter().any(|(process, name)| name == "carthage-keeper" && first(process.pid))
}

/// Has `dies_at` run on a lab of its own at the tenth instant, the twentieth and so on, until nobody is killed there any more; at how
/// many others, `CARTHAGE_CRASH_EVERY` can say. What fails at one instant is told, and does not keep the others from being tried.
fn at_every_tenth_instant(
    test: &str,
    of: &str,
    least: usize,
    dies_at: impl Fn(&mut Lab, usize) -> bool + Sync,
) {
    at_every(10, test, of, least, dies_at);
}

/// After so many failures there is no need of more.
const ENOUGH: usize = 5;
/// Nothing takes so many steps.
const MOST_INSTANTS: usize = 5000;

fn at_every(
    step: usize,
    test: &str,
    of: &str,
    least: usize,
    dies_at: impl Fn(&mut Lab, usize) -> bool + Sync,
) {
    let step = std::env::var("CARTHAGE_CRASH_EVERY").map_or(step, |every| every.parse().unwrap());
    let (next, over) = (AtomicUsize::new(step), AtomicBool::new(false));
    let (killed, failed, tried) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicBool::new(false));
    let one_after_the_other = || {
        while !over.load(Ordering::Relaxed) {
            let at = next.fetch_add(step, Ordering::Relaxed);
            let Some(mut lab) = Lab::new(test, &carthage_e2e::programs!()) else { return };
            tried.store(true, Ordering::Relaxed);
            match std::panic::catch_unwind(AssertUnwindSafe(|| dies_at(&mut lab, at))) {
                Ok(true) if at < MOST_INSTANTS => drop(killed.fetch_add(1, Ordering::Relaxed)),
                Ok(is_killed) => {
                    over.store(true, Ordering::Relaxed);
                    assert!(!is_killed, "{of} does not come to its end");
                }
                Err(_) => {
                    lab.abandon();
                    let mut failed = failed.lock().unwrap();
                    failed.push(at);
                    over.fetch_or(failed.len() >= ENOUGH, Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(one_after_the_other))));
    let (killed, failed) = (killed.into_inner(), failed.into_inner().unwrap());
    println!("killed at {killed} instants of {of}, one in {step}");
    assert_eq!(failed, Vec::<usize>::new(), "{of}: instants after which the next run did not end well");
    // Without sandboxes, nothing was tried.
    assert!(!tried.into_inner() || killed * step > least, "{of}: {killed}");
}

#[test]
fn at_every_tenth_instant_of_a_deployment_and_of_a_destruction() {
    let (test, ends) = ("at_every_tenth_instant_of_a_deployment_and_of_a_destruction", AtomicUsize::new(0));
    at_every_tenth_instant(test, "a deployment", 200, |lab, at| {
        let killed = Who::Run.dies(lab, "deploy", at);
        lab.deploy();
        let footprint = lab.is_as(&whole());
        lab.run(&["plan"]).code(0);
        ends.fetch_add(usize::from(Who::Run.dies(lab, "destroy", at)), Ordering::Relaxed);
        lab.destroy_all(&footprint);
        killed
    });
    println!("killed at {} instants of a destruction", ends.into_inner());
}

/// A machine is started anew with other limits, another root and another service, one is renamed; one comes and one goes, with
/// their networks.
fn turn_round(lab: &mut Lab) {
    lab.set("TESTLAB_SOURCE", "turned");
    lab.deploy();
    lab.set("TESTLAB_SOURCE", "turned-round");
}

/// What exists after [`turn_round`] when nobody was killed; `None` if the host cannot make it.
fn turned_round(test: &str) -> Option<World> {
    let mut lab = Lab::new(test, &carthage_e2e::programs!())?;
    turn_round(&mut lab);
    lab.deploy();
    Some(lab.world())
}

#[test]
fn at_every_tenth_instant_of_a_change() {
    let test = "at_every_tenth_instant_of_a_change";
    let Some(world) = turned_round(test) else { return };
    at_every_tenth_instant(test, "a change", 100, |lab, at| {
        turn_round(lab);
        let killed = Who::Run.dies(lab, "deploy", at);
        lab.deploy();
        let footprint = lab.is_as(&world);
        lab.run(&["plan"]).code(0);
        lab.destroy_all(&footprint);
        killed
    });
}

/// It dies in a first deployment, or later in a change by a run that did not start it.
#[test]
fn at_some_instants_of_a_keeper() {
    let test = "at_some_instants_of_a_keeper";
    let Some(world) = turned_round(test) else { return };
    at_every(20, test, "a keeper", 30, |lab, at| {
        lab.set("TESTLAB_SOURCE", "turned");
        let mut killed = Who::Keeper.dies(lab, "deploy", at);
        lab.set("TESTLAB_SOURCE", "turned-round");
        if !killed {
            let ended = lab.run(&["deploy", "--yes"]);
            killed = !ended.status.success() || !has_its_first_keeper(lab);
        }
        lab.deploy();
        let footprint = lab.is_as(&world);
        lab.run(&["plan"]).code(0);
        lab.destroy_all(&footprint);
        killed
    });
}

#[test]
fn at_some_instants_of_a_first_process() {
    let test = "at_some_instants_of_a_first_process";
    at_every(20, test, "the first process of a machine", 10, |lab, at| {
        let killed = Who::FirstProcess.dies(lab, "deploy", at);
        lab.deploy();
        let footprint = lab.is_as(&whole());
        lab.run(&["plan"]).code(0);
        lab.destroy_all(&footprint);
        killed
    });
}

/// The keeper dies half-way through its work, and with it all machines; what it had begun is not in the way of the next one.
#[test]
fn when_the_keeper_dies_half_way_through_plugging_a_link() {
    let mut lab = lab!();
    lab.set("CARTHAGE_CRASH_AT", "keeper:link-laid");
    let ended = lab.run(&["deploy", "--yes", "--parallel", "1"]).code(3);
    ended.says("cannot start the machine `server.test`");
    lab.unset("CARTHAGE_CRASH_AT");
    lab.deploy();
    is_whole(&lab);
    lab.destroy();
}

#[test]
fn when_the_keeper_dies_in_a_destruction() {
    let names = ["machine-told-to-end", "machine-ended", "interface-removed", "network-down", "keeper-left"];
    for name in names {
        let mut lab = lab!();
        lab.set("CARTHAGE_CRASH_AT", format!("keeper:{name}"));
        lab.deploy();
        assert!(has_its_first_keeper(&lab), "what is meant for it is not handed on");
        lab.unset("CARTHAGE_CRASH_AT");
        let footprint = lab.footprint();
        lab.run(&["destroy", "--yes"]);
        lab.run(&["destroy", "--yes"]).code(0);
        lab.is_clean(&footprint);
    }
}

/// A machine dies while a file is put into its place.
#[test]
fn when_a_machine_dies_in_the_middle_of_a_request() {
    let mut lab = lab!();
    lab.set("CARTHAGE_CRASH_AT", "machine:file-named");
    lab.run(&["deploy", "--yes", "--parallel", "1"]).code(3).says("does not answer");
    lab.unset("CARTHAGE_CRASH_AT");
    // Whoever serves a request there dies each time, as long as the machine lives.
    rustix::process::kill_process(lab.footprint().process("server"), Signal::KILL).unwrap();
    lab.deploy();
    is_whole(&lab);
    let left = lab.exec("server", &["find", "/srv/testlab", "-name", ".*"]);
    assert_eq!(left, "", "half of a file is left");
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
