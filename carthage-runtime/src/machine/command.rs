//! Running a command inside a machine.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio_util::sync::CancellationToken;

use super::engine::{Exec, Exit, Running};
use super::machine::Machine;
use super::outflow::Outflow;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::inject::Secret;

/// How many bytes of each stream an error quotes, from its end.
const QUOTED: usize = 2000;

/// What a command wrote and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// How it ended.
    pub exit: Exit,
    /// All that it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All that it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text, without the line end at its end.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end_matches('\n').to_owned()
    }
}

/// A command to run inside a machine; made by [`Machine::command`].
#[must_use]
pub struct Command {
    machine: Machine,
    exec: Exec,
    stdin: Vec<u8>,
    limit: Option<Duration>,
    on_behalf_of: String,
}

impl Machine {
    /// A command: program and arguments, passed as they are, never through a shell. The machine must be running.
    pub fn command<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Command {
        let exec = Exec { argv: argv.into_iter().map(Into::into).collect(), ..Exec::default() };
        Command { on_behalf_of: self.thing(), machine: self.clone(), exec, stdin: Vec::new(), limit: None }
    }

    /// Runs a command as the machine's user and fails unless it returns 0.
    ///
    /// # Errors
    /// When it cannot be run, or fails; the error quotes the end of what it wrote.
    pub async fn run<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> crate::Result<Output> {
        self.command(argv).run().await
    }
}

impl Command {
    /// As this user, by name or number, instead of the machine's `runas_user`.
    pub fn user(mut self, user: impl Into<String>) -> Self {
        self.exec.user = Some(user.into());
        self
    }

    /// In this directory.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.exec.cwd = Some(cwd.into());
        self
    }

    /// With this variable in its environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.exec.env.insert(name.into(), value.into());
        self
    }

    /// With a secret in its environment.
    pub fn secret_env(self, name: impl Into<OsString>, value: &Secret<String>) -> Self {
        self.env(name, value.expose())
    }

    /// With this on its standard input.
    pub fn stdin(mut self, stdin: impl Into<Vec<u8>>) -> Self {
        self.stdin = stdin.into();
        self.exec.stdin = true;
        self
    }

    /// Killed after this time, as an error.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    pub(super) fn on_behalf_of(mut self, thing: impl Into<String>) -> Self {
        self.on_behalf_of = thing.into();
        self
    }

    /// Runs it and fails unless it returns 0.
    ///
    /// # Errors
    /// When it cannot be run, fails, or takes longer than its time-out; the error quotes the end of what it wrote.
    pub async fn run(self) -> crate::Result<Output> {
        let (shown, machine) = (self.shown(), self.machine.clone());
        let output = self.output().await?;
        if output.exit.success() {
            return Ok(output);
        }
        let what = format!("`{shown}` on `{}` failed with {}", machine.name(), output.exit);
        let said = [("stderr", &output.stderr), ("stdout", &output.stdout)];
        let said: Vec<_> =
            said.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| quote(name, text)).collect();
        let error = Error::new(ErrorKind::Command, what);
        Err(if said.is_empty() { error.because("it wrote nothing") } else { error.because(said.join("\n")) }
            .into())
    }

    /// Runs it, whatever it returns. Dropping the future kills the command and everything that it started. What a command
    /// that has ended left running is not waited for; a service is better started with [`Host::spawn`](super::Host::spawn).
    ///
    /// # Errors
    /// When it cannot be run or takes longer than its time-out.
    pub async fn output(self) -> crate::Result<Output> {
        let (limit, shown, name) = (self.limit, self.shown(), self.machine.name().to_owned());
        let Some(limit) = limit else { return Ok(self.collect().await?) };
        match tokio::time::timeout(limit, self.collect()).await {
            Ok(output) => Ok(output?),
            Err(_) => {
                let what = format!("`{shown}` on `{name}` had not ended after {limit:?}");
                Err(Error::new(ErrorKind::Timeout, what)
                    .hint("it was killed; give it more time, or see why it hangs")
                    .into())
            }
        }
    }

    async fn collect(self) -> Result<Output, Error> {
        let Self { machine, exec, stdin, on_behalf_of, .. } = self;
        let running = machine.exec(exec).await?;
        let line = |stderr, line| {
            let (machine, thing) = (machine.name().to_owned(), on_behalf_of.clone());
            Some(Event::Output { machine, thing, line, stderr })
        };
        let (exit, stdout, stderr) = gather(running, stdin, &machine.0.events, line).await;
        let exit = exit?;
        let lost =
            || Error::host::<io::Error>(format!("lost the output of a command on `{}`", machine.name()));
        Ok(Output { exit, stdout: stdout.map_err(lost())?, stderr: stderr.map_err(lost())? })
    }

    /// The command as users see it.
    fn shown(&self) -> String {
        let words: Vec<_> = self.exec.argv.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

/// Gives a command its input and takes what it writes, until it has ended and all that it wrote is there. `line` is how a line of
/// it is told, if it is.
pub(super) async fn gather(
    running: Running,
    stdin: Vec<u8>,
    events: &Events,
    line: impl Fn(bool, String) -> Option<Event>,
) -> (Result<Exit, Error>, io::Result<Vec<u8>>, io::Result<Vec<u8>>) {
    let Running { stdin: input, stdout, stderr, mut control } = running;
    let ended = CancellationToken::new();
    let wait = async {
        let exit = control.wait().await;
        ended.cancel();
        exit
    };
    let feed = async move {
        let Some(mut input) = input else { return };
        // A command need not read all of its input; what counts is how it ends.
        if input.write_all(&stdin).await.is_ok() {
            input.shutdown().await.ok();
        }
    };
    let (exit, _, stdout, stderr) = tokio::join!(
        wait,
        ended.run_until_cancelled(feed),
        tee(Outflow::new(stdout, &ended), events, |text| line(false, text)),
        tee(Outflow::new(stderr, &ended), events, |text| line(true, text)),
    );
    (exit, stdout, stderr)
}

/// Keeps everything and tells each line as it comes.
async fn tee(
    mut from: Outflow,
    events: &Events,
    line: impl Fn(String) -> Option<Event>,
) -> io::Result<Vec<u8>> {
    let tell = |text: &[u8]| {
        if let Some(event) = line(String::from_utf8_lossy(text).into_owned()) {
            events.send(event);
        }
    };
    let (mut all, mut told) = (Vec::new(), 0);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        all.extend_from_slice(&buffer[..read]);
        while let Some(end) = all[told..].iter().position(|byte| *byte == b'\n') {
            tell(&all[told..told + end]);
            told += end + 1;
        }
        if read == 0 {
            if told < all.len() {
                tell(&all[told..]);
            }
            return Ok(all);
        }
    }
}

fn quote(name: &str, text: &[u8]) -> String {
    let from = text.len().saturating_sub(QUOTED);
    let shown = String::from_utf8_lossy(&text[from..]);
    format!("{name}{}: {}", if from > 0 { " (its end)" } else { "" }, shown.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::outflow::tests::left_behind;

    #[tokio::test]
    async fn a_daemon_that_holds_the_streams_is_not_waited_for() {
        let (running, daemon) = left_behind(b"started\n").await;
        let line =
            |stderr, line| Some(Event::Output { machine: "m".into(), thing: "t".into(), line, stderr });
        let events = Events::none();
        let gathered = gather(running, b"more than it reads".to_vec(), &events, line);
        let (exit, stdout, stderr) =
            tokio::time::timeout(Duration::from_secs(20), gathered).await.expect("it ends with its command");
        assert_eq!(
            (exit.unwrap(), stdout.unwrap(), stderr.unwrap()),
            (Exit::Status(0), b"started\n".to_vec(), Vec::new())
        );
        drop(daemon);
    }
}
