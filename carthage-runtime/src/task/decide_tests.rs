//! Tests of the decision: a table of every reason, and a simulated world in which plans must come true.

use super::*;
use crate::state::HashKey;
use crate::task::{Stamp, digest};

fn id(name: &str) -> Identity {
    Identity(name.into())
}

fn inputs(value: u32) -> Inputs {
    Inputs::Known(Some(hash(value)))
}

fn hash(value: u32) -> InputHash {
    static KEY: std::sync::OnceLock<HashKey> = std::sync::OnceLock::new();
    digest(&value).keyed(KEY.get_or_init(|| HashKey::generate().unwrap()))
}

fn ran(run: u64) -> Last {
    Last::Ran(Stamp {
        run,
        step: 0,
        at: 0,
        target: id("m1"),
        inputs: Some(hash(8080)),
        source: 1,
        user: None,
    })
}

fn check(name: &str, answer: Answer) -> Option<Check<'_>> {
    Some(Check { name, answer })
}

/// Decides for a task that is done and valid, but for what `change` changes.
fn decided(last: &Last, change: impl FnOnce(&mut Facts<'_>)) -> String {
    let m1 = id("m1");
    let m1 = Box::leak(Box::new(m1));
    let mut facts = Facts {
        forced: false,
        last,
        target: Target::Exists(m1),
        before: &[],
        inputs: inputs(8080),
        user: None,
        source: 1,
        completed: None,
        valid: None,
        blocks: None,
    };
    change(&mut facts);
    match decide(&facts) {
        Decision::Run(reason) => format!("run: {reason}"),
        Decision::Unknown(reason) => format!("unknown: {reason}"),
        other => format!("{other:?}"),
    }
}

macro_rules! before {
    ($($name:literal is $is:expr),*) => { &[$(Before { name: $name, is: $is }),*] };
}

#[test]
fn by_its_stamp() {
    let done = ran(5);
    assert_eq!(decided(&done, |_| ()), "Skip");
    assert_eq!(decided(&done, |f| f.forced = true), "run: forced");
    assert_eq!(decided(&done, |f| f.user = Some("web")), "run: its user changed from root to web");
    assert_eq!(decided(&Last::Never, |_| ()), "run: never ran");
    assert_eq!(decided(&Last::Unreadable("bad".into()), |_| ()), "run: its stamp cannot be used: bad");
    assert_eq!(decided(&Last::Begun(4, id("m1")), |_| ()), "run: was interrupted in run 4");
    assert_eq!(decided(&Last::Failed(4, id("m1")), |_| ()), "run: failed in run 4");
    assert_eq!(decided(&done, |f| f.inputs = inputs(1)), "run: its inputs changed");
    assert_eq!(decided(&done, |f| f.inputs = Inputs::Known(None)), "run: its inputs changed");
    assert_eq!(
        decided(&done, |f| f.inputs = Inputs::Unknown("no token yet".into())),
        "unknown: cannot be told yet: its inputs are not known: no token yet"
    );
    assert_eq!(decided(&done, |f| f.source = 2), "run: its source changed");
}

#[test]
fn another_machine() {
    static M2: std::sync::LazyLock<Identity> = std::sync::LazyLock::new(|| id("m2"));
    for last in [ran(5), Last::Begun(4, id("m1")), Last::Failed(4, id("m1")), ran(5)] {
        assert_eq!(decided(&last, |f| f.target = Target::Exists(&M2)), "run: the machine is new");
        assert_eq!(decided(&last, |f| f.target = Target::New), "run: the machine is new");
    }
    assert_eq!(decided(&Last::Never, |f| f.target = Target::New), "run: never ran");
}

#[test]
fn after_others() {
    use Earlier::*;
    let done = ran(5);
    assert_eq!(
        decided(&done, |f| f.before = before!["a" is Never, "b" is Ran(4, 9), "c" is Ran(5, 0)]),
        "Skip"
    );
    // Later in the same run, when one is forced by hand.
    assert_eq!(decided(&done, |f| f.before = before!["a" is Ran(5, 1)]), "run: `a` ran later, in run 5");
    assert_eq!(
        decided(&done, |f| f.before = before!["a" is Ran(4, 0), "b" is Ran(6, 0)]),
        "run: `b` ran later, in run 6"
    );
    assert_eq!(decided(&done, |f| f.before = before!["a" is WillRun]), "run: `a` runs before it");
    assert_eq!(decided(&done, |f| f.before = before!["a" is RanNow]), "run: `a` runs before it");
    assert_eq!(
        decided(&done, |f| f.before = before!["a" is MayRun]),
        "unknown: cannot be told yet: `a` may run before it"
    );
    // What is certain wins over what is not.
    assert_eq!(
        decided(&done, |f| f.before = before!["a" is MayRun, "b" is WillRun]),
        "run: `b` runs before it"
    );
    assert_eq!(
        decided(&done, |f| {
            f.before = before!["a" is MayRun];
            f.source = 2;
        }),
        "run: its source changed"
    );
}

#[test]
fn by_its_invalidator() {
    let done = ran(5);
    let with = |answer| decided(&done, |f| f.valid = check("serving", answer));
    assert_eq!(with(Answer::NotAsked), "AskValid");
    assert_eq!(with(Answer::Yes), "Skip");
    assert_eq!(with(Answer::No), "run: no longer valid: `serving` said no");
    assert_eq!(
        with(Answer::CannotAsk),
        "unknown: cannot be told until the machine runs: then `serving` is asked"
    );
    // It is only asked when nothing else makes the task run.
    let changed = decided(&done, |f| {
        f.valid = check("serving", Answer::NotAsked);
        f.source = 2;
    });
    assert_eq!(changed, "run: its source changed");
}

#[test]
fn by_its_check() {
    use Earlier::*;
    let with = |last: &Last, answer| decided(last, |f| f.completed = check("there", answer));
    for last in [ran(5), Last::Never, Last::Unreadable("bad".into()), Last::Begun(4, id("old"))] {
        assert_eq!(with(&last, Answer::NotAsked), "AskCompleted");
        assert_eq!(with(&last, Answer::No), "run: not done: `there` said no");
        assert_eq!(
            with(&last, Answer::CannotAsk),
            "unknown: cannot be told until the machine runs: then `there` is asked"
        );
        assert_eq!(with(&last, Answer::Yes), if last == ran(5) { "Skip" } else { "Adopt" });
    }
    // A body that did not end may have left what makes the check say yes.
    assert_eq!(with(&Last::Begun(4, id("m1")), Answer::Yes), "run: was interrupted in run 4");
    assert_eq!(with(&Last::Failed(4, id("m1")), Answer::Yes), "run: failed in run 4");

    let done = ran(5);
    for (is, expected) in [
        (WillRun, "unknown: cannot be told yet: `there` is asked after `a`"),
        (MayRun, "unknown: cannot be told yet: `there` is asked after `a`"),
        (RanNow, "AskCompleted"),
        (Ran(9, 0), "AskCompleted"),
    ] {
        let decision = decided(&done, |f| {
            f.before = Box::leak(Box::new([Before { name: "a", is }]));
            f.completed = check("there", Answer::NotAsked);
        });
        assert_eq!(decision, expected);
    }
    // Neither inputs nor source count, only the check and the invalidator.
    let both = |completed, valid| {
        decided(&done, |f| {
            f.source = 2;
            f.inputs = inputs(1);
            f.completed = check("there", completed);
            f.valid = check("serving", valid);
        })
    };
    assert_eq!(both(Answer::Yes, Answer::NotAsked), "AskValid");
    assert_eq!(both(Answer::Yes, Answer::No), "run: no longer valid: `serving` said no");
    assert_eq!(both(Answer::Yes, Answer::Yes), "Skip");
    assert_eq!(both(Answer::No, Answer::NotAsked), "run: not done: `there` said no");
}

/// A task of the simulated world.
struct Task {
    name: String,
    after: Vec<usize>,
    inputs: Option<u32>,
    source: u64,
    has_check: bool,
    has_invalidator: bool,
    /// What a check finds in the machine.
    effect: bool,
    forced: bool,
    last: Last,
    /// When its body last started and ended on this machine, by a clock that only the test has.
    started: u64,
    ended: u64,
}

struct World {
    tasks: Vec<Task>,
    machine: Option<Identity>,
    running: bool,
    run: u64,
    clock: u64,
}

impl World {
    fn random(random: &mut fastrand::Rng) -> Self {
        let tasks = (0..random.usize(1..7)).map(|at| Task {
            name: format!("t{at}"),
            after: (0..at).filter(|_| random.u8(..3) == 0).collect(),
            inputs: random.bool().then(|| random.u32(..3)),
            source: 0,
            has_check: random.u8(..4) == 0,
            has_invalidator: random.u8(..3) == 0,
            effect: false,
            forced: false,
            last: Last::Never,
            started: 0,
            ended: 0,
        });
        Self { tasks: tasks.collect(), machine: None, running: false, run: 0, clock: 0 }
    }

    /// Something happens between two runs.
    fn disturb(&mut self, random: &mut fastrand::Rng) {
        for task in &mut self.tasks {
            match random.u8(..16) {
                0 => task.source += 1,
                1 => task.inputs = task.inputs.map(|value| value + 1),
                2 => task.effect = false,
                3 => task.effect = true,
                4 => task.forced = true,
                // A check is believed when there is nothing else to go by.
                5 if !(task.has_check && task.ended < task.started) => {
                    task.last = Last::Unreadable("bad".into())
                }
                _ => {}
            }
        }
        match random.u8(..12) {
            0 => self.machine = None,
            1 => self.running = false,
            _ => {}
        }
    }

    fn decide(&self, at: usize, earlier: &[Earlier]) -> Decision {
        let task = &self.tasks[at];
        let before: Vec<_> =
            task.after.iter().map(|&at| Before { name: &self.tasks[at].name, is: earlier[at] }).collect();
        let new = |has: bool| has.then_some(Check { name: "check", answer: Answer::NotAsked });
        let mut facts = Facts {
            forced: task.forced,
            last: &task.last,
            target: self.machine.as_ref().map_or(Target::New, Target::Exists),
            before: &before,
            inputs: Inputs::Known(task.inputs.map(hash)),
            user: None,
            source: task.source,
            completed: new(task.has_check),
            valid: new(task.has_invalidator),
            blocks: None,
        };
        let answer = match (self.running, task.effect) {
            (false, _) => Answer::CannotAsk,
            (true, true) => Answer::Yes,
            (true, false) => Answer::No,
        };
        loop {
            match decide(&facts) {
                Decision::AskCompleted => facts.completed = check("check", answer.clone()),
                Decision::AskValid => facts.valid = check("check", answer.clone()),
                decision => return decision,
            }
        }
    }

    fn plan(&self) -> Vec<Decision> {
        let mut earlier = Vec::new();
        let plan = (0..self.tasks.len()).map(|at| {
            let decision = self.decide(at, &earlier);
            earlier.push(decision.planned(&self.tasks[at].last));
            decision
        });
        plan.collect()
    }

    /// A real run; dies at step `dies`, of which there are several per task.
    fn deploy(&mut self, dies: u64) -> Option<Vec<Decision>> {
        self.run += 1;
        let mut steps = 0;
        let mut step = || {
            steps += 1;
            (steps <= dies).then_some(())
        };
        if self.machine.is_none() {
            self.machine = Some(id(&format!("m{}", self.run)));
            for task in &mut self.tasks {
                (task.effect, task.started, task.ended) = (false, 0, 0);
            }
        }
        self.running = true;
        let (mut earlier, mut decisions) = (Vec::new(), Vec::new());
        for at in 0..self.tasks.len() {
            let decision = self.decide(at, &earlier);
            let task = &mut self.tasks[at];
            let target = self.machine.clone().unwrap();
            let stamp = Stamp {
                run: self.run,
                step: self.clock,
                at: 0,
                target: target.clone(),
                inputs: task.inputs.map(hash),
                source: task.source,
                user: None,
            };
            earlier.push(match &decision {
                Decision::Run(_) => {
                    step()?;
                    task.last = Last::Begun(self.run, target);
                    step()?;
                    self.clock += 1;
                    task.started = self.clock;
                    // The effect shows while the body still runs.
                    task.effect = true;
                    step()?;
                    self.clock += 1;
                    task.ended = self.clock;
                    step()?;
                    task.last = Last::Ran(stamp);
                    task.forced = false;
                    step()?;
                    Earlier::RanNow
                }
                Decision::Adopt => {
                    step()?;
                    task.last = Last::Ran(stamp);
                    Earlier::RanNow
                }
                Decision::Skip => decision.planned(&task.last),
                other => panic!("{other:?} in a real run"),
            });
            decisions.push(decision);
        }
        Some(decisions)
    }

    /// No body was cut off, and no task that goes by its stamp started before the end of one that comes before it.
    fn assert_in_order(&self) {
        for task in self.tasks.iter().filter(|task| task.started > 0) {
            assert!(task.ended > task.started, "{} was cut off", task.name);
            for &at in task.after.iter().filter(|_| !task.has_check) {
                assert!(task.started > self.tasks[at].ended, "{} before {}", task.name, self.tasks[at].name);
            }
        }
    }
}

#[test]
fn the_plan_is_what_happens_and_nothing_is_lost_by_dying() {
    let (mut told, mut open) = (0, 0);
    for seed in 0..10_000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut world = World::random(&mut random);
        for _ in 0..6 {
            world.disturb(&mut random);
            let plan = world.plan();
            let dies = if random.bool() { random.u64(..20) } else { u64::MAX };
            let Some(real) = world.deploy(dies) else { continue };
            let mut sure = true;
            for (planned, happened) in plan.iter().zip(&real) {
                match planned {
                    Decision::Unknown(_) => {
                        open += 1;
                        sure = false;
                    }
                    // What could not be told before may have given it another reason to run, first.
                    Decision::Run(_) if !sure => assert!(matches!(happened, Decision::Run(_)), "seed {seed}"),
                    planned => {
                        told += 1;
                        assert_eq!(planned, happened, "seed {seed}: {plan:?} {real:?}");
                    }
                }
            }
            world.assert_in_order();
            let again = world.plan();
            assert!(again.iter().all(|decision| *decision == Decision::Skip), "seed {seed}: {again:?}");
        }
    }
    assert!(told > 5 * open && open > 1000, "{told} told, {open} open");
}

#[test]
fn building_blocks_are_compared_when_nothing_else_says_run() {
    let with = |answer: Answer| decided(&ran(5), |facts| facts.blocks = Some(answer));
    assert_eq!(with(Answer::NotAsked), "AskBlocks");
    assert_eq!(with(Answer::Yes), "Skip");
    assert_eq!(with(Answer::Differs("`/etc/motd` differs".into())), "run: `/etc/motd` differs");
    assert!(with(Answer::CannotAsk).starts_with("unknown: cannot be told until the machine runs"));
}
