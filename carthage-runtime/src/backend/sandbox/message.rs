//! What is said over the sockets of the keeper and of a machine's first process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::machine::engine::{Exec, Exit, HostEntry, MachineSpec, NetworkSpec, TerminalSize};

/// The socket, in its directory, on which a machine takes requests.
pub(super) const ONLINE: &str = "sock";
/// The socket on which a machine that is offline takes requests for files.
pub(super) const OFFLINE: &str = "offline";

/// How a keeper is started: the first message on the socket that it inherits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Launch {
    /// The implementation's directory in the layout's state directory.
    pub(super) base: OsString,
    /// The site's id.
    pub(super) id: String,
}

/// What a keeper is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum KeeperRequest {
    /// Does this machine run? Answered with a `bool`, from memory. One that is offline does not.
    Runs(String),
    /// Where is this network's bridge? Answered with a [`Bridge`], or nothing while there is none.
    Bridge(String),
    /// Make a network's bridge.
    CreateNetwork(NetworkSpec),
    /// Remove a network's bridge.
    RemoveNetwork(String),
    /// Start a machine; carries a socket on which the machine's first process tells how it went. One that is offline is ended
    /// first, unless it is to be offline.
    Start(Box<StartMachine>),
    /// End a machine; answered when nothing of it is left.
    Stop {
        /// The machine.
        machine: String,
        /// How long it may take to end by itself.
        grace_ms: u64,
    },
    /// End all machines at once, and forget the networks: there is nothing left to keep.
    End,
    /// Remove a tree of files whose owners only the keeper's user namespace knows.
    RemoveTree(OsString),
}

impl KeeperRequest {
    /// Whether something is another afterwards.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::Runs(_) | Self::Bridge(_))
    }
}

/// All that it takes to start a machine.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StartMachine {
    /// Whether only its root is wanted: no links, no services, no commands, and an end as soon as nobody asks for files.
    pub(super) offline: bool,
    /// The machine.
    pub(super) spec: MachineSpec,
    /// The machine's directory below the implementation's.
    pub(super) directory: OsString,
    /// Directories of the host that it must not see.
    pub(super) private: Vec<OsString>,
    /// Names of others that it can reach.
    pub(super) hosts: Vec<HostEntry>,
    /// Where its services write, a file for each.
    pub(super) logs: OsString,
    /// Its services.
    pub(super) services: Vec<ServiceRecord>,
    /// A number for `/etc/machine-id`.
    pub(super) machine_id: String,
}

/// Where a network's bridge is.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bridge {
    /// Its name.
    pub(super) name: String,
    /// The process id of the keeper, in whose network namespace it is.
    pub(super) keeper: u32,
}

/// A command, in a form that can be sent and kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Command {
    /// Program and arguments.
    pub(super) argv: Vec<OsString>,
    /// Name or number.
    pub(super) user: Option<String>,
    /// Where it runs.
    pub(super) cwd: Option<OsString>,
    /// Added to the basic environment.
    pub(super) env: Vec<(OsString, OsString)>,
}

impl From<&Exec> for Command {
    fn from(exec: &Exec) -> Self {
        Self {
            argv: exec.argv.clone(),
            user: exec.user.clone(),
            cwd: exec.cwd.clone().map(PathBuf::into_os_string),
            env: exec.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }
}

/// A service, as it is kept in the machine's directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ServiceRecord {
    /// Its name.
    pub(super) name: String,
    /// What runs.
    pub(super) command: Command,
}

/// What a machine is asked; one request per connection.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum MachineRequest {
    /// Run a command. Carries its standard input, output and error, unless it gets a terminal, whose other end is then
    /// attached to the answer. [`Steer`] and [`Ended`] follow on the connection; closing it kills the command.
    Exec {
        /// What runs.
        command: Command,
        /// The size of its terminal, if it gets one.
        terminal: Option<(u16, u16)>,
    },
    /// Start a service in place of one of the same name. Carries its log.
    StartService(ServiceRecord),
    /// End a service.
    StopService(String),
    /// What became of the services that were started.
    Services,
    /// Names that the machine can reach.
    SetHosts(Vec<HostEntry>),
    /// Connect to this address; the connection is attached to the answer.
    Dial(std::net::SocketAddr),
    /// Something about a path.
    File {
        /// The path.
        path: OsString,
        /// What about it.
        operation: FileOperation,
    },
}

impl MachineRequest {
    /// Whether something is another afterwards.
    pub(super) fn changes(&self) -> bool {
        use FileOperation::{List, Read, Stat};
        !matches!(self, Self::Services | Self::Dial(_) | Self::File { operation: Stat | Read | List, .. })
    }
}

/// What can be done with a path.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FileOperation {
    /// What is there?
    Stat,
    /// Open it for reading; the file is attached to the answer.
    Read,
    /// Replace it; a new file to fill is attached to the answer, and takes its place on [`Commit`].
    Write(Option<u32>),
    /// The names in it.
    List,
    /// Make a directory.
    MakeDirectory(Option<u32>),
    /// Remove it, and everything below it.
    Remove,
}

/// Says that a file is written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Commit;

/// Sent while a command runs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Steer {
    /// The signal to send it.
    pub(super) signal: i32,
}

/// Sent when a command has ended.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ended(pub(super) Exit);

/// What a machine answers, besides descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum MachineAnswer {
    /// It is done.
    Done,
    /// There is no such path, or nobody listens at the address.
    Nothing,
    /// What is at a path: type and mode bits, length, owner and group.
    Stat {
        /// `st_mode`.
        mode: u32,
        /// Bytes.
        len: u64,
        /// The owner's number.
        uid: u32,
        /// The group's number.
        gid: u32,
    },
    /// The names in a directory.
    Names(Vec<OsString>),
    /// What became of the services.
    Services(BTreeMap<String, ServiceFate>),
}

/// What became of a service that was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ServiceFate {
    /// It runs with this process id.
    Running(u32),
    /// It ended.
    Ended(Exit),
}

impl From<TerminalSize> for (u16, u16) {
    fn from(size: TerminalSize) -> Self {
        (size.rows, size.columns)
    }
}
