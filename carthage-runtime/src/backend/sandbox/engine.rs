//! The engine: records on this side, the keeper and the machines on the other.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::RwLock;

use super::inside::{Inside, unexpected};
use super::keeper::{Client, remove_tree};
use super::message::{
    Command, FileOperation, KeeperRequest, KeeperStatus, MachineAnswer, MachineRequest, ServiceFate,
    ServiceRecord, StartMachine,
};
use super::records::{MachineRecord, NetworkRecord, Records, make_directory};
use super::wire::{Answer, receive};
use super::{cgroup, running, survey};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{
    Duplex, Engine, Exec, FileKind, FileStat, HostEntry, Identity, MachineSpec, NetworkSpec, Presence,
    Reader, Running, ServiceSpec, ServiceState, ServiceStatus, Site, Survey,
};

/// How long a machine may take from its first process to accepting commands.
const BOOT: Duration = Duration::from_secs(60);

/// The engine on one site.
#[derive(Clone, Debug)]
pub(super) struct SandboxEngine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    site: Site,
    records: Records,
    keeper: Client,
    /// Held shared while something is made, exclusively while the last things are removed.
    making: RwLock<()>,
}

impl SandboxEngine {
    pub(super) fn new(site: Site) -> Self {
        let records = Records::new(&site.state);
        let keeper = Client::new(records.base().to_owned(), site.id.clone(), site.layout.clone());
        Self(Arc::new(Inner { site, records, keeper, making: RwLock::new(()) }))
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

    /// Asks a machine something that is answered without descriptors.
    async fn ask(&self, machine: &str, request: MachineRequest) -> Result<MachineAnswer, Error> {
        let machine = machine.to_owned();
        self.off(move |inner| Ok(inner.inside(&machine)?.ask(&request, &[])?.0)).await
    }

    async fn file(
        &self,
        machine: &str,
        path: &Path,
        operation: FileOperation,
    ) -> Result<MachineAnswer, Error> {
        self.ask(machine, MachineRequest::File { path: path.into(), operation }).await
    }
}

impl Inner {
    fn record(&self, machine: &str) -> Result<MachineRecord, Error> {
        self.records.find_machine(machine)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the machine `{machine}` does not exist"))
                .hint("deploy it first")
        })
    }

    /// Connects to a running machine.
    fn inside(&self, machine: &str) -> Result<Inside, Error> {
        match Inside::connect(&self.records.machine(machine)?, machine)? {
            Some(inside) => Ok(inside),
            None => {
                self.record(machine)?;
                let stopped =
                    Error::new(ErrorKind::NotFound, format!("the machine `{machine}` is not running"));
                Err(stopped.hint(format!("start it with `start machine:{machine}`")))
            }
        }
    }

    /// What exists by record, and whether the keeper has it.
    fn presence(&self, identity: Option<Identity>, runs: impl FnOnce(&KeeperStatus) -> bool) -> Presence {
        let Some(identity) = identity else { return Presence::Absent };
        match self.keeper.status() {
            Ok(status) if runs(&status) => Presence::Running(identity),
            Ok(_) => Presence::Stopped(identity),
            Err(error) => Presence::Unknown(identity, crate::error::chain(&error)),
        }
    }

    fn start(&self, spec: &MachineSpec) -> Result<(), Error> {
        let name = &spec.name;
        let mut record = self.record(name)?;
        if self.keeper.status()?.machines.contains_key(name) {
            return Ok(());
        }
        if record.spec != *spec {
            record.spec = spec.clone();
            self.records.keep_machine(&record)?;
        }
        // A network that exists, but whose bridge went with a keeper or a boot of the host, is made again.
        for link in &spec.links {
            if let Some(network) = self.records.find_network(&link.network)? {
                self.keeper.ask_started::<()>(&KeeperRequest::CreateNetwork(network.spec), &[])?;
            }
        }
        let logs = self.logs(name);
        let services = self.records.services(name)?;
        if !services.is_empty() {
            make_directory(&logs)?;
        }
        let start = StartMachine {
            directory: self.records.machine(name)?.into(),
            private: self.private().into_iter().map(PathBuf::into_os_string).collect(),
            hosts: self.records.hosts(name)?,
            logs: logs.into(),
            services,
            machine_id: record.identity.0,
            spec: record.spec,
        };
        self.boot(name, start)
    }

    fn boot(&self, name: &str, start: StartMachine) -> Result<(), Error> {
        let failed = || format!("cannot start the machine `{name}`");
        let (told, ready) = UnixStream::pair().map_err(Error::host(failed()))?;
        told.set_read_timeout(Some(BOOT)).map_err(Error::host(failed()))?;
        let asked = self.keeper.ask_started::<()>(&KeeperRequest::Start(Box::new(start)), &[ready.as_fd()]);
        drop(ready);
        let result = match (receive::<Answer<()>>(&told), asked) {
            // What the machine itself has to say tells more than that it ended.
            (Ok(Some((Err(error), _))), _) => Err(error.into()),
            (_, Err(error)) => Err(error),
            (Ok(Some((Ok(()), _))), _) => Ok(()),
            (Ok(None), _) => Err(Error::new(ErrorKind::Host, "its first process ended")),
            (Err(error), _) => Err(Error::host("it does not become ready")(error)),
        };
        if let Err(error) = result {
            self.keeper.stop(name, Duration::ZERO)?;
            let (kind, hint) = (error.kind(), error.next_step().map(str::to_owned));
            let failed = Error::new(kind, failed()).because(error);
            return Err(hint.into_iter().fold(failed, Error::hint));
        }
        Ok(())
    }

    /// What no machine may see of the host, by the places where it really is.
    fn private(&self) -> Vec<PathBuf> {
        let homes = survey::homes();
        let all = self.site.private.iter().chain([&self.site.state, &self.site.logs]).cloned().chain(homes);
        let mut real: Vec<PathBuf> = all.map(|path| path.canonicalize().unwrap_or(path)).collect();
        real.sort();
        real.dedup();
        real
    }

    fn logs(&self, machine: &str) -> PathBuf {
        self.site.logs.join("services").join(machine)
    }

    /// Removes what is left of things that no longer exist, and everything when there is nothing left at all.
    fn tidy(&self, name: &str) -> Result<(), Error> {
        for left in self.records.leftovers(name) {
            remove_tree(&self.keeper, &left)?;
        }
        Ok(())
    }

    fn tidy_all(&self) -> Result<(), Error> {
        if !self.records.is_empty() || !self.records.base().exists() {
            return Ok(());
        }
        self.keeper.wait_for_end()?;
        remove_tree(&self.keeper, self.records.base())
    }
}

#[async_trait]
impl Engine for SandboxEngine {
    fn name(&self) -> &'static str {
        "Sandbox"
    }

    async fn survey(&self) -> Result<Survey, Error> {
        self.off(|inner| survey::survey(&inner.site.state)).await
    }

    async fn find_network(&self, name: &str) -> Result<Presence, Error> {
        let name = name.to_owned();
        self.off(move |inner| {
            let record = inner.records.find_network(&name)?;
            Ok(inner
                .presence(record.map(|record| record.identity), |status| status.networks.contains_key(&name)))
        })
        .await
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        let _making = self.0.making.read().await;
        let network = network.clone();
        self.off(move |inner| {
            inner.records.prepare()?;
            let identity = match inner.records.find_network(&network.name)? {
                Some(record) => record.identity,
                None => Identity(super::random_id()?),
            };
            let record = NetworkRecord { identity, spec: network };
            inner.records.keep_network(&record)?;
            inner.keeper.ask_started::<()>(&KeeperRequest::CreateNetwork(record.spec), &[])?;
            Ok(record.identity)
        })
        .await
    }

    async fn remove_network(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let _removing = self.0.making.write().await;
        self.off(move |inner| {
            inner.keeper.ask::<()>(&KeeperRequest::RemoveNetwork(name.clone()))?;
            inner.records.forget_network(&name)?;
            inner.tidy_all()
        })
        .await
    }

    async fn find(&self, machine: &str) -> Result<Presence, Error> {
        let machine = machine.to_owned();
        self.off(move |inner| {
            let record = inner.records.find_machine(&machine)?;
            Ok(inner.presence(record.map(|record| record.identity), |status| {
                status.machines.contains_key(&machine)
            }))
        })
        .await
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        let _making = self.0.making.read().await;
        let spec = machine.clone();
        self.off(move |inner| {
            if let Some(record) = inner.records.find_machine(&spec.name)? {
                return Ok(record.identity);
            }
            survey::check_root(spec.root.as_deref())?;
            inner.records.prepare()?;
            inner.tidy(&spec.name)?;
            let record = MachineRecord { identity: Identity(super::random_id()?), spec };
            inner.records.create_machine(&record)?;
            Ok(record.identity)
        })
        .await
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        let _making = self.0.making.read().await;
        let spec = machine.clone();
        self.off(move |inner| inner.start(&spec)).await
    }

    async fn stop(&self, machine: &str, grace: Duration) -> Result<(), Error> {
        let machine = machine.to_owned();
        self.off(move |inner| inner.keeper.stop(&machine, grace)).await
    }

    async fn remove(&self, machine: &str) -> Result<(), Error> {
        let machine = machine.to_owned();
        {
            let (_making, machine) = (self.0.making.read().await, machine.clone());
            self.off(move |inner| {
                // A stopped machine is what should be here; one that is not must not lose its files while it runs.
                inner.keeper.stop(&machine, Duration::ZERO)?;
                inner.records.forget_machine(&machine)?;
                cgroup::remove(&inner.site.id, &machine)?;
                remove_tree(&inner.keeper, &inner.logs(&machine))?;
                inner.tidy(&machine)
            })
            .await?;
        }
        let _removing = self.0.making.write().await;
        self.off(|inner| inner.tidy_all()).await
    }

    async fn set_hosts(&self, machine: &str, hosts: &[HostEntry]) -> Result<(), Error> {
        let (machine, hosts) = (machine.to_owned(), hosts.to_vec());
        self.off(move |inner| {
            inner.record(&machine)?;
            inner.records.keep_hosts(&machine, &hosts)?;
            inner.inside(&machine)?.ask(&MachineRequest::SetHosts(hosts), &[]).map(drop)
        })
        .await
    }

    async fn exec(&self, machine: &str, exec: Exec) -> Result<Running, Error> {
        let machine = machine.to_owned();
        let (connection, streams) = self.off(move |inner| inner.inside(&machine)?.exec(&exec)).await?;
        running::running(connection, streams).map_err(Error::host("cannot follow the command"))
    }

    async fn dial(&self, machine: &str, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        let machine = machine.to_owned();
        let dialled =
            self.off(move |inner| inner.inside(&machine)?.ask(&MachineRequest::Dial(to), &[])).await?;
        let failed = "cannot take over the connection";
        match dialled {
            (MachineAnswer::Nothing, _) => Ok(None),
            (MachineAnswer::Done, mut descriptors) => {
                let stream: OwnedFd = descriptors.pop().ok_or_else(|| unexpected(failed))?;
                let stream = std::net::TcpStream::from(stream);
                stream.set_nonblocking(true).map_err(Error::host(failed))?;
                let stream = tokio::net::TcpStream::from_std(stream).map_err(Error::host(failed))?;
                Ok(Some(Box::new(stream)))
            }
            _ => Err(unexpected(failed)),
        }
    }

    async fn start_service(&self, machine: &str, service: &ServiceSpec) -> Result<(), Error> {
        let machine = machine.to_owned();
        let record = ServiceRecord { name: service.name.clone(), command: Command::from(&service.exec) };
        self.off(move |inner| {
            inner.record(&machine)?;
            let inside = inner.inside(&machine)?;
            let logs = inner.logs(&machine);
            make_directory(&logs)?;
            let path = logs.join(format!("{}.log", record.name));
            inner.records.keep_service(&machine, &record)?;
            let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            let log = log.map_err(Error::host(format!("cannot open the log `{}`", path.display())))?;
            let name = record.name.clone();
            let started = inside.ask(&MachineRequest::StartService(record), &[log.as_fd()]);
            if started.is_err() {
                inner.records.forget_service(&machine, &name)?;
            }
            started.map(drop)
        })
        .await
    }

    async fn remove_service(&self, machine: &str, service: &str) -> Result<(), Error> {
        let (machine, service) = (machine.to_owned(), service.to_owned());
        self.off(move |inner| {
            inner.records.forget_service(&machine, &service)?;
            match Inside::connect(&inner.records.machine(&machine)?, &machine)? {
                Some(inside) => inside.ask(&MachineRequest::StopService(service), &[]).map(drop),
                None => Ok(()),
            }
        })
        .await
    }

    async fn services(&self, machine: &str) -> Result<Vec<ServiceStatus>, Error> {
        let machine = machine.to_owned();
        self.off(move |inner| {
            inner.record(&machine)?;
            let records = inner.records.services(&machine)?;
            if records.is_empty() {
                return Ok(Vec::new());
            }
            let fates = match Inside::connect(&inner.records.machine(&machine)?, &machine)? {
                None => None,
                Some(inside) => match inside.ask(&MachineRequest::Services, &[])?.0 {
                    MachineAnswer::Services(fates) => Some(fates),
                    _ => return Err(unexpected("cannot list the services")),
                },
            };
            let status = |ServiceRecord { name, .. }: ServiceRecord| {
                let log = Some(inner.logs(&machine).join(format!("{name}.log")));
                let state = match fates.as_ref().map(|fates| fates.get(&name)) {
                    None => ServiceState::Stopped,
                    Some(Some(ServiceFate::Running(pid))) => ServiceState::Running(*pid),
                    Some(Some(ServiceFate::Ended(exit))) => ServiceState::Ended(*exit),
                    // On record, and never started: whoever recorded it was killed in between.
                    Some(None) => {
                        ServiceState::Ended(crate::machine::engine::Exit::Signal(nix::libc::SIGKILL))
                    }
                };
                ServiceStatus { name, state, log }
            };
            Ok(records.into_iter().map(status).collect())
        })
        .await
    }

    async fn stat(&self, machine: &str, path: &Path) -> Result<Option<FileStat>, Error> {
        match self.file(machine, path, FileOperation::Stat).await? {
            MachineAnswer::Nothing => Ok(None),
            MachineAnswer::Stat { mode, len, uid, gid } => {
                let kind = match mode & nix::libc::S_IFMT {
                    nix::libc::S_IFREG => FileKind::File,
                    nix::libc::S_IFDIR => FileKind::Directory,
                    nix::libc::S_IFLNK => FileKind::Symlink,
                    _ => FileKind::Other,
                };
                Ok(Some(FileStat { kind, len, mode: mode & 0o7777, owner: (uid, gid) }))
            }
            _ => Err(unexpected("cannot look at a path")),
        }
    }

    async fn read(&self, machine: &str, path: &Path) -> Result<Reader, Error> {
        let request = MachineRequest::File { path: path.into(), operation: FileOperation::Read };
        let machine = machine.to_owned();
        let (_, mut descriptors) = self.off(move |inner| inner.inside(&machine)?.ask(&request, &[])).await?;
        let file = descriptors.pop().ok_or_else(|| unexpected("cannot read a file"))?;
        Ok(Box::new(tokio::fs::File::from_std(file.into())))
    }

    async fn write(
        &self,
        machine: &str,
        path: &Path,
        mode: Option<u32>,
        mut contents: Reader,
    ) -> Result<(), Error> {
        let failed = format!("cannot write `{}` in the machine `{machine}`", path.display());
        let (machine, path): (String, OsString) = (machine.to_owned(), path.into());
        let (connection, file) = self.off(move |inner| inner.inside(&machine)?.replace(path, mode)).await?;
        let mut file = tokio::fs::File::from_std(file.into());
        tokio::io::copy(&mut contents, &mut file).await.map_err(Error::host(failed.clone()))?;
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(Error::host(failed))?;
        self.off(move |_| connection.commit()).await
    }

    async fn read_dir(&self, machine: &str, path: &Path) -> Result<Vec<OsString>, Error> {
        match self.file(machine, path, FileOperation::List).await? {
            MachineAnswer::Names(names) => Ok(names),
            _ => Err(unexpected("cannot list a directory")),
        }
    }

    async fn make_dir(&self, machine: &str, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.file(machine, path, FileOperation::MakeDirectory(mode)).await.map(drop)
    }

    async fn remove_path(&self, machine: &str, path: &Path) -> Result<(), Error> {
        self.file(machine, path, FileOperation::Remove).await.map(drop)
    }
}
