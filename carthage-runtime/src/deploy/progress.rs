//! The report of a run while it goes on, and the events that tell of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::decide::Verdict;
use super::graph::{Graph, Outcome};
use super::logged::Logging;
use super::services::whose;
use super::things::Thing;
use super::{Action, Deployment, Failure, Report, Skip};
use crate::customize::Applied;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events, Sink};
use crate::reason::Reason;
use crate::step::Planned;

/// A run that goes on.
pub(super) struct Progress {
    /// Where all that belongs to it is told.
    pub(super) events: Events,
    listening: Arc<Listening>,
    begun: Instant,
    planned: Option<Planned>,
    /// What was done to machines and networks themselves.
    done: Mutex<HashMap<String, Action>>,
    /// How many things needed nothing.
    unchanged: AtomicUsize,
    has_ended: AtomicBool,
}

/// Makes the report of what it hears, and passes it on.
struct Listening {
    report: Mutex<Report>,
    to: Events,
}

struct Listens(Arc<Listening>);

impl Sink for Listens {
    fn event(&self, event: &Event) {
        lock(&self.0.report).add(event);
        self.0.to.pass(event);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress {
    /// What has been done to a thing itself, if something has.
    pub(super) fn done_to(&self, thing: &str) -> Option<Action> {
        lock(&self.done).get(thing).copied()
    }

    /// Whether nothing has gone wrong so far.
    pub(super) fn is_complete(&self) -> bool {
        lock(&self.listening.report).is_complete()
    }

    /// Does what a verdict says to a thing, and tells of it. No verdict is nothing to do.
    pub(super) async fn step<T, E: Into<Undone>>(
        &self,
        thing: &str,
        verdict: Verdict,
        work: impl AsyncFnOnce(Option<Action>) -> Result<T, E>,
    ) -> Result<T, Error> {
        let Some((action, why)) = verdict else {
            return work(None).await.map_err(|undone| self.undone(thing, Action::Deploy, undone.into()));
        };
        if let Some(Err(error)) = self.planned.as_ref().map(|planned| planned.allows(thing, action, &why)) {
            return Err(self.tell(thing, action, &error));
        }
        let begun = Instant::now();
        self.events.send(Event::Begun { thing: thing.to_owned(), action, why, by_hand: false });
        match work(Some(action)).await.map_err(Into::into) {
            Ok(value) => {
                let (thing, took) = (thing.to_owned(), begun.elapsed());
                self.events.send(Event::Done { thing: thing.clone(), action, took, by_hand: false });
                lock(&self.done).insert(thing, action);
                Ok(value)
            }
            Err(undone) => {
                // It has begun, so it is told that it does not go on.
                match &undone {
                    Undone::Failed(_) => {}
                    Undone::Waits(task) => {
                        self.skip(thing.to_owned(), action, Reason::NotReached { because_of: task.clone() });
                    }
                    Undone::Interrupted => {
                        let (thing, action) = (thing.to_owned(), Some(action));
                        self.events.send(Event::Interrupted { thing, action });
                    }
                }
                Err(self.undone(thing, action, undone))
            }
        }
    }

    /// Tells once that it is over.
    fn end(&self) {
        if !self.has_ended.swap(true, Ordering::SeqCst) {
            let (unchanged, took) = (self.unchanged.load(Ordering::SeqCst), self.begun.elapsed());
            self.events.send(Event::Ended { unchanged, took });
        }
    }

    /// Something is not tried.
    fn skip(&self, thing: String, action: Action, why: Reason) {
        self.events.send(Event::Skipped { thing, action, why, by_itself: false, by_hand: false });
    }

    /// What was to be done is not, because something else needs it.
    pub(super) fn stay(&self, action: Action, stays: Vec<Skip>) {
        stays.into_iter().for_each(|Skip { thing, why }| self.skip(thing, action, why));
    }

    /// Ends the work on a thing; a failure is told, and all else was.
    pub(super) fn undone(&self, thing: &str, action: Action, undone: Undone) -> Error {
        match undone {
            Undone::Failed(error) => self.tell(thing, action, &error),
            Undone::Waits(_) | Undone::Interrupted => told(),
        }
    }

    /// Tells of a failure before anything could be decided.
    pub(super) fn tell(&self, thing: &str, action: Action, error: &Error) -> Error {
        let Failure { thing, causes, hint } = Failure::of(thing.to_owned(), error);
        self.events.send(Event::Failed { thing, action, causes, hint, by_hand: false });
        told()
    }
}

impl Drop for Progress {
    /// It ends also where the state cannot be written.
    fn drop(&mut self) {
        self.end();
    }
}

/// What keeps others from going on, if not all tasks of a machine went well.
pub(super) fn all_well(applied: Applied) -> Result<(), Undone> {
    match (applied.failed.map(|failed| failed.thing).or(applied.skipped), applied.is_interrupted) {
        (Some(task), _) => Err(Undone::Waits(task)),
        (None, true) => Err(Undone::Interrupted),
        (None, false) => Ok(()),
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
    /// A run begins.
    pub(super) fn progress(&self) -> Arc<Progress> {
        let to = self.options.events.clone();
        let listening = Arc::new(Listening { report: Mutex::default(), to });
        Arc::new(Progress {
            events: Events::new(Listens(listening.clone())),
            listening,
            begun: Instant::now(),
            planned: self.planned.get().cloned(),
            done: Mutex::default(),
            unchanged: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
        })
    }

    /// Does the work of each thing in `among`, in the order of `graph`. The work tells its own failures, and then returns any
    /// error.
    pub(super) async fn each<'a, F: Future<Output = Result<(), Error>>>(
        &'a self,
        progress: &Arc<Progress>,
        graph: &Graph,
        among: &BTreeSet<usize>,
        action: Action,
        work: impl Fn(usize, &'a Thing, Arc<Progress>) -> F,
    ) {
        let events = &progress.events;
        events.send(Event::Started { run: self.ledger.run(), steps: among.len() });
        // What has come to an end, and whether it went well, for when all the rest is given up.
        let ended = Mutex::new(BTreeMap::new());
        let work = |at: usize| {
            let (work, ended) = (work(at, &self.things.all[at], progress.clone()), &ended);
            async move {
                let worked = work.await;
                lock(ended).insert(at, worked.is_ok());
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
        let (changed, has_failed, open) = {
            let mut report = lock(&progress.listening.report);
            // A thing that only has another name now is otherwise as it was.
            let done = report.done.iter().filter(|step| step.action != Action::Move);
            let changed: HashSet<String> = done.map(|step| whose(&step.thing)).collect();
            let open: BTreeMap<_, _> =
                report.begun.drain().map(|(thing, (action, _))| (thing, action)).collect();
            (changed, !report.failed.is_empty(), open)
        };
        let mut unchanged = 0;
        for (at, outcome) in outcomes {
            let thing = self.things.all[at].name();
            match outcome {
                Outcome::Done(()) => unchanged += usize::from(!changed.contains(&thing)),
                Outcome::Failed => {}
                Outcome::Skipped(by) if has_failed => {
                    let why = Reason::NotReached { because_of: self.things.all[by].name() };
                    progress.skip(thing, action, why);
                }
                // It is told with what else was begun and given up.
                Outcome::Interrupted if open.contains_key(&thing) => {}
                // Nothing failed: what it needs was not finished because the run was to stop.
                Outcome::Skipped(_) | Outcome::Interrupted => {
                    events.send(Event::Interrupted { thing, action: None });
                }
            }
        }
        for (thing, action) in open {
            events.send(Event::Interrupted { thing, action: Some(action) });
        }
        progress.unchanged.store(unchanged, Ordering::SeqCst);
    }

    /// A run has come to its end: what it was.
    pub(super) fn report(&self, progress: &Progress) -> Report {
        progress.end();
        // Whoever reads the report may look at the log.
        self.log.iter().for_each(Logging::catch_up);
        std::mem::take(&mut *lock(&progress.listening.report))
    }
}
