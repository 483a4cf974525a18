//! The few system calls that have no safe wrapper.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use nix::libc;
use nix::unistd::{ForkResult, Gid, Pid, Uid};

/// Copies the calling process; `None` in the child.
///
/// Only the helper processes call this, and they have one thread: the child may do whatever the parent could.
pub(super) fn fork() -> io::Result<Option<Pid>> {
    debug_assert!(single_threaded());
    // SAFETY: the process has a single thread, so no lock can be held by another one at the time of the fork.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Child => Ok(None),
        ForkResult::Parent { child } => Ok(Some(child)),
    }
}

/// Copies the calling process into new namespaces, of which the child is the first process; `None` in the child.
pub(super) fn fork_into(namespaces: nix::sched::CloneFlags) -> io::Result<Option<Pid>> {
    debug_assert!(single_threaded());
    // Widening conversions: the flags are bits, the signal is a small positive number.
    let mut arguments = libc::clone_args {
        flags: u64::from(namespaces.bits() as u32),
        exit_signal: libc::SIGCHLD as u64,
        // SAFETY: `clone_args` is a plain structure of integers, for which all zeroes is a value.
        ..unsafe { std::mem::zeroed() }
    };
    // SAFETY: without a stack and without CLONE_VM, clone3 behaves as fork does; the process has a single thread. The
    // kernel only reads the structure, whose size is passed.
    let result = unsafe {
        libc::syscall(libc::SYS_clone3, &raw mut arguments, std::mem::size_of::<libc::clone_args>())
    };
    match result {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some(Pid::from_raw(pid as i32))),
        _ => Err(io::Error::last_os_error()),
    }
}

fn single_threaded() -> bool {
    // Where it cannot be told (a machine without `/proc` yet), it is so by construction.
    std::fs::read_dir("/proc/self/task").map_or(true, |tasks| tasks.count() == 1)
}

/// Ends the process at once, without destructors: what a forked child owns belongs to its parent.
pub(super) fn exit_now(status: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(status) }
}

/// Closes every descriptor above standard error except those given.
pub(super) fn close_all_except(keep: &[RawFd]) -> io::Result<()> {
    let mut keep: Vec<u32> =
        keep.iter().filter_map(|fd| u32::try_from(*fd).ok()).filter(|fd| *fd > 2).collect();
    keep.sort_unstable();
    let mut from = 3;
    for fd in keep.into_iter().chain([u32::MAX]) {
        if from < fd {
            // SAFETY: the caller, a freshly forked helper, forgets whatever Rust values owned these descriptors.
            let closed = unsafe { libc::syscall(libc::SYS_close_range, from, fd - 1, 0) };
            if closed != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        from = fd.saturating_add(1);
    }
    Ok(())
}

/// Runs `prepare` in the child between fork and exec.
pub(super) fn before_exec(
    command: &mut std::process::Command,
    prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    use std::os::unix::process::CommandExt;
    // SAFETY: only called in helper processes with a single thread, where the child may allocate.
    unsafe { command.pre_exec(prepare) };
}

/// Makes the calling process this user. Without a list of groups, those of the process are left alone.
pub(super) fn become_user(uid: Uid, gid: Gid, groups: Option<&[Gid]>) -> io::Result<()> {
    if let Some(groups) = groups {
        nix::unistd::setgroups(groups)?;
    }
    nix::unistd::setgid(gid)?;
    nix::unistd::setuid(uid)?;
    Ok(())
}

/// Makes standard input the controlling terminal of the calling session.
pub(super) fn take_terminal() -> io::Result<()> {
    // SAFETY: the request takes an integer.
    match unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Stops the process from being traced, or its descriptors from being opened, by anyone inside a machine.
pub(super) fn hide_process() -> io::Result<()> {
    nix::sys::prctl::set_dumpable(false).map_err(Into::into)
}

/// Duplicates a descriptor onto a standard one.
pub(super) fn replace_standard(fd: BorrowedFd<'_>, standard: RawFd) -> io::Result<()> {
    // SAFETY: the target is one of the three standard descriptors, which no Rust value owns.
    match unsafe { libc::dup2(fd.as_fd().as_raw_fd(), standard) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Takes ownership of standard input and puts `/dev/null` in its place.
pub(super) fn take_stdin() -> io::Result<std::os::fd::OwnedFd> {
    let taken = io::stdin().as_fd().try_clone_to_owned()?;
    replace_standard(std::fs::File::open("/dev/null")?.as_fd(), 0)?;
    Ok(taken)
}

/// Gives every signal its usual effect, and blocks none. SIGPIPE stays ignored, as in every Rust program.
pub(super) fn reset_signals() -> io::Result<()> {
    use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
    for one in Signal::iterator() {
        if !matches!(one, Signal::SIGKILL | Signal::SIGSTOP | Signal::SIGPIPE) {
            // SAFETY: no handler of ours is installed anywhere, so none is lost.
            unsafe { signal(one, SigHandler::SigDfl) }?;
        }
    }
    Ok(SigSet::empty().thread_set_mask()?)
}

/// Leaves the session keyring of whoever started the process, for a new one. Where the kernel has no keyrings there is
/// none to leave.
pub(super) fn leave_keyring() {
    const JOIN_SESSION_KEYRING: libc::c_long = 1;
    // SAFETY: the request takes a name or, as here, none.
    unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) };
}

/// Has the runtime watch a descriptor.
pub(super) fn watch(fd: std::os::fd::OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    // SAFETY: an `OwnedFd` always gives the same descriptor, and keeps it open for as long as it lives.
    unsafe { tokio::io::unix::AsyncFd::register(fd) }.map_err(Into::into)
}
