//! The controller's side of the keeper.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::super::HELPER;
use super::super::message::{Bridge, KeeperRequest, Launch};
use super::super::wire::{Answer, receive, send};
use crate::crash::{crash_point, handed_on};
use crate::error::{Error, ErrorKind};

/// How long the keeper may take for anything but the end of a machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Speaks to a layout's keeper, and starts it where it is needed. All of it blocks.
#[derive(Clone, Debug)]
pub(in super::super) struct Client {
    base: PathBuf,
    id: String,
    /// Shown in listings of processes.
    layout: String,
    /// Two tasks of one process must not start two keepers.
    starting: Arc<Mutex<()>>,
}

impl Client {
    /// For the layout whose things are in `base`.
    pub(in super::super) fn new(base: PathBuf, id: String, layout: String) -> Self {
        Self { base, id, layout, starting: Arc::default() }
    }

    /// Whether a machine runs. No keeper, no machine.
    pub(in super::super) fn runs(&self, machine: &str) -> Result<bool, Error> {
        self.ask(&KeeperRequest::Runs(machine.to_owned())).map(Option::unwrap_or_default)
    }

    /// Where the bridge of a network is, if it is there.
    pub(in super::super) fn bridge(&self, network: &str) -> Result<Option<Bridge>, Error> {
        self.ask(&KeeperRequest::Bridge(network.to_owned())).map(Option::flatten)
    }

    /// Asks the keeper, if there is one.
    pub(in super::super) fn ask<T: DeserializeOwned>(
        &self,
        request: &KeeperRequest,
    ) -> Result<Option<T>, Error> {
        let Some(socket) = self.connect(PATIENCE)? else { return Ok(None) };
        match asked(&socket, request, &[]) {
            Ok((result, _)) => result.map(Some).map_err(Error::from),
            Err(error) if closed(&error) => Ok(None),
            Err(error) => Err(self.silent(error)),
        }
    }

    /// Has a machine ended, which may take as long as `grace`. No keeper, no machine.
    pub(in super::super) fn stop(&self, machine: &str, grace: Duration) -> Result<(), Error> {
        let Some(socket) = self.connect(grace.saturating_add(PATIENCE))? else { return Ok(()) };
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        match asked::<()>(&socket, &KeeperRequest::Stop { machine: machine.to_owned(), grace_ms }, &[]) {
            Ok((result, _)) => result.map_err(Error::from),
            // The keeper is gone, and the machine with it.
            Err(error) if closed(&error) => Ok(()),
            Err(error) => Err(self.silent(error)),
        }
    }

    /// Asks the keeper, which is started if there is none.
    pub(in super::super) fn ask_started<T: DeserializeOwned>(
        &self,
        request: &KeeperRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<T, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match asked(&self.connect_or_launch(deadline)?, request, descriptors) {
                Ok((result, _)) => return result.map_err(Error::from),
                // It ended when we came in: it had nothing left to do, so there is nothing lost with it.
                Err(error) if closed(&error) && Instant::now() < deadline => {}
                Err(error) => return Err(self.silent(error)),
            }
        }
    }

    fn connect_or_launch(&self, deadline: Instant) -> Result<UnixStream, Error> {
        let _guard = self.starting.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(socket) = self.connect(PATIENCE)? {
                return Ok(socket);
            }
            match self.launch() {
                // Another one is on its way in, or out; its lock tells nobody when.
                Err(error) if error.kind() == ErrorKind::Locked && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                other => return other,
            }
        }
    }

    /// Waits until the keeper, which has nothing left to do, has ended.
    pub(in super::super) fn wait_for_end(&self) -> Result<(), Error> {
        let path = self.base.join("keeper.lock");
        let lock = match File::options().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.map_err(Error::host(format!("cannot open `{}`", path.display())))?,
        };
        let deadline = Instant::now() + PATIENCE;
        while rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_err() {
            if Instant::now() > deadline {
                return Err(Error::new(ErrorKind::Timeout, "the layout's keeper does not end"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn connect(&self, patience: Duration) -> Result<Option<UnixStream>, Error> {
        let Some(socket) = connect_below(&self.base, "keeper.sock").map_err(|error| self.silent(error))?
        else {
            return Ok(None);
        };
        let timed =
            socket.set_read_timeout(Some(patience)).and_then(|()| socket.set_write_timeout(Some(patience)));
        timed.map_err(|error| self.silent(error))?;
        Ok(Some(socket))
    }

    fn launch(&self) -> Result<UnixStream, Error> {
        let failed = "cannot start the layout's keeper";
        let (socket, other) = UnixStream::pair().map_err(Error::host(failed))?;
        let mut command = Command::new("/proc/self/exe");
        command.args([HELPER, "keeper", &self.layout]).stdin(Stdio::from(OwnedFd::from(other)));
        command.stdout(Stdio::null()).stderr(Stdio::null()).env_clear().process_group(0);
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH")).envs(handed_on());
        let mut helper = command.spawn().map_err(Error::host(failed))?;
        crash_point("keeper-spawned");
        // The helper holds the other end now, and nobody else must: its closing is how its death shows.
        drop(command);
        let told = send(&socket, &Launch { base: self.base.clone().into(), id: self.id.clone() }, &[]);
        crash_point("keeper-ordered");
        let told = told.and_then(|()| receive::<Answer<()>>(&socket));
        crash_point("keeper-started");
        helper.wait().map_err(Error::host(failed))?;
        match told.map_err(Error::host(failed))? {
            Some((result, _)) => result.map(|()| socket).map_err(Error::from),
            None => {
                Err(Error::new(ErrorKind::Host, failed).because("the helper ended without an answer").hint(
                    "the program must call `carthage::main!`, or `backend::helper_main` before anything else",
                ))
            }
        }
    }

    fn silent(&self, error: io::Error) -> Error {
        let failed =
            Error::new(ErrorKind::Host, format!("the keeper of `{}` does not answer", self.base.display()));
        failed
            .because(error)
            .hint("end the process `carthage-keeper`: its machines stop, and start again with the next run")
    }
}

/// Sends a request and receives the answer to it.
fn asked<T: DeserializeOwned>(
    socket: &UnixStream,
    request: &KeeperRequest,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<(Answer<T>, Vec<OwnedFd>)> {
    send(socket, request, descriptors)?;
    if request.changes() {
        crash_point("keeper-asked");
    }
    let answer = receive(socket)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into());
    if request.changes() {
        crash_point("keeper-answered");
    }
    answer
}

/// Connects to a socket in a directory, by descriptor: its path may be too long for a socket's address. `None` when nobody
/// listens there.
pub(in super::super) fn connect_below(directory: &Path, name: &str) -> io::Result<Option<UnixStream>> {
    let absent = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory
        )
    };
    let connected = File::open(directory)
        .and_then(|handle| UnixStream::connect(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd())));
    match connected {
        Err(error) if absent(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// Whether the other side has gone away.
pub(in super::super) fn closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}
