//! The keeper's loop: one request at a time, each short.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::{WaitPidFlag, waitpid};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use serde::Serialize;

use super::super::fork::{contained, in_child};
use super::super::message::{Bridge, KeeperRequest, StartMachine};
use super::super::net;
use super::super::sys;
use super::super::wire::{answer, receive, send};
use super::namespaces::Privilege;
use super::spawn::{Network, Order, Plugged, Spawned, cables, clear_away, spawn};
use super::{cover, tree};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::NetworkSpec;

/// How long a client may take to finish a request that it has begun.
const PATIENCE: Duration = Duration::from_secs(5);

/// The keeper of a layout.
#[derive(Debug)]
pub(super) struct Keeper {
    base: PathBuf,
    id: String,
    privilege: Privilege,
    listener: UnixListener,
    signals: SignalFd,
    /// Tells when the layout's directory loses a file, or is lost itself.
    losses: OwnedFd,
    clients: Vec<UnixStream>,
    networks: BTreeMap<String, Network>,
    machines: BTreeMap<String, Machine>,
    cover: Option<PathBuf>,
    /// Held for as long as the keeper lives.
    _lock: File,
}

#[derive(Debug)]
struct Machine {
    spawned: Spawned,
    /// Whether only its root is there.
    offline: bool,
    /// The machine in whose network it is.
    shares: Option<String>,
    /// When it is killed, if it is to end.
    deadline: Option<Instant>,
    /// Who wants to know that it has ended.
    waiting: Vec<UnixStream>,
}

impl Keeper {
    /// A keeper without networks and machines.
    pub(super) fn new(
        base: PathBuf,
        id: String,
        privilege: Privilege,
        listener: UnixListener,
        lock: File,
    ) -> Result<Self, Error> {
        let mask: SigSet = [Signal::SIGCHLD].into_iter().collect();
        let signals = mask
            .thread_block()
            .and_then(|()| SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC))
            .map_err(Error::host("cannot watch over children"))?;
        let losses = watch(&base).map_err(Error::host(format!("cannot watch `{}`", base.display())))?;
        let (clients, networks, machines) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Ok(Self {
            base,
            id,
            privilege,
            listener,
            signals,
            losses,
            clients,
            networks,
            machines,
            cover: None,
            _lock: lock,
        })
    }

    /// Takes on a client.
    pub(super) fn attend(&mut self, client: UnixStream) {
        self.clients.push(client);
    }

    /// Serves until there is nothing left to keep.
    pub(super) fn serve(&mut self) -> Result<(), Error> {
        while !(self.networks.is_empty() && self.machines.is_empty() && self.clients.is_empty()) {
            let mut polled = Vec::with_capacity(3 + self.clients.len());
            for descriptor in [self.listener.as_fd(), self.signals.as_fd(), self.losses.as_fd()] {
                polled.push(PollFd::from_borrowed_fd(descriptor, PollFlags::IN));
            }
            polled.extend(self.clients.iter().map(|client| PollFd::new(client, PollFlags::IN)));
            let _ = poll(&mut polled, self.next_deadline().as_ref());
            let spoke: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
            while let Ok(Some(_)) = self.signals.read_signal() {}
            self.bury();
            self.enforce_deadlines();
            if spoke.get(2) == Some(&true) && self.lost() {
                self.give_up();
                return Ok(());
            }
            self.hear(spoke.get(3..).unwrap_or_default());
            if spoke.first() == Some(&true)
                && let Ok((client, _)) = self.listener.accept()
            {
                self.attend(client);
            }
        }
        // From here on nobody is answered; whoever connects now is cut off, and starts another keeper.
        let _ = std::fs::remove_file(self.base.join("keeper.sock"));
        crash_point("keeper-left");
        Ok(())
    }

    /// Whether the layout's directory has been removed, or moved away: without it nobody finds the keeper any more.
    fn lost(&self) -> bool {
        // What exactly happened does not matter.
        while rustix::io::read(&self.losses, &mut [0; 4096]).is_ok() {}
        !self.base.join("keeper.lock").exists()
    }

    /// Ends all machines at once.
    fn give_up(&mut self) {
        for machine in self.machines.values() {
            let _ = kill(machine.spawned.pid, Signal::SIGKILL);
        }
        for (name, machine) in std::mem::take(&mut self.machines) {
            self.finish(&name, machine);
        }
    }

    /// Waits for the end of a machine that is killed.
    fn finish(&mut self, name: &str, machine: Machine) {
        while waitpid(machine.spawned.pid, None) == Err(nix::errno::Errno::EINTR) {}
        self.ended(name, machine);
    }

    fn ended(&mut self, name: &str, machine: Machine) {
        // Their network is gone.
        for sharing in self.sharing(name) {
            if let Some(sharing_it) = self.machines.remove(&sharing) {
                let _ = kill(sharing_it.spawned.pid, Signal::SIGKILL);
                self.finish(&sharing, sharing_it);
            }
        }
        crash_point("machine-ended");
        clear_away(&self.id, name, &machine.spawned);
        for client in machine.waiting {
            self.reply(client, Ok(()));
        }
    }

    /// The machines that are in the network of this one.
    fn sharing(&self, name: &str) -> Vec<String> {
        let shares = |machine: &Machine| machine.shares.as_deref() == Some(name);
        self.machines.iter().filter(|(_, machine)| shares(machine)).map(|(name, _)| name.clone()).collect()
    }

    /// Asks a machine to end by then; hands back the client that is to be told when it has, if it does not run.
    fn end(&mut self, name: &str, at: Instant, client: Option<UnixStream>) -> Option<UnixStream> {
        let Some(machine) = self.machines.get_mut(name) else { return client };
        let _ = kill(machine.spawned.pid, Signal::SIGTERM);
        crash_point("machine-told-to-end");
        machine.deadline = Some(machine.deadline.map_or(at, |earlier| earlier.min(at)));
        machine.waiting.extend(client);
        None
    }

    fn next_deadline(&self) -> Option<Timespec> {
        let at = self.machines.values().filter_map(|machine| machine.deadline).min()?;
        let left = at.saturating_duration_since(Instant::now());
        Some(Timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: left.subsec_nanos().into() })
    }

    /// Reaps what has ended, machines among them.
    fn bury(&mut self) {
        let mut names = Vec::new();
        while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG))
            && let Some(ended) = status.pid()
        {
            let found = self.machines.iter().find(|(_, machine)| machine.spawned.pid == ended);
            names.extend(found.map(|(name, _)| name.clone()));
        }
        for name in names {
            if let Some(machine) = self.machines.remove(&name) {
                self.ended(&name, machine);
            }
        }
    }

    fn enforce_deadlines(&mut self) {
        let now = Instant::now();
        for machine in self.machines.values_mut() {
            if machine.deadline.is_some_and(|at| at <= now) {
                machine.deadline = None;
                let _ = kill(machine.spawned.pid, Signal::SIGKILL);
            }
        }
    }

    /// Serves the clients that have spoken.
    fn hear(&mut self, spoke: &[bool]) {
        let clients = std::mem::take(&mut self.clients);
        let mut spoke = spoke.iter();
        for client in clients {
            if spoke.next() != Some(&true) {
                self.clients.push(client);
                continue;
            }
            let _ = client.set_read_timeout(Some(PATIENCE));
            match receive::<KeeperRequest>(&client) {
                Ok(Some((request, descriptors))) => self.handle(client, request, descriptors),
                Ok(None) => {}
                Err(error) => {
                    let failed = Error::new(ErrorKind::Host, "the keeper does not understand the request")
                        .because(error);
                    let hint = "it was started by another version: stop all machines, or end the process `carthage-keeper`";
                    let _ = send(&client, &answer::<()>(Err(failed.hint(hint))), &[]);
                }
            }
        }
    }

    fn handle(&mut self, client: UnixStream, request: KeeperRequest, mut descriptors: Vec<OwnedFd>) {
        match request {
            KeeperRequest::Runs(machine) => {
                let runs = self.machines.get(&machine).is_some_and(|machine| !machine.offline);
                self.reply(client, Ok(runs));
            }
            KeeperRequest::Bridge(network) => {
                let bridge = self.bridge(&network);
                self.reply(client, bridge);
            }
            KeeperRequest::CreateNetwork(network) => {
                let made = self.create_network(&network);
                self.reply(client, made);
            }
            KeeperRequest::RemoveNetwork(name) => {
                let removed = self.remove_network(&name);
                self.reply(client, removed);
            }
            KeeperRequest::Start(start) => {
                let started = self.start(start, descriptors.pop());
                self.reply(client, started);
            }
            KeeperRequest::End => {
                self.give_up();
                self.networks.clear();
                self.reply(client, Ok(()));
            }
            KeeperRequest::RemoveTree(path) => remove_tree(&client, Path::new(&path)),
            KeeperRequest::Stop { machine, grace_ms } => {
                let at = Instant::now() + Duration::from_millis(grace_ms);
                for sharing in self.sharing(&machine) {
                    self.end(&sharing, at, None);
                }
                if let Some(client) = self.end(&machine, at, Some(client)) {
                    self.reply(client, Ok(()));
                }
            }
        }
    }

    fn reply(&mut self, client: UnixStream, result: Result<impl Serialize, Error>) {
        if send(&client, &answer(result), &[]).is_ok() {
            self.clients.push(client);
        }
    }

    /// The bridge of a network, if the kernel still has it.
    fn bridge(&self, network: &str) -> Result<Option<Bridge>, Error> {
        let Some(Network { bridge, .. }) = self.networks.get(network) else { return Ok(None) };
        let there = net::index(bridge)?.is_some();
        Ok(there.then(|| Bridge { name: bridge.clone(), keeper: std::process::id() }))
    }

    fn create_network(&mut self, network: &NetworkSpec) -> Result<(), Error> {
        let bridge = net::kernel_name("ct", &network.name);
        if let Some((other, _)) =
            self.networks.iter().find(|(name, known)| known.bridge == bridge && **name != network.name)
        {
            let both = format!("the networks `{}` and `{other}` would share a bridge", network.name);
            return Err(Error::new(ErrorKind::Unsupported, both).hint("give one of them another name"));
        }
        in_child(|| net::create_bridge(&bridge, &network.name, network.mtu))?;
        crash_point("network-up");
        self.networks.insert(network.name.clone(), Network { bridge, mtu: network.mtu });
        Ok(())
    }

    fn remove_network(&mut self, name: &str) -> Result<(), Error> {
        if let Some(network) = self.networks.get(name) {
            in_child(|| net::remove(std::slice::from_ref(&network.bridge)))?;
            crash_point("network-down");
            self.networks.remove(name);
        }
        Ok(())
    }

    fn start(&mut self, start: Box<StartMachine>, ready: Option<OwnedFd>) -> Result<(), Error> {
        let (name, offline) = (start.spec.name.clone(), start.offline);
        match self.machines.remove(&name) {
            // Its root is wanted for more than files.
            Some(machine) if machine.offline && !offline => {
                let _ = kill(machine.spawned.pid, Signal::SIGKILL);
                self.finish(&name, machine);
            }
            Some(machine) => {
                let runs = if machine.offline { "is offline" } else { "is running" };
                self.machines.insert(name.clone(), machine);
                return Err(Error::new(ErrorKind::Locked, format!("the machine `{name}` {runs} already")));
            }
            None => {}
        }
        let ready = ready.ok_or_else(|| Error::new(ErrorKind::Host, "a socket was expected"))?;
        let shares =
            start.spec.shares_links.as_ref().filter(|_| !offline).map(|shared| shared.machine.clone());
        let network = match &shares {
            Some(other) => self.network_of(other, &name)?,
            None if offline => Plugged::Own(Vec::new()),
            None => Plugged::Own(cables(&start.spec, &self.networks)?),
        };
        let cover = if start.spec.root.is_none() { Some(self.cover()?) } else { None };
        let unprivileged = self.privilege == Privilege::UserNamespace;
        let spawned = spawn(Order { start, cover, unprivileged, id: self.id.clone(), ready, network })?;
        crash_point("machine-spawned");
        self.machines.insert(name, Machine { spawned, offline, shares, deadline: None, waiting: Vec::new() });
        Ok(())
    }

    /// The network of a machine that runs, and goes on, for one that shares its links.
    fn network_of(&self, other: &str, sharing: &str) -> Result<Plugged, Error> {
        let found = self.machines.get(other).filter(|found| !found.offline && found.deadline.is_none());
        match found.and_then(|found| found.spawned.network.as_ref()) {
            Some(network) => {
                let cannot = format!("cannot reach the network of the machine `{other}`");
                Ok(Plugged::Shared(network.try_clone().map_err(Error::host(cannot))?))
            }
            None => {
                let what = format!("the machine `{other}`, whose links `{sharing}` shares, is not running");
                Err(Error::new(ErrorKind::NotFound, what)
                    .hint(format!("start it with `start machine:{other}`")))
            }
        }
    }

    /// The layer that hides the host's secrets, made when first needed.
    fn cover(&mut self) -> Result<PathBuf, Error> {
        if let Some(cover) = &self.cover {
            return Ok(cover.clone());
        }
        let path = self.base.join("cover");
        let failed = || format!("cannot mount a temporary file system at `{}`", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&path).map_err(Error::host(failed()))?;
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        crash_point("cover-made");
        mount(Some("none"), &path, Some("tmpfs"), flags, Some("mode=755")).map_err(Error::host(failed()))?;
        crash_point("cover-mounted");
        let built = in_child(|| cover::build(&path, self.privilege == Privilege::UserNamespace));
        if let Err(error) = built {
            umount2(&path, MntFlags::MNT_DETACH).map_err(Error::host(failed()))?;
            return Err(error);
        }
        crash_point("cover-filled");
        Ok(self.cover.insert(path).clone())
    }
}

/// Removes a tree, however long it takes, in a child that answers in the keeper's place.
fn remove_tree(client: &UnixStream, path: &Path) {
    let remove =
        || tree::remove_here(path).map_err(Error::host(format!("cannot remove `{}`", path.display())));
    match sys::fork() {
        Ok(None) => {
            let _ = send(client, &answer(contained(remove)), &[]);
            sys::exit_now(0);
        }
        Ok(Some(_)) => {}
        Err(error) => {
            let failed = Error::host("cannot start a helper process")(error);
            let _ = send(client, &answer::<()>(Err(failed)), &[]);
        }
    }
}

fn watch(base: &Path) -> std::io::Result<OwnedFd> {
    let events = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    let losses =
        inotify::WatchFlags::DELETE | inotify::WatchFlags::DELETE_SELF | inotify::WatchFlags::MOVE_SELF;
    inotify::add_watch(&events, base, losses | inotify::WatchFlags::MOVED_FROM)?;
    Ok(events)
}
