//! The controller's side of a machine's first process: one connection per request. All of it blocks.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::keeper::{Privilege, closed, connect_below};
use super::message::{Command, Commit, MachineAnswer, MachineRequest, OFFLINE, ONLINE};
use super::running::Streams;
use super::wire::{Answer, ask, receive, send};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Exec, Namespace};

/// How long a machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A connection to a machine.
#[derive(Debug)]
pub(super) struct Inside {
    connection: UnixStream,
    machine: String,
    offline: bool,
}

impl Inside {
    /// Connects; `None` when the machine does not run.
    pub(super) fn connect(directory: &Path, machine: &str) -> Result<Option<Self>, Error> {
        Self::connect_to(directory, ONLINE, machine)
    }

    /// Connects for files; `None` when the machine neither runs nor is offline.
    pub(super) fn connect_for_files(directory: &Path, machine: &str) -> Result<Option<Self>, Error> {
        match Self::connect(directory, machine)? {
            None => Self::connect_to(directory, OFFLINE, machine),
            running => Ok(running),
        }
    }

    fn connect_to(directory: &Path, socket: &str, machine: &str) -> Result<Option<Self>, Error> {
        let failed = || format!("cannot connect to the machine `{machine}`");
        let Some(connection) = connect_below(directory, socket).map_err(Error::host(failed()))? else {
            return Ok(None);
        };
        connection.set_read_timeout(Some(PATIENCE)).map_err(Error::host(failed()))?;
        Ok(Some(Self { connection, machine: machine.to_owned(), offline: socket == OFFLINE }))
    }

    /// Like [`ask`](Self::ask); `None` when the machine, which is offline, has ended before it could answer, because nobody had
    /// asked it for long enough, or because it was started.
    pub(super) fn ask_offline(
        &self,
        request: &MachineRequest,
    ) -> Result<Option<(MachineAnswer, Vec<OwnedFd>)>, Error> {
        match self.asked(request, &[]) {
            Err(error) if self.offline && closed(&error) => Ok(None),
            asked => self.settle(asked).map(Some),
        }
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask(
        &self,
        request: &MachineRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> Result<(MachineAnswer, Vec<OwnedFd>), Error> {
        let asked = self.asked(request, descriptors);
        self.settle(asked)
    }

    fn asked(
        &self,
        request: &MachineRequest,
        descriptors: &[BorrowedFd<'_>],
    ) -> std::io::Result<(Answer<MachineAnswer>, Vec<OwnedFd>)> {
        send(&self.connection, request, descriptors)?;
        if request.changes() {
            crash_point("machine-asked");
        }
        receive(&self.connection)?.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
    }

    fn settle(
        &self,
        asked: std::io::Result<(Answer<MachineAnswer>, Vec<OwnedFd>)>,
    ) -> Result<(MachineAnswer, Vec<OwnedFd>), Error> {
        let (result, received) =
            asked.map_err(Error::host(format!("the machine `{}` does not answer", self.machine)))?;
        Ok((result?, received))
    }

    /// Starts a command.
    pub(super) fn exec(self, exec: &Exec) -> Result<(UnixStream, Streams), Error> {
        let command = Command::from(exec);
        if let Some(size) = exec.terminal {
            let request = MachineRequest::Exec { command, terminal: Some(size.into()) };
            let (_, mut descriptors) = self.ask(&request, &[])?;
            let end = descriptors.pop().ok_or_else(|| unexpected("cannot open a terminal"))?;
            return Ok((self.connection, Streams::Terminal(end)));
        }
        let failed = "cannot make pipes for the command";
        let pipe = || std::io::pipe().map_err(Error::host(failed));
        let (stdin, stdin_end): (OwnedFd, Option<OwnedFd>) = if exec.stdin {
            let (reader, writer) = pipe()?;
            (reader.into(), Some(writer.into()))
        } else {
            (File::open("/dev/null").map_err(Error::host(failed))?.into(), None)
        };
        let ((stdout_end, stdout), (stderr_end, stderr)) = (pipe()?, pipe()?);
        self.ask(
            &MachineRequest::Exec { command, terminal: None },
            &[stdin.as_fd(), stdout.as_fd(), stderr.as_fd()],
        )?;
        Ok((self.connection, Streams::Pipes(stdin_end, stdout_end.into(), stderr_end.into())))
    }

    /// Where the machine's network is: that of its first process, which listens at the other end.
    pub(super) fn namespace(&self) -> Result<Namespace, Error> {
        let failed = format!("cannot tell which process is the first of the machine `{}`", self.machine);
        let first = rustix::net::sockopt::socket_peercred(&self.connection)
            .map_err(std::io::Error::from)
            .map_err(Error::host(failed))?
            .pid
            .as_raw_nonzero();
        let path = |kind: &str| format!("/proc/{first}/ns/{kind}").into();
        let user = Privilege::of_this_process() == Privilege::UserNamespace;
        Ok(Namespace { user: user.then(|| path("user")), net: path("net") })
    }

    /// Ends the replacement of a file, which was begun on this connection.
    pub(super) fn commit(&self) -> Result<(), Error> {
        crash_point("file-filled");
        self.settle(ask(&self.connection, &Commit, &[]))?;
        crash_point("file-in-place");
        Ok(())
    }
}

/// An answer that does not belong to the request.
pub(super) fn unexpected(what: &str) -> Error {
    Error::new(ErrorKind::Host, what).because("the machine's answer belongs to another request")
}
