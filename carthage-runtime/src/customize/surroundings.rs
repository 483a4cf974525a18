//! What surrounds the tasks of a customization while they run: entered before the first of them, left after the last, whatever
//! happens.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;

use super::apply::{Application, Applied};
use super::body::Ended;
use super::kind::OwnHost;
use super::panics::unpanicked;
use super::{Ground, On, When};
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::machine::engine::Identity;
use crate::machine::{Machine, RunningGuard, told};

/// How the tasks of a customization ended, for [`OwnHost::leave`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// All that ran have succeeded.
    Done,
    /// One has failed, or was not done in time.
    Failed,
    /// The run was given up while one of them ran.
    Aborted,
}

/// A host of somebody's own that was entered.
#[doc(hidden)]
pub trait Surrounding: Any + Send + Sync {
    /// Leaves it.
    fn left(&self, ending: Ending) -> BoxFuture<'_, crate::Result<()>>;
}

impl<T: OwnHost> Surrounding for T {
    fn left(&self, ending: Ending) -> BoxFuture<'_, crate::Result<()>> {
        Box::pin(self.leave(ending))
    }
}

/// What the tasks of a customization are in, once the first of them runs.
#[derive(Default)]
pub(crate) struct Surroundings(Mutex<Option<Entered>>);

impl Surroundings {
    fn lock(&self) -> MutexGuard<'_, Option<Entered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that was entered.
    pub(super) fn host(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        let host: Arc<dyn Surrounding> = self.lock().as_ref()?.host.as_ref()?.clone();
        Some(host)
    }
}

/// What was entered, and is left when this goes.
struct Entered {
    /// Nothing, once it is left.
    host: Option<Arc<dyn Surrounding>>,
    machine: Machine,
    events: Events,
    up: Option<RunningGuard>,
    /// The tasks that have run in it, when each ended, and how long it took. They are done when it is left, so that it is entered and
    /// left again if nobody comes to that.
    ran: Vec<(usize, Ended, Duration)>,
}

impl Application<'_> {
    /// Enters what is around the tasks, if that was not done yet.
    pub(super) async fn enter(&self, task: usize, ground: &Ground) -> Result<(), Error> {
        let On::Machine(machine) = self.on else { return Ok(()) };
        if !self.customization.surrounds() || self.surroundings.lock().is_some() {
            return Ok(());
        }
        let up = match self.when {
            When::Runs => Some(machine.machine_running().online(false).await?),
            When::Exists => None,
        };
        let entered = unpanicked(self.customization.enter(ground));
        let entered = told(self.events(), || self.on.thing(), || "until it is entered".to_owned(), entered);
        let host =
            self.setting.patience.for_a_day(entered).await.map_err(|error| self.failed(task, error))?;
        let (machine, events) = (machine.clone(), self.events().clone());
        *self.surroundings.lock() = Some(Entered { host, machine, events, up, ran: Vec::new() });
        Ok(())
    }

    /// Whether there is something around the tasks.
    pub(super) fn is_surrounded(&self) -> bool {
        self.surroundings.lock().is_some()
    }

    /// A task has run, and is stamped when what is around it is left.
    pub(super) fn is_done_when_left(&self, task: usize, ended: Ended, took: Duration) {
        self.surroundings.lock().iter_mut().for_each(|entered| entered.ran.push((task, ended, took)));
    }

    /// Leaves what is around the tasks, and stamps those that have run in it. If it cannot be left, they have failed.
    pub(super) async fn leave(&self, identity: &Identity, applied: &mut Applied) {
        let ending = if applied.failed.is_none() { Ending::Done } else { Ending::Failed };
        let (ran, left) = self.left(ending).await;
        let stamps = &self.setting.stamps;
        for (task, ended, took) in ran {
            let stamped = match &left {
                Ok(()) => self.stamp_now(task, identity, ended).await,
                Err(error) => {
                    let checked = self.customization.checks(task).completed.is_some();
                    let noted = stamps.failed(self.stem(task), self.setting.ledger.run(), identity, checked);
                    // Without the note it counts as interrupted.
                    noted.map_err(|error| tracing::warn!(%error, "the stamp of a task that failed")).ok();
                    let what = format!("`{}` of `{}` is not done", self.stem(task), self.on.name());
                    let error = Error::new(ErrorKind::Task, what).because(crate::chain(error));
                    Err(error.hint("mend the cause and deploy again: it carries on from here"))
                }
            };
            match stamped {
                Ok(()) => self.tell_done(task, took),
                Err(error) => self.fails(self.thing(task).to_owned(), &error, applied),
            }
        }
    }

    /// Stamps a task that was done when what is around it was left: then it is asked since when.
    async fn stamp_now(&self, task: usize, identity: &Identity, ended: Ended) -> Result<(), Error> {
        let said = self.says_when(task, &self.ground(task)).await?;
        self.stamp(task, identity, Ended { at: SystemTime::now().max(ended.at), said })
    }

    async fn left(&self, ending: Ending) -> (Vec<(usize, Ended, Duration)>, Result<(), Error>) {
        let Some(mut entered) = self.surroundings.lock().take() else { return (Vec::new(), Ok(())) };
        let ran = std::mem::take(&mut entered.ran);
        let Some(host) = entered.host.clone() else { return (ran, Ok(())) };
        let failed = |error| {
            let what =
                format!("what surrounds the tasks of `{}` cannot be left", self.customization.node().name);
            Error::new(ErrorKind::Task, what).because(error)
        };
        let left = unpanicked(host.left(ending));
        let left = told(self.events(), || self.on.thing(), || "until it is left".to_owned(), left);
        let left = self.setting.patience.for_a_day(left).await.map_err(failed);
        // From here on nothing is left to do when it goes.
        entered.host = None;
        let released = match entered.up.take() {
            Some(up) => up.release().await,
            None => Ok(()),
        };
        (ran, left.and(released))
    }
}

impl Drop for Entered {
    /// Whoever gives up the run does not wait for the task, but for this.
    fn drop(&mut self) {
        let Some(host) = self.host.take() else { return };
        let (machine, up) = (self.machine.clone(), self.up.take());
        let events = self.events.clone();
        machine.clone().in_the_background(async move {
            if let Err(error) = unpanicked(host.left(Ending::Aborted)).await {
                let text = format!("what surrounds its tasks cannot be left: {}", crate::chain(&*error));
                events.send(Event::Warning { thing: machine.thing(), text });
            }
            // The guard goes last, and says itself what becomes of that.
            drop(up);
        });
    }
}
