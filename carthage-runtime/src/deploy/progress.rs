//! The report of a run while it goes on, and the events that tell of it.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::decide::Verdict;
use super::graph::{Graph, Outcome};
use super::services::whose;
use super::things::Thing;
use super::{Deployment, Failure, Report, Skip, Step};
use crate::customize::Applied;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};

/// A run that goes on.
pub(super) struct Progress {
    report: Mutex<Report>,
    events: Events,
}

impl Progress {
    fn report(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what a verdict says to a thing, and tells of it. No verdict is nothing to do.
    pub(super) async fn step<T>(
        &self,
        thing: &str,
        verdict: Verdict,
        work: impl AsyncFnOnce(Option<super::Action>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some((action, why)) = verdict else {
            return work(None).await;
        };
        let (thing, word, begun) = (thing.to_owned(), action.word(), Instant::now());
        self.events.send(Event::Begun { thing: thing.clone(), action: word, why: why.clone() });
        match work(Some(action)).await {
            Ok(value) => {
                self.events.send(Event::Done { thing: thing.clone(), action: word, took: begun.elapsed() });
                self.report().done.push(Step { thing, action, why, details: Vec::new() });
                Ok(value)
            }
            Err(error) => {
                let failure = Failure::of(thing.clone(), &error);
                let (text, hint) = (failure.causes.join(": "), failure.hint.clone());
                self.events.send(Event::Failed { thing, action: word, error: text, hint });
                self.report().failed.push(failure);
                Err(told())
            }
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

    /// Takes in what was done with a machine's tasks; an error if not all of it went well.
    pub(super) fn applied(&self, applied: Applied) -> Result<(), Error> {
        let complete =
            applied.failed.is_empty() && applied.skipped.is_empty() && applied.interrupted.is_empty();
        let mut report = self.report();
        report.done.extend(applied.done);
        report.failed.extend(applied.failed);
        report.skipped.extend(applied.skipped);
        report.interrupted.extend(applied.interrupted);
        if complete { Ok(()) } else { Err(told()) }
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
        let progress = std::sync::Arc::new(Progress { report, events: events.clone() });
        events.send(Event::Started { run: self.ledger.run(), steps: among.len() });
        let outcomes = graph
            .execute(among, self.options.parallel, &self.options.stop, |at| {
                work(at, &self.things.all[at], progress.clone())
            })
            .await;
        self.world.unwound().await;
        let mut report = std::mem::take(&mut *progress.report());
        let changed: BTreeSet<String> = report.done.iter().map(|step| whose(&step.thing)).collect();
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
        report.took = begun.elapsed();
        report
    }
}
