//! Commands on a terminal, which is the engine's.

use std::time::Duration;

use async_trait::async_trait;
use bollard::exec::ResizeExecOptions;
use bollard::models::ExecConfig;
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::dialect::Dialect;
use super::transport::{InContainer, attached, shell};
use crate::error::{Error, ErrorKind};
use crate::guest::{Guest, KILL_MARKED, Streams};
use crate::machine::engine::{Control, Exec, Exit, Running, TerminalSize};

/// How long the engine may take to make a terminal whose size can be set.
const PATIENCE: Duration = Duration::from_secs(10);

/// All that runs on one terminal has this variable, with the terminal's number.
const MARK: &str = "CARTHAGE_TERMINAL";

/// Runs a command on a terminal of this size.
pub(super) async fn run(
    inside: InContainer,
    guest: &Guest,
    mut exec: Exec,
    size: TerminalSize,
) -> Result<Running, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::host("the system has no randomness"))?;
    let mark = bytes.map(|byte| format!("{byte:02x}")).concat();
    // The environment goes by the engine's interface: the script is an argument, which others can see.
    let environment = std::mem::take(&mut exec.env)
        .into_iter()
        .map(|(name, value)| Ok(format!("{}={}", text(name)?, text(value)?)));
    let mut environment = environment.collect::<Result<Vec<_>, Error>>()?;
    environment.push(format!("{MARK}={mark}"));
    let (rows, columns) = (size.rows, size.columns);
    // Podman answers a change of size before it makes it, and may make a later one first: where there is `stty`, it is not asked.
    let sized = format!("stty rows {rows} cols {columns} 2>/dev/null && printf '\\036' || printf '\\037'");
    let script = format!("{sized}\n{}", text(guest.terminal(&exec)?)?);
    let config = ExecConfig { tty: Some(true), env: Some(environment), ..attached(shell(&script)) };
    let (id, Streams { stdin, mut stdout, stderr, keep: _, home: _ }) = inside.start(config).await?;
    let mut terminal = Terminal { inside, id, mark, exit: None };
    // Podman answers before there is a terminal, and takes a size that it then forgets. The script's first sign is that it is there.
    let failed = Error::host(format!("lost the terminal of `{}`", terminal.inside.machine));
    let mut sign = [0];
    let has_begun = stdout.read(&mut sign).await.map_err(failed)? > 0;
    let is_sized = sign == [0x1e] && matches!(terminal.inside.client.dialect, Dialect::Podman(_));
    if has_begun && !is_sized {
        terminal.resize(size).await?;
    }
    Ok(Running { stdin: Some(stdin), stdout, stderr, control: Box::new(terminal) })
}

fn text(word: std::ffi::OsString) -> Result<String, Error> {
    word.into_string().map_err(|word| {
        Error::new(ErrorKind::Unsupported, format!("`{}` cannot be used with a terminal", word.display()))
            .because("the engine's interface takes words in UTF-8 only")
    })
}

struct Terminal {
    inside: InContainer,
    /// The engine's name for the command.
    id: String,
    mark: String,
    exit: Option<Exit>,
}

impl Terminal {
    /// How it ended, if it has.
    async fn ended(&self) -> Result<Option<Exit>, Error> {
        let what = format!("cannot ask for the command on a terminal of `{}`", self.inside.machine);
        let client = &self.inside.client;
        let state = client.docker.inspect_exec(&self.id).await.map_err(client.failed(what))?;
        let code = state.exit_code.filter(|_| state.running != Some(true));
        Ok(code.and_then(|code| i32::try_from(code).ok()).map(|code| match code {
            129..=192 => Exit::Signal(code - 128),
            _ => Exit::Status(code),
        }))
    }

    async fn kill(inside: &InContainer, mark: &str) -> Result<(), Error> {
        let mut command = shell(&KILL_MARKED);
        command.extend(["sh".to_owned(), format!("{MARK}={mark}")]);
        let (_, mut streams) = inside.start(attached(command)).await?;
        let mut said = Vec::new();
        let done = streams.stdout.read_to_end(&mut said).await.map(drop);
        done.map_err(Error::host(format!("cannot end a command on a terminal of `{}`", inside.machine)))
    }
}

#[async_trait]
impl Control for Terminal {
    async fn wait(&mut self) -> Result<Exit, Error> {
        // The interface cannot wait for it.
        loop {
            if self.exit.is_none() {
                self.exit = self.ended().await?;
            }
            match self.exit {
                Some(exit) => return Ok(exit),
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    async fn signal(&mut self, _: i32) -> Result<(), Error> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("a terminal of `{}` takes no signals", self.inside.machine),
        )
        .hint("write what a key would: `\\x03` is Ctrl-C"))
    }

    async fn resize(&mut self, size: TerminalSize) -> Result<(), Error> {
        let client = &self.inside.client;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let options = ResizeExecOptions { height: size.rows, width: size.columns };
            match client.docker.resize_exec(&self.id, options).await {
                Ok(()) => return Ok(()),
                // What has ended has no size.
                Err(_) if self.ended().await?.is_some() => return Ok(()),
                // What is only just being started has none yet.
                Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(failure) => {
                    let what = format!("cannot set the size of a terminal of `{}`", self.inside.machine);
                    return Err(client.failed(what)(failure));
                }
            }
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let Some(runtime) = tokio::runtime::Handle::try_current().ok().filter(|_| self.exit.is_none()) else {
            return;
        };
        let (inside, mark) = (self.inside.clone(), std::mem::take(&mut self.mark));
        runtime.spawn(async move {
            if let Err(error) = Self::kill(&inside, &mark).await {
                tracing::warn!(machine = inside.machine, %error, "a command that was given up may still run");
            }
        });
    }
}
