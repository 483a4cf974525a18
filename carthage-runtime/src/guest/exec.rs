//! Running a command in a guest.

use std::any::Any;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

use super::frame::{First, Framed};
use super::idle::{DUE, Return};
use super::quote::{Line, quote};
use super::script::{KILL, LAUNCH, Started, TERMINAL, Trouble};
use super::{Guest, random_id};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Control, Exec, Exit, Running, TerminalSize, Writer};

/// How much of what a command writes to standard error is kept for whoever does not read it yet.
const PIPE: usize = 64 * 1024;

/// How a command ended, or why that is not known; nothing as long as it runs.
type Fate = Option<Result<Exit, Arc<str>>>;

impl Guest {
    /// Runs a command; see [`Engine::exec`](crate::machine::engine::Engine::exec). For a terminal see
    /// [`Guest::terminal`].
    ///
    /// # Errors
    /// When it cannot be run: the program, the user or the directory is missing, or the machine cannot be reached.
    pub async fn exec(&self, exec: Exec) -> Result<Running, Error> {
        let id = random_id()?;
        let line = command(self.machine(), &exec, if exec.stdin { "yes" } else { "no" })?;
        let line = line.set("channel", "2").set("eol", "");
        // One whose input is the command's cannot be told another.
        let started = self.start(&LAUNCH, &id, line, !exec.stdin).await?;
        let Started { first, stdin, stdout, stderr, keep, home } = started;
        let pid = match first {
            First::Ok(pid) => pid,
            First::Fail(reason) => return Err(cannot_run(self.machine(), &exec, &reason)),
            First::None(said) => return Err(self.no_shell(&said)),
            First::End(_) => return Err(self.no_shell("it ended before it was started")),
        };
        let (fate, told) = watch::channel(None);
        let (complaints, reader) = tokio::io::duplex(PIPE);
        tokio::spawn(follow(stderr, complaints, fate, home.clone()));
        let (given, kept) = if exec.stdin { (Some(stdin), None) } else { (None, Some(stdin)) };
        let command = Command {
            guest: self.clone(),
            id,
            pid,
            fate: told,
            kept: Mutex::new(Some((kept, keep))),
            home: home.clone(),
        };
        Ok(Running {
            stdin: given,
            stdout: Box::new(stdout.returned_to(home)),
            stderr: Box::new(reader),
            control: Box::new(command),
        })
    }

    /// The script that runs a command on the terminal on which it is started as `/bin/sh -c SCRIPT`. Unlike with
    /// [`Guest::exec`], arguments and environment are part of it.
    ///
    /// # Errors
    /// When the command is not one.
    pub fn terminal(&self, exec: &Exec) -> Result<OsString, Error> {
        let line =
            command(self.machine(), exec, "keep")?.set("id", "terminal").set("channel", "2").set("eol", "");
        let held = [b"n='\n'\nline=", quote(line.as_word()).as_slice(), b"\n", TERMINAL.as_bytes()].concat();
        Ok(OsString::from_vec(held))
    }

    /// Kills a command with all that it started, or sends its first process a signal.
    async fn kill(&self, line: Line) -> Result<(), Error> {
        match self.run(&KILL, line, None).await {
            Ok(_) => Ok(()),
            Err(Trouble::Lost(error)) => Err(error),
            Err(Trouble::Said(why)) => Err(self.no_shell(&why)),
        }
    }
}

/// What the scripts need to know of a command. `input` is where its standard input comes from.
pub(super) fn command(machine: &str, exec: &Exec, input: &str) -> Result<Line, Error> {
    if exec.argv.is_empty() {
        return Err(Error::new(ErrorKind::Usage, format!("an empty command was given for `{machine}`")));
    }
    let mut environment = Vec::new();
    for (name, value) in &exec.env {
        let bytes = name.as_bytes();
        let fits = |(at, byte): (usize, &u8)| {
            *byte == b'_' || byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit())
        };
        if bytes.is_empty() || !bytes.iter().enumerate().all(fits) {
            let what = format!("`{}` cannot be set in the environment of a command", name.display());
            return Err(Error::new(ErrorKind::Usage, what)
                .because("a variable has letters, digits and `_`, and does not begin with a digit"));
        }
        environment.extend([b"export ", bytes, b"=", &quote(value), b"; "].concat());
    }
    let words = exec.argv.iter().chain(exec.env.values());
    if let Some(word) = words.into_iter().find(|word| word.as_bytes().contains(&0)) {
        let what = format!("a word of a command for `{machine}` holds a NUL byte");
        return Err(Error::new(ErrorKind::Usage, what).because(format!("it has {} bytes", word.len())));
    }
    Ok(Line::default()
        .set("user", exec.user.as_deref().unwrap_or_default())
        .set("cwd", exec.cwd.as_deref().unwrap_or("".as_ref()))
        .set("input", input)
        .set("environment", OsString::from_vec(environment))
        .arguments(&exec.argv))
}

/// What a script says when a command cannot be run, as an error.
pub(super) fn cannot_run(machine: &str, exec: &Exec, reason: &str) -> Error {
    let program = exec.argv.first().map(|word| word.display().to_string()).unwrap_or_default();
    let user = exec.user.as_deref().unwrap_or("root");
    let failed = Error::new(ErrorKind::Command, format!("cannot run `{program}` in `{machine}`"));
    match reason.split_once(' ').unwrap_or((reason, "")) {
        ("cwd", _) => {
            let directory = exec.cwd.as_deref().unwrap_or("/".as_ref()).display();
            failed
                .because(format!("it cannot be in the directory `{directory}`"))
                .hint(format!("does `{directory}` exist?"))
        }
        ("missing", _) => failed
            .because("No such file or directory")
            .hint(format!("is `{program}` installed in the machine?")),
        ("denied", _) => {
            failed.because("Permission denied").hint(format!("is `{program}` executable for `{user}`?"))
        }
        ("user", _) => Error::new(ErrorKind::NotFound, format!("there is no user `{user}` in `{machine}`"))
            .hint("make the user first, or give a number"),
        ("privilege", _) => {
            Error::new(ErrorKind::Unsupported, format!("nothing can run as `{user}` in `{machine}`"))
                .because("who logs in there is not root")
                .hint("log in as root, or as that user")
        }
        ("switch", _) => {
            Error::new(ErrorKind::Unsupported, format!("nothing can run as `{user}` in `{machine}`"))
                .because("it has neither `setpriv` of util-linux nor `su`")
                .hint("install one of them in the machine")
        }
        (_, why) => failed.because(why.to_owned()),
    }
}

/// Passes on what a command writes to standard error, and then how it ended. Its shell may then be used again.
async fn follow(
    mut from: Framed,
    mut to: tokio::io::DuplexStream,
    fate: watch::Sender<Fate>,
    home: Option<Arc<Return>>,
) {
    let mut buffer = vec![0; 16 * 1024];
    let mut wanted = true;
    let ended = loop {
        match from.read(&mut buffer).await {
            Ok(0) => break from.end().and_then(status).ok_or_else(|| "it does not say how it ended".into()),
            // Somebody who does not read it may still want to know how it ends.
            Ok(read) => wanted = wanted && to.write_all(&buffer[..read]).await.is_ok(),
            Err(error) => break Err(Arc::from(error.to_string())),
        }
    };
    let home = home.filter(|_| ended.is_ok());
    let coming = home.as_ref().map(|home| home.coming());
    // That nobody waits for it any more is no trouble.
    fate.send(Some(ended)).ok();
    drop(to);
    if let Some(home) = home
        && tokio::time::timeout(DUE, from.is_idle()).await == Ok(true)
    {
        home.stderr(from.into_inner());
    }
    drop(coming);
}

/// An exit as a shell tells it: a signal is 128 and its number.
pub(super) fn status(text: &str) -> Option<Exit> {
    let number: i32 = text.split(' ').next()?.parse().ok()?;
    Some(if (129..=192).contains(&number) { Exit::Signal(number - 128) } else { Exit::Status(number) })
}

/// A command in a guest.
struct Command {
    guest: Guest,
    id: String,
    pid: String,
    fate: watch::Receiver<Fate>,
    /// What must not be dropped before it has ended.
    kept: Mutex<Option<Kept>>,
    /// Where its shell goes.
    home: Option<Arc<Return>>,
}

/// Its input, if nobody else has it, and what a transport asks to keep.
type Kept = (Option<Writer>, Box<dyn Any + Send>);

#[async_trait]
impl Control for Command {
    async fn wait(&mut self) -> Result<Exit, Error> {
        let told = self.fate.wait_for(Option::is_some).await.map(|fate| fate.clone());
        match told {
            Ok(Some(Ok(exit))) => Ok(exit),
            Ok(Some(Err(why))) => Err(self.guest.lost(std::io::Error::other(why.to_string()))),
            Ok(None) | Err(_) => Err(self.guest.lost(std::io::ErrorKind::UnexpectedEof.into())),
        }
    }

    async fn signal(&mut self, signal: i32) -> Result<(), Error> {
        self.guest.kill(Line::default().set("pid", &self.pid).set("signal", signal.to_string())).await
    }

    async fn resize(&mut self, _: TerminalSize) -> Result<(), Error> {
        Ok(())
    }
}

impl Drop for Command {
    fn drop(&mut self) {
        let ended = matches!(&*self.fate.borrow(), Some(Ok(_)));
        let (guest, id) = (self.guest.clone(), std::mem::take(&mut self.id));
        let kept = self.kept.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if ended {
            if let (Some(home), Some((Some(stdin), keep))) = (&self.home, kept) {
                home.stdin(stdin, keep);
            }
            return;
        }
        // Without a runtime this process is ending, and the script notices that its input ends.
        let Some(runtime) = tokio::runtime::Handle::try_current().ok() else { return };
        runtime.spawn(async move {
            if let Err(error) = guest.kill(Line::default().set("pid", "").set("command", &id)).await {
                tracing::warn!(machine = guest.machine(), %error, "a command that was given up may still run");
            }
            drop(kept);
        });
    }
}
