//! The plan is the truth: over random layouts, worlds and changes to both, what a deployment did is what its plan said.
//!
//! A seed decides about a story: machines of several kinds come and go, change their kind, their inputs change, somebody kills or
//! removes machines from outside, things go wrong. After each turn there is a plan, then a deployment, and both are compared with
//! each other and with what really happened in the simulated world.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod layout;
mod story;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use carthage::deploy::{Access, Action, Deployment, Options, Plan, Report, Skip, Step};
use carthage::machine::engine::Rehearsal;
use layout::{OtherImage, OtherLinks, Paper};
use story::Story;
use world::World;

/// How many stories there are, of how many turns each.
const STORIES: u64 = 300;
const TURNS: usize = 7;

/// What was compared.
#[derive(Debug, Default)]
struct Tally {
    plans: AtomicU64,
    empty: AtomicU64,
    struck: AtomicU64,
    /// Steps, by what is done.
    steps: Mutex<BTreeMap<&'static str, usize>>,
}

impl Tally {
    fn add(counter: &AtomicU64, number: usize) {
        counter.fetch_add(number as u64, Ordering::Relaxed);
    }
}

#[test]
fn what_is_done_is_what_the_plan_said() {
    let (next, tally) = (AtomicU64::new(0), Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= STORIES {
                        return;
                    }
                    tell(seed, &tally);
                }
            });
        }
    });
    println!("{tally:?}");
    // Stories in which nothing happens would prove nothing.
    let [plans, empty, struck] =
        [&tally.plans, &tally.empty, &tally.struck].map(|counter| counter.load(Ordering::Relaxed));
    let steps = tally.steps.lock().unwrap();
    assert!(plans >= 2000 && empty > plans / 10 && struck > plans / 50);
    for action in ["create", "recreate", "start", "restart", "update", "run", "ask", "destroy"] {
        assert!(steps.get(action).is_some_and(|steps| *steps >= 25), "{action}: {steps:?}");
    }
}

/// One story.
fn tell(seed: u64, tally: &Tally) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let mut story = Story::new(seed);
    let world = World::new();
    for turn in 0..TURNS {
        let about = format!("story {seed}, turn {turn}");
        story.goes_on(&world);
        layout::tell(&story);
        let selection = story.selection();
        let before = world.everything();
        let (plan, saved) = runtime.block_on(async {
            let deployment = open(Access::Look, &world, &story).await;
            let plan = match story.destroys() {
                true => deployment.plan_destroy(&selection).await.unwrap(),
                false => deployment.plan(&selection).await.unwrap(),
            };
            let saved = deployment.saved(&selection, &plan).unwrap();
            (plan, saved)
        });
        assert_eq!(world.everything(), before, "{about}: planning changed something");
        let happened = world.history();
        let report = runtime.block_on(async {
            let deployment = open(Access::Change, &world, &story).await;
            match story.destroys() {
                true => deployment.destroy(&selection).await.unwrap(),
                false => {
                    // Where nothing goes wrong, keeping to the plan keeps nobody from anything.
                    if !story.is_struck() && turn % 2 == 0 {
                        let now = deployment.plan(&selection).await.unwrap();
                        deployment.keep_to(&saved, &now).unwrap();
                    }
                    deployment.deploy(&selection).await.unwrap()
                }
            }
        });
        let touched = world.touched_since(&happened);
        compare(&about, &plan, &report, &touched, story.is_struck());
        Tally::add(&tally.plans, 1);
        Tally::add(&tally.empty, usize::from(plan.is_empty()));
        for step in &plan.steps {
            *tally.steps.lock().unwrap().entry(step.action.word()).or_default() += 1;
        }
        Tally::add(&tally.struck, usize::from(!report.is_complete()));
    }
}

async fn open(access: Access, world: &World, story: &Story) -> Deployment {
    let rehearsal = Rehearsal { seed: story.seed(), faults: story.faults(), takes_time: false };
    let options = Options {
        state_dir: Some(world.base().to_owned()),
        rehearsal: rehearsal.into(),
        ..Options::default()
    };
    match story.version() {
        0 => Deployment::open::<Paper>(access, options).await.unwrap().0,
        1 => Deployment::open::<OtherImage>(access, options).await.unwrap().0,
        _ => Deployment::open::<OtherLinks>(access, options).await.unwrap().0,
    }
}

/// # Panics
/// Where what was done is not what the plan said.
fn compare(about: &str, plan: &Plan, report: &Report, touched: &BTreeSet<String>, struck: bool) {
    let shown = || format!("{about}:\n{plan:#?}\n{report:#?}\n{touched:?}");
    let planned = |done: &Step| {
        plan.steps.iter().any(|step| {
            step.thing == done.thing
                && (step.action == Action::Ask || (step.action, &step.why) == (done.action, &done.why))
        })
    };
    for done in &report.done {
        assert!(
            planned(done),
            "`{} {}: {}` was not planned; {}",
            done.action.word(),
            done.thing,
            done.why,
            shown()
        );
    }
    for step in plan.steps.iter().filter(|step| step.action != Action::Ask) {
        let done = report.done.iter().any(|done| done.thing == step.thing && done.action == step.action);
        let told = report.failed.iter().map(|failed| &failed.thing);
        let mut told = told.chain(report.skipped.iter().map(|skip| &skip.thing));
        assert!(
            done || told.any(|thing| *thing == step.thing) || untold(step, report),
            "`{}` was not done; {}",
            step.thing,
            shown()
        );
    }
    // What stays is told by both.
    let noted = |skip: &Skip| plan.notes.contains(&format!("{} stays: {}", skip.thing, skip.why));
    let whole = report.failed.is_empty() && report.interrupted.is_empty() && report.skipped.iter().all(noted);
    assert!(struck || whole, "{}", shown());
    // What the report says is not believed either.
    for name in touched {
        let of_it = |step: &&Step| {
            let (_, named) = step.thing.split_once(':').unwrap();
            named == name || named.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/'))
        };
        assert!(plan.steps.iter().any(|step| of_it(&step)), "`{name}` was touched; {}", shown());
    }
}

/// Whether a task was not reached, because of its machine: that is told of the machine.
fn untold(step: &Step, report: &Report) -> bool {
    let Some(task) = step.thing.strip_prefix("task:") else { return false };
    let machine = format!("machine:{}", task.split_once('/').unwrap().0);
    report
        .failed
        .iter()
        .map(|failed| &failed.thing)
        .chain(report.skipped.iter().map(|skip| &skip.thing))
        .any(|thing| *thing == machine)
}
