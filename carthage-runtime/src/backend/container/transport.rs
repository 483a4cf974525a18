//! Starting a shell in a running container.

use async_trait::async_trait;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use tokio::io::AsyncReadExt;

use super::client::Client;
use super::wire;
use crate::error::{Error, ErrorKind};
use crate::guest::{Streams, Transport};

/// A running container.
#[derive(Clone, Debug)]
pub(super) struct InContainer {
    pub(super) client: Client,
    /// What errors call it.
    pub(super) machine: String,
    /// The container's id.
    pub(super) id: String,
}

impl InContainer {
    /// Starts a command whose streams are attached; answers the engine's name for it, too.
    pub(super) async fn start(&self, exec: ExecConfig) -> Result<(String, Streams), Error> {
        let tty = exec.tty == Some(true);
        let what = format!("cannot start a shell in `{}`", self.machine);
        let docker = &self.client.docker;
        let exec = docker.create_exec(&self.id, exec).await.map_err(self.client.failed(what.clone()))?.id;
        let options = StartExecOptions { detach: false, tty, output_capacity: Some(64 * 1024) };
        let started = docker.start_exec(&exec, Some(options)).await;
        match started.map_err(self.client.failed(what.clone()))? {
            StartExecResults::Attached { output, input } => {
                let (stdout, stderr) = wire::split(output);
                Ok((exec, Streams { stdin: Box::new(input), stdout, stderr, keep: Box::new(()), home: None }))
            }
            StartExecResults::Detached => {
                Err(Error::new(ErrorKind::Host, what).because("the engine gave no streams"))
            }
        }
    }

    /// Runs a script with these arguments and with rights that the machine itself does not have; answers how it ended and what it
    /// wrote. `what` is what cannot be done when the engine fails.
    pub(super) async fn with_rights(
        &self,
        script: &str,
        arguments: impl IntoIterator<Item = String>,
        what: String,
    ) -> Result<(Option<i64>, String), Error> {
        let mut command = shell(script);
        command.push("sh".to_owned());
        command.extend(arguments);
        let (exec, mut streams) =
            self.start(ExecConfig { privileged: Some(true), ..attached(command) }).await?;
        let mut said = String::new();
        for stream in [&mut streams.stdout, &mut streams.stderr] {
            stream.read_to_string(&mut said).await.map_err(Error::host(what.clone()))?;
        }
        let ended = self.client.docker.inspect_exec(&exec).await.map_err(self.client.failed(what))?;
        Ok((ended.exit_code, said.trim().to_owned()))
    }
}

/// How a script of [`InContainer::with_rights`] ends where a program is missing that it needs.
pub(super) const NO_PROGRAM: i64 = 3;

/// A command with its streams, as root, whatever the image says.
pub(super) fn attached(command: Vec<String>) -> ExecConfig {
    ExecConfig {
        cmd: Some(command),
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..ExecConfig::default()
    }
}

/// The command line of a shell that runs a script.
pub(super) fn shell(script: &str) -> Vec<String> {
    ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
}

#[async_trait]
impl Transport for InContainer {
    fn machine(&self) -> &str {
        &self.machine
    }

    async fn shell(&self, script: &str) -> Result<Streams, Error> {
        Ok(self.start(attached(shell(script))).await?.1)
    }
}
