//! From the helper's entry to a keeper that serves.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::fs::{FlockOperation, flock};

use super::super::fork::contained;
use super::super::message::Launch;
use super::super::sys;
use super::super::wire::{answer, receive, send};
use super::namespaces::{self, Privilege};
use super::serve::Keeper;
use crate::crash::{Role, becomes, crash_point};
use crate::error::{Error, ErrorKind};

/// The entry of the helper that becomes a keeper: standard input is a socket to whoever starts it.
pub(in super::super) fn main() -> ExitCode {
    let begun = contained(|| {
        let socket = UnixStream::from(sys::take_stdin().map_err(Error::host("cannot take over the socket"))?);
        // Nothing of the starter's is to be kept: no pipe open, no lock held, no signal ignored.
        sys::close_all_except(&[socket.as_raw_fd()])
            .map_err(Error::host("cannot close the starter's descriptors"))?;
        sys::reset_signals().map_err(Error::host("cannot reset signals"))?;
        let received = receive::<Launch>(&socket).map_err(Error::host("cannot receive the order"))?;
        let (launch, _) =
            received.ok_or_else(|| Error::new(ErrorKind::Host, "nobody is there to give the order"))?;
        Ok((socket, launch))
    });
    match begun {
        Ok((socket, launch)) => detach(socket, &launch),
        Err(_) => ExitCode::FAILURE,
    }
}

/// Forks the keeper, gives it its ids from outside, and tells the starter when it serves.
fn detach(socket: UnixStream, launch: &Launch) -> ExitCode {
    let privilege = Privilege::of_this_process();
    let started = contained(|| {
        let (own, keepers) = UnixStream::pair().map_err(Error::host("cannot make a socket"))?;
        let Some(keeper) = sys::fork().map_err(Error::host("cannot start the keeper"))? else {
            drop(own);
            become_keeper(socket, &keepers, launch, privilege)
        };
        drop(keepers);
        let result = namespaces::give_ids(&own, keeper);
        Ok((socket, result))
    });
    match started {
        Ok((socket, result)) => ExitCode::from(u8::from(send(&socket, &answer(result), &[]).is_err())),
        Err(_) => ExitCode::FAILURE,
    }
}

fn become_keeper(socket: UnixStream, starter: &UnixStream, launch: &Launch, privilege: Privilege) -> ! {
    becomes(Role::Keeper);
    let prepared = contained(|| prepare(starter, launch, privilege));
    match prepared {
        Ok(mut keeper) => {
            if send(starter, &answer(Ok(())), &[]).is_ok() {
                let _ = starter.shutdown(std::net::Shutdown::Both);
                // Whoever starts a keeper has something for it to do: until then it stays.
                keeper.attend(socket);
                crash_point("keeper-serves");
                let _ = contained(|| keeper.serve());
            }
        }
        Err(error) => drop(send(starter, &answer::<()>(Err(error)), &[])),
    }
    sys::exit_now(0)
}

fn prepare(starter: &UnixStream, launch: &Launch, privilege: Privilege) -> Result<Keeper, Error> {
    let base = PathBuf::from(&launch.base);
    nix::unistd::setsid().map_err(Error::host("cannot detach the keeper"))?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    std::env::set_current_dir("/").map_err(Error::host("cannot detach the keeper"))?;
    let name = CString::new("carthage-keeper").map_err(Error::host("cannot name the keeper"))?;
    nix::sys::prctl::set_name(&name).map_err(Error::host("cannot name the keeper"))?;
    let lock = lock(&base)?;
    crash_point("keeper-locked");
    redirect(&base)?;
    crash_point("keeper-log-made");
    namespaces::enter(privilege, || namespaces::ask_for_ids(starter))?;
    crash_point("keeper-entered");
    let listener = listen(&base)?;
    crash_point("keeper-listens");
    Keeper::new(base, launch.id.clone(), privilege, listener, lock)
}

/// One keeper per layout: the lock is released by the kernel when it dies.
fn lock(base: &Path) -> Result<File, Error> {
    let path = base.join("keeper.lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(Error::host(format!("cannot open `{}`", path.display())))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(Error::new(ErrorKind::Locked, "the layout has a keeper already"))
        }
        Err(error) => Err(Error::host(format!("cannot lock `{}`", path.display()))(error)),
    }
}

/// No stream of the starter's is kept open; what the keeper has to say in a panic goes to a file.
fn redirect(base: &Path) -> Result<(), Error> {
    let failed = "cannot redirect the keeper's output";
    let path = base.join("keeper.log");
    let log =
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(Error::host(failed))?;
    for standard in [1, 2] {
        sys::replace_standard(log.as_fd(), standard).map_err(Error::host(failed))?;
    }
    Ok(())
}

/// The keeper's socket, by descriptor: the path of a socket must be short.
fn listen(base: &Path) -> Result<UnixListener, Error> {
    let cannot = || format!("cannot make a socket in `{}`", base.display());
    let directory = File::open(base).map_err(Error::host(cannot()))?;
    let path = PathBuf::from(format!("/proc/self/fd/{}/keeper.sock", directory.as_raw_fd()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::host(cannot())(error));
        }
        _ => {}
    }
    UnixListener::bind(&path).map_err(Error::host(cannot()))
}
