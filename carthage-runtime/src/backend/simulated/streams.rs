//! Commands of machines that are made up: they have ended when they are asked for, or never do.

use std::io::Cursor;
use std::pin::Pin;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::io::{AsyncRead, ReadBuf};

use crate::error::Error;
use crate::machine::engine::{Control, Exec, Exit, Running, TerminalSize};

/// A command that has ended, or one that never does.
pub(super) fn command(exec: &Exec, exit: Option<Exit>) -> Running {
    let silent = || -> Box<dyn AsyncRead + Send + Unpin> {
        match exit {
            Some(_) => Box::new(Cursor::new(Vec::new())),
            None => Box::new(Endless),
        }
    };
    Running {
        stdin: (exec.stdin || exec.terminal.is_some()).then(|| Box::new(tokio::io::sink()) as _),
        stdout: silent(),
        stderr: silent(),
        control: Box::new(Ended(exit)),
    }
}

/// A connection to somebody who says nothing and then hangs up.
pub(super) fn connection() -> tokio::io::DuplexStream {
    tokio::io::duplex(1).0
}

struct Ended(Option<Exit>);

#[async_trait]
impl Control for Ended {
    async fn wait(&mut self) -> Result<Exit, Error> {
        match self.0 {
            Some(exit) => Ok(exit),
            None => std::future::pending().await,
        }
    }

    async fn signal(&mut self, signal: i32) -> Result<(), Error> {
        self.0.get_or_insert(Exit::Signal(signal));
        Ok(())
    }

    async fn resize(&mut self, _: TerminalSize) -> Result<(), Error> {
        Ok(())
    }
}

/// What never says anything, and never ends.
struct Endless;

impl AsyncRead for Endless {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Poll::Pending
    }
}
