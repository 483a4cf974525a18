//! The scripts, and running one to its end.

use std::io;
use std::sync::{Arc, LazyLock};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::frame::{First, Framed};
use super::idle::Return;
use super::quote::{Line, quote};
use super::{Guest, Streams, random_id};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Reader, Writer};

const COMMON: &str = include_str!("scripts/common.sh");
const CHILD: &str = include_str!("scripts/child.sh");
const SUPERVISE: &str = include_str!("scripts/supervise.sh");

/// Runs a command.
pub(super) static LAUNCH: LazyLock<String> =
    LazyLock::new(|| joined(&[COMMON, &held("child", CHILD), include_str!("scripts/launch.sh")]));
/// Runs a command on a terminal.
pub(super) static TERMINAL: LazyLock<String> =
    LazyLock::new(|| joined(&[COMMON, &held("child", CHILD), include_str!("scripts/terminal.sh")]));
/// Kills or signals a command.
pub(super) static KILL: LazyLock<String> =
    LazyLock::new(|| joined(&[COMMON, include_str!("scripts/kill.sh")]));
/// Kills whatever has `$1`, written as `NAME=value`, in its environment. It takes no line on standard input.
#[cfg(feature = "container")]
pub(crate) static KILL_MARKED: LazyLock<String> =
    LazyLock::new(|| joined(&[COMMON, "kill_marked \"$1\" KILL"]));
/// Does something with a file.
pub(super) static FILE: LazyLock<String> =
    LazyLock::new(|| joined(&[COMMON, include_str!("scripts/file.sh")]));
/// Does something with services.
pub(super) static SERVICE: LazyLock<String> = LazyLock::new(|| {
    let supervise = joined(&[COMMON, &held("child", CHILD), SUPERVISE]);
    joined(&[COMMON, &held("supervise", &supervise), include_str!("scripts/service.sh")])
});

/// Scripts one after the other, without what only people read.
pub(crate) fn joined(parts: &[&str]) -> String {
    let lines = parts.iter().flat_map(|part| part.lines()).map(str::trim_start);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .fold(String::new(), |all, line| all + line + "\n")
}

/// An assignment of a whole script to a variable.
fn held(name: &str, script: &str) -> String {
    format!("{name}={}\n", String::from_utf8_lossy(&quote(joined(&[script]))))
}

/// How a script ended.
pub(super) struct Answer {
    pub(super) stdout: Vec<u8>,
    pub(super) status: i32,
    /// What it says of that.
    pub(super) message: String,
}

/// Why a script did not do its work, in its own words: `missing`, `other cannot open …`.
pub(super) enum Trouble {
    /// The script says so.
    Said(String),
    /// The machine could not be reached, or nothing is known of it any more.
    Lost(Error),
}

impl Guest {
    /// Starts a script and tells it its line. It may be told another one later, if it takes several.
    pub(super) async fn start(
        &self,
        script: &str,
        id: &str,
        line: Line,
        again: bool,
    ) -> Result<Started, Error> {
        let Streams { mut stdin, stdout, stderr, keep, home } = self.transport.shell(script).await?;
        let home = home.filter(|_| again);
        let line = line.set("again", if home.is_some() { "yes" } else { "" });
        let told = stdin.write_all(&line.set("id", id).ended()).await;
        let told = match told {
            Ok(()) => stdin.flush().await,
            error => error,
        };
        let (stdout, mut stderr) = (Framed::new(stdout, id), Framed::new(stderr, id));
        let first = stderr.first().await.map_err(|error| self.lost(error))?;
        if let (First::None(said), Err(error)) = (&first, told)
            && said.is_empty()
        {
            return Err(self.lost(error));
        }
        Ok(Started { first, stdin, stdout, stderr, keep, home: home.map(Return::new) })
    }

    /// Runs a script to its end.
    pub(super) async fn run(
        &self,
        script: &str,
        line: Line,
        input: Option<Reader>,
    ) -> Result<Answer, Trouble> {
        let id = random_id().map_err(Trouble::Lost)?;
        let started = self.start(script, &id, line, false).await.map_err(Trouble::Lost)?;
        let Started { first, mut stdin, mut stdout, mut stderr, keep: _keep, home: _ } = started;
        let feed = async move {
            if let Some(mut input) = input {
                // A script that does not want its input says why.
                tokio::io::copy(&mut input, &mut stdin).await.ok();
            }
            stdin.shutdown().await.ok();
            // Some streams end only when they are dropped.
            drop(stdin);
        };
        let end = match first {
            First::Fail(reason) => return Err(Trouble::Said(reason)),
            First::None(said) => return Err(Trouble::Lost(self.no_shell(&said))),
            First::End(end) => Some(end),
            First::Ok(_) => None,
        };
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let rest = async {
            if end.is_none() {
                stderr.read_to_end(&mut err).await?;
            }
            Ok::<_, io::Error>(())
        };
        let (_, read, said) = tokio::join!(feed, stdout.read_to_end(&mut out), rest);
        read.and(said.map(|()| 0)).map_err(|error| Trouble::Lost(self.lost(error)))?;
        let end = end.as_deref().or(stderr.end()).unwrap_or_default();
        let (status, message) = end.split_once(' ').unwrap_or((end, ""));
        let status = status.parse().map_err(|_| Trouble::Lost(self.no_shell(end)))?;
        Ok(Answer { stdout: out, status, message: message.trim().to_owned() })
    }

    /// The machine cannot be heard any more.
    pub(super) fn lost(&self, error: io::Error) -> Error {
        Error::new(ErrorKind::Host, format!("lost the connection to `{}`", self.machine()))
            .because(error)
            .hint("what ran there may still run; deploy again once the machine can be reached")
    }

    /// Something else than our script answered.
    pub(super) fn no_shell(&self, said: &str) -> Error {
        let said = said.trim();
        let error = Error::new(ErrorKind::Host, format!("no shell of `{}` takes commands", self.machine()));
        let error = match said {
            "" => error.because("it ended at once"),
            said => error.because(said.to_owned()),
        };
        error.hint("the machine needs a POSIX shell as `/bin/sh`, and `/proc`")
    }
}

/// A script that has said its first word.
pub(super) struct Started {
    pub(super) first: First,
    pub(super) stdin: Writer,
    pub(super) stdout: Framed,
    pub(super) stderr: Framed,
    pub(super) keep: Box<dyn std::any::Any + Send>,
    /// Where the shell goes after its command.
    pub(super) home: Option<Arc<Return>>,
}
