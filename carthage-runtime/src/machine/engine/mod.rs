//! What every implementation of machines does, as one trait over plain data.
//!
//! An [`Engine`] knows names, namespaces, sockets or an API; it knows nothing of layouts, tasks, stamps or plans. Whatever it is
//! asked for, it looks at the world first: every operation may be repeated, and repeating it is a no-op.

mod change;
mod exec;
mod file;
mod hardware;
mod hosts;
mod listening;
mod login;
pub(crate) mod patience;
mod presence;
mod rehearsal;
mod service;
mod site;
mod spec;
pub(crate) mod tries;
pub(crate) mod waiting;

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;

pub use change::{Aspect, Effect};
pub use exec::{Control, Duplex, Exec, Exit, Reader, Running, TerminalSize, Writer};
pub use file::{FileKind, FileStat};
pub use hardware::{
    Architecture, DiskBus, DiskCache, DiskSpec, MachineOptions, OptionSpecs, PolicySpec, Privilege, Removal,
};
pub use hosts::{HostEntry, Hosts};
pub use login::{HostKey, Jump, LoginSpec};
pub use presence::{Alteration, Identity, Presence, Survey};
pub use rehearsal::{Fault, Misfortune, Occasion, Rehearsal};
pub use service::{Log, ServiceSpec, ServiceState, ServiceStatus};
pub use site::{Namespace, Neighbours, Site};
pub use spec::{
    BootSpec, Firmware, LinkSpec, MachineSpec, MountSpec, NetworkSpec, PortSpec, Protocol, SharedLinks,
};

use super::start::{Needed, Prerequisite};
use crate::error::{Error, ErrorKind, Result};

/// An implementation of machines and networks on one site.
///
/// Every method names the thing it acts on; errors name it too. Everything may be called from several tasks at once for
/// different machines; the runtime serialises changes to one machine.
#[async_trait]
pub trait Engine: Send + Sync + fmt::Debug + 'static {
    /// The implementation's name, such as `Sandbox`.
    fn name(&self) -> &'static str;

    /// Whether it makes and removes machines, and starts and stops them. One that does not reaches what is there anyway: it
    /// takes a machine over by [`create`](Self::create), gives it back by [`remove`](Self::remove), and has nothing to stop.
    fn makes(&self) -> bool {
        true
    }

    /// Whether what commands do and say in its machines is only made up, as in a rehearsal: nothing follows from it.
    fn pretends(&self) -> bool {
        false
    }

    /// What must be done to a machine when this changes in its model.
    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Name | Aspect::Root | Aspect::Image => Effect::Recreate,
            _ => Effect::Restart,
        }
    }

    /// Finds out what the host allows. An error is what makes the implementation unusable here, with what to do about it.
    /// `machines` are all that it is to make, or has made: what none of them asks for need not be found out. Changes nothing.
    async fn survey(&self, machines: &[&MachineSpec]) -> Result<Survey, Error>;

    /// The hardware address of a link: the one that it is given, or, of an interface that is there already, the one that it has.
    /// `None` if it has none, or is not there. Changes nothing.
    fn mac(&self, machine: &MachineSpec, link: &LinkSpec) -> Result<Option<[u8; 6]>, Error> {
        let _ = machine;
        Ok(link.mac)
    }

    /// Whether the network exists (it runs when it exists and works). Changes nothing.
    async fn find_network(&self, network: &NetworkSpec) -> Result<Presence, Error>;
    /// Makes the network exist and work.
    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error>;
    /// Removes the network; no error if it is not there.
    async fn remove_network(&self, network: &NetworkSpec) -> Result<(), Error>;

    /// Whether the machine exists and runs, and is as its model says as far as that can be seen at once. Changes nothing.
    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error>;
    /// Makes the machine exist, stopped, with a new identity; answers the old identity if it exists already.
    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error>;
    /// Makes what has changed in the model true of a running machine, as far as [`effect`](Self::effect) promises.
    async fn update(&self, machine: &MachineSpec) -> Result<(), Error> {
        let _ = machine;
        Ok(())
    }
    /// Starts the machine with its links and its services, and waits until it accepts commands. Its networks exist. On an
    /// error nothing of it is left running.
    async fn start(&self, machine: &MachineSpec) -> Result<(), Error>;
    /// As [`start`](Self::start), without waiting until it accepts commands; its services are begun when it is started next. The
    /// same where a machine that runs accepts commands at once.
    async fn boot(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.start(machine).await
    }
    /// Knows the machine by another name from now on: all that it has is as before, and so is its identity. It does not run, unless
    /// a change of [`Aspect::Name`] is an [`Effect::Update`]. No error if it is renamed already. Not asked for if it would be
    /// made anew.
    async fn rename(&self, before: &MachineSpec, machine: &MachineSpec) -> Result<(), Error> {
        let what =
            format!("`{}`, made by `{}`, cannot be renamed to `{}`", before.name, self.name(), machine.name);
        Err(Error::new(ErrorKind::Unsupported, what))
    }
    /// Asks everything inside to end, waits at most `grace`, then kills it. No error if it is not running. Machines that share its
    /// links end with it, as far as that can be known here: their network is gone.
    async fn stop(&self, machine: &MachineSpec, grace: Duration) -> Result<(), Error>;
    /// Removes a stopped machine with everything that belongs to it; no error if it is not there.
    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error>;
    /// Removes everything that it has on this site, known to the caller or not: all machines and networks, its helpers and its
    /// directory; no error if there is nothing. Called before the layout is forgotten.
    async fn clear(&self) -> Result<(), Error>;
    /// Lets go of what this process holds for it, such as connections: the run is over. What exists is not touched, and may be
    /// asked for again.
    fn let_go(&self) {}
    /// Gives a running machine the names it can reach, besides its own.
    async fn set_hosts(&self, machine: &MachineSpec, hosts: &Hosts) -> Result<(), Error>;

    /// What must be so before the machine starts, out of what was collected for it: its model has had its say.
    fn start_dependencies(&self, machine: &MachineSpec, collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
        let _ = machine;
        collected
    }

    /// What the machine needs beyond what its model says, such as what is found out by asking a daemon. Asked before anything is
    /// planned; changes nothing.
    async fn dynamic_dependencies(&self, machine: &MachineSpec) -> Result<Vec<Needed>, Error> {
        let _ = machine;
        Ok(Vec::new())
    }

    /// Runs a command in a running machine.
    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error>;
    /// Where a running machine's network is, if that is on this host.
    async fn namespace(&self, machine: &MachineSpec) -> Result<Namespace, Error> {
        let what = format!("the network of `{}`, made by `{}`, cannot be entered", machine.name, self.name());
        Err(Error::new(ErrorKind::Unsupported, what)
            .hint("name a machine whose network is on this host, such as a `Sandbox`"))
    }
    /// Opens a TCP connection from inside the machine. `Ok(None)` when it is refused.
    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error>;

    /// Whether something in a running machine listens on this TCP port, on loopback or on any of its addresses.
    async fn listens(&self, machine: &MachineSpec, port: u16) -> Result<bool, Error> {
        listening::listens(self, machine, port).await
    }

    /// Starts a service, in place of one of the same name.
    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error>;
    /// Ends a service and forgets it; no error if there is none.
    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error>;
    /// All services of the machine, running or not, by name.
    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error>;

    // Files. An implementation that declares `OfflineRoot` does all of the following also on a machine that exists and does
    // not run, which then still does not run to all others: not to `find`, and nothing of the machine's own is started. Any
    // other answers an error for one that does not run.

    /// What is at this path; `None` if nothing. Symbolic links are not followed.
    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error>;
    /// Reads a file from its beginning.
    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error>;
    /// Writes a file as a whole: whoever looks sees the old contents or the new. Missing directories are made. The mode is
    /// 0644 for a new file and the old one's for an existing one, if absent.
    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error>;
    /// The names in a directory, sorted.
    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error>;
    /// Makes a directory and the missing ones above it.
    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error>;
    /// Removes a file or a whole directory; no error if there is nothing.
    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error>;
}
