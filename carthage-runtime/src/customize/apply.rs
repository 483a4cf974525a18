//! Applying customizations to a machine: what would run and why, and running it.

use std::panic::AssertUnwindSafe;
use std::time::SystemTime;

use tokio_util::sync::CancellationToken;

use super::body::{Ended, Member, on_disk};
use super::elsewhere::{Walk, release};
use super::names::Names;
use super::panics::{panicked, unpanicked};
use super::{AnyCustomization, Asked, Compared, Ground, Kind, On, Surroundings, When};
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::layout::Place;
use crate::machine::engine::Identity;
use crate::machine::{Patience, not_root, told};
use crate::model::TaskNode;
use crate::reason::Reason;
use crate::state::{HashKey, Ledger};
use crate::step::{Action, Failure, Planned, Step};
use crate::task::decide::{Answer, Before, Check, Earlier, Facts, Inputs, Since, Target};
use crate::task::{Completed, Decision, InputHash, Last, Stamps, decide, writable};

/// The machine as a plan sees it.
pub(crate) enum Now {
    /// It will be made.
    New,
    /// It exists and does not run: what its root can tell can be asked.
    Stopped(Identity),
    /// It runs.
    Running(Identity),
}

/// What tasks of a machine need besides it.
#[derive(Clone)]
pub(crate) struct Setting {
    pub(crate) stamps: Stamps,
    pub(crate) hash_key: Option<HashKey>,
    pub(crate) ledger: Ledger,
    pub(crate) events: Events,
    pub(crate) patience: Patience,
}

impl Setting {
    /// For tasks that are none of the layout's.
    pub(crate) fn by_hand(&self) -> Self {
        Self { stamps: self.stamps.by_hand(), ..self.clone() }
    }
}

/// How it went, where not all went well. What was done has been told.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// What failed first.
    pub(crate) failed: Option<Failure>,
    /// The first task that had to wait for one that failed.
    pub(crate) skipped: Option<String>,
    /// Whether a task was left because the run was to stop.
    pub(crate) is_interrupted: bool,
}

impl Applied {
    /// An error if a task failed; it has the causes of the first.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        let Some(first) = self.failed else { return Ok(()) };
        let error =
            Error::new(ErrorKind::Task, format!("`{}` failed", first.thing)).because(first.causes.join(": "));
        Err(match first.hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }
}

/// What a run keeps to.
pub(super) struct Terms<'a> {
    pub(super) identity: &'a Identity,
    /// Whether the task of this name runs whether it needs to or not.
    pub(super) forced: &'a (dyn Fn(&str) -> bool + Sync),
    pub(super) only_forced: bool,
    pub(super) stop: &'a CancellationToken,
}

/// What became of a task: what it is to those after it.
pub(super) type Settled = Result<Earlier, Error>;

/// The setup tasks of one customization on one machine, or those of a model.
pub(crate) struct Application<'a> {
    /// The field that holds it; empty for a model.
    pub(crate) field: &'static str,
    pub(crate) customization: &'a dyn AnyCustomization,
    /// When it is applied.
    pub(crate) when: When,
    pub(crate) place: &'a Place,
    pub(crate) on: On<'a>,
    pub(crate) setting: &'a Setting,
    /// What a run keeps to, if it is to.
    pub(crate) planned: Option<&'a Planned>,
    /// What is known of the tasks of other machines.
    pub(crate) walk: &'a Walk,
    /// What was found out of its building blocks.
    pub(crate) compared: Compared,
    /// What its tasks run in.
    pub(crate) surroundings: Surroundings,
    pub(crate) names: Names,
}

impl Application<'_> {
    pub(crate) fn tasks(&self) -> &'static [TaskNode] {
        self.customization.node().tasks
    }

    fn step(&self, task: usize, action: Action, why: Reason) -> Step {
        let about = self.tasks()[task].about;
        let details = if about.is_empty() { Vec::new() } else { vec![about.to_owned()] };
        Step { details, ..Step::new(self.thing(task), action, why) }
    }

    /// What would run, and why. A task whose check fails keeps nothing else from being planned: it is asked again when it is run.
    pub(crate) async fn plan(&self, now: &Now) -> Vec<Step> {
        let (target, can_be_asked) = match now {
            Now::New => (Target::New, false),
            Now::Stopped(identity) => (Target::Exists(identity), self.when == When::Exists),
            Now::Running(identity) => (Target::Exists(identity), true),
        };
        let (mut earlier, mut steps) = (Vec::new(), Vec::new());
        let _held = self.setting.stamps.hold();
        for task in 0..self.tasks().len() {
            let ground = can_be_asked.then(|| self.ground(task));
            let (decision, last) = match self.decide(task, target, ground.as_ref(), &earlier, false).await {
                Ok(decided) => decided,
                Err(error) => {
                    let next = error.next_step().filter(|_| error.kind() == ErrorKind::Timeout);
                    let next = next.map(|next| format!("; {next}")).unwrap_or_default();
                    let why = Reason::CannotTell { cause: format!("{}{next}", crate::chain(&error)) };
                    self.see(task, None, Some((Action::Ask, &why)));
                    steps.push(self.step(task, Action::Ask, why));
                    earlier.push(self.is(task, Earlier::MayRun));
                    continue;
                }
            };
            earlier.push(self.is(task, decision.planned(&last)));
            let would = match decision {
                Decision::Run(why) => Some((Action::Run, why)),
                Decision::Unknown(why) => Some((Action::Ask, why)),
                _ => None,
            };
            self.see(task, Some(&last), would.as_ref().map(|(action, why)| (*action, why)));
            let Some((action, why)) = would else { continue };
            let changes = match self.inspects() {
                true => Vec::new(),
                false => self.changes(task, now, ground.as_ref()).await,
            };
            steps.push(Step { changes, ..self.step(task, action, why) });
        }
        steps
    }

    /// What would be known of it if the machine were seen: nothing.
    pub(crate) fn plan_unseen(&self) -> Vec<Step> {
        let cause = format!("`{}` does not say whether it is there", self.on.name());
        let why = Reason::CannotTell { cause };
        let _held = self.setting.stamps.hold();
        let unseen = |task| {
            self.is(task, Earlier::MayRun);
            self.see(task, None, Some((Action::Ask, &why)));
            self.step(task, Action::Ask, why.clone())
        };
        (0..self.tasks().len()).map(unseen).collect()
    }

    /// Runs what must run, on a machine that is as [`when`](Self::when) says. A task that fails stops only those after it.
    pub(crate) async fn run(
        &self,
        identity: &Identity,
        forced: impl Fn(&str) -> bool + Sync,
        only_forced: bool,
        stop: &CancellationToken,
    ) -> Result<Applied, Error> {
        let terms = &Terms { identity, forced: &forced, only_forced, stop };
        let mut applied = Applied::default();
        let mut earlier: Vec<Option<Earlier>> = Vec::new();
        let _held = self.setting.stamps.hold();
        while let Some(node) = self.tasks().get(earlier.len()) {
            let task = earlier.len();
            let thing = self.thing(task);
            if only_forced && !forced(self.name(task)) {
                earlier.push(Some(Earlier::Never));
                continue;
            }
            if stop.is_cancelled() {
                self.events().send(Event::Interrupted { thing: thing.to_owned(), action: None });
                applied.is_interrupted = true;
                earlier.push(None);
                continue;
            }
            // Forcing one task is about that task alone.
            let broken =
                node.after.iter().find(|before| earlier[**before].is_none()).filter(|_| !only_forced);
            if let Some(broken) = broken {
                let why = Reason::NotReached { because_of: self.tasks()[*broken].name.to_owned() };
                let (thing, action, by_hand) = (thing.to_owned(), Action::Run, self.is_by_hand());
                applied.skipped.get_or_insert_with(|| thing.clone());
                self.events().send(Event::Skipped { thing, action, why, by_itself: false, by_hand });
                earlier.push(None);
                continue;
            }
            for settled in self.settle(task, terms, &earlier).await {
                let task = earlier.len();
                earlier.push(match settled {
                    Ok(is) => Some(self.is(task, is)),
                    Err(error) => {
                        self.fails(self.thing(task).to_owned(), &error, &mut applied);
                        None
                    }
                });
            }
        }
        self.leave(identity, &mut applied).await;
        // All of them are waited for once.
        if self.setting.stamps.are_unsynced() {
            on_disk(&self.setting.stamps, &self.setting.ledger, Stamps::sync).await?;
        }
        Ok(applied)
    }

    /// A task has failed.
    pub(super) fn fails(&self, thing: String, error: &Error, applied: &mut Applied) {
        let failure = Failure::of(thing, error);
        let (Failure { thing, causes, hint }, by_hand) = (failure.clone(), self.is_by_hand());
        self.events().send(Event::Failed { thing, action: Action::Run, causes, hint, by_hand });
        applied.failed.get_or_insert(failure);
    }

    /// Decides on one task and, if it must, runs it; with it those behind it that are made together with it. Answers what became of each,
    /// from this one on.
    async fn settle(&self, task: usize, terms: &Terms<'_>, earlier: &[Option<Earlier>]) -> Vec<Settled> {
        let known: Vec<_> = earlier.iter().map(|is| is.unwrap_or(Earlier::Never)).collect();
        let (ground, forced) = (self.ground(task), (terms.forced)(self.name(task)));
        let target = Target::Exists(terms.identity);
        let (decision, last) = match self.decide(task, target, Some(&ground), &known, forced).await {
            Ok(decided) => decided,
            Err(error) => return vec![Err(error)],
        };
        match decision {
            Decision::Run(why) => match self.member(task, why, last, &known) {
                Err(error) => vec![Err(error)],
                Ok(member) => self.perform(member, terms, earlier).await,
            },
            Decision::Adopt(said) => vec![self.adopt(task, terms.identity, said).await],
            decision => vec![Ok(decision.planned(&last))],
        }
    }

    /// A task that is to run for this reason, if that is what was planned.
    pub(super) fn member(
        &self,
        task: usize,
        why: Reason,
        last: Last,
        earlier: &[Earlier],
    ) -> Result<Member, Error> {
        if let Some(planned) = self.planned {
            planned.allows(self.thing(task), Action::Run, &why)?;
        }
        let elsewhere = self.before_elsewhere(task).into_iter().map(|(_, is)| is);
        let before = self.tasks()[task].after.iter().map(|at| earlier[*at]).chain(elsewhere);
        let found = before.filter_map(|is| match is {
            Earlier::Ran(since) if since.found => Some(since.at),
            _ => None,
        });
        let not_before = found.max().unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Member { task, why, last, ground: self.ground(task), not_before })
    }

    /// Writes down that a task was found done, and since when, if its check says that.
    async fn adopt(&self, task: usize, identity: &Identity, said: Option<SystemTime>) -> Settled {
        self.make_room().await?;
        let at = said.unwrap_or_else(SystemTime::now);
        self.stamp(task, identity, Ended { at, said })?;
        Ok(said.map_or(Earlier::RanNow(at), |said| Earlier::Ran(Since::found(said))))
    }

    /// Since when a task is done whose body has just ended, if its check says that.
    pub(super) async fn says_when(&self, task: usize, ground: &Ground) -> Result<Option<SystemTime>, Error> {
        let checks = self.customization.checks(task);
        let Some(name) = checks.completed.filter(|_| checks.says_when) else { return Ok(None) };
        let Some(asked) = self.customization.check_completed(task, ground, self.place) else {
            return Ok(None);
        };
        match self.answered(task, name, asked).await? {
            Completed::At(time) => Ok(Some(writable(time))),
            Completed::Not | Completed::Done => Ok(None),
        }
    }

    /// What a check says that is asked.
    async fn answered<T>(&self, task: usize, check: &str, asked: Asked<'_, T>) -> Result<T, Error> {
        let what = || format!("`{check}`, the check of `{}`,", self.name(task));
        let failed = |error| Error::new(ErrorKind::Task, format!("`{check}` failed")).because(error);
        let thing = || self.thing(task).to_owned();
        let asked = told(self.events(), thing, || format!("what `{check}` says"), unpanicked(asked));
        self.setting.patience.answered(what, failed, asked).await
    }

    /// As whom a task runs, if not as root. Where no command is run, that is nobody.
    pub(super) fn user(&self, task: usize) -> Option<&str> {
        let On::Machine(machine) = self.on else { return None };
        if self.customization.kind() != Kind::Machine {
            return None;
        }
        let machines = || machine.spec().runas_user.as_deref();
        not_root(self.tasks()[task].user.or_else(machines))
    }

    /// The hash of a task's inputs, if it has any. What it is made from is the user's code, and may panic.
    pub(super) fn inputs(&self, task: usize) -> Result<Option<InputHash>, Error> {
        let digest = std::panic::catch_unwind(AssertUnwindSafe(|| self.customization.hash(task)));
        let digest = digest.map_err(|panic| {
            let node = &self.tasks()[task];
            let what = format!("the `hash` of task `{}` failed ({})", self.stem(task), node.at);
            Error::new(ErrorKind::Task, what)
                .because(panicked(&*panic))
                .hint("mend what the hash is made of, and deploy again")
        })?;
        Ok(digest.zip(self.setting.hash_key.as_ref()).map(|(digest, key)| digest.keyed(key)))
    }

    /// The one decision, with the checks asked as far as it wants to know. Without a host they cannot be asked. Errors are those
    /// of a check or a hash that fails.
    pub(super) async fn decide(
        &self,
        task: usize,
        target: Target<'_>,
        ground: Option<&Ground>,
        earlier: &[Earlier],
        forced: bool,
    ) -> Result<(Decision, Last), Error> {
        let node = &self.tasks()[task];
        let last = self.setting.stamps.read(self.stem(task));
        let elsewhere = self.before_elsewhere(task);
        let elsewhere = elsewhere.iter().map(|(name, is)| Before { name, is: *is });
        let own = node.after.iter().map(|at| Before { name: self.tasks()[*at].name, is: earlier[*at] });
        let before: Vec<_> = own.chain(elsewhere).collect();
        let unasked = if ground.is_some() { self.unasked(task) } else { Answer::CannotAsk };
        let checks = self.customization.checks(task);
        let check = |name: Option<&'static str>| name.map(|name| Check { name, answer: unasked.clone() });
        let inputs = self.inputs(task)?;
        let mut facts = Facts {
            forced,
            last: &last,
            target,
            before: &before,
            inputs: Inputs::Known(inputs),
            user: self.user(task),
            source: node.source,
            completed: check(checks.completed),
            valid: check(checks.invalidator),
            blocks: self.has_blocks(task).then_some(if ground.is_some() {
                Answer::NotAsked
            } else {
                Answer::CannotAsk
            }),
        };
        loop {
            let decision = decide(&facts);
            let (asked, check): (Asked<'_, Completed>, _) = match (&decision, ground) {
                (Decision::AskBlocks, Some(ground)) => {
                    facts.blocks = Some(self.as_blocks_say(task, ground).await?);
                    continue;
                }
                (Decision::AskCompleted, Some(ground)) => {
                    let asked = self.customization.check_completed(task, ground, self.place);
                    let (Some(asked), Some(check)) = (asked, &mut facts.completed) else {
                        return Ok((decision, last.clone()));
                    };
                    (asked, check)
                }
                (Decision::AskValid, Some(ground)) => {
                    let asked = self.customization.invalidator(task, ground, self.place);
                    let (Some(asked), Some(check)) = (asked, &mut facts.valid) else {
                        return Ok((decision, last.clone()));
                    };
                    (Box::pin(async move { Ok(asked.await?.into()) }), check)
                }
                _ => return Ok((decision, last.clone())),
            };
            let up = self.keep_running(task, true).await?;
            let answer = self.answered(task, check.name, asked).await?;
            release(up).await?;
            check.answer = answer.into();
        }
    }
}
