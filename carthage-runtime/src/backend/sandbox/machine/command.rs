//! Starts a command as a user of the machine.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::ErrorKind::ExecutableFileBusy;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use super::super::message::Command;
use super::super::sys;
use super::users::{self, User};
use crate::error::{Error, ErrorKind};

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How long a program may be open for writing until that is an error.
const BUSY: Duration = Duration::from_secs(1);

/// Starts it in a session of its own; `terminal` makes standard input its terminal.
pub(super) fn spawn(command: &Command, streams: [OwnedFd; 3], terminal: bool) -> Result<Child, Error> {
    let Some((program, arguments)) = command.argv.split_first() else {
        return Err(Error::new(ErrorKind::Usage, "the command is empty"));
    };
    let user = users::find(command.user.as_deref())?;
    let directory = directory(command, &user)?;
    let (uid, gid) = user.ids();
    if let (true, [end, ..]) = (terminal, &streams) {
        // A terminal belongs to whoever works at it.
        std::os::unix::fs::fchown(end, Some(uid.as_raw()), None)
            .map_err(Error::host("cannot hand over the terminal"))?;
    }
    let [stdin, stdout, stderr] = streams.map(Stdio::from);
    let mut process = Process::new(program);
    process.args(arguments).stdin(stdin).stdout(stdout).stderr(stderr).current_dir(&directory);
    process.env_clear().envs(environment(command, &user, terminal));
    let groups = users::groups(&user);
    sys::before_exec(&mut process, move || {
        // Whoever starts it takes signals by descriptor and so has them blocked, which a new program would inherit.
        nix::sys::signal::SigSet::empty().thread_set_mask()?;
        nix::unistd::setsid()?;
        if terminal {
            sys::take_terminal()?;
        }
        sys::become_user(uid, gid, groups.as_deref())
    });
    spawn_when_written(&mut process).map_err(|error| {
        let name = program.display();
        let hint = match error.kind() {
            std::io::ErrorKind::NotFound => Some(format!(
                "is `{name}` installed in the machine, and does `{}` exist?",
                directory.display()
            )),
            std::io::ErrorKind::PermissionDenied => {
                Some(format!("is `{name}` executable for `{}`?", user.name))
            }
            _ => None,
        };
        let failed = Error::new(ErrorKind::Command, format!("cannot run `{name}`")).because(error);
        hint.into_iter().fold(failed, Error::hint)
    })
}

/// Starts it. What was written a moment ago may still be open for writing in a process that somebody else has just forked, until that
/// becomes a program; nobody tells when it has.
fn spawn_when_written(process: &mut Process) -> std::io::Result<Child> {
    let deadline = Instant::now() + BUSY;
    loop {
        match process.spawn() {
            Err(error) if error.kind() == ExecutableFileBusy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(2));
            }
            spawned => return spawned,
        }
    }
}

fn directory(command: &Command, user: &User) -> Result<std::path::PathBuf, Error> {
    match &command.cwd {
        Some(cwd) if Path::new(cwd).is_dir() => Ok(cwd.into()),
        Some(cwd) => {
            Err(Error::new(ErrorKind::Command, format!("the directory `{}` does not exist", cwd.display())))
        }
        None if Path::new(&user.home).is_dir() => Ok((&user.home).into()),
        None => Ok("/".into()),
    }
}

fn environment(command: &Command, user: &User, terminal: bool) -> BTreeMap<OsString, OsString> {
    let basic = [
        ("PATH", PATH),
        ("HOME", &user.home),
        ("USER", &user.name),
        ("LOGNAME", &user.name),
        ("SHELL", &user.shell),
        ("LANG", "C.UTF-8"),
    ];
    let terminal = terminal.then_some(("TERM", "xterm-256color"));
    let mut all: BTreeMap<OsString, OsString> =
        basic.into_iter().chain(terminal).map(|(name, value)| (name.into(), value.into())).collect();
    all.extend(command.env.iter().cloned());
    all
}
