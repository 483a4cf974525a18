//! Ends a process and everything that it started, however far it has detached itself.
//!
//! The calling process is a subreaper: whatever loses its parent below it becomes its child, so all of them are found by
//! following parents.

use std::collections::HashMap;
use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};

/// All processes below this one.
pub(super) fn all() -> Vec<Pid> {
    let parents: HashMap<i32, i32> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name, in parentheses, may hold anything: the fields that follow start after the last one.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let own = getpid().as_raw();
    let below = |pid: &i32| {
        let mut at = *pid;
        // A pid that was reused while we looked could close a circle; the number of processes bounds the walk.
        for _ in 0..parents.len() {
            match parents.get(&at) {
                Some(parent) if *parent == own => return true,
                Some(parent) => at = *parent,
                None => return false,
            }
        }
        false
    };
    parents.keys().filter(|pid| below(pid)).map(|pid| Pid::from_raw(*pid)).collect()
}

/// Sends a signal to all of them.
pub(super) fn signal(signal: Signal) {
    for pid in all() {
        // One that has just ended needs no signal.
        let _ = kill(pid, signal);
    }
}

/// Kills all of them and waits until none is left.
pub(super) fn end() {
    loop {
        signal(Signal::SIGKILL);
        match waitpid(None, None) {
            Err(Errno::EINTR) | Ok(_) => {}
            Err(_) => return,
        }
        // Take all that have ended already, before looking again.
        while matches!(waitpid(None, Some(WaitPidFlag::WNOHANG)), Ok(status) if status != WaitStatus::StillAlive)
        {
        }
    }
}
