//! Commands of machines that are made up: they have ended when they are asked for, or do not in a year.

use std::io::Cursor;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::error::Error;
use crate::machine::engine::{Control, Exec, Exit, Running, TerminalSize};

/// How long it takes what never ends. In a rehearsal it passes at once when nobody does anything else, so that there is an end even
/// where nothing has a limit.
pub(super) const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A command that has ended, or one that hangs until it is killed.
pub(super) fn command(exec: &Exec, exit: Option<Exit>) -> Running {
    let end = Instant::now() + NEVER;
    let silent = || -> Box<dyn AsyncRead + Send + Unpin> {
        match exit {
            Some(_) => Box::new(Cursor::new(Vec::new())),
            None => Box::new(Silent(Box::pin(sleep_until(end)))),
        }
    };
    Running {
        stdin: (exec.stdin || exec.terminal.is_some()).then(|| Box::new(tokio::io::sink()) as _),
        stdout: silent(),
        stderr: silent(),
        control: Box::new(Ended(exit, end)),
    }
}

/// A connection to somebody who says nothing and then hangs up.
pub(super) fn connection() -> tokio::io::DuplexStream {
    tokio::io::duplex(1).0
}

struct Ended(Option<Exit>, Instant);

#[async_trait]
impl Control for Ended {
    async fn wait(&mut self) -> Result<Exit, Error> {
        if self.0.is_none() {
            sleep_until(self.1).await;
        }
        Ok(*self.0.get_or_insert(Exit::Signal(9)))
    }

    async fn signal(&mut self, signal: i32) -> Result<(), Error> {
        self.0.get_or_insert(Exit::Signal(signal));
        Ok(())
    }

    async fn resize(&mut self, _: TerminalSize) -> Result<(), Error> {
        Ok(())
    }
}

/// What says nothing until it ends.
struct Silent(Pin<Box<Sleep>>);

impl AsyncRead for Silent {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.0.as_mut().poll(context).map(Ok)
    }
}
