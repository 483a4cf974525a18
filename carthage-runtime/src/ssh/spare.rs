//! A shell for the next command, started while the last one begins: what a session costs until its shell reads is then paid
//! already.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use openssh::{Child, Session};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::connection::{Connection, Live, Opened, Patience, is_refusal, spawn};
use super::sessions::Place;
use crate::error::Error;

/// How long one waits for a command.
const IDLE: Duration = Duration::from_secs(1);
/// For how long after it was opened it need not be asked whether it is still there.
const FRESH: Duration = Duration::from_millis(5);

/// The spare shell of one connection. Its place belongs to whoever else wants it.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Option<Coming>>);

/// One that is being started, or waits. It ends when this is dropped.
#[derive(Debug)]
struct Coming {
    wanted: oneshot::Sender<()>,
    shell: AbortOnDropHandle<Option<Shell>>,
}

/// One that is there. It does not keep its connection, which keeps it.
#[derive(Debug)]
struct Shell {
    child: Child<Arc<Session>>,
    place: Place,
    since: Instant,
}

/// Opens a session with this shell, which runs one command.
pub(super) async fn open(
    connection: &Connection,
    patience: Patience,
    command: &OsStr,
) -> Result<Opened, Error> {
    let live = connection.live(patience).await?;
    if let Some(mut shell) = live.spare.take().await {
        live.spare.prepare(&live, command);
        if shell.is_there().await {
            return Ok(Opened::new(shell.child, shell.place, live));
        }
    }
    // If it is lost, nothing here keeps it.
    drop(live);
    let wanted = |session| Session::to_raw_command(session, command);
    let opened = connection.open(patience, &wanted).await?;
    opened.live().spare.prepare(opened.live(), command);
    Ok(opened)
}

impl Spare {
    fn coming(&self) -> MutexGuard<'_, Option<Coming>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up its place.
    pub(super) fn give_up(&self) {
        *self.coming() = None;
    }

    async fn take(&self) -> Option<Shell> {
        let Coming { wanted, shell } = self.coming().take()?;
        // One that has waited for too long, or could not be started, is none.
        wanted.send(()).ok();
        shell.await.ok()?
    }

    /// Starts one, if there is none, and a place that nobody waits for.
    fn prepare(&self, live: &Live, command: &OsStr) {
        let mut coming = self.coming();
        if coming.as_ref().is_some_and(|coming| !coming.shell.is_finished()) {
            return;
        }
        let Some(mut place) = live.sessions.spare_place() else { return };
        let (sessions, session) = (Arc::clone(&live.sessions), Arc::clone(&live.session));
        let command = command.to_owned();
        let (wanted, is_wanted) = oneshot::channel();
        let shell = tokio::spawn(async move {
            let wanted = |session| Session::to_raw_command(session, &command);
            let child = match spawn(&sessions, session, &wanted).await {
                Ok(child) => child,
                // What is wrong is told to the next command, which opens a session itself.
                Err(error) => {
                    if is_refusal(&error) {
                        sessions.refused();
                    }
                    return None;
                }
            };
            place.opened();
            let shell = Shell { child, place, since: Instant::now() };
            tokio::time::timeout(IDLE, is_wanted).await.ok()?.ok()?;
            Some(shell)
        });
        *coming = Some(Coming { wanted, shell: AbortOnDropHandle::new(shell) });
    }
}

impl Shell {
    /// Whether it still waits. A command that is told to one that does not would be taken for lost, though it never began: so
    /// it is asked, if it was not opened just now.
    async fn is_there(&mut self) -> bool {
        let streams = (self.child.stdin().take(), self.child.stdout().take());
        let (Some(mut stdin), Some(mut stdout)) = streams else { return false };
        let is_there = match self.since.elapsed() < FRESH {
            true => {
                poll(&mut [PollFd::new(&stdout, PollFlags::empty())], Some(&Timespec::default())) == Ok(0)
            }
            false => {
                let mut answer = [0];
                let asked = async {
                    stdin.write_all(b"\n").await?;
                    stdout.read_exact(&mut answer).await
                };
                asked.await.is_ok() && answer == *b"\n"
            }
        };
        *self.child.stdin() = Some(stdin);
        *self.child.stdout() = Some(stdout);
        is_there
    }
}
