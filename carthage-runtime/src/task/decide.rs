//! Whether a task runs, and why: one function, for the plan and for the real run.
//!
//! In the plan a task that would run counts as one that runs, so that the plan is what happens. Where only a running machine
//! can tell, the plan says that it cannot be told.
//!
//! What ran later is known by runs and their steps. A clock takes part only where a check says since when something is done.

use std::time::SystemTime;

use super::completed::{Completed, after_1970, writable};
use super::hash::InputHash;
use super::stamp::{Last, Stamp};
use crate::machine::engine::Identity;
pub use crate::reason::Reason;

/// All that the decision looks at.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The user wants it to run.
    pub forced: bool,
    /// What is known of its last time.
    pub last: &'a Last,
    /// The machine it runs on.
    pub target: Target<'a>,
    /// The tasks that come before it.
    pub before: &'a [Before<'a>],
    /// Its inputs now.
    pub inputs: Inputs,
    /// As whom it would run; root if absent.
    pub user: Option<&'a str>,
    /// The hash of its source now.
    pub source: u64,
    /// Its `check_completed`, if it has one.
    pub completed: Option<Check<'a>>,
    /// Its invalidator, if it has one.
    pub valid: Option<Check<'a>>,
    /// Whether all is as its building blocks say, if it returns any.
    pub blocks: Option<Answer>,
}

/// The machine that a task runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// It exists.
    Exists(&'a Identity),
    /// It will be made in this run.
    New,
}

/// A task that comes before.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// Its name.
    pub name: &'a str,
    /// What becomes of it.
    pub is: Earlier,
}

/// What is known of a task that comes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It has run in this run, until this time, or was found done without our knowing since when.
    RanNow(SystemTime),
    /// It is done since then, and does not run now.
    Ran(Since),
    /// It never ran, and does not run now.
    Never,
    /// In a plan: it will run.
    WillRun,
    /// In a plan: it cannot be told whether it will run.
    MayRun,
}

impl Earlier {
    /// What it is if nothing is done with it, by what is known of its last time.
    #[must_use]
    pub fn of(last: &Last) -> Self {
        match last {
            Last::Ran(stamp) => Self::Ran(stamp.since()),
            _ => Self::Never,
        }
    }
}

/// Since when a task is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The run in which it ran.
    pub run: u64,
    /// As which step of it.
    pub step: u64,
    /// When it ended, or what its check said.
    pub at: SystemTime,
    /// Whether it was found done, and only the time that its check said is known.
    pub found: bool,
}

impl Since {
    /// A check says so.
    #[must_use]
    pub fn found(at: SystemTime) -> Self {
        Self { run: 0, step: 0, at, found: true }
    }

    /// Whether this is later than the other: by run and step, if both ran, else by their times.
    #[must_use]
    pub fn is_later_than(&self, other: &Self) -> bool {
        match self.found || other.found {
            true => self.at > other.at,
            false => (self.run, self.step) > (other.run, other.step),
        }
    }
}

/// The hash of a task's inputs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// This; `None` for a task without `hash`.
    Known(Option<InputHash>),
    /// It cannot be told, for this reason.
    Unknown(String),
}

/// A function of the user's that looks at the machine.
#[derive(Clone, Debug)]
pub struct Check<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it says.
    pub answer: Answer,
}

/// What a check says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has not been asked yet.
    NotAsked,
    /// Done, or valid.
    Yes,
    /// Done since then, as it says.
    Since(SystemTime),
    /// Not.
    No,
    /// Not, and this is why: `` `/etc/motd` differs ``.
    Differs(String),
    /// It cannot be asked: the machine does not run.
    CannotAsk,
    /// In a plan: what it looks at, by this name, is changed before it is asked.
    AskedAfter(String),
}

impl From<Completed> for Answer {
    fn from(completed: Completed) -> Self {
        match completed {
            Completed::Not => Self::No,
            Completed::Done => Self::Yes,
            // A stamp keeps the very same time.
            Completed::At(time) => Self::Since(writable(time)),
        }
    }
}

/// What is to be done with a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It runs.
    Run(Reason),
    /// It does not.
    Skip,
    /// It does not, because it was found done. Its stamp is written. For the tasks after it, it counts as done since the time that
    /// its check said, and, if nobody knows since when, as having run now.
    Adopt(Option<SystemTime>),
    /// In a plan only: it cannot be told yet.
    Unknown(Reason),
    /// Ask its `check_completed`, and decide again.
    AskCompleted,
    /// Ask its invalidator, and decide again.
    AskValid,
    /// Compare its building blocks, and decide again.
    AskBlocks,
}

impl Decision {
    /// What the task is, in a plan, to those after it; `last` is what it was decided from.
    #[must_use]
    pub fn planned(&self, last: &Last) -> Earlier {
        match self {
            Self::Run(_) | Self::Adopt(None) => Earlier::WillRun,
            Self::Adopt(Some(time)) => Earlier::Ran(Since::found(*time)),
            Self::Unknown(_) | Self::AskCompleted | Self::AskValid | Self::AskBlocks => Earlier::MayRun,
            Self::Skip => Earlier::of(last),
        }
    }
}

/// Whether a task runs, and why.
///
/// The order: forced; not done last time; no stamp; another machine; a task before it runs, or ran later; its user; its inputs;
/// its source; its building blocks; its invalidator. A task with a `check_completed` is asked instead of its stamp, unless its last time did not end well;
/// if that says since when it is done, a task before it that runs or is done later makes it run, and its invalidator.
#[must_use]
pub fn decide(facts: &Facts<'_>) -> Decision {
    if facts.forced {
        return Decision::Run(Reason::Forced);
    }
    if let Some(reason) = not_ended(facts) {
        return Decision::Run(reason);
    }
    match &facts.completed {
        Some(check) => by_check(facts, check),
        None => by_stamp(facts),
    }
}

/// Whether the last time, on this very machine, did not end well.
fn not_ended(facts: &Facts<'_>) -> Option<Reason> {
    match facts.last {
        Last::Begun(run, target) if facts.target == Target::Exists(target) => {
            Some(Reason::Interrupted { run: *run })
        }
        Last::Failed(run, target) if facts.target == Target::Exists(target) => {
            Some(Reason::Failed { run: *run })
        }
        _ => None,
    }
}

fn by_check(facts: &Facts<'_>, check: &Check<'_>) -> Decision {
    // What runs before it may change the answer, so it is asked at its turn.
    if let Some(before) =
        facts.before.iter().find(|before| matches!(before.is, Earlier::WillRun | Earlier::MayRun))
    {
        return Decision::Unknown(Reason::AskedAfter { check: check.name.into(), after: before.name.into() });
    }
    match ask(facts, check) {
        Answer::NotAsked => Decision::AskCompleted,
        Answer::CannotAsk => Decision::Unknown(Reason::CannotAsk { check: check.name.into() }),
        Answer::AskedAfter(thing) => {
            Decision::Unknown(Reason::AskedAfter { check: check.name.into(), after: thing })
        }
        Answer::No | Answer::Differs(_) => Decision::Run(Reason::NotCompleted { check: check.name.into() }),
        Answer::Yes => match by_invalidator(facts) {
            Decision::Skip if stamp(facts).is_none() => Decision::Adopt(None),
            decision => decision,
        },
        Answer::Since(time) => since(facts, time),
    }
}

/// A task that is done since then, as its check says.
fn since(facts: &Facts<'_>, time: SystemTime) -> Decision {
    // What is still as it was left counts as left then: whatever clock the check goes by, that does not change the order.
    let as_left = stamp(facts).filter(|stamp| stamp.said == Some(time));
    let own = as_left.map_or_else(|| Since::found(time), Stamp::since);
    for before in facts.before {
        match before.is {
            Earlier::RanNow(at) if !own.found || at > own.at => {
                return Decision::Run(Reason::After { task: before.name.into() });
            }
            Earlier::Ran(other) if other.is_later_than(&own) => return Decision::Run(later(before, other)),
            _ => {}
        }
    }
    match by_invalidator(facts) {
        Decision::Skip if as_left.is_none() => Decision::Adopt(Some(time)),
        decision => decision,
    }
}

/// The stamp of this very machine, if it says that the task ran.
fn stamp<'a>(facts: &Facts<'a>) -> Option<&'a Stamp> {
    match facts.last {
        Last::Ran(stamp) if facts.target == Target::Exists(&stamp.target) => Some(stamp),
        _ => None,
    }
}

/// A task before it is done since later.
fn later(before: &Before<'_>, since: Since) -> Reason {
    match since.found {
        true => Reason::DoneLater { task: before.name.into(), at: after_1970(since.at).as_secs() },
        false => Reason::RanLater { task: before.name.into(), run: since.run },
    }
}

fn by_stamp(facts: &Facts<'_>) -> Decision {
    let stamp = match facts.last {
        Last::Never => return Decision::Run(Reason::NeverRan),
        Last::Unreadable(why) => return Decision::Run(Reason::NoStamp { cause: why.clone() }),
        Last::Ran(stamp) if facts.target == Target::Exists(&stamp.target) => stamp,
        Last::Ran(_) | Last::Begun(..) | Last::Failed(..) => return Decision::Run(Reason::NewMachine),
    };
    let mut unknown = None;
    for before in facts.before {
        match before.is {
            Earlier::RanNow(_) | Earlier::WillRun => {
                return Decision::Run(Reason::After { task: before.name.into() });
            }
            Earlier::Ran(other) if other.is_later_than(&stamp.since()) => {
                return Decision::Run(later(before, other));
            }
            Earlier::MayRun => {
                unknown = unknown.or_else(|| Some(Reason::MayRunBefore { task: before.name.into() }))
            }
            Earlier::Ran(..) | Earlier::Never => {}
        }
    }
    if facts.user != stamp.user.as_deref() {
        let name = |user: Option<&str>| user.unwrap_or("root").to_owned();
        let (before, now) = (name(stamp.user.as_deref()), name(facts.user));
        return Decision::Run(Reason::UserChanged { before, now });
    }
    match &facts.inputs {
        Inputs::Known(inputs) if *inputs != stamp.inputs => return Decision::Run(Reason::InputsChanged),
        Inputs::Known(_) => {}
        Inputs::Unknown(why) => {
            unknown = unknown.or_else(|| Some(Reason::InputsUnknown { cause: why.clone() }))
        }
    }
    if facts.source != stamp.source {
        return Decision::Run(Reason::SourceChanged);
    }
    match unknown {
        Some(reason) => Decision::Unknown(reason),
        None => by_blocks(facts),
    }
}

fn by_blocks(facts: &Facts<'_>) -> Decision {
    match &facts.blocks {
        None | Some(Answer::Yes | Answer::Since(_)) => by_invalidator(facts),
        Some(Answer::NotAsked) => Decision::AskBlocks,
        Some(Answer::CannotAsk | Answer::AskedAfter(_)) => Decision::Unknown(Reason::CannotCompare),
        Some(Answer::No) => Decision::Run(Reason::Differs { what: "a building block differs".to_owned() }),
        Some(Answer::Differs(what)) => Decision::Run(Reason::Differs { what: what.clone() }),
    }
}

fn by_invalidator(facts: &Facts<'_>) -> Decision {
    let Some(check) = &facts.valid else { return Decision::Skip };
    match ask(facts, check) {
        Answer::NotAsked => Decision::AskValid,
        Answer::CannotAsk => Decision::Unknown(Reason::CannotAsk { check: check.name.into() }),
        Answer::AskedAfter(thing) => {
            Decision::Unknown(Reason::AskedAfter { check: check.name.into(), after: thing })
        }
        Answer::No | Answer::Differs(_) => Decision::Run(Reason::Invalid { check: check.name.into() }),
        Answer::Yes | Answer::Since(_) => Decision::Skip,
    }
}

/// A machine that does not exist cannot be asked.
fn ask(facts: &Facts<'_>, check: &Check<'_>) -> Answer {
    if facts.target == Target::New { Answer::CannotAsk } else { check.answer.clone() }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "decide_world_tests.rs"]
mod world_tests;
