//! Tests of the decision: a simulated world in which plans must come true.

use super::tests::{at, check, hash, id};
use super::*;

/// A task of the simulated world.
#[derive(Debug)]
struct Task {
    name: String,
    after: Vec<usize>,
    inputs: Option<u32>,
    source: u64,
    has_check: bool,
    /// Whether that says since when.
    says_when: bool,
    has_invalidator: bool,
    /// What a check finds in the machine.
    effect: bool,
    /// Since when that is there, by the clock of the machine.
    since: u64,
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
    /// How far the machine's clock is ahead of that, or, if that is 50, behind.
    skew: u64,
}

impl World {
    fn random(random: &mut fastrand::Rng) -> Self {
        let tasks = (0..random.usize(1..7)).map(|at| Task {
            name: format!("t{at}"),
            after: (0..at).filter(|_| random.u8(..3) == 0).collect(),
            inputs: random.bool().then(|| random.u32(..3)),
            source: 0,
            has_check: random.u8(..4) == 0,
            says_when: random.bool(),
            has_invalidator: random.u8(..3) == 0,
            effect: false,
            since: 0,
            forced: false,
            last: Last::Never,
            started: 0,
            ended: 0,
        });
        let tasks = tasks.collect();
        let skew = [0, 0, 50, 1000][random.usize(..4)];
        Self { tasks, machine: None, running: false, run: 0, clock: 100, skew }
    }

    /// Something happens between two runs.
    fn disturb(&mut self, random: &mut fastrand::Rng) {
        let there = self.there();
        for task in &mut self.tasks {
            match random.u8(..18) {
                0 => task.source += 1,
                1 => task.inputs = task.inputs.map(|value| value + 1),
                2 => task.effect = false,
                3 => task.effect = true,
                4 => task.forced = true,
                // Somebody else has made it, or brought it from elsewhere.
                16 => (task.effect, task.since) = (true, there),
                17 => (task.effect, task.since) = (true, random.u64(..there + 50)),
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

    /// What the machine's clock says.
    fn there(&self) -> u64 {
        if self.skew == 50 { self.clock - 50 } else { self.clock + self.skew }
    }

    /// What a task's check says.
    fn answer(&self, task: &Task) -> Answer {
        match (self.running, task.effect) {
            (false, _) => Answer::CannotAsk,
            (true, true) if task.says_when => Answer::Since(at(task.since)),
            (true, true) => Answer::Yes,
            (true, false) => Answer::No,
        }
    }

    fn decide(&self, number: usize, earlier: &[Earlier]) -> Decision {
        let task = &self.tasks[number];
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
        loop {
            match decide(&facts) {
                Decision::AskCompleted => facts.completed = check("check", self.answer(task)),
                Decision::AskValid => facts.valid = check("check", self.answer(task)),
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
                (task.effect, task.since, task.started, task.ended) = (false, 0, 0, 0);
            }
        }
        self.running = true;
        let (mut earlier, mut decisions) = (Vec::new(), Vec::new());
        for number in 0..self.tasks.len() {
            let decision = self.decide(number, &earlier);
            let ahead: Vec<_> = self.tasks[number].after.iter().map(|&at| earlier[at]).collect();
            let found = ahead.iter().filter_map(|is| match is {
                Earlier::Ran(since) if since.found => Some(since.at),
                _ => None,
            });
            let not_before = found.max().unwrap_or(at(0));
            let there = self.there();
            let task = &mut self.tasks[number];
            let target = self.machine.clone().unwrap();
            let mut stamp = Stamp {
                run: self.run,
                step: self.clock,
                at: at(self.clock),
                said: None,
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
                    // The effect shows while the body still runs. One that is there already may stay as old as it is.
                    if !task.effect || !self.clock.is_multiple_of(3) {
                        (task.effect, task.since) = (true, there + 1);
                    }
                    step()?;
                    self.clock += 1;
                    task.ended = self.clock;
                    step()?;
                    stamp.at = at(self.clock).max(not_before);
                    stamp.said = (task.has_check && task.says_when).then(|| at(task.since));
                    let is = Earlier::RanNow(stamp.at);
                    task.last = Last::Ran(stamp);
                    task.forced = false;
                    step()?;
                    is
                }
                Decision::Adopt(said) => {
                    step()?;
                    (stamp.at, stamp.said) = (said.unwrap_or(stamp.at), *said);
                    let is = said.map_or(Earlier::RanNow(stamp.at), |at| Earlier::Ran(Since::found(at)));
                    task.last = Last::Ran(stamp);
                    is
                }
                Decision::Skip => decision.planned(&task.last),
                other => panic!("{other:?} in a real run"),
            });
            decisions.push(decision);
        }
        Some(decisions)
    }

    /// No body was cut off, and no task that goes by its stamp started before the end of one that comes before it. Where clocks agree,
    /// what a check says a time of is not older than what comes before it, and nothing that comes after it is older.
    fn assert_in_order(&self) {
        let says_when = |task: &Task| task.has_check && task.says_when;
        for task in self.tasks.iter().filter(|task| task.started > 0) {
            assert!(task.ended > task.started, "{} was cut off", task.name);
            for &at in task.after.iter().filter(|_| !task.has_check) {
                assert!(task.started > self.tasks[at].ended, "{} before {}", task.name, self.tasks[at].name);
            }
        }
        for task in self.tasks.iter().filter(|_| self.skew == 0) {
            for before in task.after.iter().map(|&at| &self.tasks[at]) {
                let is_found = matches!(&before.last, Last::Ran(stamp) if stamp.since().found);
                let later = if is_found { before.since } else { before.ended };
                // What claims to be of the future is newer than whatever comes after it, and has been seen by it.
                let seen = matches!(&task.last, Last::Ran(stamp) if stamp.at >= at(later));
                let is_newer = seen
                    || task.ended >= later
                    || says_when(task) && task.since >= later
                    || task.has_check && !task.says_when;
                assert!(is_newer, "clock {}: {task:?} is older than {before:?}", self.clock);
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
