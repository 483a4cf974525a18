//! Ctrl-C: the first time what was begun is finished, the second time it is abandoned, and what surrounds it is left.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::deploy::Abort;
use crate::error::{Error, ErrorKind};

/// Does the work; at the first SIGINT or SIGTERM `stop` is cancelled and `first` called. At the second the work is given up, and dropped
/// once that is over; at a third, at once.
///
/// # Errors
/// Those of the work, and [`ErrorKind::Interrupted`] when it was dropped.
pub(super) async fn interruptible<T>(
    work: impl Future<Output = Result<T, Error>>,
    stop: &CancellationToken,
    abort: &Abort,
    first: impl Fn(),
) -> Result<T, Error> {
    let mut signals = Signals::new()?;
    tokio::pin!(work);
    loop {
        tokio::select! {
            result = &mut work => return result,
            _ = signals.next() => {
                if stop.is_cancelled() {
                    abort.give_up();
                    tokio::select! {
                        biased;
                        _ = &mut work => {}
                        () = abort.is_over() => {}
                        _ = signals.next() => {}
                    }
                    return Err(Error::new(ErrorKind::Interrupted, "aborted")
                        .hint("what was under way may be half done; the next `deploy` carries on from there"));
                }
                stop.cancel();
                first();
            }
        }
    }
}

/// The signals that ask this program to end.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Error> {
        let listen = |kind| signal(kind).map_err(Error::host("cannot listen to signals"));
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// The number of the next one.
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => SignalKind::interrupt().as_raw_value(),
            _ = self.terminate.recv() => SignalKind::terminate().as_raw_value(),
        }
    }
}
