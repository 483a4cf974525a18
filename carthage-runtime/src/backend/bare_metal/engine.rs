//! The engine: a host is taken over, used, and given back.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;

use super::adopted::{Adopted, Records};
use crate::error::{Error, ErrorKind, chain};
use crate::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileStat, Hosts, Identity, LoginSpec, MachineSpec, NetworkSpec,
    Presence, Reader, Running, ServiceSpec, ServiceStatus, Site, Survey,
};
use crate::ssh::{self, Look, Remote, Ssh};

/// Our directory on a host where root logs in; the layout's number is added.
const BASE: &str = "/var/lib/carthage";
/// The same, in the home directory of another user.
const BASE_AT_HOME: &str = ".local/share/carthage";

/// The engine on one site.
#[derive(Clone, Debug)]
pub(super) struct BareMetalEngine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    site: Site,
    ssh: Ssh,
    records: Records,
    /// Those that were looked at, by name.
    known: Mutex<BTreeMap<String, Adopted>>,
}

impl BareMetalEngine {
    pub(super) fn new(site: Site) -> Self {
        let (ssh, records) = (Ssh::new(site.clone()), Records::new(&site));
        Self(Arc::new(Inner { site, ssh, records, known: Mutex::default() }))
    }

    fn login(machine: &MachineSpec) -> LoginSpec {
        machine.login.clone().unwrap_or_default()
    }

    /// Does something that blocks, away from the threads of the runtime.
    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(result) => result,
            Err(error) => Err(Error::host("the work was given up")(error)),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Adopted>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is written down of a machine, read anew.
    async fn adopted(&self, machine: &MachineSpec) -> Result<Option<Adopted>, Error> {
        let name = machine.name.clone();
        let found = self.off(move |inner| inner.records.find(&name)).await?;
        match &found {
            Some(found) => self.known().insert(machine.name.clone(), found.clone()),
            None => self.known().remove(&machine.name),
        };
        Ok(found)
    }

    /// A host that was taken over.
    async fn remote(&self, machine: &MachineSpec) -> Result<Remote, Error> {
        let known = self.known().get(&machine.name).cloned();
        let adopted = match known {
            Some(adopted) => Some(adopted),
            None => self.adopted(machine).await?,
        };
        match adopted {
            Some(adopted) => Ok(self.remote_in(machine, adopted.base)),
            None => {
                let what = format!("`{}` is not deployed", machine.name);
                Err(Error::new(ErrorKind::NotFound, what).hint("run `deploy` first"))
            }
        }
    }

    fn remote_in(&self, machine: &MachineSpec, base: PathBuf) -> Remote {
        let connection = self.0.ssh.connection(&machine.name, &Self::login(machine));
        let patience = connection.patience(ssh::USUAL);
        Remote::new(connection, patience, base)
    }

    /// What a host tells of itself: what tells it from others, and where our directory is to be.
    async fn ask(&self, machine: &MachineSpec, host_key: &str) -> Result<(String, PathBuf), Error> {
        const QUESTION: &str = "id -u; printf '%s\\n' \"$HOME\"; cat /etc/machine-id 2>/dev/null; :";
        let remote = self.remote_in(machine, PathBuf::from(BASE));
        let argv = ["/bin/sh", "-c", QUESTION].map(OsString::from).to_vec();
        let mut running = remote.exec(Exec { argv, ..Exec::default() }).await?;
        let mut answer = String::new();
        let odd = || Error::new(ErrorKind::Host, format!("`{}` does not tell what it is", machine.name));
        running.stdout.read_to_string(&mut answer).await.map_err(|error| odd().because(error))?;
        running.control.wait().await?;
        let mut lines = answer.lines();
        let (Some(user), Some(home)) = (lines.next(), lines.next()) else {
            return Err(odd().because(format!("it says: {answer}")));
        };
        let machine_id = lines.next().unwrap_or_default();
        let base = match user {
            "0" => Path::new(BASE).join(&self.0.site.id),
            _ => Path::new(home).join(BASE_AT_HOME).join(&self.0.site.id),
        };
        if !base.is_absolute() || base.to_string_lossy().contains('\'') {
            return Err(odd().because(format!("its home directory is `{home}`")));
        }
        let host = blake3::hash(format!("{host_key}\n{machine_id}").as_bytes()).to_hex();
        Ok((host.chars().take(32).collect(), base))
    }

    fn no_networks<T>(network: &NetworkSpec) -> Result<T, Error> {
        let what = format!("the network `{}` cannot be made for machines by `BareMetal`", network.name);
        Err(Error::new(ErrorKind::Unsupported, what))
    }
}

#[async_trait]
impl Engine for BareMetalEngine {
    fn name(&self) -> &'static str {
        "BareMetal"
    }

    fn makes(&self) -> bool {
        false
    }

    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            // What is ours there goes by the name.
            Aspect::Name => Effect::Recreate,
            _ => Effect::Update,
        }
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        ssh::check_client().await?;
        Ok(Survey::default())
    }

    async fn find_network(&self, _: &NetworkSpec) -> Result<Presence, Error> {
        Ok(Presence::Absent)
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        Self::no_networks(network)
    }

    async fn remove_network(&self, _: &NetworkSpec) -> Result<(), Error> {
        Ok(())
    }

    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error> {
        let Some(adopted) = self.adopted(machine).await? else { return Ok(Presence::Absent) };
        let connection = self.0.ssh.connection(&machine.name, &Self::login(machine));
        let asked = async {
            Ok::<_, Error>(match connection.look(ssh::SHORT).await? {
                Look::Online(key) => self.ask(machine, &key).await.map(|(host, _)| host),
                Look::Silent(error) => Err(error),
            })
        };
        let found = match tokio::time::timeout(ssh::SHORT.limit * 2, asked).await {
            Ok(found) => found?,
            Err(_) => Err(Error::new(ErrorKind::Timeout, format!("`{}` answers slowly", machine.name))),
        };
        Ok(match found {
            Ok(host) if host == adopted.host => Presence::Running(adopted.identity),
            Ok(host) => Presence::Running(Identity(host)),
            Err(error) => Presence::Unknown(adopted.identity, chain(&error)),
        })
    }

    /// Takes the host over.
    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        let connection = self.0.ssh.connection(&machine.name, &Self::login(machine));
        let host_key = connection.online(connection.patience(ssh::USUAL)).await?;
        let (host, base) = self.ask(machine, &host_key).await?;
        if let Some(adopted) = self.adopted(machine).await?.filter(|adopted| adopted.host == host) {
            return Ok(adopted.identity);
        }
        let adopted = Adopted { identity: Identity(ssh::random()?), host, base };
        let (name, kept) = (machine.name.clone(), adopted.clone());
        self.off(move |inner| inner.records.keep(&name, &kept)).await?;
        self.known().insert(machine.name.clone(), adopted.clone());
        Ok(adopted.identity)
    }

    async fn update(&self, machine: &MachineSpec) -> Result<(), Error> {
        let connection = self.0.ssh.connection(&machine.name, &Self::login(machine));
        connection.online(connection.patience(ssh::USUAL)).await.map(drop)
    }

    /// Waits until it answers; what should run there runs then.
    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.remote(machine).await?.guest().resume_services().await
    }

    /// It is not switched on from here.
    async fn boot(&self, _: &MachineSpec) -> Result<(), Error> {
        Ok(())
    }

    async fn stop(&self, _: &MachineSpec, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    /// Gives it back.
    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        if let Some(adopted) = self.adopted(machine).await? {
            let remote = self.remote_in(machine, adopted.base);
            let freed = remote.guest().forget().await;
            freed.map_err(|error| {
                let what = format!("`{}` cannot be given back", machine.name);
                let file = self.0.records.file(&machine.name);
                Error::new(error.kind(), what).because(error).hint(format!(
                    "destroy it again once it answers; to give it up with what still runs there, remove `{}` first",
                    file.display()
                ))
            })?;
        }
        let name = machine.name.clone();
        self.known().remove(&name);
        self.off(move |inner| {
            inner.records.forget(&name)?;
            inner.ssh.forget(&name)
        })
        .await
    }

    async fn clear(&self) -> Result<(), Error> {
        self.off(|inner| {
            inner.records.clear()?;
            inner.ssh.clear()
        })
        .await
    }

    fn let_go(&self) {
        self.0.ssh.let_go();
    }

    async fn set_hosts(&self, machine: &MachineSpec, hosts: &Hosts) -> Result<(), Error> {
        // On a network of the layout it would have neighbours; without links it has none.
        let hosts = hosts.list();
        if hosts.is_empty() {
            return Ok(());
        }
        self.remote(machine).await?.guest().set_hosts(&hosts).await
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        self.remote(machine).await?.exec(exec).await
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        self.remote(machine).await?.dial(to).await
    }

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        self.remote(machine).await?.guest().start_service(service).await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        self.remote(machine).await?.guest().remove_service(service).await
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        self.remote(machine).await?.guest().services().await
    }

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        self.remote(machine).await?.stat(path).await
    }

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        self.remote(machine).await?.read(path).await
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error> {
        self.remote(machine).await?.write(path, mode, contents).await
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        self.remote(machine).await?.read_dir(path).await
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.remote(machine).await?.make_dir(path, mode).await
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        self.remote(machine).await?.remove_path(path).await
    }
}
