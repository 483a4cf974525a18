//! The report of a run while it goes on, and the events that tell of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

use super::decide::Verdict;
use super::graph::{Graph, Outcome};
use super::logged::Logging;
use super::services::whose;
use super::things::Thing;
use super::{Deployment, Failure, Report, Skip, Step};
use crate::customize::Applied;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::step::Planned;

/// A run that goes on.
pub(super) struct Progress {
    report: Mutex<Report>,
    events: Events,
    planned: Option<Planned>,
}

impl Progress {
    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What has been done to a thing itself, if something has.
    pub(super) fn done_to(&self, thing: &str) -> Option<super::Action> {
        self.report().done.iter().find(|step| step.thing == thing).map(|step| step.action)
    }

    /// Does what a verdict says to a thing, and tells of it. No verdict is nothing to do.
    pub(super) async fn step<T, E: Into<Undone>>(
        &self,
        thing: &str,
        verdict: Verdict,
        work: impl AsyncFnOnce(Option<super::Action>) -> Result<T, E>,
    ) -> Result<T, Error> {
        let Some((action, why)) = verdict else {
            return work(None).await.map_err(|undone| self.undone(thing, "deploy", undone.into()));
        };
        if let Some(Err(error)) =
            self.planned.as_ref().map(|planned| planned.allows(thing, action.word(), &why))
        {
            return Err(self.tell(thing, action.word(), &error));
        }
        let (thing, word, begun) = (thing.to_owned(), action.word(), Instant::now());
        self.events.send(Event::Begun { thing: thing.clone(), action: word, why: why.clone() });
        match work(Some(action)).await.map_err(Into::into) {
            Ok(value) => {
                self.events.send(Event::Done { thing: thing.clone(), action: word, took: begun.elapsed() });
                self.report().done.push(Step {
                    thing,
                    action,
                    why,
                    details: Vec::new(),
                    changes: Vec::new(),
                });
                Ok(value)
            }
            Err(undone) => {
                // It has begun, so it is told that it does not go on.
                match &undone {
                    Undone::Failed(_) => {}
                    Undone::Waits(task) => {
                        self.skip(thing.clone(), word, format!("`{task}` did not succeed"))
                    }
                    Undone::Interrupted => {
                        let why = "the run was interrupted".to_owned();
                        self.events.send(Event::Skipped { thing: thing.clone(), action: word, why });
                        self.report().interrupted.push(thing.clone());
                    }
                }
                Err(self.undone(&thing, word, undone))
            }
        }
    }

    fn skip(&self, thing: String, action: &'static str, why: String) {
        self.events.send(Event::Skipped { thing: thing.clone(), action, why: why.clone() });
        self.report().skipped.push(Skip { thing, why });
    }

    /// Ends the work on a thing; a failure is told, and all else was.
    pub(super) fn undone(&self, thing: &str, action: &'static str, undone: Undone) -> Error {
        match undone {
            Undone::Failed(error) => self.tell(thing, action, &error),
            Undone::Waits(_) | Undone::Interrupted => told(),
        }
    }

    /// Tells of a failure before anything could be decided.
    pub(super) fn tell(&self, thing: &str, action: &'static str, error: &Error) -> Error {
        let failure = Failure::of(thing.to_owned(), error);
        let (text, hint) = (failure.causes.join(": "), failure.hint.clone());
        self.events.send(Event::Failed { thing: thing.to_owned(), action, error: text, hint });
        self.report().failed.push(failure);
        told()
    }

    /// Takes in what was done with a machine's tasks, and answers what keeps others from going on if not all of it went well.
    pub(super) fn applied(&self, applied: Applied) -> Result<(), Undone> {
        let failed = applied.failed.first().map(|failure| &failure.thing);
        let first = failed.or_else(|| applied.skipped.first().map(|skip| &skip.thing));
        let outcome = match first {
            Some(task) => Err(Undone::Waits(task.clone())),
            None if !applied.interrupted.is_empty() => Err(Undone::Interrupted),
            None => Ok(()),
        };
        let mut report = self.report();
        report.done.extend(applied.done);
        report.failed.extend(applied.failed);
        report.skipped.extend(applied.skipped);
        report.interrupted.extend(applied.interrupted);
        outcome
    }
}

/// Why something that was begun is not done.
pub(super) enum Undone {
    /// It failed.
    Failed(Error),
    /// This, which comes before the rest of it, did not succeed; that is told already.
    Waits(String),
    /// The run is to stop.
    Interrupted,
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Ends the work on a thing whose failure is in the report already.
fn told() -> Error {
    Error::new(ErrorKind::Task, "it failed, as told before")
}

impl Deployment {
    /// Does the work of each thing in `among`, in the order of `graph`, and reports. The work writes its own failures into the
    /// report, and then returns any error.
    pub(super) async fn each<'a, F: Future<Output = Result<(), Error>>>(
        &'a self,
        graph: &Graph,
        among: &BTreeSet<usize>,
        action: &'static str,
        work: impl Fn(usize, &'a Thing, std::sync::Arc<Progress>) -> F,
    ) -> Report {
        let begun = Instant::now();
        let events = &self.options.events;
        let report = Mutex::new(Report { run: self.ledger.run(), ..Report::default() });
        let progress = std::sync::Arc::new(Progress {
            report,
            events: events.clone(),
            planned: self.planned.get().cloned(),
        });
        events.send(Event::Started { run: self.ledger.run(), steps: among.len() });
        // What has come to an end, and whether it went well, for when all the rest is given up.
        let ended = Mutex::new(BTreeMap::new());
        let work = |at: usize| {
            let (work, ended) = (work(at, &self.things.all[at], progress.clone()), &ended);
            async move {
                let worked = work.await;
                ended.lock().unwrap_or_else(PoisonError::into_inner).insert(at, worked.is_ok());
                worked
            }
        };
        let work = self.with_room(async |room| graph.execute(among, room, &self.options.stop, work).await);
        let outcomes = self.options.abort.unless(work, self.world.unwound()).await;
        let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
        let outcome = |at: &usize| match ended.get(at) {
            Some(true) => Outcome::Done(()),
            Some(false) => Outcome::Failed,
            None => Outcome::Interrupted,
        };
        let outcomes = outcomes.unwrap_or_else(|| among.iter().map(|at| (*at, outcome(at))).collect());
        if let Err(error) = self.ledger.catch_up().await {
            // The entries stay open, which the next run can bear.
            events.send(Event::Warning { thing: "journal".to_owned(), text: crate::chain(&error) });
        }
        let mut report = std::mem::take(&mut *progress.report());
        let changed: HashSet<String> = report.done.iter().map(|step| whose(&step.thing)).collect();
        for (at, outcome) in outcomes {
            let thing = self.things.all[at].name();
            match outcome {
                Outcome::Done(()) => report.unchanged += usize::from(!changed.contains(&thing)),
                Outcome::Failed => {}
                // Nothing failed: what it needs was not finished because the run was to stop.
                Outcome::Skipped(_) if report.failed.is_empty() => report.interrupted.push(thing),
                Outcome::Skipped(by) => {
                    let why = format!("`{}` did not succeed", self.things.all[by].name());
                    events.send(Event::Skipped { thing: thing.clone(), action, why: why.clone() });
                    report.skipped.push(Skip { thing, why });
                }
                Outcome::Interrupted => report.interrupted.push(thing),
            }
        }
        // Whoever reads the report may look at the log.
        self.log.iter().for_each(Logging::catch_up);
        report.took = begun.elapsed();
        report
    }
}
