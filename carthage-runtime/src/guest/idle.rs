//! Shells that have run a command, and wait for the next one: what it costs to start one is paid once.
//!
//! A shell is used again only when nobody holds its outputs any more, which the script says. What was left running and still
//! holds them keeps them for itself; the next command gets another shell.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Streams;
use crate::machine::engine::{Reader, Writer};

/// How long one waits for a command.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many wait at most.
const MOST: usize = 10;
/// How long a shell may take after a command until it can wait for the next one; one that takes longer is not waited for.
pub(super) const DUE: Duration = Duration::from_millis(50);

/// Where shells of one machine wait for their next command; see [`Streams::home`].
#[derive(Debug, Default)]
pub struct Idle {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    /// How many will wait in a moment, and how many commands wait for them.
    coming: usize,
    hoping: usize,
    /// Whether somebody will look for those that have waited for too long.
    is_watched: bool,
    is_closed: bool,
}

#[derive(Debug)]
struct Waiting {
    streams: Streams,
    since: Instant,
}

impl Idle {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A shell that waits, or will in a moment; `None` if a new one has to be started.
    pub async fn take(&self) -> Option<Streams> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            // One that waits, else a hope for one.
            let found = {
                let mut state = self.state();
                match state.waiting.pop() {
                    None if state.coming <= state.hoping => return None,
                    None => {
                        state.hoping += 1;
                        Err(Hope(self))
                    }
                    Some(waiting) => Ok(waiting),
                }
            };
            match found {
                Ok(mut waiting) => {
                    if waiting.is_there().await {
                        return Some(waiting.streams);
                    }
                }
                Err(hope) => {
                    changed.await;
                    drop(hope);
                }
            }
        }
    }

    /// Ends those that wait: somebody needs their place.
    pub fn give_up(&self) {
        let given_up = std::mem::take(&mut self.state().waiting);
        drop(given_up);
    }

    /// Ends those that wait, and all that would.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.give_up();
    }

    /// Announces one that will wait in a moment.
    pub(super) fn coming(self: &Arc<Self>) -> Coming {
        self.state().coming += 1;
        Coming(Arc::clone(self))
    }

    /// One waits from now on.
    fn put(self: &Arc<Self>, streams: Streams) {
        // Without a runtime, nobody will ask for it.
        let Ok(runtime) = Handle::try_current() else { return };
        let mut state = self.state();
        if state.is_closed || state.waiting.len() >= MOST {
            drop(state);
            return;
        }
        state.waiting.push(Waiting { streams, since: Instant::now() });
        if !std::mem::replace(&mut state.is_watched, true) {
            runtime.spawn(watch(Arc::downgrade(self)));
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

/// Ends those that have waited for too long, until none waits.
async fn watch(idle: Weak<Idle>) {
    loop {
        let now = Instant::now();
        let next = {
            let Some(idle) = idle.upgrade() else { return };
            let mut state = idle.state();
            let (late, waiting) = std::mem::take(&mut state.waiting)
                .into_iter()
                .partition::<Vec<_>, _>(|waiting| waiting.since + PATIENCE <= now);
            let next = waiting.iter().map(|waiting| waiting.since + PATIENCE).min();
            state.waiting = waiting;
            state.is_watched = next.is_some();
            drop(state);
            drop(late);
            next
        };
        match next {
            Some(next) => tokio::time::sleep_until(next).await,
            None => return,
        }
    }
}

impl Waiting {
    /// Whether it still waits. A command that is told to one that does not would be taken for lost, though it never began: so
    /// it is asked.
    async fn is_there(&mut self) -> bool {
        let Streams { stdin, stdout, .. } = &mut self.streams;
        let mut answer = [0];
        // It ended, or something has come late that nobody wants any more.
        if stdout.read(&mut answer).now_or_never().is_some() {
            return false;
        }
        let asked = async {
            stdin.write_all(b"\n").await?;
            stdin.flush().await?;
            stdout.read_exact(&mut answer).await
        };
        asked.await.is_ok() && answer == *b"\n"
    }
}

/// A command that waits for a shell that is coming.
struct Hope<'a>(&'a Idle);

impl Drop for Hope<'_> {
    fn drop(&mut self) {
        self.0.state().hoping -= 1;
    }
}

/// A shell that will wait in a moment, or will not, when this is dropped.
#[derive(Debug)]
pub(super) struct Coming(Arc<Idle>);

impl Drop for Coming {
    fn drop(&mut self) {
        self.0.state().coming -= 1;
        self.0.changed.notify_waiters();
    }
}

/// Where a shell goes after its command; its parts come from those who have used them, one by one. When one of them does not
/// come, the shell ends.
pub(super) struct Return {
    idle: Arc<Idle>,
    parts: Mutex<Parts>,
}

#[derive(Default)]
struct Parts {
    stdin: Option<(Writer, Box<dyn Any + Send>)>,
    stdout: Option<Reader>,
    stderr: Option<Reader>,
}

impl Return {
    pub(super) fn new(idle: Arc<Idle>) -> Arc<Self> {
        Arc::new(Self { idle, parts: Mutex::default() })
    }

    pub(super) fn coming(&self) -> Coming {
        self.idle.coming()
    }

    pub(super) fn stdin(&self, stdin: Writer, keep: Box<dyn Any + Send>) {
        self.part(|parts| parts.stdin = Some((stdin, keep)));
    }

    pub(super) fn stdout(&self, stdout: Reader) {
        self.part(|parts| parts.stdout = Some(stdout));
    }

    pub(super) fn stderr(&self, stderr: Reader) {
        self.part(|parts| parts.stderr = Some(stderr));
    }

    fn part(&self, give: impl FnOnce(&mut Parts)) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        give(&mut parts);
        match std::mem::take(&mut *parts) {
            Parts { stdin: Some((stdin, keep)), stdout: Some(stdout), stderr: Some(stderr) } => {
                drop(parts);
                let home = Some(Arc::clone(&self.idle));
                self.idle.put(Streams { stdin, stdout, stderr, keep, home });
            }
            some => *parts = some,
        }
    }
}
