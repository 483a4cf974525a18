//! The engine: records on this side, the keeper and the machines on the other.

use std::ffi::OsString;
use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::RwLock;

use super::inside::{Inside, unexpected};
use super::keeper::remove_tree;
use super::message::{
    Command, FileOperation, KeeperRequest, MachineAnswer, MachineRequest, ServiceFate, ServiceRecord,
};
use super::premises::Premises;
use super::records::{MachineRecord, NetworkRecord};
use super::{cgroup, make_logs, running, survey};
use crate::crash::crash_point;
use crate::error::Error;
use crate::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileKind, FileStat, Hosts, Identity, Log, MachineSpec, Namespace,
    NetworkSpec, Presence, Reader, Running, ServiceSpec, ServiceState, ServiceStatus, Site, Survey,
};

/// The engine on one site.
#[derive(Clone, Debug)]
pub(super) struct SandboxEngine(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    premises: Premises,
    /// Held shared while something is made, exclusively while the last things are removed.
    making: RwLock<()>,
}

impl SandboxEngine {
    pub(super) fn new(site: Site) -> Self {
        Self(Arc::new(Inner { premises: Premises::new(site), making: RwLock::new(()) }))
    }

    /// Does something that blocks, away from the threads of the runtime.
    async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Premises) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let inner = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&inner.premises)).await {
            Ok(result) => result,
            Err(error) => Err(Error::host("the work was given up")(error)),
        }
    }

    /// Asks a machine about a file what is answered without descriptors.
    async fn file(
        &self,
        machine: &MachineSpec,
        path: &Path,
        operation: FileOperation,
    ) -> Result<MachineAnswer, Error> {
        let (machine, path) = (machine.name.clone(), path.into());
        self.off(move |premises| Ok(premises.file(&machine, path, operation)?.1)).await
    }
}

#[async_trait]
impl Engine for SandboxEngine {
    fn name(&self) -> &'static str {
        "Sandbox"
    }

    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Root | Aspect::Image => Effect::Recreate,
            // Its directory is another, which its processes know.
            _ => Effect::Restart,
        }
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        self.off(|premises| survey::survey(&premises.site.state)).await
    }

    async fn find_network(&self, network: &NetworkSpec) -> Result<Presence, Error> {
        let name = network.name.clone();
        self.off(move |premises| {
            let record = premises.records.find_network(&name)?;
            let works = || Ok(premises.keeper.bridge(&name)?.is_some());
            Ok(Premises::presence(record.map(|record| record.identity), works))
        })
        .await
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        let _making = self.0.making.read().await;
        let network = network.clone();
        self.off(move |premises| {
            premises.records.prepare()?;
            let identity = match premises.records.find_network(&network.name)? {
                Some(record) => record.identity,
                None => Identity(super::random_id()?),
            };
            let record = NetworkRecord { identity, spec: network };
            premises.records.keep_network(&record)?;
            premises.keeper.ask_started::<()>(&KeeperRequest::CreateNetwork(record.spec), &[])?;
            Ok(record.identity)
        })
        .await
    }

    async fn remove_network(&self, network: &NetworkSpec) -> Result<(), Error> {
        let name = network.name.clone();
        let _removing = self.0.making.write().await;
        self.off(move |premises| {
            premises.keeper.ask::<()>(&KeeperRequest::RemoveNetwork(name.clone()))?;
            premises.records.forget_network(&name)?;
            premises.tidy_all()
        })
        .await
    }

    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error> {
        let spec = machine.clone();
        self.off(move |premises| {
            let record = premises.records.find_machine(&spec.name)?;
            let runs = || premises.keeper.runs(&spec.name);
            Ok(match Premises::presence(record.map(|record| record.identity), runs) {
                Presence::Running(identity) => {
                    Presence::running_but(identity, cgroup::altered(&premises.site.id, &spec))
                }
                presence => presence,
            })
        })
        .await
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        let _making = self.0.making.read().await;
        let spec = machine.clone();
        self.off(move |premises| {
            if let Some(record) = premises.records.find_machine(&spec.name)? {
                return Ok(record.identity);
            }
            survey::check_root(spec.root.as_deref())?;
            premises.records.prepare()?;
            // A machine whose files were removed behind our back may still run, and is not the one to be made.
            premises.keeper.stop(&spec.name, Duration::ZERO)?;
            premises.tidy(&spec.name)?;
            let record = MachineRecord { identity: Identity(super::random_id()?), spec };
            premises.records.create_machine(&record)?;
            Ok(record.identity)
        })
        .await
    }

    async fn rename(&self, before: &MachineSpec, machine: &MachineSpec) -> Result<(), Error> {
        let _making = self.0.making.read().await;
        let (before, spec) = (before.name.clone(), machine.clone());
        self.off(move |premises| premises.rename(&before, &spec)).await
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        let _making = self.0.making.read().await;
        let spec = machine.clone();
        self.off(move |premises| premises.start(&spec)).await
    }

    async fn stop(&self, machine: &MachineSpec, grace: Duration) -> Result<(), Error> {
        let machine = machine.name.clone();
        self.off(move |premises| premises.keeper.stop(&machine, grace)).await
    }

    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        let machine = machine.name.clone();
        {
            let (_making, machine) = (self.0.making.read().await, machine.clone());
            self.off(move |premises| {
                // A stopped machine is what should be here; one that is not must not lose its files while it runs.
                premises.keeper.stop(&machine, Duration::ZERO)?;
                premises.records.forget_machine(&machine)?;
                cgroup::remove(&premises.site.id, &machine)?;
                remove_tree(&premises.keeper, &premises.logs(&machine))?;
                premises.tidy(&machine)
            })
            .await?;
        }
        let _removing = self.0.making.write().await;
        self.off(|premises| premises.tidy_all()).await
    }

    async fn clear(&self) -> Result<(), Error> {
        let _removing = self.0.making.write().await;
        self.off(Premises::clear).await
    }

    async fn set_hosts(&self, machine: &MachineSpec, hosts: &Hosts) -> Result<(), Error> {
        let (machine, hosts) = (machine.name.clone(), hosts.list());
        self.off(move |premises| {
            premises.record(&machine)?;
            premises.records.keep_hosts(&machine, &hosts)?;
            premises.inside(&machine)?.ask(&MachineRequest::SetHosts(hosts), &[]).map(drop)
        })
        .await
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        let machine = machine.name.clone();
        let (connection, streams) = self.off(move |premises| premises.inside(&machine)?.exec(&exec)).await?;
        running::running(connection, streams).map_err(Error::host("cannot follow the command"))
    }

    async fn namespace(&self, machine: &MachineSpec) -> Result<Namespace, Error> {
        let machine = machine.name.clone();
        self.off(move |premises| premises.inside(&machine)?.namespace()).await
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        let machine = machine.name.clone();
        let dialled =
            self.off(move |premises| premises.inside(&machine)?.ask(&MachineRequest::Dial(to), &[])).await?;
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

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        let machine = machine.name.clone();
        let record = ServiceRecord { name: service.name.clone(), command: Command::from(&service.exec) };
        self.off(move |premises| {
            premises.record(&machine)?;
            let inside = premises.inside(&machine)?;
            let logs = premises.logs(&machine);
            make_logs(&logs)?;
            let path = logs.join(format!("{}.log", record.name));
            premises.records.keep_service(&machine, &record)?;
            let log = OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
            let log = log.map_err(Error::host(format!("cannot open the log `{}`", path.display())))?;
            crash_point("log-made");
            let name = record.name.clone();
            let started = inside.ask(&MachineRequest::StartService(record), &[log.as_fd()]);
            if started.is_err() {
                premises.records.forget_service(&machine, &name)?;
            }
            started.map(drop)
        })
        .await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        let (machine, service) = (machine.name.clone(), service.to_owned());
        self.off(move |premises| {
            premises.records.forget_service(&machine, &service)?;
            match Inside::connect(&premises.records.machine(&machine)?, &machine)? {
                Some(inside) => inside.ask(&MachineRequest::StopService(service), &[]).map(drop),
                None => Ok(()),
            }
        })
        .await
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        let machine = machine.name.clone();
        self.off(move |premises| {
            premises.record(&machine)?;
            let records = premises.records.services(&machine)?;
            if records.is_empty() {
                return Ok(Vec::new());
            }
            let fates = match Inside::connect(&premises.records.machine(&machine)?, &machine)? {
                None => None,
                Some(inside) => match inside.ask(&MachineRequest::Services, &[])?.0 {
                    MachineAnswer::Services(fates) => Some(fates),
                    _ => return Err(unexpected("cannot list the services")),
                },
            };
            let status = |ServiceRecord { name, .. }: ServiceRecord| {
                let log = Some(Log::Here(premises.logs(&machine).join(format!("{name}.log"))));
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

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
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

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        let (machine, path) = (machine.name.clone(), path.into());
        let (_, _, mut descriptors) =
            self.off(move |premises| premises.file(&machine, path, FileOperation::Read)).await?;
        let file = descriptors.pop().ok_or_else(|| unexpected("cannot read a file"))?;
        Ok(Box::new(tokio::fs::File::from_std(file.into())))
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        mut contents: Reader,
    ) -> Result<(), Error> {
        let failed = format!("cannot write `{}` in the machine `{}`", path.display(), machine.name);
        let (machine, path): (String, OsString) = (machine.name.clone(), path.into());
        let (connection, _, mut descriptors) =
            self.off(move |premises| premises.file(&machine, path, FileOperation::Write(mode))).await?;
        let file = descriptors.pop().ok_or_else(|| unexpected("cannot write a file"))?;
        let mut file = tokio::fs::File::from_std(file.into());
        tokio::io::copy(&mut contents, &mut file).await.map_err(Error::host(failed.clone()))?;
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(Error::host(failed))?;
        self.off(move |_| connection.commit()).await
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        match self.file(machine, path, FileOperation::List).await? {
            MachineAnswer::Names(names) => Ok(names),
            _ => Err(unexpected("cannot list a directory")),
        }
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.file(machine, path, FileOperation::MakeDirectory(mode)).await.map(drop)
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        self.file(machine, path, FileOperation::Remove).await.map(drop)
    }
}
