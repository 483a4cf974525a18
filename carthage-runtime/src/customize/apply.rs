//! Applying customizations to a machine: what would run and why, and running it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::elsewhere::{Walk, release};
use super::panics::{panicked, unpanicked};
use super::{AnyCustomization, Compared, Ground, Kind, On, SkipTask, When};
use crate::crash::crash_point;
use crate::error::{BoxError, Error, ErrorKind, chain};
use crate::event::{Event, Events};
use crate::layout::Place;
use crate::machine::engine::Identity;
use crate::machine::not_root;
use crate::model::TaskNode;
use crate::state::{HashKey, Ledger, now};
use crate::step::{Action, Failure, Planned, Skip, Step};
use crate::task::decide::{Answer, Before, Check, Earlier, Facts, Inputs, Target};
use crate::task::{Decision, InputHash, Last, Stamp, Stamps, decide};

/// How long it is waited before a task is tried again: the first time, and at most. Each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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
}

impl Setting {
    /// For tasks that are none of the layout's.
    pub(crate) fn by_hand(&self) -> Self {
        Self { stamps: self.stamps.by_hand(), ..self.clone() }
    }
}

/// What was done, task by task.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) done: Vec<Step>,
    pub(crate) failed: Vec<Failure>,
    pub(crate) skipped: Vec<Skip>,
    pub(crate) interrupted: Vec<String>,
}

impl Applied {
    /// An error if a task failed; it has the causes of the first.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        let Some(first) = self.failed.into_iter().next() else { return Ok(()) };
        let error =
            Error::new(ErrorKind::Task, format!("`{}` failed", first.thing)).because(first.causes.join(": "));
        Err(match first.hint {
            Some(hint) => error.hint(hint),
            None => error,
        })
    }
}

/// How a task ended that did not fail.
enum Ended {
    Ran,
    /// It said that it had nothing to do.
    Skipped,
}

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
}

impl Application<'_> {
    pub(crate) fn tasks(&self) -> &'static [TaskNode] {
        self.customization.node().tasks
    }

    /// The name of a task's stamp and services: `site.index`; of a model's task, its name alone.
    pub(super) fn stem(&self, task: usize) -> String {
        let name = self.tasks()[task].name;
        match self.on {
            On::Machine(_) => format!("{}.{name}", self.field),
            On::Model(_) => name.to_owned(),
        }
    }

    /// What users call a task, without `task:`: `mirror.algebra/site.index`, `algebra/render`.
    pub(crate) fn name(&self, task: usize) -> String {
        format!("{}/{}", self.on.name(), self.stem(task))
    }

    fn step(&self, task: usize, action: Action, why: String) -> Step {
        let about = self.tasks()[task].about;
        let details = if about.is_empty() { Vec::new() } else { vec![about.to_owned()] };
        Step { thing: format!("task:{}", self.name(task)), action, why, details, changes: Vec::new() }
    }

    /// What would run, and why. A task whose check fails keeps nothing else from being planned: it is asked again when it is run.
    pub(crate) async fn plan(&self, now: &Now) -> Vec<Step> {
        let (target, can_be_asked) = match now {
            Now::New => (Target::New, false),
            Now::Stopped(identity) => (Target::Exists(identity), self.when == When::Exists),
            Now::Running(identity) => (Target::Exists(identity), true),
        };
        let (mut earlier, mut steps) = (Vec::new(), Vec::new());
        for task in 0..self.tasks().len() {
            let ground = can_be_asked.then(|| self.ground(task));
            let (decision, last) = match self.decide(task, target, ground.as_ref(), &earlier, false).await {
                Ok(decided) => decided,
                Err(error) => {
                    let why = format!("cannot be told: {}", crate::chain(&error));
                    steps.push(self.step(task, Action::Ask, why));
                    earlier.push(self.is(task, Earlier::MayRun));
                    continue;
                }
            };
            earlier.push(self.is(task, decision.planned(&last)));
            let (action, why) = match decision {
                Decision::Run(why) => (Action::Run, why),
                Decision::Unknown(why) => (Action::Ask, why),
                _ => continue,
            };
            let changes = self.changes(task, now, ground.as_ref()).await;
            steps.push(Step { changes, ..self.step(task, action, why.to_string()) });
        }
        steps
    }

    /// What would be known of it if the machine were seen: nothing.
    pub(crate) fn plan_unseen(&self) -> Vec<Step> {
        let why = format!("cannot be told: `{}` does not say whether it is there", self.on.name());
        let unseen = |task| {
            self.is(task, Earlier::MayRun);
            self.step(task, Action::Ask, why.clone())
        };
        (0..self.tasks().len()).map(unseen).collect()
    }

    /// Runs what must run, on a machine that is as [`when`](Self::when) says. A task that fails stops only those after it.
    pub(crate) async fn run(
        &self,
        identity: &Identity,
        forced: impl Fn(&str) -> bool,
        only_forced: bool,
        stop: &CancellationToken,
    ) -> Result<Applied, Error> {
        let mut applied = Applied::default();
        let mut earlier: Vec<Option<Earlier>> = Vec::new();
        // Together, they are waited for once.
        let mut stamped = Vec::new();
        for (task, node) in self.tasks().iter().enumerate() {
            let thing = format!("task:{}", self.name(task));
            let force = forced(&self.name(task));
            if only_forced && !force {
                earlier.push(Some(Earlier::Never));
                continue;
            }
            if stop.is_cancelled() {
                applied.interrupted.push(thing);
                earlier.push(None);
                continue;
            }
            // Forcing one task is about that task alone.
            let broken =
                node.after.iter().find(|before| earlier[**before].is_none()).filter(|_| !only_forced);
            if let Some(broken) = broken {
                let why = format!("`{}` did not succeed", self.tasks()[*broken].name);
                self.setting.events.send(Event::Skipped {
                    thing: thing.clone(),
                    action: "run",
                    why: why.clone(),
                });
                applied.skipped.push(Skip { thing, why });
                earlier.push(None);
                continue;
            }
            let known: Vec<_> = earlier.iter().map(|is| is.unwrap_or(Earlier::Never)).collect();
            earlier.push(match self.settle(task, identity, &known, force, stop).await {
                Ok((done, is)) => {
                    if matches!(is, Earlier::RanNow) {
                        stamped.push(self.stem(task));
                    }
                    applied.done.extend(done);
                    Some(self.is(task, is))
                }
                Err(error) => {
                    let failure = Failure::of(thing.clone(), &error);
                    let (text, hint) = (failure.causes.join(": "), failure.hint.clone());
                    self.setting.events.send(Event::Failed { thing, action: "run", error: text, hint });
                    applied.failed.push(failure);
                    None
                }
            });
        }
        if !stamped.is_empty() {
            on_disk(&self.setting.stamps, move |stamps| stamps.sync(&stamped)).await?;
        }
        Ok(applied)
    }

    /// Decides on one task and, if it must, runs it.
    async fn settle(
        &self,
        task: usize,
        identity: &Identity,
        earlier: &[Earlier],
        forced: bool,
        stop: &CancellationToken,
    ) -> Result<(Option<Step>, Earlier), Error> {
        let ground = self.ground(task);
        let (decision, last) =
            self.decide(task, Target::Exists(identity), Some(&ground), earlier, forced).await?;
        match decision {
            Decision::Run(why) => {
                let step = self.step(task, Action::Run, why.to_string());
                if let Some(planned) = self.planned {
                    planned.allows(&step.thing, step.action.word(), &step.why)?;
                }
                match self.body(task, identity, &ground, &step, &last, stop).await? {
                    Ended::Ran => Ok((Some(step), Earlier::RanNow)),
                    Ended::Skipped => Ok((None, Decision::Skip.planned(&last))),
                }
            }
            Decision::Adopt => {
                if !self.setting.stamps.have_room() {
                    on_disk(&self.setting.stamps, Stamps::make_room).await?;
                }
                self.stamp(task, identity)?;
                Ok((None, Earlier::RanNow))
            }
            decision => Ok((None, decision.planned(&last))),
        }
    }

    /// Runs a task's body, as often and as long as the task says. Nothing is tried again once the run is to stop.
    async fn tries(
        &self,
        task: usize,
        ground: &Ground,
        thing: &str,
        stop: &CancellationToken,
    ) -> crate::Result<()> {
        let node = &self.tasks()[task];
        let (mut number, mut pause) = (1, FIRST_PAUSE);
        loop {
            let body = unpanicked(self.customization.run(task, ground, self.place));
            let ended = match node.timeout_seconds.map(Duration::from_secs) {
                None => body.await,
                Some(limit) => tokio::time::timeout(limit, body).await.unwrap_or_else(|_| {
                    let what = format!("it was not done after {}", humantime::format_duration(limit));
                    Err(Error::new(ErrorKind::Timeout, what).into())
                }),
            };
            let Err(error) = ended else { return Ok(()) };
            if number > node.retries || stop.is_cancelled() || SkipTask::of(&*error).is_some() {
                return Err(error);
            }
            let tries = node.retries + 1;
            let again = humantime::format_duration(pause);
            let text = format!("try {number} of {tries} failed: {}; once more in {again}", chain(&*error));
            self.setting.events.send(Event::Warning { thing: thing.to_owned(), text });
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return Err(error);
            }
            (number, pause) = (number + 1, (pause * 2).min(LONGEST_PAUSE));
        }
    }

    async fn body(
        &self,
        task: usize,
        identity: &Identity,
        ground: &Ground,
        step: &Step,
        last: &Last,
        stop: &CancellationToken,
    ) -> Result<Ended, Error> {
        let Setting { stamps, ledger, events, .. } = self.setting;
        let thing = step.thing.clone();
        events.send(Event::Begun { thing: thing.clone(), action: "run", why: step.why.clone() });
        let begun = tokio::time::Instant::now();
        let (stem, run) = (self.stem(task), ledger.run());
        if let Ground::Controller(dir) = ground {
            dir.prepare().await?;
        }
        let up = self.keep_running(task, false).await?;
        let intent = ledger.intend(&thing, "run").await?;
        if !stamps.have_room() {
            on_disk(stamps, Stamps::make_room).await?;
        }
        // Where a check says whether it is done, a stamp that says "begun" is all that tells of what is half done.
        let checked = self.customization.checks(task).completed.is_some();
        if checked || matches!(last, Last::Ran(_)) {
            let (stem, identity) = (stem.clone(), identity.clone());
            on_disk(stamps, move |stamps| stamps.begin(&stem, run, &identity, true)).await?;
        } else {
            stamps.begin(&stem, run, identity, false)?;
        }
        crash_point("task-unstamped");
        let ended = self.tries(task, ground, &thing, stop).await;
        self.forget_compared().await;
        if let Some(skip) = ended.as_ref().err().and_then(|error| SkipTask::of(&**error)) {
            intent.settle_later(stamps.as_before(&stem, last, checked)).await?;
            release(up).await?;
            events.send(Event::Skipped { thing, action: "run", why: skip.to_string() });
            return Ok(Ended::Skipped);
        }
        let ended = match ended {
            Ok(()) => match ground {
                Ground::Machine(host) => host.end_services_not_spawned().await,
                Ground::Controller(_) => Ok(()),
            },
            Err(error) => Err(self.failed(task, error)),
        };
        crash_point("task-ended-unstamped");
        let ended = match ended {
            Ok(()) => self.stamp(task, identity),
            error => error,
        };
        if ended.is_err() {
            let noted = stamps.failed(&stem, run, identity, checked);
            // The first error is what the user must see; without the note the task counts as interrupted.
            noted.map_err(|error| tracing::warn!(%error, "the stamp of a task that failed")).ok();
        }
        crash_point("task-stamped");
        intent.settle_later(ended).await?;
        release(up).await?;
        events.send(Event::Done { thing, action: "run", took: begun.elapsed() });
        Ok(Ended::Ran)
    }

    fn stamp(&self, task: usize, identity: &Identity) -> Result<(), Error> {
        let Setting { stamps, ledger, .. } = self.setting;
        let inputs = self.inputs(task)?;
        let (stem, source) = (self.stem(task), self.tasks()[task].source);
        let (run, step, at) = (ledger.run(), ledger.next_step(), now());
        let user = self.user(task).map(str::to_owned);
        stamps.ran(&stem, Stamp { run, step, at, target: identity.clone(), inputs, source, user })
    }

    fn failed(&self, task: usize, error: BoxError) -> Error {
        let node = &self.tasks()[task];
        let what = format!("task `{}` of `{}` failed ({})", self.stem(task), self.on.name(), node.at);
        let hint = error.downcast_ref::<Error>().and_then(Error::next_step).map(str::to_owned);
        let failed = Error::new(ErrorKind::Task, what).because(error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed.hint("mend the cause and deploy again: it carries on from here"),
        }
    }

    /// As whom a task runs, if not as root. Where no command is run, that is nobody.
    fn user(&self, task: usize) -> Option<&str> {
        let On::Machine(machine) = self.on else { return None };
        if self.customization.kind() != Kind::Machine {
            return None;
        }
        let machines = || machine.spec().runas_user.as_deref();
        not_root(self.tasks()[task].user.or_else(machines))
    }

    /// The hash of a task's inputs, if it has any. What it is made from is the user's code, and may panic.
    fn inputs(&self, task: usize) -> Result<Option<InputHash>, Error> {
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
    async fn decide(
        &self,
        task: usize,
        target: Target<'_>,
        ground: Option<&Ground>,
        earlier: &[Earlier],
        forced: bool,
    ) -> Result<(Decision, Last), Error> {
        let node = &self.tasks()[task];
        let last = self.setting.stamps.read(&self.stem(task));
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
            let (asked, check) = match (&decision, ground) {
                (Decision::AskBlocks, Some(ground)) => {
                    facts.blocks = Some(self.as_blocks_say(task, ground).await?);
                    continue;
                }
                (Decision::AskCompleted, Some(ground)) => {
                    (self.customization.check_completed(task, ground, self.place), &mut facts.completed)
                }
                (Decision::AskValid, Some(ground)) => {
                    (self.customization.invalidator(task, ground, self.place), &mut facts.valid)
                }
                _ => return Ok((decision, last.clone())),
            };
            let (Some(asked), Some(check)) = (asked, check) else { return Ok((decision, last.clone())) };
            let up = self.keep_running(task, true).await?;
            let answer = unpanicked(asked).await.map_err(|error| {
                Error::new(ErrorKind::Task, format!("`{}` failed", check.name)).because(error)
            })?;
            release(up).await?;
            check.answer = if answer { Answer::Yes } else { Answer::No };
        }
    }
}

/// Does something with stamps where waiting for the disk harms nobody.
async fn on_disk(
    stamps: &Stamps,
    work: impl FnOnce(&Stamps) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let stamps = stamps.clone();
    let done = tokio::task::spawn_blocking(move || work(&stamps)).await;
    done.map_err(Error::host("a thread that writes stamps has died"))?
}
