//! Starting a machine: its first process, its control group, its cables.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use nix::sched::CloneFlags;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;

use super::super::cgroup;
use super::super::fork::in_child;
use super::super::machine::{Ground, boot};
use super::super::message::StartMachine;
use super::super::net::{self, Cable};
use super::super::sys;
use crate::crash::{Role, becomes, crash_point, handed_on};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{LinkSpec, MachineSpec};

/// What a keeper knows of a running machine.
#[derive(Debug)]
pub(super) struct Spawned {
    /// Its first process.
    pub(super) pid: Pid,
    /// The bridges' ends of its cables.
    pub(super) ports: Vec<String>,
    /// Its network, for those that share its links: later on the first process hides it.
    pub(super) network: Option<File>,
}

/// What a keeper knows of a network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) bridge: String,
    pub(super) mtu: Option<u32>,
}

/// The cables of a machine.
pub(super) fn cables(spec: &MachineSpec, networks: &BTreeMap<String, Network>) -> Result<Vec<Cable>, Error> {
    let MachineSpec { name, links, .. } = spec;
    let cable = |link: &LinkSpec| {
        let LinkSpec { interface, network, address, mac, mtu, .. } = link;
        let found = networks.get(network).ok_or_else(|| {
            let missing = format!(
                "`{interface}` of the machine `{name}` is on the network `{network}`, which does not exist"
            );
            Error::new(ErrorKind::NotFound, missing).hint("create the network first")
        })?;
        Ok(Cable {
            bridge: found.bridge.clone(),
            port: net::kernel_name("v", &format!("{name}/{interface}")),
            interface: interface.clone(),
            address: *address,
            mac: *mac,
            mtu: mtu.or(found.mtu),
        })
    };
    links.iter().map(cable).collect()
}

/// What a machine is started with.
#[derive(Debug)]
pub(super) struct Order {
    /// What the controller asks.
    pub(super) start: Box<StartMachine>,
    /// The layer that hides the host's secrets.
    pub(super) cover: Option<PathBuf>,
    /// Whether the keeper is root of a user namespace.
    pub(super) unprivileged: bool,
    /// What tells the layouts' control groups apart.
    pub(super) id: String,
    /// Where the machine tells how its start went.
    pub(super) ready: OwnedFd,
    /// Its network.
    pub(super) network: Plugged,
}

/// What network a machine is in.
#[derive(Debug)]
pub(super) enum Plugged {
    /// One of its own, with these cables.
    Own(Vec<Cable>),
    /// That of another machine, which runs.
    Shared(File),
}

/// The network namespace of a machine.
fn namespace(pid: Pid, machine: &str) -> Result<File, Error> {
    let cannot = format!("cannot reach the network of the machine `{machine}`");
    File::open(Path::new("/proc").join(pid.to_string()).join("ns/net")).map_err(Error::host(cannot))
}

/// Starts it. On an error nothing is left.
pub(super) fn spawn(order: Order) -> Result<Spawned, Error> {
    let Order { start, cover, unprivileged, id, ready, network } = order;
    let name = start.spec.name.clone();
    let (mut own, go) = UnixStream::pair().map_err(Error::host("cannot make a socket"))?;
    let mut namespaces = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC;
    if let Plugged::Own(_) = network {
        namespaces |= CloneFlags::CLONE_NEWNET;
    }
    let meant = handed_on().is_some();
    let forked = sys::fork_into(namespaces).map_err(|error| {
        Error::host(format!("cannot make namespaces for the machine `{name}`"))(error)
            .hint("see `sysctl -a | grep user.max_` for the host's limits")
    })?;
    let Some(pid) = forked else {
        becomes(if meant { Role::Machine } else { Role::Spared });
        let network = match network {
            Plugged::Own(_) => None,
            Plugged::Shared(namespace) => Some(namespace),
        };
        boot(&start, Ground { cover, unprivileged, network, go, ready: ready.into() })
    };
    drop((go, ready));
    crash_point("machine-forked");
    let cables = match network {
        Plugged::Own(cables) => Some(cables),
        Plugged::Shared(_) => None,
    };
    let ports = cables.iter().flatten().map(|cable| cable.port.clone()).collect();
    let mut spawned = Spawned { pid, ports, network: None };
    let confined = if start.offline { Ok(()) } else { cgroup::confine(&id, &start.spec, pid.as_raw()) };
    let equipped = confined.and_then(|()| {
        let Some(cables) = &cables else { return Ok(()) };
        let namespace = namespace(pid, &name)?;
        in_child(|| net::plug(&namespace, cables))?;
        spawned.network = (!start.offline).then_some(namespace);
        Ok(())
    });
    let equipped = equipped.and_then(|()| {
        own.write_all(&[1])
            .map_err(|_| Error::new(ErrorKind::Host, format!("the machine `{name}` ended while starting")))?;
        crash_point("machine-released");
        Ok(())
    });
    match equipped {
        Ok(()) => Ok(spawned),
        Err(error) => {
            let _ = kill(pid, Signal::SIGKILL);
            while waitpid(pid, None) == Err(nix::errno::Errno::EINTR) {}
            clear_away(&id, &name, &spawned);
            Err(error)
        }
    }
}

/// Removes what the kernel does not remove with a machine's processes, or not at once.
pub(super) fn clear_away(id: &str, machine: &str, spawned: &Spawned) {
    // The ends of the cables go with the machine's network namespace, a little later; a leftover is replaced at the next
    // start, as is the control group.
    let _ = in_child(|| net::remove(&spawned.ports));
    let _ = cgroup::remove(id, machine);
}
