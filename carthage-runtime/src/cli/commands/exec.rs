//! Commands and terminals inside machines: what is typed goes in, what is written comes out, and the end is the command's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::pin::pin;

use tokio::io::{AsyncWrite, AsyncWriteExt, Stderr, Stdout};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::args::ExecArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt::Signals;
use crate::cli::session::Session;
use crate::cli::terminal::{self, Raw};
use crate::deploy::Access;
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;
use crate::machine::engine::{self, Exec, Presence, Running, Writer};
use crate::machine::{Machine, Outflow};

/// `exec`
pub(in crate::cli) async fn exec<L: Layout>(
    session: &Session<'_, L>,
    args: &ExecArgs,
    argv: &[OsString],
) -> Result<Exit, Error> {
    let machine = running_machine(session, &args.machine).await?;
    let exec = Exec { argv: argv.to_vec(), stdin: true, ..asked(args) };
    let heard = Heard::new()?;
    pass(machine.exec(exec).await?, heard, false, streams()).await
}

/// `shell`
pub(in crate::cli) async fn shell<L: Layout>(
    session: &Session<'_, L>,
    args: &ExecArgs,
) -> Result<Exit, Error> {
    terminal::required()?;
    let machine = running_machine(session, &args.machine).await?;
    let heard = Heard::new()?;
    // The machine's environment says which shell is the user's.
    let argv = ["/bin/sh", "-c", r#"exec "${SHELL:-/bin/sh}" -l"#].map(OsString::from).to_vec();
    let mut exec = Exec { argv, stdin: true, terminal: Some(terminal::size()), ..asked(args) };
    if let Some(term) = std::env::var_os("TERM") {
        exec.env.entry("TERM".into()).or_insert(term);
    }
    let running = machine.exec(exec).await?;
    let raw = Raw::enter()?;
    let ended = pass(running, heard, true, streams()).await;
    drop(raw);
    ended
}

fn asked(args: &ExecArgs) -> Exec {
    let env: BTreeMap<_, _> = args.env.iter().cloned().collect();
    Exec { user: args.user.clone(), cwd: args.cwd.clone(), env, ..Exec::default() }
}

async fn running_machine<L: Layout>(session: &Session<'_, L>, name: &str) -> Result<Machine, Error> {
    let deployment = session.open(Access::Look).await?;
    let machine = deployment.machine(name)?.clone();
    let wrong = |kind, what: &str, next: String| {
        Err(Error::new(kind, format!("machine `{}` {what}", machine.name())).hint(next))
    };
    match machine.presence().await? {
        Presence::Absent => wrong(ErrorKind::NotFound, "is not deployed", "run `deploy` first".to_owned()),
        Presence::Stopped(_) => {
            wrong(ErrorKind::NotFound, "is not running", format!("start it with `start {}`", machine.name()))
        }
        // Whether it runs cannot be told: trying tells.
        Presence::Running(_) | Presence::Altered(..) | Presence::Stranded(..) | Presence::Unknown(..) => {
            Ok(machine)
        }
    }
}

/// Connects a command with this program's own streams until it ends and all that it wrote is passed on. Signals are passed on
/// as long as it runs; on a terminal, where keys send them, they are for this program, and the terminal's size is passed on.
async fn pass(
    running: Running,
    mut heard: Heard,
    is_terminal: bool,
    (out, err): (impl AsyncWrite + Unpin, impl AsyncWrite + Unpin),
) -> Result<Exit, Error> {
    let Running { stdin, stdout, stderr, mut control } = running;
    if let Some(stdin) = stdin {
        tokio::spawn(feed(stdin));
    }
    let ended = CancellationToken::new();
    let mut written = pin!(async {
        let out = drain(Outflow::new(stdout, &ended), out);
        tokio::try_join!(out, drain(Outflow::new(stderr, &ended), err)).map(drop)
    });
    let (mut exit, mut drained) = (None, false);
    loop {
        if let Some(exit) = exit.filter(|_| drained) {
            return Ok(Exit::Command(code(exit)));
        }
        tokio::select! {
            how = control.wait(), if exit.is_none() => {
                exit = Some(how?);
                ended.cancel();
            }
            done = &mut written, if !drained => match done {
                Ok(()) => drained = true,
                // Nobody reads what it writes: it ends as it would by a broken pipe of its own.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Command(128 + 13)),
                Err(error) => return Err(Error::host("cannot pass on what the command writes")(error)),
            },
            number = heard.signals.next() => {
                if is_terminal || exit.is_some() {
                    return Ok(Exit::Command(code(engine::Exit::Signal(number))));
                }
                control.signal(number).await?;
            }
            _ = heard.resized.recv(), if is_terminal && exit.is_none() => control.resize(terminal::size()).await?,
        }
    }
}

/// The exit status as a shell would show it.
fn code(exit: engine::Exit) -> u8 {
    u8::try_from(exit.code() & 0xff).unwrap_or(u8::MAX)
}

/// Where the command's output goes.
fn streams() -> (Stdout, Stderr) {
    (tokio::io::stdout(), tokio::io::stderr())
}

/// What is typed goes in; the end of input is passed on too.
async fn feed(mut to: Writer) {
    let mut from = tokio::io::stdin();
    // A command need not read all that it is given.
    tokio::io::copy(&mut from, &mut to).await.ok();
    to.shutdown().await.ok();
}

/// What is written comes out, at once.
async fn drain(mut from: Outflow, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        to.write_all(bytes).await?;
        to.flush().await?;
    }
}

/// What this program hears while a command runs; from before it starts, so that nothing is missed.
struct Heard {
    signals: Signals,
    resized: Signal,
}

impl Heard {
    fn new() -> Result<Self, Error> {
        let resized = signal(SignalKind::window_change());
        let resized = resized.map_err(Error::host("cannot listen to the terminal's size"))?;
        Ok(Self { signals: Signals::new()?, resized })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::machine::left_behind;

    #[tokio::test]
    async fn a_slow_reader_gets_everything() {
        let wrote = vec![7; 150_000];
        let (mut running, daemon) = left_behind(&wrote).await;
        running.stdin = None;
        let (out, mut reader) = tokio::io::duplex(1000);
        let read = async {
            // Longer than any silence.
            tokio::time::sleep(Duration::from_millis(1200)).await;
            let mut read = Vec::new();
            reader.read_to_end(&mut read).await.unwrap();
            read
        };
        let passed = pass(running, Heard::new().unwrap(), false, (out, tokio::io::sink()));
        let (exit, read) = tokio::join!(passed, read);
        assert_eq!((exit.unwrap(), read.len()), (Exit::Command(0), wrote.len()));
        drop(daemon);
    }
}
