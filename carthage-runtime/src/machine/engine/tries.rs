//! Trying again what has failed.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::patience::{A_DAY, Limits, Operation};
use crate::error::{Error, ErrorKind, chain};
use crate::event::{Event, Events};

/// How long what is asked of an implementation may take, and how often it is asked again when it has failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patience {
    pub(crate) limits: Limits,
    pub(crate) retries: u64,
    /// Nothing is asked again once this is cancelled.
    pub(crate) stop: CancellationToken,
    /// Whether this is a rehearsal, in which time passes as fast as nobody works: what code of the user's waits for may be real, and is
    /// given up only if that is asked for.
    pub(crate) is_rehearsal: bool,
}

impl Patience {
    /// Waits for what was asked of code of the user's, `what` in words, and for no longer than its limit.
    ///
    /// # Errors
    /// Its own, as `failed` puts them, and when it does not answer in time; it is given up then.
    pub(crate) async fn answered<T, E>(
        &self,
        what: impl FnOnce() -> String,
        failed: impl FnOnce(E) -> Error,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        match self.is_rehearsal && self.limits.check == Limits::default().check {
            true => asked.await.map_err(failed),
            false => self.limits.answered(what, failed, asked).await,
        }
    }

    /// Has a task's body run once, for no longer than the task says, or the user.
    ///
    /// # Errors
    /// Those of the body, and when it is not done in time; it is given up then.
    pub(crate) async fn tried<E: From<Error>>(
        &self,
        own: Option<u64>,
        body: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        match self.is_rehearsal && own.or(self.limits.task.map(|limit| limit.as_secs())).is_none() {
            true => body.await,
            false => self.limits.tried(own, body).await,
        }
    }

    /// Waits for what nobody gives a limit, because half of it would be worse than waiting; a day at most.
    ///
    /// # Errors
    /// Its own, and when it is not done in a day; it is given up then.
    pub(crate) async fn for_a_day<T, E: From<Error>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        if self.is_rehearsal {
            return work.await;
        }
        let late = |_| {
            let error = Error::new(ErrorKind::Timeout, "it was not done after a day");
            Err(error.hint("see what it waits for, and what is left of it").into())
        };
        tokio::time::timeout(A_DAY, work).await.unwrap_or_else(late)
    }

    /// With so much more for changes: the time that a machine gets to end by itself.
    pub(crate) fn and_grace(&self, grace: Duration) -> Self {
        Self { limits: self.limits.and_grace(grace), ..self.clone() }
    }

    /// Has an operation done on a thing. One that fails is done again as often as the user wants: an implementation looks at the world
    /// first, whatever it is asked for, so that nothing is done twice, and nothing else is done than was asked for.
    ///
    /// # Errors
    /// Those of the last time, and when it does not end in time; it is given up then.
    pub(crate) async fn done<T, F: Future<Output = Result<T, Error>>>(
        &self,
        (operation, verb): (Operation, &str),
        (thing, name): (&(dyn Fn() -> String + Sync), &str),
        events: &Events,
        mut ask: impl FnMut() -> F,
    ) -> Result<T, Error> {
        let mut tries = Tries::with(self.retries);
        loop {
            match self.limits.within(operation, verb, name, ask()).await {
                Err(error) if error.kind().may_pass() => {
                    let tell = |text| events.send(Event::Warning { thing: thing(), text });
                    if !tries.once_more(|| chain(&error), &self.stop, tell).await {
                        return Err(error);
                    }
                }
                ended => return ended,
            }
        }
    }
}

/// How long it is waited before something is tried again: the first time, and at most. Each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often something was tried, and is.
#[derive(Debug)]
pub(crate) struct Tries {
    number: u64,
    retries: u64,
    pause: Duration,
}

impl Tries {
    /// The first of them; as many more may follow.
    pub(crate) fn with(retries: u64) -> Self {
        Self { number: 1, retries, pause: FIRST_PAUSE }
    }

    /// This one has failed: tells that, and waits for the next, if there is one. Nothing is tried again once the run is to stop.
    pub(crate) async fn once_more(
        &mut self,
        why: impl FnOnce() -> String,
        stop: &CancellationToken,
        tell: impl FnOnce(String),
    ) -> bool {
        if self.number > self.retries || stop.is_cancelled() {
            return false;
        }
        let (number, tries) = (self.number, self.retries.saturating_add(1));
        let again = humantime::format_duration(self.pause);
        tell(format!("try {number} of {tries} failed: {}; once more in {again}", why()));
        if stop.run_until_cancelled(tokio::time::sleep(self.pause)).await.is_none() {
            return false;
        }
        (self.number, self.pause) = (number + 1, (self.pause * 2).min(LONGEST_PAUSE));
        true
    }
}
