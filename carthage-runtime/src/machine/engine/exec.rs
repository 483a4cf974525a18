//! A command inside a machine: what is to run, and what runs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;

/// A stream that is read from.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// A stream that is written to.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;
/// A connection both ways.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

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
