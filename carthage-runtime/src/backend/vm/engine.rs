//! The engine: domains, networks and disks of libvirt's on one side, ssh on the other.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;
use virt::connect::Connect;

use super::boots::Boots;
use super::console::Consoles;
use super::hypervisor::Client;
use super::kvm::{self, Memory, Verdict};
use super::machines::{self, Machine, Means};
use super::names::{Names, mac};
use super::reach::Reach;
use super::services::Services;
use super::storage::Storage;
use super::xml::Nic;
use super::{key, networks};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileStat, Hosts, Identity, MachineSpec, NetworkSpec, Presence,
    Reader, Running, ServiceSpec, ServiceStatus, Site, Survey,
};
use crate::ssh;

/// The engine on one site.
#[derive(Clone, Debug)]
pub(super) struct VmEngine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    site: Site,
    name: &'static str,
    client: Client,
    names: Names,
    storage: Storage,
    consoles: Consoles,
    services: Services,
    memory: Memory,
    reach: Reach,
    boots: Boots,
    /// Held while something is made or removed that machines share: the directory of the disks, networks with their addresses, and
    /// what is known of KVM.
    shared: Mutex<()>,
}

impl VmEngine {
    pub(super) fn new(site: Site, name: &'static str, uri: Option<&str>) -> Self {
        let client = Client::new(uri);
        let names = Names::new(&site);
        // Only where the hypervisor's own processes may read.
        let disks = match client.is_system() {
            true => format!("/var/lib/libvirt/images/{}", names.pool()),
            false => site.state.join("vm-disks").display().to_string(),
        };
        Self(Arc::new(Inner {
            name,
            client,
            storage: Storage::new(names.clone(), disks),
            names,
            consoles: Consoles::new(&site.logs),
            services: Services::new(&site),
            memory: Memory::of_user(),
            reach: Reach::new(&site),
            boots: Boots::new(),
            shared: Mutex::new(()),
            site,
        }))
    }

    /// Does something with libvirt, away from the threads of the runtime.
    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner, &Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        self.0.client.off(move |connect| work(&inner, connect)).await
    }

    /// Does something with files of this host, away from the threads of the runtime.
    async fn here<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || work(&inner))
            .await
            .map_err(Error::host("the work was given up"))?
    }

    /// What KVM is good for here; found out if nobody has yet.
    async fn verdict(&self) -> Result<Verdict, Error> {
        let _shared = self.0.shared.lock().await;
        self.off(|inner, connect| kvm::verdict(connect, &inner.memory, &inner.names, &inner.storage)).await
    }

    /// What a machine is described by besides its model.
    async fn means(&self, machine: &MachineSpec, verdict: &Verdict) -> Result<Means, Error> {
        let public = self.0.reach.public_key(machine).await?;
        let name = machine.name.clone();
        let console = self.here(move |inner| inner.consoles.prepare(&name)).await?;
        Ok(Means {
            layout: self.0.site.layout.clone(),
            pool: self.0.storage.pool(),
            virtualisation: verdict.virtualisation(),
            console,
            strings: public.as_deref().map(key::string).into_iter().collect(),
        })
    }

    /// Switches it on, if it is not; whether it takes commands shows later.
    async fn switch_on(&self, machine: &MachineSpec, verdict: &Verdict) -> Result<(), Error> {
        let means = self.means(machine, verdict).await?;
        let _shared = self.0.shared.lock().await;
        let spec = machine.clone();
        self.off(move |inner, connect| {
            let machine = inner.machine(connect, &spec.name)?;
            match machine.presence()? {
                Presence::Running(_) | Presence::Altered(..) => return Ok(()),
                // Paused or asleep, it is not what can be started.
                Presence::Unknown(..) | Presence::Stranded(..) => machine.stop(Duration::ZERO)?,
                Presence::Stopped(_) | Presence::Absent => {}
            }
            inner.release(connect, &machine)?;
            for link in &spec.links {
                networks::lease(connect, &inner.names, &spec, link)?;
            }
            inner.storage.fit_disks(connect, &spec)?;
            let domain = machines::describe(&inner.names, &spec, &means, &machine.identity);
            machines::define(connect, &domain)?;
            inner.machine(connect, &spec.name)?.start()
        })
        .await
    }

    /// Whether services were ever started in a machine.
    async fn has_services(&self, machine: &MachineSpec) -> Result<bool, Error> {
        let name = machine.name.clone();
        Ok(!self.here(move |inner| inner.services.stopped(&name)).await?.is_empty())
    }

    /// Stops what was started and did not come up.
    async fn give_up(&self, machine: &MachineSpec) {
        let name = machine.name.clone();
        let stopped = self.off(move |inner, connect| match Machine::find(connect, &inner.names, &name)? {
            Some(machine) => machine.stop(Duration::ZERO),
            None => Ok(()),
        });
        if let Err(error) = stopped.await {
            tracing::warn!(machine = machine.name, %error, "a machine that did not come up may still run");
        }
    }
}

impl Inner {
    /// The machine, which must exist.
    fn machine(&self, connect: &Connect, name: &str) -> Result<Machine, Error> {
        Machine::find(connect, &self.names, name)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the machine `{name}` does not exist"))
                .hint("run `deploy` first")
        })
    }

    /// Plugs the machines that run into a network that was made anew, and gives them their addresses there.
    fn plug_again(&self, connect: &Connect, network: &str) -> Result<(), Error> {
        let called = self.names.network(network);
        for machine in Machine::all(connect, &self.names)? {
            if !machine.is_active()? || machine.nics.iter().all(|(name, _)| *name != called) {
                continue;
            }
            let Some(spec) = self.site.neighbours.spec(&machine.name) else { continue };
            let links = spec.links.iter().filter(|link| link.network == network);
            let mut nics = Vec::new();
            for link in links {
                networks::lease(connect, &self.names, &spec, link)?;
                nics.push(Nic { network: called.clone(), mac: link.mac.map(mac), mtu: link.mtu });
            }
            machine.plug(&nics)?;
        }
        Ok(())
    }

    /// Takes back the addresses of a machine that goes, on whichever network of ours they are.
    fn release(&self, connect: &Connect, machine: &Machine) -> Result<(), Error> {
        for (network, mac) in &machine.nics {
            if let Some(network) = self.names.network_of(network) {
                networks::release(connect, &self.names, network, mac)?;
            }
        }
        Ok(())
    }

    /// Removes a machine with everything that belongs to it. The domain goes last: what is left of an attempt that failed is found.
    fn remove(&self, connect: &Connect, machine: &Machine) -> Result<(), Error> {
        if machine.is_active()? {
            machine.stop(Duration::ZERO)?;
        }
        self.release(connect, machine)?;
        self.storage.remove_disks(connect, &machine.name)?;
        machine.undefine()
    }

    /// Removes what this host has of a machine.
    fn forget(&self, machine: &str) -> Result<(), Error> {
        self.consoles.remove(machine)?;
        self.consoles.tidy()?;
        self.services.forget(machine)?;
        self.reach.forget(machine)
    }
}

/// What must be in a model for a machine to have something to boot.
fn check(machine: &MachineSpec) -> Result<(), Error> {
    if machine.image.is_none() && machine.boot.is_none() {
        let what = format!("`{}` has nothing to boot", machine.name);
        return Err(Error::new(ErrorKind::Usage, what).because("its model names neither an image nor a kernel").hint(
            "write `image = \"/…/debian.qcow2\"`, or `kernel = \"…\"` and `initrd = \"…\"`, in its `#[machine_model(…)]`",
        ));
    }
    let files = machine.boot.iter().flat_map(|boot| std::iter::once(&boot.kernel).chain(&boot.initrd));
    for file in files {
        if !file.is_absolute() || !file.is_file() {
            let what = format!("`{}` cannot be booted from `{}`", machine.name, file.display());
            return Err(Error::new(ErrorKind::NotFound, what)
                .because("there is no such file")
                .hint("name a file of this host by its whole path"));
        }
    }
    Ok(())
}

#[async_trait]
impl Engine for VmEngine {
    fn name(&self) -> &'static str {
        self.0.name
    }

    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Name | Aspect::Root | Aspect::Image => Effect::Recreate,
            // The next connection is by the new login.
            Aspect::Login => Effect::Update,
            _ => Effect::Restart,
        }
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        ssh::check_client().await?;
        let known = self.off(|inner, connect| kvm::known(connect, &inner.memory)).await?;
        let note = match known {
            Some(Verdict::Works) => "virtual machines run by KVM".to_owned(),
            Some(Verdict::Fails(why)) => {
                format!("virtual machines are emulated, which is slow: KVM does not work ({why})")
            }
            None => {
                "whether virtual machines can run by KVM is found out when the first is started".to_owned()
            }
        };
        Ok(Survey { notes: vec![note], ..Survey::default() })
    }

    async fn find_network(&self, network: &NetworkSpec) -> Result<Presence, Error> {
        let name = network.name.clone();
        self.off(move |inner, connect| networks::find(connect, &inner.names, &name)).await
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        let _shared = self.0.shared.lock().await;
        let spec = network.clone();
        self.off(move |inner, connect| {
            let (identity, is_new) = networks::create(connect, &inner.names, &spec)?;
            if is_new {
                inner.plug_again(connect, &spec.name)?;
            }
            Ok(identity)
        })
        .await
    }

    async fn remove_network(&self, network: &NetworkSpec) -> Result<(), Error> {
        let _shared = self.0.shared.lock().await;
        let name = network.name.clone();
        self.off(move |inner, connect| networks::remove(connect, &inner.names, &name)).await
    }

    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error> {
        let spec = machine.clone();
        self.off(move |inner, connect| {
            let Some(machine) = Machine::find(connect, &inner.names, &spec.name)? else {
                return Ok(Presence::Absent);
            };
            Ok(match machine.presence()? {
                Presence::Running(identity) => {
                    Presence::running_but(identity, machine.alterations(&inner.names, &spec)?)
                }
                presence => presence,
            })
        })
        .await
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        let spec = machine.clone();
        let there = self.off(move |inner, connect| Machine::find(connect, &inner.names, &spec.name)).await?;
        if let Some(machine) = there {
            return Ok(machine.identity);
        }
        check(machine)?;
        let name = machine.name.clone();
        self.here(move |inner| inner.forget(&name)).await?;
        let verdict = self.verdict().await?;
        let means = self.means(machine, &verdict).await?;
        let _shared = self.0.shared.lock().await;
        let spec = machine.clone();
        self.off(move |inner, connect| {
            let identity = Identity(super::random_id()?);
            inner.storage.make_disks(connect, &spec)?;
            let domain = machines::describe(&inner.names, &spec, &means, &identity);
            if let Err(error) = machines::define(connect, &domain) {
                // Nothing of it is left; what cannot be removed goes with the layout.
                if let Err(left) = inner.storage.remove_disks(connect, &spec.name) {
                    tracing::warn!(machine = spec.name, error = %left, "disks of a machine that was not made");
                }
                return Err(error);
            }
            Ok(identity)
        })
        .await
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        check(machine)?;
        let verdict = self.verdict().await?;
        let _turn = self.0.boots.turn(verdict.virtualisation()).await?;
        let name = machine.name.clone();
        let before = self.here(move |inner| Ok(inner.consoles.len(&name))).await?;
        self.switch_on(machine, &verdict).await?;
        let inner = &self.0;
        let up = inner.reach.online(&inner.client, &inner.names, &inner.consoles, machine, before).await;
        let up = match up {
            Ok(remote) if self.has_services(machine).await? => remote.guest().resume_services().await,
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if up.is_err() {
            self.give_up(machine).await;
        }
        up
    }

    async fn boot(&self, machine: &MachineSpec) -> Result<(), Error> {
        check(machine)?;
        self.switch_on(machine, &self.verdict().await?).await
    }

    async fn stop(&self, machine: &MachineSpec, grace: Duration) -> Result<(), Error> {
        self.0.reach.disconnect(&machine.name);
        let name = machine.name.clone();
        self.off(move |inner, connect| match Machine::find(connect, &inner.names, &name)? {
            Some(machine) if machine.is_active()? => machine.stop(grace),
            _ => Ok(()),
        })
        .await
    }

    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        let _shared = self.0.shared.lock().await;
        let name = machine.name.clone();
        self.off(move |inner, connect| {
            if let Some(machine) = Machine::find(connect, &inner.names, &name)? {
                inner.remove(connect, &machine)?;
            }
            inner.storage.remove_disks(connect, &name)?;
            inner.storage.tidy(connect)
        })
        .await?;
        let name = machine.name.clone();
        self.here(move |inner| inner.forget(&name)).await
    }

    async fn clear(&self) -> Result<(), Error> {
        let _shared = self.0.shared.lock().await;
        self.off(|inner, connect| {
            for machine in Machine::all(connect, &inner.names)? {
                inner.remove(connect, &machine)?;
                inner.forget(&machine.name)?;
            }
            networks::clear(connect, &inner.names)?;
            inner.storage.clear(connect)?;
            inner.services.clear()?;
            inner.consoles.tidy()
        })
        .await
    }

    fn let_go(&self) {
        self.0.reach.let_go();
        self.0.client.let_go();
    }

    async fn set_hosts(&self, machine: &MachineSpec, hosts: &Hosts) -> Result<(), Error> {
        // A guest knows itself by what it was given at boot, which need not be its full name.
        let all = [machine.own_names(), hosts.list()].concat();
        self.0.reach.remote(machine).guest().set_hosts(&all).await
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        self.0.reach.remote(machine).exec(exec).await
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        self.0.reach.remote(machine).dial(to).await
    }

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        let (name, called) = (machine.name.clone(), service.name.clone());
        self.here(move |inner| inner.services.add(&name, &called)).await?;
        self.0.reach.remote(machine).guest().start_service(service).await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        self.0.reach.remote(machine).guest().remove_service(service).await?;
        let (name, called) = (machine.name.clone(), service.to_owned());
        self.here(move |inner| inner.services.drop(&name, &called)).await
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        match self.find(machine).await? {
            Presence::Running(_) | Presence::Altered(..) => {
                self.0.reach.remote(machine).guest().services().await
            }
            _ => {
                let name = machine.name.clone();
                self.here(move |inner| inner.services.stopped(&name)).await
            }
        }
    }

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        self.0.reach.remote(machine).stat(path).await
    }

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        self.0.reach.remote(machine).read(path).await
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error> {
        self.0.reach.remote(machine).write(path, mode, contents).await
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        self.0.reach.remote(machine).read_dir(path).await
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.0.reach.remote(machine).make_dir(path, mode).await
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        self.0.reach.remote(machine).remove_path(path).await
    }
}
