//! Commands and terminals inside machines: what is typed goes in, what is written comes out, and the end is the command's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::args::ExecArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt::Signals;
use crate::cli::session::Session;
use crate::cli::terminal::{self, Raw};
use crate::deploy::Access;
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;
use crate::machine::Machine;
use crate::machine::engine::{self, Control, Exec, Presence, Reader, Running, Writer};

/// How long output may be silent after the command's end, while something it left behind still holds it open.
const SILENCE: Duration = Duration::from_millis(500);

/// `exec`
pub(in crate::cli) async fn exec<L: Layout>(
    session: &Session<'_, L>,
    args: &ExecArgs,
    argv: &[OsString],
) -> Result<Exit, Error> {
    let machine = running_machine(session, &args.machine).await?;
    let exec = Exec { argv: argv.to_vec(), stdin: true, ..asked(args) };
    let heard = Heard::new()?;
    pass(machine.exec(exec).await?, heard, false).await
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
    let ended = pass(running, heard, true).await;
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
        Presence::Running(_) | Presence::Unknown(..) => Ok(machine),
    }
}

/// Connects a command with this program's own streams until it ends.
async fn pass(running: Running, heard: Heard, is_terminal: bool) -> Result<Exit, Error> {
    let Running { stdin, stdout, stderr, mut control } = running;
    if let Some(stdin) = stdin {
        tokio::spawn(feed(stdin));
    }
    let passed = AtomicUsize::new(0);
    let mut out = pin!(async {
        let out = drain(stdout, tokio::io::stdout(), &passed);
        tokio::try_join!(out, drain(stderr, tokio::io::stderr(), &passed)).map(drop)
    });
    let mut ended = pin!(follow(&mut *control, heard, is_terminal));
    let (mut exit, mut drained) = (None, false);
    while exit.is_none() || !drained {
        let before = passed.load(Ordering::Relaxed);
        tokio::select! {
            how = &mut ended, if exit.is_none() => exit = Some(how?),
            written = &mut out, if !drained => match written {
                Ok(()) => drained = true,
                // Nobody reads what it writes: it ends as it would by a broken pipe of its own.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Command(128 + 13)),
                Err(error) => return Err(Error::host("cannot pass on what the command writes")(error)),
            },
            // Something that it left behind may hold its output open for ever.
            () = tokio::time::sleep(SILENCE), if exit.is_some() => drained = passed.load(Ordering::Relaxed) == before,
        }
    }
    Ok(Exit::Command(exit.map_or(u8::MAX, code)))
}

/// The exit status as a shell would show it.
fn code(exit: engine::Exit) -> u8 {
    u8::try_from(exit.code() & 0xff).unwrap_or(u8::MAX)
}

/// What is typed goes in; the end of input is passed on too.
async fn feed(mut to: Writer) {
    let mut from = tokio::io::stdin();
    // A command need not read all that it is given.
    tokio::io::copy(&mut from, &mut to).await.ok();
    to.shutdown().await.ok();
}

/// What is written comes out, at once; `passed` counts it.
async fn drain(mut from: Reader, mut to: impl AsyncWrite + Unpin, passed: &AtomicUsize) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        to.write_all(bytes).await?;
        to.flush().await?;
        passed.fetch_add(count, Ordering::Relaxed);
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

/// Waits for the end of the command. Signals are passed on; on a terminal, where keys send them, they are for this program, and
/// the terminal's size is passed on.
async fn follow(
    control: &mut dyn Control,
    mut heard: Heard,
    is_terminal: bool,
) -> Result<engine::Exit, Error> {
    loop {
        tokio::select! {
            exit = control.wait() => return exit,
            number = heard.signals.next() => {
                if is_terminal {
                    return Ok(engine::Exit::Signal(number));
                }
                control.signal(number).await?;
            }
            _ = heard.resized.recv(), if is_terminal => control.resize(terminal::size()).await?,
        }
    }
}
