//! From a process in fresh namespaces to a machine that accepts commands.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::signal::Signal;

use super::super::fork::contained;
use super::super::message::{OFFLINE, ONLINE, StartMachine};
use super::super::sys;
use super::super::wire::{answer, send};
use super::root::Plan;
use super::{capabilities, etc, init, root, service};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// Where a machine's first process starts from.
#[derive(Debug)]
pub(in super::super) struct Ground {
    /// The layer that hides the host's secrets.
    pub(in super::super) cover: Option<PathBuf>,
    /// Whether the keeper is root of a user namespace, not of the host.
    pub(in super::super) unprivileged: bool,
    /// The network of another machine, if it is in that; in that of the keeper it begins then.
    pub(in super::super) network: Option<File>,
    /// Closed when the keeper is gone; a byte comes when the links are laid.
    pub(in super::super) go: UnixStream,
    /// Where to tell how it went.
    pub(in super::super) ready: UnixStream,
}

/// Boots the machine and serves it until it ends.
pub(in super::super) fn boot(start: &StartMachine, ground: Ground) -> ! {
    let Ground { network, go, ready, .. } = &ground;
    let mut kept = vec![go.as_raw_fd(), ready.as_raw_fd()];
    kept.extend(network.as_ref().map(File::as_raw_fd));
    let prepared = sys::close_all_except(&kept)
        .map_err(Error::host("cannot close the keeper's descriptors"))
        .and_then(|()| contained(|| prepare(start, &ground)));
    let failed = prepared.is_err();
    let (listener, told) = match prepared {
        Ok(listener) => (Some(listener), send(ready, &answer(Ok(())), &[])),
        Err(error) => (None, send(ready, &answer::<()>(Err(error)), &[])),
    };
    // Without its starter the machine lives on: the keeper has it on record.
    drop(told);
    drop(ground);
    match listener {
        Some(listener) if !failed => init::run(listener, &start.spec, start.offline),
        _ => sys::exit_now(1),
    }
}

fn prepare(start: &StartMachine, ground: &Ground) -> Result<UnixListener, Error> {
    let spec = &start.spec;
    if let Some(network) = &ground.network {
        let cannot = "cannot enter the network of the machine whose links it shares";
        setns(network, CloneFlags::CLONE_NEWNET).map_err(Error::host(cannot))?;
    }
    die_with_the_keeper(spec.hostname.as_str())?;
    nix::unistd::sethostname(&spec.hostname).map_err(Error::host("cannot set the host name"))?;
    let directory = Path::new(&start.directory);
    let listener = listen(directory, if start.offline { OFFLINE } else { ONLINE })?;
    crash_point("machine-listens");
    let logs = open_logs(start)?;
    crash_point("machine-logs-made");
    let private: Vec<PathBuf> = start.private.iter().map(PathBuf::from).collect();
    root::enter(&Plan {
        base: spec.root.as_deref().unwrap_or(Path::new("/")),
        cover: if spec.root.is_none() { ground.cover.as_deref() } else { None },
        directory,
        private: &private,
        unprivileged: ground.unprivileged,
    })?;
    crash_point("root-entered");
    etc::write_all(spec, &start.machine_id, &start.hosts)?;
    wait_for_links(ground)?;
    crash_point("machine-linked");
    // After the keeper has put this process into its control group, which thereby becomes the top of what it can name.
    match unshare(CloneFlags::CLONE_NEWCGROUP) {
        Err(nix::errno::Errno::EINVAL) | Ok(()) => {}
        Err(error) => return Err(Error::host("cannot make a control group namespace")(error)),
    }
    sys::leave_keyring();
    capabilities::give_up_the_rest()?;
    sys::hide_process().map_err(Error::host("cannot hide the machine's first process"))?;
    let null = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/null")
        .map_err(Error::host("cannot open `/dev/null`"))?;
    for standard in 0..=2 {
        sys::replace_standard(null.as_fd(), standard)
            .map_err(Error::host("cannot replace a standard stream"))?;
    }
    init::block_signals()?;
    service::start_all(start.services.iter().zip(logs))?;
    crash_point("services-started");
    Ok(listener)
}

fn die_with_the_keeper(name: &str) -> Result<(), Error> {
    let cannot = "cannot set up the machine's first process";
    nix::unistd::setsid().map_err(Error::host(cannot))?;
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).map_err(Error::host(cannot))?;
    let name = CString::new(name).map_err(Error::host(cannot))?;
    nix::sys::prctl::set_name(&name).map_err(Error::host(cannot))?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    Ok(())
}

/// The socket on which the machine takes requests; it lies outside of the machine's root.
fn listen(directory: &Path, name: &str) -> Result<UnixListener, Error> {
    let cannot = || format!("cannot make a socket in `{}`", directory.display());
    let handle = File::open(directory).map_err(Error::host(cannot()))?;
    // By descriptor: the path of a socket must be short, and that of a state directory need not be.
    let path = PathBuf::from(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd()));
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Error::host(cannot())(error));
        }
        _ => {}
    }
    UnixListener::bind(&path).map_err(Error::host(cannot()))
}

fn open_logs(start: &StartMachine) -> Result<Vec<File>, Error> {
    let directory = Path::new(&start.logs);
    let open = |record: &super::super::message::ServiceRecord| {
        let path = directory.join(format!("{}.log", record.name));
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
        file.map_err(Error::host(format!("cannot open the log `{}`", path.display())))
    };
    start.services.iter().map(open).collect()
}

fn wait_for_links(ground: &Ground) -> Result<(), Error> {
    let mut byte = [0];
    match (&ground.go).read(&mut byte) {
        Ok(1) => Ok(()),
        _ => Err(Error::new(ErrorKind::Host, "the keeper ended while the machine was starting")),
    }
}
