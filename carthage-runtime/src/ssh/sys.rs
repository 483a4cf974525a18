//! What is done in a child process between fork and exec, by system calls alone.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;

use nix::libc;
use nix::sched::{CloneFlags, setns};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use tokio::process::Command;

/// Where a child begins.
#[derive(Debug, Default)]
pub(super) struct Beginning {
    /// Namespaces to enter, in this order.
    pub(super) namespaces: Vec<(OwnedFd, CloneFlags)>,
    /// Whether standard input becomes the terminal of a session of its own.
    pub(super) terminal: bool,
}

/// Has a command begin there, and end with the thread that starts it.
pub(super) fn begin(command: &mut Command, there: Beginning) {
    let parent = Pid::this();
    let prepare = move || {
        for (namespace, kind) in &there.namespaces {
            setns(namespace, *kind)?;
        }
        if there.terminal {
            nix::unistd::setsid()?;
            // SAFETY: the request takes an integer.
            if unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        // Entering a user namespace would undo it: it comes last.
        nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
        if nix::unistd::getppid() != parent {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        Ok(())
    };
    // SAFETY: the closure makes system calls only; it neither allocates nor takes a lock, and drops nothing.
    unsafe { command.pre_exec(prepare) };
}

/// Has the runtime watch a descriptor.
pub(super) fn watch(fd: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` always gives the same descriptor, and keeps it open for as long as it lives.
    unsafe { tokio::io::unix::AsyncFd::register(fd) }.map_err(Into::into)
}
