//! What is done inside a machine in which nothing of ours is, with nothing but a POSIX shell and the usual small programs.
//!
//! An implementation has a way to start a shell in its machine, a [`Transport`]: an engine's API, an ssh connection. A
//! [`Guest`] makes of it what [`Engine`](crate::machine::engine::Engine) asks for: commands, services and files.
//!
//! The shell gets a script of ours, which is always the same, and reads what is particular to it from its standard input, as
//! one line of quoted assignments. So no argument, variable or path is ever part of a command line that is visible to others or
//! read by a shell. What a script has to say of itself stands in frames (`frame`) between what the command writes: that the
//! command runs, or why not; and how it ended. When the streams end without that, the connection was lost, and nothing is known
//! of the command.
//!
//! All processes of a command know it by a variable of their environment, and are found by it (`/proc/PID/environ`) when the
//! command is to be killed with everything that it started.

mod exec;
mod file;
mod frame;
mod idle;
mod quote;
mod script;
mod service;
#[cfg(test)]
mod tests;

#[cfg(feature = "container")]
pub(crate) use file::lines_of;
#[cfg(feature = "container")]
pub(crate) use script::KILL_MARKED;

use std::any::Any;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

pub use idle::Idle;
pub(crate) use quote::{Line, quoted_words};
pub(crate) use script::joined as script_of;

use crate::error::Error;
use crate::machine::engine::{Reader, Writer};

/// A way to start a shell in one machine.
#[async_trait]
pub trait Transport: Send + Sync + fmt::Debug {
    /// What errors call the machine.
    fn machine(&self) -> &str;

    /// Starts `/bin/sh -c SCRIPT` with three pipes, as root or as whoever logs in. The script is one of this module's, and holds
    /// nothing secret.
    ///
    /// # Errors
    /// When no shell can be started. A shell that cannot be reached any more later ends its streams.
    async fn shell(&self, script: &str) -> Result<Streams, Error>;
}

/// A shell that runs.
pub struct Streams {
    /// Its standard input; shutting it down is end of file.
    pub stdin: Writer,
    /// Its standard output.
    pub stdout: Reader,
    /// Its standard error.
    pub stderr: Reader,
    /// What must not be dropped before the shell has ended.
    pub keep: Box<dyn Any + Send>,
    /// Where the shell waits for the next command when it has run this one, if it may.
    pub home: Option<Arc<Idle>>,
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// A running machine, reached by a [`Transport`]. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guest {
    transport: Arc<dyn Transport>,
    /// Our directory in the machine.
    base: PathBuf,
}

impl Guest {
    /// A machine in which this directory, which need not exist, is ours alone: services are kept there.
    pub fn new(transport: Arc<dyn Transport>, base: impl AsRef<Path>) -> Self {
        Self { transport, base: base.as_ref().to_owned() }
    }

    fn machine(&self) -> &str {
        self.transport.machine()
    }
}

/// Whether a script is the one that runs commands: its shell may have a [`home`](Streams::home).
#[cfg(any(feature = "ssh", test))]
pub(crate) fn runs_commands(script: &str) -> bool {
    script == script::LAUNCH.as_str()
}

/// A number for one shell: 32 hexadecimal digits.
pub(crate) fn random_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::host("the system has no randomness"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
