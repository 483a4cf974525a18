//! A command of this host on a terminal of its own.

use std::any::Any;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, Command};

use super::launch::Launcher;
use super::sys::{Beginning, watch};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Control, Exit, Running, TerminalSize};

/// Runs a command of this host on a new terminal of this size. It ends with this process, or when it is dropped.
///
/// # Errors
/// When there is no terminal, or the command cannot be started.
pub async fn on_terminal(command: Command, size: TerminalSize) -> Result<Running, Error> {
    let launcher = Arc::new(Launcher::new()?);
    run(&launcher, command, size, Box::new(Arc::clone(&launcher))).await
}

/// Runs a command on a new terminal of this size.
pub(super) async fn run(
    launcher: &Launcher,
    mut command: Command,
    size: TerminalSize,
    keep: Box<dyn Any + Send + Sync>,
) -> Result<Running, Error> {
    let cannot = || Error::host::<io::Error>("no terminal can be made");
    let (ours, theirs) = pair(size).map_err(cannot())?;
    let copy = || theirs.try_clone().map_err(cannot());
    command.stdin(copy()?).stdout(copy()?).stderr(copy()?);
    drop(theirs);
    let beginning = Beginning { namespaces: Vec::new(), terminal: true };
    // The command, with its copies of the other end, is gone once it is started.
    let child = launcher.start(command, beginning).await?;
    let ours = Arc::new(watch(ours).map_err(cannot())?);
    Ok(Running {
        stdin: Some(Box::new(End(Arc::clone(&ours)))),
        stdout: Box::new(End(Arc::clone(&ours))),
        stderr: Box::new(tokio::io::empty()),
        control: Box::new(OnTerminal { child, end: ours, _keep: keep }),
    })
}

/// A terminal's two ends: ours, and the one to run on.
fn pair(size: TerminalSize) -> io::Result<(OwnedFd, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    resize(&ours, size)?;
    let flags = rustix::fs::fcntl_getfl(&ours)?;
    rustix::fs::fcntl_setfl(&ours, flags | OFlags::NONBLOCK)?;
    Ok((ours, theirs))
}

fn resize(end: &OwnedFd, size: TerminalSize) -> io::Result<()> {
    let size = Winsize { ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(tcsetwinsize(end, size)?)
}

/// A command that runs on a terminal; dropping it kills it.
struct OnTerminal {
    child: Child,
    end: Arc<AsyncFd<OwnedFd>>,
    _keep: Box<dyn Any + Send + Sync>,
}

#[async_trait]
impl Control for OnTerminal {
    async fn wait(&mut self) -> Result<Exit, Error> {
        let ended = self.child.wait().await.map_err(Error::host("cannot follow a command"))?;
        Ok(match (ended.code(), ended.signal()) {
            (Some(code @ 129..=192), _) => Exit::Signal(code - 128),
            (Some(code), _) => Exit::Status(code),
            (None, signal) => Exit::Signal(signal.unwrap_or(nix::libc::SIGKILL)),
        })
    }

    async fn signal(&mut self, signal: i32) -> Result<(), Error> {
        let number = nix::sys::signal::Signal::try_from(signal)
            .map_err(|_| Error::new(ErrorKind::Usage, format!("{signal} is not a signal")))?;
        let pid = self.child.id().and_then(|pid| i32::try_from(pid).ok());
        let Some(pid) = pid else { return Ok(()) };
        // The command leads a session of its own.
        match nix::sys::signal::killpg(nix::unistd::Pid::from_raw(pid), number) {
            Err(error) if error != nix::errno::Errno::ESRCH => {
                Err(Error::host("cannot signal a command")(io::Error::from(error)))
            }
            _ => Ok(()),
        }
    }

    async fn resize(&mut self, size: TerminalSize) -> Result<(), Error> {
        resize(self.end.get_ref(), size).map_err(Error::host("cannot resize a terminal"))
    }
}

/// Our end of a terminal.
struct End(Arc<AsyncFd<OwnedFd>>);

impl AsyncRead for End {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            let room = buf.initialize_unfilled();
            match ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut *room)?)) {
                Ok(Ok(read)) => {
                    buf.advance(read);
                    return Poll::Ready(Ok(()));
                }
                // How the kernel says that nobody has the other end open any more.
                Ok(Err(error)) if error.raw_os_error() == Some(nix::libc::EIO) => return Poll::Ready(Ok(())),
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_not_ready) => {}
            }
        }
    }
}

impl AsyncWrite for End {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(cx))?;
            if let Ok(result) = ready.try_io(|fd| Ok(rustix::io::write(fd.get_ref().as_fd(), bytes)?)) {
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
