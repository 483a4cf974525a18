//! What every implementation of machines does, as one trait over plain data.
//!
//! An [`Engine`] knows names, namespaces, sockets or an API; it knows nothing of layouts, tasks, stamps or plans. Whatever it is
//! asked for, it looks at the world first: every operation may be repeated, and repeating it is a no-op.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{Error, Result};

/// A stream that is read from.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// A stream that is written to.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;
/// A connection both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Where an implementation keeps its things for one layout.
#[derive(Clone, Debug)]
pub struct Site {
    /// The layout's name, as in `#[layout(name = …)]`.
    pub layout: String,
    /// Distinguishes this layout, in this state directory, from every other: 32 hexadecimal digits. Names of kernel objects
    /// and labels are derived from it.
    pub id: String,
    /// The layout's state directory: must stay as long as anything exists. The implementation keeps its own things in a
    /// directory of its name below it, made with mode 0700 when first needed.
    pub state: PathBuf,
    /// Logs: safe to delete.
    pub logs: PathBuf,
    /// Directories that no machine may see: state, cache and logs of the layout.
    pub private: Vec<PathBuf>,
}

/// What the kernel or an engine calls a thing that it made; new for each creation, so that a recreated thing is not
/// mistaken for the old one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Identity(pub String);

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a thing exists and runs, as far as can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does not exist.
    Absent,
    /// It exists and is not running.
    Stopped(Identity),
    /// It exists and runs.
    Running(Identity),
    /// It exists, but whether it runs cannot be told, for this reason.
    Unknown(Identity, String),
}

impl Presence {
    /// The identity of the thing, if it exists.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Absent => None,
            Self::Stopped(identity) | Self::Running(identity) | Self::Unknown(identity, _) => Some(identity),
        }
    }

    /// Whether it runs; `None` is "cannot be told".
    #[must_use]
    pub fn running(&self) -> Option<bool> {
        match self {
            Self::Absent | Self::Stopped(_) => Some(false),
            Self::Running(_) => Some(true),
            Self::Unknown(..) => None,
        }
    }
}

/// What the host lets the implementation do; asked before anything is planned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Why a machine has only one user inside, if so; commands as another user are then a capability error.
    pub single_user: Option<String>,
    /// Why `memory_mb` is not enforced, if so.
    pub memory_not_enforced: Option<String>,
    /// Why `cpus` is not enforced, if so.
    pub cpus_not_enforced: Option<String>,
}

/// A logical network, resolved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NetworkSpec {
    /// Unique in the layout: the path of the placement, such as `algebra.lab`.
    pub name: String,
    /// Its IPv4 subnet.
    pub v4: Option<IpNet>,
    /// Bytes per frame; the implementation's default if absent.
    pub mtu: Option<u32>,
}

/// One network interface of a machine, resolved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LinkSpec {
    /// The interface's name inside the machine, at most 15 bytes.
    pub interface: String,
    /// The [`NetworkSpec::name`] it is plugged into.
    pub network: String,
    /// Address and prefix length.
    pub address: Option<IpNet>,
    /// The hardware address, six bytes.
    pub mac: [u8; 6],
    /// Bytes per frame; the network's if absent.
    pub mtu: Option<u32>,
}

/// A machine, resolved: all that an implementation needs to make one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MachineSpec {
    /// The fully qualified name, such as `worker-2.algebra`; unique in the layout.
    pub name: String,
    /// The short host name, such as `worker-2`.
    pub hostname: String,
    /// MiB of memory, at most.
    pub memory_mb: Option<u64>,
    /// Processors, at most.
    pub cpus: Option<u32>,
    /// A directory to use as the root instead of the implementation's default.
    pub root: Option<PathBuf>,
    /// As whom commands and services run that name no user; root if absent. The runtime fills it in: an implementation need not look.
    pub runas_user: Option<String>,
    /// The interfaces, in the order of the model's fields.
    pub links: Vec<LinkSpec>,
}

/// A line of a machine's `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HostEntry {
    /// The address.
    pub address: IpAddr,
    /// The names, the fully qualified one first.
    pub names: Vec<String>,
}

/// A command to run inside a machine. Its `Debug` shows the names in its environment, not the values.
#[derive(Clone, Default)]
pub struct Exec {
    /// Program and arguments; passed as they are, never through a shell.
    pub argv: Vec<OsString>,
    /// The user's name or number; root if absent.
    pub user: Option<String>,
    /// Where it runs; the user's home if absent, or `/`.
    pub cwd: Option<PathBuf>,
    /// Added to the machine's basic environment (`PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`).
    pub env: BTreeMap<OsString, OsString>,
    /// Whether the caller will write to its standard input; `/dev/null` otherwise.
    pub stdin: bool,
    /// A terminal of this size instead of three pipes: input and output are then the terminal's.
    pub terminal: Option<TerminalSize>,
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { argv, user, cwd, env, stdin, terminal } = self;
        f.debug_struct("Exec")
            .field("argv", argv)
            .field("user", user)
            .field("cwd", cwd)
            .field("env", &env.keys())
            .field("stdin", stdin)
            .field("terminal", terminal)
            .finish()
    }
}

/// Rows and columns of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// It returned this status.
    Status(i32),
    /// It was ended by this signal.
    Signal(i32),
}

impl Exit {
    /// Whether it returned 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Status(0)
    }

    /// The status as a shell shows it: a signal is 128 and its number.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Self::Status(status) => status,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A command that runs inside a machine. Dropping it before the command has ended kills the command and everything that it
/// started. What a command that has ended by itself left running, as a daemon does, lives on until the machine stops.
pub struct Running {
    /// Its standard input, if asked for; closing it is end of file.
    pub stdin: Option<Writer>,
    /// Its standard output, or the terminal's.
    pub stdout: Reader,
    /// Its standard error; empty with a terminal.
    pub stderr: Reader,
    /// Waits for its end and controls it.
    pub control: Box<dyn Control>,
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}

/// The other half of [`Running`].
#[async_trait]
pub trait Control: Send + Sync {
    /// Waits until the command ends. May be called again and then answers the same.
    async fn wait(&mut self) -> Result<Exit, Error>;
    /// Sends it a signal, by number.
    async fn signal(&mut self, signal: i32) -> Result<(), Error>;
    /// Tells it that its terminal has another size.
    async fn resize(&mut self, size: TerminalSize) -> Result<(), Error>;
}

/// A long-running command that belongs to a machine: kept in its record, started again with it, its output kept in a log.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Unique in the machine; letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What runs; `stdin` and `terminal` are not used.
    pub exec: Exec,
}

/// What became of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// It runs with this process id inside the machine.
    Running(u32),
    /// It ended by itself, though nobody asked it to.
    Ended(Exit),
    /// The machine is not running.
    Stopped,
}

/// A service as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceStatus {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: ServiceState,
    /// Where its output is kept, on this host.
    pub log: Option<PathBuf>,
}

/// What is known of a file inside a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Bytes.
    pub len: u64,
    /// The permission bits.
    pub mode: u32,
    /// Numbers of the owner and the group, as seen inside the machine.
    pub owner: (u32, u32),
}

/// What a path inside a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// Something else: a socket, a device, a pipe.
    Other,
}

/// An implementation of machines and networks on one site.
///
/// Every method names the thing it acts on; errors name it too. Everything may be called from several tasks at once for
/// different machines; the runtime serialises changes to one machine.
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug + 'static {
    /// The implementation's name, such as `Sandbox`.
    fn name(&self) -> &'static str;

    /// Finds out what the host allows. An error is what makes the implementation unusable here, with what to do about it.
    /// Changes nothing.
    async fn survey(&self) -> Result<Survey, Error>;

    /// Whether the network exists (it runs when it exists and works). Changes nothing.
    async fn find_network(&self, name: &str) -> Result<Presence, Error>;
    /// Makes the network exist and work.
    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error>;
    /// Removes the network; no error if it is not there.
    async fn remove_network(&self, name: &str) -> Result<(), Error>;

    /// Whether the machine exists and runs. Changes nothing.
    async fn find(&self, machine: &str) -> Result<Presence, Error>;
    /// Makes the machine exist, stopped, with a new identity; answers the old identity if it exists already.
    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error>;
    /// Starts the machine with its links and its services, and waits until it accepts commands. Its networks exist. On an
    /// error nothing of it is left running.
    async fn start(&self, machine: &MachineSpec) -> Result<(), Error>;
    /// Asks everything inside to end, waits at most `grace`, then kills it. No error if it is not running.
    async fn stop(&self, machine: &str, grace: Duration) -> Result<(), Error>;
    /// Removes a stopped machine with everything that belongs to it; no error if it is not there.
    async fn remove(&self, machine: &str) -> Result<(), Error>;
    /// Removes everything that it has on this site, known to the caller or not: all machines and networks, its helpers and its
    /// directory; no error if there is nothing. Called before the layout is forgotten.
    async fn clear(&self) -> Result<(), Error>;
    /// Gives a running machine the names it can reach, besides its own.
    async fn set_hosts(&self, machine: &str, hosts: &[HostEntry]) -> Result<(), Error>;

    /// Runs a command in a running machine.
    async fn exec(&self, machine: &str, exec: Exec) -> Result<Running, Error>;
    /// Opens a TCP connection from inside the machine. `Ok(None)` when it is refused.
    async fn dial(&self, machine: &str, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error>;

    /// Starts a service, in place of one of the same name.
    async fn start_service(&self, machine: &str, service: &ServiceSpec) -> Result<(), Error>;
    /// Ends a service and forgets it; no error if there is none.
    async fn remove_service(&self, machine: &str, service: &str) -> Result<(), Error>;
    /// All services of the machine, running or not, by name.
    async fn services(&self, machine: &str) -> Result<Vec<ServiceStatus>, Error>;

    /// What is at this path; `None` if nothing. Symbolic links are not followed.
    async fn stat(&self, machine: &str, path: &Path) -> Result<Option<FileStat>, Error>;
    /// Reads a file from its beginning.
    async fn read(&self, machine: &str, path: &Path) -> Result<Reader, Error>;
    /// Writes a file as a whole: whoever looks sees the old contents or the new. Missing directories are made. The mode is
    /// 0644 for a new file and the old one's for an existing one, if absent.
    async fn write(
        &self,
        machine: &str,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error>;
    /// The names in a directory, sorted.
    async fn read_dir(&self, machine: &str, path: &Path) -> Result<Vec<OsString>, Error>;
    /// Makes a directory and the missing ones above it.
    async fn make_dir(&self, machine: &str, path: &Path, mode: Option<u32>) -> Result<(), Error>;
    /// Removes a file or a whole directory; no error if there is nothing.
    async fn remove_path(&self, machine: &str, path: &Path) -> Result<(), Error>;
}
