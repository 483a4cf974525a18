//! How a shell is started in a toy.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use async_trait::async_trait;
use carthage::Error;
use carthage::guest::{Streams, Transport};
use tokio::process::Command;

/// What every process of a toy has in its environment: its machine's directory.
pub(crate) const TOY: &str = "TOY";

/// Starts shells in one toy.
#[derive(Debug)]
pub(crate) struct Here {
    pub(crate) machine: String,
    pub(crate) directory: PathBuf,
}

#[async_trait]
impl Transport for Here {
    fn machine(&self) -> &str {
        &self.machine
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        let failed = || format!("cannot start a shell in `{}`", self.machine);
        let mut shell = command(&self.directory);
        shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = shell.spawn().map_err(Error::host(failed()))?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Streams {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                stderr: Box::new(stderr),
                keep: Box::new(child),
                home: None,
            }),
            _ => Err(Error::new(carthage::ErrorKind::Host, failed()).because("it has no pipes")),
        }
    }
}

/// A shell that has nothing of this process's environment, but knows its machine.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env(TOY, directory).current_dir("/");
    command
}
