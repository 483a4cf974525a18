//! A TCP connection from inside a machine, made by its ssh server.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout};

use super::connection::Live;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Duplex;

/// What `ssh -W` says at `LogLevel=DEBUG1` once the server has connected, and when it has not.
const CONNECTED: &str = "master session id";
const REFUSED: &str = "Session open refused";

/// Waits until the server has connected; `None` if it could not.
pub(super) async fn opened(
    mut child: Child,
    live: Arc<Live>,
    machine: &str,
    to: SocketAddr,
) -> Result<Option<Box<dyn Duplex>>, Error> {
    let failed = || Error::new(ErrorKind::Host, format!("cannot connect from `{machine}` to {to}"));
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(failed().because("`ssh` has no streams"));
    };
    let mut lines = BufReader::new(stderr).lines();
    let mut last = String::new();
    while let Some(line) = lines.next_line().await.map_err(|error| failed().because(error))? {
        if line.contains(CONNECTED) {
            // It goes on to talk, and must not be kept from that.
            let rest = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            let rest = tokio_util::task::AbortOnDropHandle::new(rest);
            return Ok(Some(Box::new(Dialled { stdin: Some(stdin), stdout, _keep: (child, live, rest) })));
        }
        if line.contains(REFUSED) {
            return Ok(None);
        }
        last = line;
    }
    Err(failed().because(last))
}

/// Such a connection.
struct Dialled {
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    _keep: (Child, Arc<Live>, tokio_util::task::AbortOnDropHandle<()>),
}

impl AsyncRead for Dialled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stdout).poll_read(cx, buf)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
