//! A command that somebody waits for.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal as AnySignal;

use super::super::message::{Command, Ended, MachineAnswer, Steer};
use super::super::wire::{receive, send};
use super::session::reply;
use super::{command, descendants};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Exit;

/// Runs the command until it ends or the connection is closed. What a command that ended by itself has left running lives
/// on, as a daemon does; of one whose connection is closed before, nothing is left.
pub(super) fn serve(
    connection: UnixStream,
    wanted: &Command,
    terminal: Option<(u16, u16)>,
    fds: Vec<OwnedFd>,
) {
    let started = watch_children().and_then(|children| {
        let (streams, other_end) = match terminal {
            Some(size) => open_terminal(size).map(|(streams, other_end)| (streams, vec![other_end]))?,
            None => {
                let streams = <[OwnedFd; 3]>::try_from(fds);
                (streams.map_err(|_| Error::new(ErrorKind::Host, "three streams were expected"))?, Vec::new())
            }
        };
        let child = command::spawn(wanted, streams, terminal.is_some())?;
        Ok((children, Pid::from_raw(child.id().cast_signed()), other_end))
    });
    match started {
        Ok((children, child, other_end)) => {
            reply(&connection, Ok((MachineAnswer::Done, other_end)));
            attend(&connection, &children, child);
        }
        Err(error) => reply(&connection, Err(error)),
    }
}

/// Becomes the parent of all that is orphaned below, and is told when a child ends.
pub(super) fn watch_children() -> Result<SignalFd, Error> {
    let cannot = "cannot watch over the command";
    nix::sys::prctl::set_child_subreaper(true).map_err(Error::host(cannot))?;
    let mask: SigSet = [Signal::SIGCHLD].into_iter().collect();
    mask.thread_block().map_err(Error::host(cannot))?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC).map_err(Error::host(cannot))
}

fn attend(connection: &UnixStream, children: &SignalFd, child: Pid) {
    loop {
        let mut polled = [PollFd::new(connection, PollFlags::IN), PollFd::new(children, PollFlags::IN)];
        let _ = poll(&mut polled, None);
        let [spoken, _] = polled.map(|polled| !polled.revents().is_empty());
        while let Ok(Some(_)) = children.read_signal() {}
        if let Some(exit) = reap(child) {
            // Whoever asked may have gone.
            let _ = send(connection, &Ended(exit), &[]);
            return;
        }
        if spoken {
            match receive::<Steer>(connection) {
                Ok(Some((Steer { signal }, _))) => steer(child, signal),
                // Closed: nobody waits for the command any more.
                _ => return descendants::end(),
            }
        }
    }
}

/// Reaps what has ended below; how the command ended, if it has.
pub(super) fn reap(child: Pid) -> Option<Exit> {
    let mut exit = None;
    loop {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) if pid == child => exit = Some(Exit::Status(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                exit = Some(Exit::Signal(signal as i32))
            }
            Ok(WaitStatus::StillAlive) | Err(_) => return exit,
            Ok(_) => {}
        }
    }
}

/// Signals the command's process group; it leads one, being the leader of a session.
fn steer(child: Pid, signal: i32) {
    let signal = AnySignal::from_named_raw(signal);
    if let (Some(signal), Some(group)) = (signal, rustix::process::Pid::from_raw(child.as_raw())) {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// A terminal of the machine's own: three descriptors of the command's end, and the other end.
fn open_terminal((rows, columns): (u16, u16)) -> Result<([OwnedFd; 3], OwnedFd), Error> {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::pty::{ptsname, unlockpt};
    let open_both = || -> std::io::Result<_> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let other_end = open("/dev/pts/ptmx", flags, Mode::empty())?;
        unlockpt(&other_end)?;
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&other_end, size)?;
        let end: OwnedFd = open(ptsname(&other_end, Vec::new())?, flags, Mode::empty())?;
        Ok(([end.as_fd().try_clone_to_owned()?, end.try_clone()?, end], other_end))
    };
    open_both().map_err(Error::host("cannot open a terminal"))
}
