//! The machine's first process: takes requests, reaps, and ends everything when the machine is to stop.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::super::fork::contained;
use super::super::sys;
use super::session;
use crate::crash::counts_no_more;
use crate::error::Error;
use crate::machine::engine::MachineSpec;

/// How long a machine that is offline stays there for the next request: what is done with files comes in a row.
const IDLE: Duration = Duration::from_secs(1);

/// The signals that the first process takes at its own time.
fn signals() -> SigSet {
    [Signal::SIGCHLD, Signal::SIGTERM, Signal::SIGINT, Signal::SIGPWR].into_iter().collect()
}

/// Blocks them; to be done before anything is started.
pub(super) fn block_signals() -> Result<(), Error> {
    signals().thread_block().map_err(Error::host("cannot block signals"))
}

/// Serves until the machine has ended. SIGTERM, from the keeper or from inside, ends it; if it is offline, so does that nobody
/// has asked for a file for a while.
pub(super) fn run(listener: UnixListener, spec: &MachineSpec, offline: bool) -> ! {
    let Ok(signals) = SignalFd::with_flags(&signals(), SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC) else {
        sys::exit_now(1)
    };
    let mut listener = Some(listener);
    let patience = offline.then_some(Timespec { tv_sec: IDLE.as_secs().cast_signed(), tv_nsec: 0 });
    loop {
        let mut polled = vec![PollFd::new(&signals, PollFlags::IN)];
        polled.extend(listener.iter().map(|listener| PollFd::new(listener, PollFlags::IN)));
        // Whatever woke us, or interrupted the wait: both are looked at below.
        let idle = poll(&mut polled, patience.as_ref()) == Ok(0);
        let connecting = polled.get(1).is_some_and(|polled| polled.revents().contains(PollFlags::IN));
        while let Ok(Some(signal)) = signals.read_signal() {
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                listener = None;
                // Those that are stopped have to run to end.
                for signal in [Signal::SIGTERM, Signal::SIGCONT] {
                    let _ = kill(Pid::from_raw(-1), signal);
                }
            }
        }
        let alone = reap();
        match &listener {
            None if alone => sys::exit_now(0),
            Some(_) if idle && alone => sys::exit_now(0),
            Some(listener) if connecting => accept(listener, spec, offline),
            _ => {}
        }
    }
}

/// Reaps what has ended; whether nothing is left.
fn reap() -> bool {
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => return false,
            Err(Errno::ECHILD) => return true,
            _ => {}
        }
    }
}

/// Serves a connection in a process of its own.
fn accept(listener: &UnixListener, spec: &MachineSpec, offline: bool) {
    let Ok((connection, _)) = listener.accept() else { return };
    // When no process can be made, the connection is closed, and whoever asked is told so.
    if let Ok(None) = sys::fork() {
        counts_no_more();
        let _ = sys::close_all_except(&[connection.as_raw_fd()]);
        let _ = SigSet::empty().thread_set_mask();
        let _ = contained(|| {
            session::serve(connection, spec, offline);
            Ok(())
        });
        sys::exit_now(0);
    }
}
