//! Starting a shell in a running container.

use async_trait::async_trait;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;

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
}

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
