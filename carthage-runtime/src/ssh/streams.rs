//! The streams of a session, and when it may be given up.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

use super::connection::Opened;
use crate::error::{Error, ErrorKind};
use crate::guest::{Idle, Streams};

/// A session that is held until both of its outputs have ended. The master throws away what it has not yet passed on of a
/// session that nobody holds any more, also when what ran there has ended: so that is not the time to let go. And others wait
/// for its place, so it is not held for longer either.
struct Held(Mutex<(Option<Opened>, usize)>);

impl Held {
    fn one_has_ended(&self) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.1 = held.1.saturating_sub(1);
        if held.1 == 0 {
            held.0 = None;
        }
    }

    fn let_go(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = None;
    }
}

/// What a session writes.
struct Output<R> {
    from: R,
    held: Arc<Held>,
    ended: bool,
}

impl<R> Output<R> {
    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.held.one_has_ended();
        }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Output<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = ready!(Pin::new(&mut self.from).poll_read(cx, buf));
        if read.is_err() || (buf.filled().len() == before && buf.remaining() > 0) {
            self.end();
        }
        Poll::Ready(read)
    }
}

impl<R> Drop for Output<R> {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends the session when it is dropped.
struct Keep(Arc<Held>);

impl Drop for Keep {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// The streams of a session in which a shell runs, and where that goes after a command.
pub(super) fn of(mut opened: Opened, home: Option<Arc<Idle>>) -> Result<Streams, Error> {
    let child = &mut opened.child;
    let streams = (child.stdin().take(), child.stdout().take(), child.stderr().take());
    let (Some(stdin), Some(stdout), Some(stderr)) = streams else {
        return Err(Error::new(ErrorKind::Host, "a session of ssh has no streams"));
    };
    let held = Arc::new(Held(Mutex::new((Some(opened), 2))));
    Ok(Streams {
        stdin: Box::new(stdin),
        stdout: Box::new(Output { from: stdout, held: Arc::clone(&held), ended: false }),
        stderr: Box::new(Output { from: stderr, held: Arc::clone(&held), ended: false }),
        keep: Box::new(Keep(held)),
        home,
    })
}
