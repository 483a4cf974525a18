//! One decision: whatever happened before, the plan, the run and a forced run give the same reason for the same task.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use carthage::backend::Simulated;
use carthage::deploy::{Access, Action, Deployment, Options, Plan, Reason, Report, Selection, Step};
use carthage::event::{Event, Events, Sink};
use carthage::machine::GRACE;
use carthage::prelude::*;

const HOUR: Duration = Duration::from_secs(3600);

thread_local! {
    /// What tasks are made of.
    static INPUTS: [Cell<u32>; 3] = const { [const { Cell::new(0) }; 3] };
    /// What checks find; a body that runs puts it right.
    static FINDS: [Cell<bool>; 4] = const { [const { Cell::new(false) }; 4] };
    /// Since when the things of two tasks are there; nothing, if they are not. A body that runs makes them.
    static SINCE: [Cell<Option<SystemTime>>; 2] = const { [const { Cell::new(None) }; 2] };
    /// The task that fails.
    static FAILS: Cell<&'static str> = const { Cell::new("") };
    /// The tasks that ran.
    static RAN: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn input(at: usize) -> u32 {
    INPUTS.with(|inputs| inputs[at].get())
}

fn finds(at: usize) -> bool {
    FINDS.with(|finds| finds[at].get())
}

/// Since when something is there.
fn since(at: usize) -> Completed {
    SINCE.with(|since| since[at].get()).into()
}

/// It is there from now on, or stays as it is if it is there: then its check says nothing new.
fn makes(at: usize) {
    let stays = RAN.with_borrow(|ran| ran.len() % 2 == 0);
    let made = SINCE.with(|since| since[at].get()).filter(|_| stays);
    SINCE.with(|since| since[at].set(made.or(Some(SystemTime::now()))));
}

/// What every body does.
fn body(task: &'static str, puts_right: Option<usize>) -> Result<()> {
    RAN.with_borrow_mut(|ran| ran.push(task));
    if FAILS.get() == task {
        return Err("as the test wants it".into());
    }
    puts_right.into_iter().for_each(|at| FINDS.with(|finds| finds[at].set(true)));
    Ok(())
}

#[derive(Default)]
struct Root1;

#[customization(container)]
impl Root1 {
    #[setup_task(hash = input(0))]
    async fn files(&self, _root: &Root) -> Result<()> {
        body("files", None)
    }
}

#[derive(Default)]
struct Steps;

#[customization]
impl Steps {
    #[setup_task(hash = input(1))]
    async fn a(&self, _host: &Host) -> Result<()> {
        body("a", None)
    }

    #[setup_task(after = a)]
    async fn b(&self, _host: &Host) -> Result<()> {
        body("b", Some(0))
    }

    #[invalidator(b)]
    async fn b_is_valid(&self, _host: &Host) -> Result<bool> {
        Ok(finds(0))
    }

    #[setup_task]
    async fn c(&self, _host: &Host) -> Result<()> {
        body("c", Some(1))
    }

    #[check_completed(c)]
    async fn c_is_done(&self, _host: &Host) -> Result<bool> {
        Ok(finds(1))
    }

    #[setup_task(after = [b, c])]
    async fn d(&self, _host: &Host) -> Result<()> {
        body("d", None)
    }
}

#[machine_model]
struct First {
    #[customize]
    root: Root1,
    #[customize]
    steps: Steps,
}

#[derive(Default)]
struct Follows;

#[customization]
impl Follows {
    #[setup_task(after = First.steps.b)]
    async fn e(&self, _host: &Host) -> Result<()> {
        body("e", None)
    }

    #[setup_task(after = e, depend_on_to_judge = First)]
    async fn f(&self, _host: &Host) -> Result<()> {
        body("f", Some(2))
    }

    #[invalidator(f)]
    async fn f_is_valid(&self, _host: &Host, #[inject] first: &Placed<First>) -> Result<bool> {
        first.machine().run(["true"]).await?;
        Ok(finds(2))
    }

    #[setup_task(after = [First.steps.c, First.root.files], hash = input(2))]
    async fn g(&self, _host: &Host) -> Result<()> {
        body("g", Some(3))
    }

    #[check_completed(g)]
    async fn g_is_done(&self, _host: &Host) -> Result<bool> {
        Ok(finds(3))
    }
}

#[machine_model]
struct Second {
    #[customize]
    follows: Follows,
}

/// Looks at a machine that looks at another.
#[derive(Default)]
struct Last;

#[customization(filesystem)]
impl Last {
    #[setup_task(after = [Second.follows.e, Second.follows.g])]
    async fn h(&self, _tree: &Tree) -> Result<()> {
        body("h", None)
    }

    #[setup_task(after = First.steps.b)]
    async fn i(&self, _tree: &Tree) -> Result<()> {
        body("i", None).inspect(|()| makes(0))
    }

    #[check_completed(i)]
    async fn i_is_there(&self, _tree: &Tree) -> Result<Completed> {
        Ok(since(0))
    }

    #[setup_task(after = i)]
    async fn j(&self, _tree: &Tree) -> Result<()> {
        body("j", None)
    }

    #[setup_task(after = [i, Second.follows.e])]
    async fn k(&self, _tree: &Tree) -> Result<()> {
        body("k", None).inspect(|()| makes(1))
    }

    #[check_completed(k)]
    async fn k_is_there(&self, _tree: &Tree) -> Result<Completed> {
        Ok(since(1))
    }
}

#[machine_model]
struct Third {
    #[customize]
    last: Last,
}

#[layout(name = "decisions", implementation = Simulated)]
struct Decisions {
    third: Third,
    second: Second,
    first: First,
}

const TASKS: [(&str, &str); 12] = [
    ("first", "root.files"),
    ("first", "steps.a"),
    ("first", "steps.b"),
    ("first", "steps.c"),
    ("first", "steps.d"),
    ("second", "follows.e"),
    ("second", "follows.f"),
    ("second", "follows.g"),
    ("third", "last.h"),
    ("third", "last.i"),
    ("third", "last.j"),
    ("third", "last.k"),
];

/// What whoever listens makes of what a run tells.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Report>>);

impl Sink for Heard {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().add(event);
    }
}

impl Heard {
    /// It is the report.
    fn is(&self, report: &Report, history: &str) {
        assert_eq!(*self.0.lock().unwrap(), *report, "{history}");
    }
}

async fn open(state: &Path, access: Access) -> (Deployment, Placed<Decisions>) {
    listened(state, access, &Heard::default()).await
}

async fn listened(state: &Path, access: Access, heard: &Heard) -> (Deployment, Placed<Decisions>) {
    let events = Events::new(heard.clone());
    let options = Options { state_dir: Some(state.to_owned()), events, ..Options::default() };
    Deployment::open::<Decisions>(access, options).await.unwrap()
}

/// The file of the stamps of a machine, the lines in it that are about a task, and the others.
fn stamps(state: &Path, (machine, task): (&str, &str)) -> (PathBuf, Vec<String>, Vec<String>) {
    let file = state.join("decisions/cache/stamps").join(machine).join("@stamps.ndjson");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    let about = format!("\"task\":\"{task}\"");
    let (of_it, others) = text.lines().map(str::to_owned).partition(|line| line.contains(&about));
    (file, of_it, others)
}

/// Somebody has written to the file of the stamps of a machine; answers whether there is one.
fn rewritten(file: &Path, lines: &[&[String]]) -> bool {
    let text: String = lines.concat().iter().map(|line| format!("{line}\n")).collect();
    file.exists() && std::fs::write(file, text).is_ok()
}

/// What is said of tasks, by their names.
fn of_tasks(steps: &[Step]) -> BTreeMap<&str, (Action, &Reason)> {
    let tasks = steps.iter().filter(|step| step.thing.starts_with("task:"));
    tasks.map(|step| (&*step.thing, (step.action, &step.why))).collect()
}

/// Something happens between two runs. Some of it is done by a run of its own.
async fn disturb(
    state: &Path,
    random: &mut fastrand::Rng,
    kept: &mut BTreeMap<(&str, &str), String>,
    count: &mut Count,
) {
    FAILS.set("");
    for _ in 0..random.usize(..3) {
        let task = TASKS[random.usize(..TASKS.len())];
        let (file, of_it, others) = stamps(state, task);
        match random.u8(..20) {
            // Somebody else makes it, takes it away, or brings one that is older, or by a clock that is ahead.
            16 | 17 => SINCE.with(|since| {
                let now = SystemTime::now();
                let other = [now - HOUR, now, now, now + HOUR][random.usize(..4)];
                since[random.usize(..2)].set((random.u8(..4) > 0).then_some(other));
                count.times += 1;
            }),
            0..3 => INPUTS.with(|inputs| inputs[random.usize(..3)].set(random.u32(..3))),
            3..6 => FINDS.with(|finds| finds[random.usize(..4)].set(random.bool())),
            6 if !of_it.is_empty() => count.stamps[0] += usize::from(rewritten(&file, &[&others])),
            // It may have been about any task before it.
            7 if !of_it.is_empty() => {
                count.stamps[1] += usize::from(rewritten(&file, &[&of_it, &["{".to_owned()], &others]));
            }
            // As of an earlier time, perhaps of another machine of this name.
            8 | 9 | 18 | 19 => match (kept.get(&task), of_it.last()) {
                (Some(line), _) => {
                    count.stamps[2] +=
                        usize::from(rewritten(&file, &[&others, &of_it, std::slice::from_ref(line)]));
                }
                (None, Some(line)) => drop(kept.insert(task, line.clone())),
                (None, None) => {}
            },
            10 => FAILS.set(task.1.rsplit_once('.').unwrap().1),
            11 | 12 => {
                let (deployment, layout) = open(state, Access::Change).await;
                let machine = match task.0 {
                    "first" => layout.first.machine(),
                    "second" => layout.second.machine(),
                    _ => layout.third.machine(),
                };
                match random.bool() {
                    true => machine.stop(GRACE).await.unwrap(),
                    false => machine.destroy().await.unwrap(),
                }
                drop(deployment);
            }
            13 => {
                let (deployment, _) = open(state, Access::Change).await;
                let only = Selection { include: vec!["machine:first".parse().unwrap()], ..Selection::all() };
                deployment.deploy(&only).await.unwrap();
            }
            14 => forced(state, task).await,
            15 => {
                let (deployment, _) = open(state, Access::Change).await;
                let by_hand = deployment.task(&format!("{}/{}", task.0, task.1)).unwrap();
                RAN.take();
                let ended = by_hand.force().await;
                let ran = RAN.take();
                // Where there is no machine, nothing runs.
                assert!(ended.is_err() || ran == [by_hand.name().rsplit_once('.').unwrap().1], "{ran:?}");
                assert!(ended.is_err() || by_hand.last_run().is_some());
            }
            _ => {}
        }
    }
}

/// A forced run is of one task, for one reason, if its machine is there.
async fn forced(state: &Path, (machine, task): (&str, &str)) {
    RAN.take();
    let (deployment, _) = open(state, Access::Change).await;
    let name = format!("{machine}/{task}");
    let only = Selection { include: vec![name.parse().unwrap()], ..Selection::all() };
    let report = deployment.run(&only).await.unwrap();
    let done = of_tasks(&report.done);
    match report.is_complete() {
        true => {
            assert_eq!(done, BTreeMap::from([(&*format!("task:{name}"), (Action::Run, &Reason::Forced))]))
        }
        false => assert!(done.is_empty(), "{report:?}"),
    }
    let ran = RAN.take();
    assert!(ran.is_empty() || ran == [task.rsplit_once('.').unwrap().1], "{ran:?}");
}

/// What sort of reason it is, without what it is about.
fn kind(why: &Reason) -> String {
    let written = serde_json::to_value(why).unwrap();
    written["kind"].as_str().unwrap().to_owned()
}

#[derive(Debug, Default)]
struct Count {
    /// How often what a check says a time of was something else.
    times: usize,
    told: usize,
    open: usize,
    elsewhere: usize,
    /// How often a stamp was taken away, damaged, or replaced by an older one.
    stamps: [usize; 3],
    /// Without what they are about.
    reasons: BTreeSet<String>,
}

/// What the plan says is what the run says.
fn compare(count: &mut Count, plan: &Plan, done: &[Step], failed: bool, history: &str) {
    let (planned, done) = (of_tasks(&plan.steps), of_tasks(done));
    let mut sure = true;
    for step in plan.steps.iter().filter(|step| step.thing.starts_with("task:")) {
        let happened = done.get(&*step.thing);
        match (step.action, happened) {
            (Action::Ask, _) => {
                count.open += 1;
                count.reasons.insert(kind(&step.why));
                sure = false;
            }
            (_, Some((_, why))) if sure => {
                assert_eq!(step.why, **why, "{history}: {}", step.thing);
                count.told += 1;
                count.elsewhere += usize::from(why.to_string().contains("`task:"));
                count.reasons.insert(kind(why));
            }
            // What could not be told before may have given it another reason to run, first.
            (_, Some(_)) => {}
            (_, None) => assert!(failed, "{history}: {} did not run: {plan:?}", step.thing),
        }
    }
    for task in done.keys() {
        assert!(planned.contains_key(task), "{history}: {task} was not planned: {plan:?}");
    }
}

/// How each task stands is what the plan says of it, and all of them are there.
async fn inspected(deployment: &Deployment, plan: &Plan, history: &str) {
    let inspected = deployment.inspect(&Selection::all()).await.unwrap();
    let would = inspected.iter().filter_map(|task| {
        let would = task.would.as_ref()?;
        Some((&*task.thing, (would.action, &would.why)))
    });
    assert_eq!(would.collect::<BTreeMap<_, _>>(), of_tasks(&plan.steps), "{history}");
    assert_eq!(inspected.len(), TASKS.len(), "{history}");
}

/// One layout, through 50 histories.
async fn live(seed: u64, place: &Path) -> Count {
    let state = tempfile::tempdir_in(place).unwrap();
    let (mut random, mut kept, mut count) =
        (fastrand::Rng::with_seed(seed), BTreeMap::new(), Count::default());
    for turn in 0..50 {
        disturb(state.path(), &mut random, &mut kept, &mut count).await;
        let history = format!("seed {seed}, turn {turn}");
        let looked = match random.u8(..8) {
            0 => Some(open(state.path(), Access::Look).await.0.plan(&Selection::all()).await.unwrap()),
            _ => None,
        };
        let heard = Heard::default();
        let (deployment, _layout) = listened(state.path(), Access::Change, &heard).await;
        let plan = deployment.plan(&Selection::all()).await.unwrap();
        if let Some(looked) = looked {
            assert_eq!(looked.steps, plan.steps, "{history}: who plans makes no difference");
        }
        RAN.take();
        inspected(&deployment, &plan, &history).await;
        assert_eq!(RAN.take(), Vec::<&str>::new(), "{history}: who looks runs nothing");
        let report = deployment.deploy(&Selection::all()).await.unwrap();
        heard.is(&report, &history);
        compare(&mut count, &plan, &report.done, !report.is_complete(), &history);
        // Each that is told ran once, and no other did.
        let mut ran: Vec<_> = RAN.take().into_iter().filter(|task| *task != FAILS.get()).collect();
        let done = of_tasks(&report.done);
        let mut told: Vec<_> = done.keys().map(|name| name.rsplit_once('.').unwrap().1).collect();
        ran.sort_unstable();
        told.sort_unstable();
        assert_eq!(ran, told, "{history}");
        if report.is_complete() && random.u8(..3) == 0 {
            drop(deployment);
            let (deployment, _) = open(state.path(), Access::Look).await;
            let again = deployment.plan(&Selection::all()).await.unwrap();
            assert!(of_tasks(&again.steps).is_empty(), "{history}: {again:?}");
        }
    }
    count
}

#[test]
fn plan_and_run_give_the_same_reasons() {
    let memory = Path::new("/dev/shm");
    let place = &if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    // Each has a thread of its own, and with it inputs and checks of its own.
    let all = &|seeds: std::ops::Range<u64>| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        seeds.map(|seed| runtime.block_on(live(seed, place))).collect::<Vec<_>>()
    };
    let counts: Vec<Count> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || all(n * 10..(n + 1) * 10))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |of: fn(&Count) -> usize| counts.iter().map(of).sum::<usize>();
    let (told, elsewhere, open) =
        (sum(|count| count.told), sum(|count| count.elsewhere), sum(|count| count.open));
    let reasons: BTreeSet<_> = counts.iter().flat_map(|count| &count.reasons).collect();
    let stamps = [0, 1, 2].map(|what| counts.iter().map(|count| count.stamps[what]).sum::<usize>());
    println!(
        "2000 histories: {stamps:?} stamps taken away, damaged, replaced; {told} told, of which {elsewhere} by another machine, {open} open; {reasons:?}"
    );
    assert!(told > 1500 && elsewhere > 300 && open > 100 && reasons.len() > 11);
    assert!(stamps.iter().all(|times| *times > 50), "{stamps:?}");
    let (times, later) = (sum(|count| count.times), reasons.iter().any(|why| *why == "done-later"));
    assert!(times > 100 && later, "{times} times, {reasons:?}");
}
