//! Shells of this host.

use std::process::Stdio;

use async_trait::async_trait;
use tokio::process::Command;

use crate::error::{Error, ErrorKind};
use crate::guest::{Streams, Transport};

/// This host, as a machine of this name.
#[derive(Debug)]
pub(super) struct Here(pub(super) String);

/// A shell with nothing of this program's environment: what is in that is the user's, and may be secret.
pub(super) fn shell() -> Command {
    let mut command = Command::new("/bin/sh");
    command.env_clear().current_dir("/");
    command
}

#[async_trait]
impl Transport for Here {
    fn machine(&self) -> &str {
        &self.0
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        let failed = || format!("no shell can be started for `{}`", self.0);
        let mut child = shell()
            .arg("-c")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What is typed to interrupt the program does not reach what it runs: that is ended in order.
            .process_group(0)
            .spawn()
            .map_err(Error::host(failed()))?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Error::new(ErrorKind::Host, failed()).because("it has no streams"));
        };
        Ok(Streams {
            stdin: Box::new(stdin),
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            keep: Box::new(child),
            home: None,
        })
    }
}
