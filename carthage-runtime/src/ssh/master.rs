//! The process that holds a connection: `ssh -M`, which others of this process send their sessions through.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::launch::{self, Launcher};
use super::room::Room;
use super::settings::{self, TARGET};
use super::sys::Beginning;
use super::trouble::Trouble;
use crate::error::Error;

/// What it says once it takes sessions.
const READY: &str = "carthage: connected";
/// How much of what `ssh` says is kept.
const KEPT: usize = 16 * 1024;

/// Which key a host may show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The one that is written down.
    Known,
    /// Any, which is then written down: none is.
    First,
}

/// A connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Master {
    /// The name of its socket in the room.
    pub(super) name: String,
    /// Whether it has ended.
    ended: watch::Receiver<bool>,
    _stop: DropGuard,
}

impl Master {
    /// Connects, by the settings of this name; the settings and the file of the host key are in the room already.
    pub(super) async fn start(
        launcher: &Launcher,
        room: &Room,
        name: String,
        there: Beginning,
        trust: Trust,
    ) -> Result<Self, Trouble> {
        let mut command = launch::ssh(room.path());
        command.args(["-F", &settings::file(&name), "-M", "-N", "-S", &name]).args([
            "-o",
            "PermitLocalCommand=yes",
            "-o",
            &format!("LocalCommand=echo {READY}"),
        ]);
        if trust == Trust::First {
            command.args(["-o", "StrictHostKeyChecking=accept-new"]);
        }
        command.arg(TARGET);
        let mut child = launcher.start(command, there).await?;
        let lost = || Error::host::<std::io::Error>("cannot follow `ssh`");
        let piped = || Trouble::Final(Error::new(crate::error::ErrorKind::Host, "`ssh` has no streams"));
        let stdout = child.stdout.take().ok_or_else(piped)?;
        let stderr = child.stderr.take().ok_or_else(piped)?;
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        // It says so after it began to listen. If it ends before, so does the stream.
        let read = stdout.read_line(&mut line).await;
        read.map_err(|error| Trouble::Final(lost()(error)))?;
        if line.trim_end() != READY {
            let (_, said) = tokio::join!(child.wait(), said(stderr));
            return Err(Trouble::of(&said));
        }
        let stop = CancellationToken::new();
        let (tell, ended) = watch::channel(false);
        tokio::spawn(keep(child, stderr, stop.clone(), tell));
        Ok(Self { name, ended, _stop: stop.drop_guard() })
    }

    /// Whether it still holds its connection.
    pub(super) fn lives(&self) -> bool {
        // The task that keeps it may be gone with its runtime.
        !*self.ended.borrow() && self.ended.has_changed().is_ok()
    }
}

/// Waits for it to end, or ends it.
async fn keep(mut child: Child, stderr: ChildStderr, stop: CancellationToken, tell: watch::Sender<bool>) {
    let said = tokio::spawn(said(stderr));
    let mut lost = false;
    tokio::select! {
        _ = child.wait() => lost = true,
        () = stop.cancelled() => {
            // Asked like this, it removes its socket. It does so at once, or is killed as it is dropped.
            let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
            if let Some(pid) = pid {
                kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
            }
            tokio::time::timeout(std::time::Duration::from_secs(2), child.wait()).await.ok();
        }
    }
    tell.send_replace(true);
    let said = said.await.unwrap_or_default();
    if lost {
        tracing::warn!(said = said.trim(), "a connection is lost");
    }
}

/// All that it says, to its end; of much, the end.
async fn said(mut stderr: ChildStderr) -> String {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        all.extend_from_slice(&buffer[..read]);
        if all.len() > 2 * KEPT {
            all.drain(..all.len() - KEPT);
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Asks a host for its key, in the same way as it would be connected to, and goes no further. Answers the line of the key.
pub(super) async fn ask_host_key(
    launcher: &Launcher,
    room: &Room,
    name: &str,
    there: Beginning,
) -> Result<String, Trouble> {
    let shown = format!("{name}.shown");
    let mut command = launch::ssh(room.path());
    command
        .args(["-F", &settings::file(name), "-o", &format!("UserKnownHostsFile={shown}")])
        .args(["-o", "StrictHostKeyChecking=accept-new", "-o", "PreferredAuthentications=none"])
        .args([TARGET, "true"])
        .stdout(Stdio::null());
    let mut child = launcher.start(command, there).await?;
    let said = match child.stderr.take() {
        Some(stderr) => tokio::join!(child.wait(), said(stderr)).1,
        None => String::new(),
    };
    let text = tokio::fs::read_to_string(room.path().join(&shown)).await.unwrap_or_default();
    match super::known::key(&text) {
        Some(key) => Ok(key),
        None => Err(match Trouble::of(&said) {
            // What is not let in, or not known, is then what the connection goes through.
            Trouble::Denied(seen) | Trouble::HostKey(seen) => Trouble::Unreachable(seen),
            other => other,
        }),
    }
}
