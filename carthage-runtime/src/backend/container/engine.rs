//! The engine: what is asked of a machine, done by a container.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use super::image::Images;
use super::life::Life;
use super::names::Names;
use super::offline::Offline;
use super::{discovery, hosts, namespace, network, terminal};
use crate::error::{Error, ErrorKind};
use crate::guest::Guest;
use crate::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileStat, Hosts, Identity, Log, MachineSpec, Namespace,
    NetworkSpec, Presence, Reader, Running, ServiceSpec, ServiceState, ServiceStatus, Site, Survey,
};

/// The engine on one site.
#[derive(Debug)]
pub(super) struct ContainerEngine {
    site: Site,
    name: &'static str,
    /// Where it is, if the layout says so.
    given: Option<&'static str>,
    life: OnceCell<Life>,
}

/// How the files of a machine are reached now.
enum Files {
    Running(Guest),
    Stopped(Box<Offline>),
}

impl ContainerEngine {
    pub(super) fn new(site: Site, name: &'static str, given: Option<&'static str>) -> Self {
        Self { site, name, given, life: OnceCell::new() }
    }

    /// Connects at the first use.
    async fn life(&self) -> Result<&Life, Error> {
        let connect = async || {
            Ok(Life {
                client: discovery::find(self.given).await?,
                names: Names::new(&self.site),
                base: PathBuf::from("/var/lib/carthage").join(&self.site.id),
                images: Arc::new(Images::new(self.site.events.clone())),
            })
        };
        self.life.get_or_try_init(connect).await
    }

    async fn guest(&self, machine: &MachineSpec) -> Result<Guest, Error> {
        Ok(self.life().await?.running(&machine.name).await?.2)
    }

    async fn files(&self, machine: &MachineSpec) -> Result<Files, Error> {
        let life = self.life().await?;
        let container = life.existing(&machine.name).await?;
        Ok(match container.runs() {
            true => Files::Running(life.inside(&container, &machine.name).1),
            false => Files::Stopped(Box::new(life.offline(&container, &machine.name))),
        })
    }
}

#[async_trait]
impl Engine for ContainerEngine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Memory | Aspect::Cpus | Aspect::Login => Effect::Update,
            _ => Effect::Recreate,
        }
    }

    async fn survey(&self, machines: &[&MachineSpec]) -> Result<Survey, Error> {
        let client = &self.life().await?.client;
        // Podman looks through the host's packages to answer what it can, which takes longer than all else that is asked of it.
        if machines.iter().all(|machine| machine.memory_mb.is_none() && machine.cpus.is_none()) {
            client.hello().await?;
            return Ok(Survey::default());
        }
        let info = client
            .docker
            .info()
            .await
            .map_err(client.failed("the container engine does not say what it can"))?;
        let lacks = |able: Option<bool>, what: &str| {
            let why = || format!("{} has no control group for {what} here", client.dialect.program());
            (able == Some(false)).then(why)
        };
        Ok(Survey {
            single_user: None,
            notes: Vec::new(),
            memory_not_enforced: lacks(info.memory_limit, "memory"),
            cpus_not_enforced: lacks(info.cpu_cfs_quota, "processor time"),
        })
    }

    async fn find_network(&self, network: &NetworkSpec) -> Result<Presence, Error> {
        let life = self.life().await?;
        let found = network::find(&life.client, &life.names, network).await?;
        Ok(found.map_or(Presence::Absent, |(identity, _)| Presence::Running(identity)))
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        let life = self.life().await?;
        network::create(&life.client, &life.names, network).await
    }

    async fn remove_network(&self, network: &NetworkSpec) -> Result<(), Error> {
        let life = self.life().await?;
        match network::find(&life.client, &life.names, network).await? {
            Some((identity, _)) => {
                network::remove(&life.client, &identity.0, &life.names.network(&network.name), &network.name)
                    .await
            }
            None => Ok(()),
        }
    }

    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error> {
        self.life().await?.find(machine).await
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        self.life().await?.create(machine).await
    }

    async fn update(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.life().await?.update(machine).await
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.life().await?.start(machine).await
    }

    async fn stop(&self, machine: &MachineSpec, grace: Duration) -> Result<(), Error> {
        self.life().await?.stop(&machine.name, grace).await
    }

    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.life().await?.remove(&machine.name).await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.life().await?.clear().await
    }

    async fn set_hosts(&self, machine: &MachineSpec, hosts: &Hosts) -> Result<(), Error> {
        let life = self.life().await?;
        let (container, _, guest) = life.running(&machine.name).await?;
        if machine.shares_links.is_some() {
            // The file is that of the machine whose links it shares, which is told the names of both.
            return Ok(());
        }
        let hosts = hosts.list();
        match life.client.local && hosts::write(&container, &machine.name, &hosts).await? {
            true => Ok(()),
            false => guest.set_hosts(&hosts).await,
        }
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        let (_, inside, guest) = self.life().await?.running(&machine.name).await?;
        match exec.terminal {
            Some(size) => terminal::run(inside, &guest, exec, size).await,
            None => guest.exec(exec).await,
        }
    }

    async fn namespace(&self, machine: &MachineSpec) -> Result<Namespace, Error> {
        let life = self.life().await?;
        let (container, _, _) = life.running(&machine.name).await?;
        namespace::of(&container, &machine.name, life.client.local)
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        let life = self.life().await?;
        let (container, inside, _) = life.running(&machine.name).await?;
        namespace::dial(&container, inside, life.client.local, to).await
    }

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        self.guest(machine).await?.start_service(service).await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.remove_service(service).await,
            Files::Stopped(_) => {
                let life = self.life().await?;
                let container = life.existing(&machine.name).await?;
                life.remove_offline(&container, machine, &Guest::services_dir(&life.base).join(service)).await
            }
        }
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        let base = &self.life().await?.base;
        let offline = match self.files(machine).await? {
            Files::Running(guest) => return guest.services().await,
            Files::Stopped(offline) => offline,
        };
        let dir = Guest::services_dir(base);
        let names = match offline.read_dir(&dir).await {
            Ok(names) => names,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let stopped = |name: OsString| {
            let name = name.to_string_lossy().into_owned();
            let log = Some(Log::Inside(Guest::service_log(base, &name)));
            ServiceStatus { name, state: ServiceState::Stopped, log }
        };
        Ok(names.into_iter().map(stopped).collect())
    }

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.stat(path).await,
            Files::Stopped(offline) => offline.stat(path).await,
        }
    }

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.read(path).await,
            Files::Stopped(offline) => offline.read(path).await,
        }
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.write(path, mode, contents).await,
            Files::Stopped(offline) => offline.write(path, mode, contents).await,
        }
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.read_dir(path).await,
            Files::Stopped(offline) => offline.read_dir(path).await,
        }
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.make_dir(path, mode).await,
            Files::Stopped(offline) => offline.make_dir(path, mode).await,
        }
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        match self.files(machine).await? {
            Files::Running(guest) => guest.remove_path(path).await,
            Files::Stopped(offline) => match offline.stat(path).await? {
                None => Ok(()),
                Some(_) => {
                    let life = self.life().await?;
                    let container = life.existing(&machine.name).await?;
                    life.remove_offline(&container, machine, path).await
                }
            },
        }
    }
}
