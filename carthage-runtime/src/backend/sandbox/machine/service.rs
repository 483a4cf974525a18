//! Long-running commands: each has a supervisor, which notes how it ends and ends all that it started.
//!
//! What became of a service is noted in a file in the machine's `/run`, which lives exactly as long as the machine does.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Pid, getpid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use super::super::fork::contained;
use super::super::message::{MachineAnswer, ServiceFate, ServiceRecord};
use super::super::sys;
use super::session::reply;
use super::{command, descendants, exec};
use crate::crash::{counts_no_more, crash_point};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Exit;

const NOTES: &str = "/run/carthage/services";
/// How long a service may take to end by itself before it is killed.
const GRACE: Duration = Duration::from_secs(5);
/// The exit status by which a shell says that a program was not found.
const NOT_RUN: i32 = 127;

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    supervisor: i32,
    fate: ServiceFate,
}

/// Starts services with the machine, and returns when all are under way. One that cannot be run has ended; its log says why.
pub(super) fn start_all<'a>(services: impl Iterator<Item = (&'a ServiceRecord, File)>) -> Result<(), Error> {
    let (mut under_way, starting) = std::io::pipe().map_err(Error::host("cannot make a pipe"))?;
    for (record, log) in services {
        let forked =
            sys::fork().map_err(Error::host(format!("cannot start the service `{}`", record.name)))?;
        if forked.is_none() {
            counts_no_more();
            let _ = contained(|| {
                let note = log.try_clone();
                if let Err(error) = supervise(record, log, |_| drop(starting)) {
                    write_note(&record.name, ServiceFate::Ended(Exit::Status(NOT_RUN)))?;
                    if let Ok(mut log) = note {
                        let _ = writeln!(log, "{}", crate::error::chain(&error));
                    }
                }
                Ok(())
            });
            sys::exit_now(0);
        }
    }
    drop(starting);
    // Closed by each supervisor when its service runs, or by its end.
    under_way.read_to_end(&mut Vec::new()).map(drop).map_err(Error::host("cannot wait for the services"))
}

/// Starts a service on request; the process becomes its supervisor.
pub(super) fn serve(connection: UnixStream, record: &ServiceRecord, mut descriptors: Vec<OwnedFd>) {
    let started = stop(&record.name).and_then(|()| {
        let log = descriptors.pop().ok_or_else(|| Error::new(ErrorKind::Host, "a log was expected"))?;
        supervise(record, log.into(), |()| {
            reply(&connection, Ok((MachineAnswer::Done, Vec::new())));
            let _ = connection.shutdown(std::net::Shutdown::Both);
        })
    });
    if let Err(error) = started {
        reply(&connection, Err(error));
    }
}

/// Ends a service, and forgets it.
pub(super) fn stop(name: &str) -> Result<(), Error> {
    if let Some(note) = read_note(name) {
        end_supervisor(name, Pid::from_raw(note.supervisor))?;
    }
    match fs::remove_file(note_path(name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::host(format!("cannot forget the service `{name}`"))(error))
        }
        _ => Ok(()),
    }
}

fn end_supervisor(name: &str, supervisor: Pid) -> Result<(), Error> {
    use rustix::process::{PidfdFlags, pidfd_open};
    let failed = || format!("cannot end the service `{name}`");
    let Some(pid) = rustix::process::Pid::from_raw(supervisor.as_raw()) else { return Ok(()) };
    let handle = match pidfd_open(pid, PidfdFlags::empty()) {
        Err(rustix::io::Errno::SRCH | rustix::io::Errno::INVAL) => return Ok(()),
        other => other.map_err(Error::host(failed()))?,
    };
    let _ = kill(supervisor, Signal::SIGTERM);
    let mut ended = [PollFd::new(&handle, PollFlags::IN)];
    let patience = Timespec { tv_sec: 2 * GRACE.as_secs().cast_signed(), tv_nsec: 0 };
    match poll(&mut ended, Some(&patience)) {
        Ok(0) => Err(Error::new(ErrorKind::Timeout, failed()).because("its supervisor does not answer")),
        _ => Ok(()),
    }
}

/// What became of all services.
pub(super) fn list() -> Result<BTreeMap<String, ServiceFate>, Error> {
    let names = fs::read_dir(NOTES).into_iter().flatten().flatten();
    let names = names.filter_map(|entry| entry.file_name().into_string().ok());
    Ok(names.filter_map(|name| read_note(&name).map(|note| (name, fate(&note)))).collect())
}

/// A supervisor that was killed cannot have noted anything.
fn fate(note: &Note) -> ServiceFate {
    match note.fate {
        ServiceFate::Running(pid) if !Path::new(&format!("/proc/{pid}")).exists() => {
            ServiceFate::Ended(Exit::Signal(Signal::SIGKILL as i32))
        }
        fate => fate,
    }
}

/// Runs the service until it ends, or until SIGTERM.
fn supervise(record: &ServiceRecord, log: File, started: impl FnOnce(())) -> Result<(), Error> {
    let failed = || format!("cannot start the service `{}`", record.name);
    let children = exec::watch_children()?;
    let mask: SigSet = [Signal::SIGTERM, Signal::SIGCHLD].into_iter().collect();
    mask.thread_set_mask().map_err(Error::host(failed()))?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
        .map_err(Error::host(failed()))?;
    drop(children);
    let error = log.try_clone().map_err(Error::host(failed()))?;
    let null = File::open("/dev/null").map_err(Error::host(failed()))?;
    let child = command::spawn(&record.command, [null.into(), log.into(), error.into()], false)?;
    let child = Pid::from_raw(child.id().cast_signed());
    crash_point("service-unnoted");
    write_note(&record.name, ServiceFate::Running(child.as_raw().cast_unsigned()))?;
    started(());
    let mut deadline: Option<Instant> = None;
    loop {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let left = left.map(|left| Timespec {
            tv_sec: left.as_secs().cast_signed(),
            tv_nsec: left.subsec_nanos().into(),
        });
        let _ = poll(&mut [PollFd::new(&signals, PollFlags::IN)], left.as_ref());
        while let Ok(Some(signal)) = signals.read_signal() {
            if signal.ssi_signo == Signal::SIGTERM as u32 && deadline.is_none() {
                // The first process has told everybody.
                if signal.ssi_pid != 1 {
                    descendants::signal(Signal::SIGTERM);
                    descendants::signal(Signal::SIGCONT);
                }
                deadline = Some(Instant::now() + GRACE);
            }
        }
        let ended = exec::reap(child);
        let expired = deadline.is_some_and(|at| Instant::now() >= at);
        if ended.is_some() || expired {
            descendants::end();
            return write_note(
                &record.name,
                ServiceFate::Ended(ended.unwrap_or(Exit::Signal(Signal::SIGKILL as i32))),
            );
        }
    }
}

fn note_path(name: &str) -> PathBuf {
    Path::new(NOTES).join(name)
}

fn read_note(name: &str) -> Option<Note> {
    serde_json::from_slice(&fs::read(note_path(name)).ok()?).ok()
}

fn write_note(name: &str, fate: ServiceFate) -> Result<(), Error> {
    let note = Note { supervisor: getpid().as_raw(), fate };
    let temporary = Path::new("/run/carthage").join(format!(".{}.{name}", note.supervisor));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(NOTES)?;
        fs::write(&temporary, serde_json::to_vec(&note)?)?;
        fs::rename(&temporary, note_path(name))
    };
    write().map_err(Error::host(format!("cannot note what became of the service `{name}`")))
}
