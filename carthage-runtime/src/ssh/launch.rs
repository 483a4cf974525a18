//! Starting `ssh`: from one thread, with which everything that it started ends.

use std::io;
use std::process::Stdio;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::sys::{self, Beginning};
use crate::error::{Error, ErrorKind};

type Start = Box<dyn FnOnce() + Send>;

/// Starts processes that must not outlive this one. The kernel tells a process of the death of the *thread* that started it:
/// so that is a thread of its own, which ends with this value or with the process, however that ends.
#[derive(Debug)]
pub(super) struct Launcher(mpsc::Sender<Start>);

impl Launcher {
    pub(super) fn new() -> Result<Self, Error> {
        let (send, receive) = mpsc::channel::<Start>();
        std::thread::Builder::new()
            .name("carthage-ssh".to_owned())
            .spawn(move || receive.into_iter().for_each(|start| start()))
            .map_err(Error::host("no thread can be started"))?;
        Ok(Self(send))
    }

    /// Starts a command there. It is killed when the child is dropped.
    pub(super) async fn start(&self, mut command: Command, there: Beginning) -> Result<Child, Error> {
        let program = command.as_std().get_program().to_string_lossy().into_owned();
        let (tell, told) = oneshot::channel::<io::Result<Child>>();
        let runtime = Handle::current();
        let start = move || {
            let _runtime = runtime.enter();
            command.kill_on_drop(true);
            sys::begin(&mut command, there);
            // Whoever asked may be gone; the child is then killed as it is dropped.
            drop(tell.send(command.spawn()));
        };
        let cannot = || Error::new(ErrorKind::Host, format!("`{program}` cannot be started"));
        self.0.send(Box::new(start)).map_err(|_| cannot().because("its thread has ended"))?;
        match told.await {
            Ok(Ok(child)) => Ok(child),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                Err(cannot().because("it is not installed").hint("install the client of OpenSSH"))
            }
            Ok(Err(error)) => Err(cannot().because(error)),
            Err(_) => Err(cannot().because("its thread has ended")),
        }
    }
}

/// `ssh`, in the room, with nothing of the user's environment that could change what it does or asks.
pub(super) fn ssh(room: &std::path::Path) -> Command {
    let mut command = Command::new("ssh");
    command
        .current_dir(room)
        .env("LC_ALL", "C")
        .env("SHELL", "/bin/sh")
        .env_remove("DISPLAY")
        .env_remove("SSH_ASKPASS")
        .env_remove("SSH_ASKPASS_REQUIRE")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
