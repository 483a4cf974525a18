//! A command in a machine, as its caller sees it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::unix::pipe;

use super::message::{Ended, Steer};
use super::wire::{frame, unframe};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Control, Exit, Running, TerminalSize};

/// The caller's ends of the streams of a command.
#[derive(Debug)]
pub(super) enum Streams {
    /// Standard input, if it is wanted; standard output; standard error.
    Pipes(Option<OwnedFd>, OwnedFd, OwnedFd),
    /// The other end of a terminal.
    Terminal(OwnedFd),
}

/// Puts together what the caller gets. `connection` is the one on which the command was asked for.
pub(super) fn running(connection: UnixStream, streams: Streams) -> io::Result<Running> {
    connection.set_read_timeout(None)?;
    connection.set_nonblocking(true)?;
    let connection = tokio::net::UnixStream::from_std(connection)?;
    let supervision = |terminal| Supervision { connection, received: Vec::new(), exit: None, terminal };
    Ok(match streams {
        Streams::Pipes(stdin, stdout, stderr) => Running {
            stdin: match stdin {
                Some(stdin) => Some(Box::new(pipe::Sender::from_owned_fd(stdin)?)),
                None => None,
            },
            stdout: Box::new(pipe::Receiver::from_owned_fd(stdout)?),
            stderr: Box::new(pipe::Receiver::from_owned_fd(stderr)?),
            control: Box::new(supervision(None)),
        },
        Streams::Terminal(end) => {
            fcntl_setfl(&end, fcntl_getfl(&end)? | OFlags::NONBLOCK)?;
            let end = Arc::new(super::sys::watch(end)?);
            Running {
                stdin: Some(Box::new(Terminal(Arc::clone(&end)))),
                stdout: Box::new(Terminal(Arc::clone(&end))),
                stderr: Box::new(tokio::io::empty()),
                control: Box::new(supervision(Some(end))),
            }
        }
    })
}

struct Supervision {
    connection: tokio::net::UnixStream,
    /// What has come of the next message: a wait may be given up and begun again.
    received: Vec<u8>,
    exit: Option<Exit>,
    terminal: Option<Arc<AsyncFd<OwnedFd>>>,
}

#[async_trait]
impl Control for Supervision {
    async fn wait(&mut self) -> Result<Exit, Error> {
        let failed = "the machine does not tell how the command ended";
        loop {
            if let Some(exit) = self.exit {
                return Ok(exit);
            }
            if let Some(Ended(exit)) = unframe(&mut self.received).map_err(Error::host(failed))? {
                self.exit = Some(exit);
                continue;
            }
            self.connection.readable().await.map_err(Error::host(failed))?;
            match self.connection.try_read_buf(&mut self.received) {
                Ok(0) => {
                    return Err(Error::new(ErrorKind::Command, "the command was cut off")
                        .hint("its machine was stopped while it ran, or ended by itself"));
                }
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => {
                    return Err(Error::host(failed)(error));
                }
                _ => {}
            }
        }
    }

    async fn signal(&mut self, signal: i32) -> Result<(), Error> {
        if self.exit.is_some() {
            return Ok(());
        }
        let failed = "cannot signal the command";
        let bytes = frame(&Steer { signal }).map_err(Error::host(failed))?;
        match self.connection.write_all(&bytes).await {
            // It has ended.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(Error::host(failed)),
        }
    }

    async fn resize(&mut self, size: TerminalSize) -> Result<(), Error> {
        let Some(terminal) = &self.terminal else {
            return Err(Error::new(ErrorKind::Usage, "the command has no terminal"));
        };
        let size =
            rustix::termios::Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(terminal.get_ref(), size)
            .map_err(|error| Error::host("cannot resize the terminal")(io::Error::from(error)))
    }
}

/// The other end of a terminal.
struct Terminal(Arc<AsyncFd<OwnedFd>>);

impl AsyncRead for Terminal {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.0.poll_read_ready(context))?;
            let unfilled = buffer.initialize_unfilled();
            match guard.try_io(|fd| rustix::io::read(fd.get_ref(), &mut *unfilled).map_err(Into::into)) {
                Ok(Ok(count)) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                // How the kernel says that nobody has the terminal open any more.
                Ok(Err(error)) if error.raw_os_error() == Some(nix::libc::EIO) => return Poll::Ready(Ok(())),
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_) => {}
            }
        }
    }
}

impl AsyncWrite for Terminal {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut guard = ready!(self.0.poll_write_ready(context))?;
            if let Ok(result) =
                guard.try_io(|fd| rustix::io::write(fd.get_ref().as_fd(), bytes).map_err(Into::into))
            {
                return Poll::Ready(result);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// A terminal has no half to close: end of file is a character that is typed.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
