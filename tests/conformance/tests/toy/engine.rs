//! The engine: what is asked of machines as directories.

use std::ffi::OsString;
use std::io::ErrorKind::{AlreadyExists, ConnectionRefused, DirectoryNotEmpty, NotFound};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use carthage::guest::Guest;
use carthage::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileStat, Hosts, Identity, Log, MachineSpec, NetworkSpec, Presence,
    Reader, Running, ServiceSpec, ServiceState, ServiceStatus, Site, Survey,
};
use carthage::machine::start::Prerequisite;
use carthage::{Error, ErrorKind};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::processes::{self, FIRST};
use crate::transport::{Here, command};

/// The engine on one site.
#[derive(Debug)]
pub(crate) struct ToyEngine {
    /// Where its machines are, each in a directory of its name.
    home: PathBuf,
    /// What it makes of what was collected for the start of a machine.
    collects: Collects,
}

/// See [`Engine::start_dependencies`].
type Collects = fn(&MachineSpec, Vec<Prerequisite>) -> Vec<Prerequisite>;

impl ToyEngine {
    pub(crate) fn new(site: &Site) -> Self {
        Self::collecting(site, |_, collected| collected)
    }

    /// One that makes something of its own of what comes before a start.
    pub(crate) fn collecting(site: &Site, collects: Collects) -> Self {
        Self { home: site.state.join("toy"), collects }
    }

    fn directory(&self, machine: &MachineSpec) -> PathBuf {
        self.home.join(&machine.name)
    }

    /// What a machine was called when it was made. A directory without that is not one of ours.
    async fn identity(&self, machine: &MachineSpec) -> Result<Option<Identity>, Error> {
        let file = self.directory(machine).join("identity");
        match tokio::fs::read_to_string(&file).await {
            Ok(text) => Ok(Some(Identity(text))),
            Err(error) if error.kind() == NotFound => Ok(None),
            Err(error) => Err(Error::host(format!("cannot read `{}`", file.display()))(error)),
        }
    }

    /// A machine that runs.
    async fn guest(&self, machine: &MachineSpec) -> Result<Guest, Error> {
        let directory = self.directory(machine);
        if !processes::runs(&directory) {
            let what = format!("the machine `{}` is not running", machine.name);
            return Err(Error::new(ErrorKind::Host, what).hint("start it first"));
        }
        let base = directory.join("carthage");
        Ok(Guest::new(Arc::new(Here { machine: machine.name.clone(), directory }), base))
    }

    fn no_networks<T>(&self) -> Result<T, Error> {
        Err(Error::new(ErrorKind::Unsupported, "toys have no networks"))
    }
}

#[async_trait]
impl Engine for ToyEngine {
    fn name(&self) -> &'static str {
        "Toy"
    }

    /// Nothing of a model is true of a toy but its name.
    fn effect(&self, _: Aspect) -> Effect {
        Effect::Update
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        Ok(Survey::default())
    }

    async fn find_network(&self, _: &NetworkSpec) -> Result<Presence, Error> {
        Ok(Presence::Absent)
    }

    async fn create_network(&self, _: &NetworkSpec) -> Result<Identity, Error> {
        self.no_networks()
    }

    async fn remove_network(&self, _: &NetworkSpec) -> Result<(), Error> {
        Ok(())
    }

    async fn find(&self, machine: &MachineSpec) -> Result<Presence, Error> {
        Ok(match self.identity(machine).await? {
            None => Presence::Absent,
            Some(identity) if processes::runs(&self.directory(machine)) => Presence::Running(identity),
            Some(identity) => Presence::Stopped(identity),
        })
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        if let Some(identity) = self.identity(machine).await? {
            return Ok(identity);
        }
        let directory = self.directory(machine);
        let failed = |error: std::io::Error| {
            let taken = error.kind() == AlreadyExists;
            let what = format!("cannot make the machine `{}` in `{}`", machine.name, directory.display());
            let error = Error::new(ErrorKind::Host, what).because(error);
            if taken { error.hint("something else is there; it has to go first") } else { error }
        };
        // One whose directory was removed may still run, and is not the one to be made.
        processes::end(&directory, Duration::ZERO).await;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.home).map_err(failed)?;
        // A machine has its name only when it is whole.
        let new = self.home.join(format!("{}.new", machine.name));
        let identity = Identity(format!("{:032x}", fastrand::u128(..)));
        tokio::fs::create_dir_all(&new).await.map_err(failed)?;
        tokio::fs::write(new.join("identity"), &identity.0).await.map_err(failed)?;
        if let Err(error) = renameat_with(CWD, &new, CWD, &directory, RenameFlags::NOREPLACE) {
            tokio::fs::remove_dir_all(&new).await.map_err(failed)?;
            return Err(failed(error.into()));
        }
        Ok(identity)
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        let directory = self.directory(machine);
        if self.identity(machine).await?.is_none() {
            return Err(Error::new(
                ErrorKind::NotFound,
                format!("the machine `{}` does not exist", machine.name),
            ));
        }
        if !processes::runs(&directory) {
            // Its first process only stands for it, and outlives whoever has started it.
            let mut first = command(&directory);
            first.args(["-c", "trap '' HUP INT TERM; while :; do sleep 1000000; done"]);
            first.env(FIRST, &directory).process_group(0);
            first.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let failed = || format!("cannot start the machine `{}`", machine.name);
            let mut child = first.spawn().map_err(Error::host(failed()))?;
            // It is found by its environment, which the kernel shows a moment later.
            while !processes::runs(&directory) {
                if let Some(status) = child.try_wait().map_err(Error::host(failed()))? {
                    return Err(Error::new(ErrorKind::Host, failed()).because(format!("it ended: {status}")));
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        self.guest(machine).await?.resume_services().await
    }

    async fn stop(&self, machine: &MachineSpec, grace: Duration) -> Result<(), Error> {
        processes::end(&self.directory(machine), grace).await;
        Ok(())
    }

    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        if self.identity(machine).await?.is_some() {
            let directory = self.directory(machine);
            let failed = Error::host(format!("cannot remove `{}`", directory.display()));
            tokio::fs::remove_dir_all(&directory).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn clear(&self) -> Result<(), Error> {
        let failed = || Error::host::<std::io::Error>(format!("cannot clear `{}`", self.home.display()));
        let entries = match std::fs::read_dir(&self.home) {
            Ok(entries) => entries,
            Err(error) if error.kind() == NotFound => return Ok(()),
            Err(error) => return Err(failed()(error)),
        };
        for entry in entries {
            let name = entry.map_err(failed())?.file_name().display().to_string();
            let machine = MachineSpec { name, ..MachineSpec::default() };
            self.stop(&machine, Duration::ZERO).await?;
            self.remove(&machine).await?;
        }
        // What is left in it is a stranger's.
        match std::fs::remove_dir(&self.home) {
            Err(error) if error.kind() != DirectoryNotEmpty => Err(failed()(error)),
            _ => Ok(()),
        }
    }

    async fn set_hosts(&self, _: &MachineSpec, hosts: &Hosts) -> Result<(), Error> {
        // Without networks there are no names to reach.
        if hosts.list().is_empty() { Ok(()) } else { self.no_networks() }
    }

    fn start_dependencies(&self, machine: &MachineSpec, collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
        (self.collects)(machine, collected)
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        if exec.terminal.is_some() {
            return Err(Error::new(ErrorKind::Unsupported, "toys have no terminals"));
        }
        self.guest(machine).await?.exec(exec).await
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        self.guest(machine).await?;
        match tokio::net::TcpStream::connect(to).await {
            Ok(connection) => Ok(Some(Box::new(connection))),
            Err(error) if error.kind() == ConnectionRefused => Ok(None),
            Err(error) => Err(Error::host(format!("cannot connect from `{}` to {to}", machine.name))(error)),
        }
    }

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        self.guest(machine).await?.start_service(service).await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        self.guest(machine).await?.remove_service(service).await
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        let base = self.directory(machine).join("carthage");
        let log = |name: &str| Some(Log::Here(Guest::service_log(&base, name)));
        if processes::runs(&self.directory(machine)) {
            let services = self.guest(machine).await?.services().await?;
            let here = |service: ServiceStatus| ServiceStatus { log: log(&service.name), ..service };
            return Ok(services.into_iter().map(here).collect());
        }
        let stopped = |name: String| ServiceStatus { log: log(&name), name, state: ServiceState::Stopped };
        let entries = std::fs::read_dir(Guest::services_dir(&base)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().display().to_string()).collect();
        names.sort();
        Ok(names.into_iter().map(stopped).collect())
    }

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        self.guest(machine).await?.stat(path).await
    }

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        self.guest(machine).await?.read(path).await
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        contents: Reader,
    ) -> Result<(), Error> {
        self.guest(machine).await?.write(path, mode, contents).await
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        self.guest(machine).await?.read_dir(path).await
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.guest(machine).await?.make_dir(path, mode).await
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        self.guest(machine).await?.remove_path(path).await
    }
}
