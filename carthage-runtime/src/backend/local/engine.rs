//! The engine: this host is taken over, used, and given back.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;

use super::files::{self, Replacement, absolute, failed};
use super::here::{self, Here};
use super::links;
use crate::error::{Error, ErrorKind};
use crate::guest::Guest;
use crate::machine::engine::{
    Aspect, Duplex, Effect, Engine, Exec, FileStat, Hosts, Identity, LinkSpec, MachineSpec, NetworkSpec,
    Presence, Reader, Running, ServiceSpec, ServiceStatus, Site, Survey,
};

/// The directory of what is ours, in the layout's state directory.
const DIRECTORY: &str = "local";
/// Which host it was, in the directory of a machine.
const IDENTITY: &str = "identity";

/// The engine on one site.
#[derive(Clone, Debug)]
pub(super) struct LocalEngine(Arc<Site>);

impl LocalEngine {
    pub(super) fn new(site: Site) -> Self {
        Self(Arc::new(site))
    }

    /// The directory of a machine: there is one for each that stands for this host.
    fn directory(&self, machine: &MachineSpec) -> PathBuf {
        self.0.state.join(DIRECTORY).join(&machine.name)
    }

    fn guest(&self, machine: &MachineSpec) -> Result<Guest, Error> {
        let directory = self.directory(machine);
        match directory.join(IDENTITY).try_exists() {
            Ok(true) => Ok(Guest::new(Arc::new(Here(machine.name.clone())), directory)),
            Ok(false) => {
                let what = format!("`{}` is not deployed", machine.name);
                Err(Error::new(ErrorKind::NotFound, what).hint("run `deploy` first"))
            }
            Err(error) => Err(Error::host(format!("cannot look at `{}`", directory.display()))(error)),
        }
    }

    /// Which host this is, and which it was when it was taken over.
    async fn identities(&self, machine: &MachineSpec) -> Result<(String, Option<Identity>), Error> {
        let file = self.directory(machine).join(IDENTITY);
        let read = move || {
            let host = match fs::read_to_string("/etc/machine-id") {
                Ok(id) => id.trim().to_owned(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(error),
            };
            match fs::read_to_string(&file) {
                Ok(was) => Ok((host, Some(Identity(was)))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((host, None)),
                Err(error) => Err(error),
            }
        };
        blocking(read).await.map_err(failed(&machine.name, "read", "/etc/machine-id".as_ref()))
    }

    async fn on_file<T: Send + 'static>(
        &self,
        machine: &MachineSpec,
        verb: &'static str,
        path: &Path,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        absolute(&machine.name, verb, path)?;
        let owned = path.to_owned();
        blocking(move || work(&owned)).await.map_err(failed(&machine.name, verb, path))
    }

    /// A command on a terminal. What is particular to it travels in a file that goes as soon as it is read: arguments of
    /// processes can be seen by everybody.
    async fn on_terminal(
        &self,
        machine: &MachineSpec,
        exec: &Exec,
        size: crate::machine::engine::TerminalSize,
    ) -> Result<Running, Error> {
        let script = self.guest(machine)?.terminal(exec)?;
        let path = self.directory(machine).join(format!("terminal-{}", crate::ssh::random()?));
        let held = [b"rm -f -- \"$0\"\n", script.as_bytes()].concat();
        self.write(machine, &path, Some(0o600), Box::new(io::Cursor::new(held))).await?;
        let mut command = here::shell();
        command.arg(&path).env("TERM", std::env::var_os("TERM").unwrap_or_else(|| "dumb".into()));
        let started = crate::ssh::on_terminal(command, size).await;
        if started.is_err() {
            self.remove_path(machine, &path).await?;
        }
        started
    }

    fn no_networks<T>(network: &NetworkSpec) -> Result<T, Error> {
        let what = format!("the network `{}` cannot be made for machines by `Local`", network.name);
        Err(Error::new(ErrorKind::Unsupported, what))
    }
}

/// Does something that blocks, away from the threads of the runtime.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[async_trait]
impl Engine for LocalEngine {
    fn name(&self) -> &'static str {
        "Local"
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

    async fn survey(&self, machines: &[&MachineSpec]) -> Result<Survey, Error> {
        machines.iter().try_for_each(|machine| links::are_there(machine))?;
        let root = rustix::process::geteuid().is_root();
        let single_user = (!root).then(|| "the program does not run as root".to_owned());
        Ok(Survey { single_user, ..Survey::default() })
    }

    fn mac(&self, machine: &MachineSpec, link: &LinkSpec) -> Result<Option<[u8; 6]>, Error> {
        links::mac(machine, link)
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
        Ok(match self.identities(machine).await? {
            (_, None) => Presence::Absent,
            (host, Some(was)) if was.0.starts_with(&format!("{host}-")) => Presence::Running(was),
            // The state directory has come to another host.
            (host, Some(_)) => Presence::Running(Identity(host)),
        })
    }

    async fn create(&self, machine: &MachineSpec) -> Result<Identity, Error> {
        let (host, was) = self.identities(machine).await?;
        if let Some(was) = was.filter(|was| was.0.starts_with(&format!("{host}-"))) {
            return Ok(was);
        }
        let identity = Identity(format!("{host}-{}", crate::ssh::random()?));
        let (directory, text) = (self.directory(machine), identity.0.clone());
        let cannot = Error::host(format!("cannot write to `{}`", directory.display()));
        let keep = move || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
            let mut new = tempfile::NamedTempFile::new_in(&directory)?;
            new.write_all(text.as_bytes())?;
            new.as_file().sync_all()?;
            new.persist(directory.join(IDENTITY)).map_err(|error| error.error)?;
            fs::File::open(&directory)?.sync_all()
        };
        blocking(keep).await.map_err(cannot)?;
        Ok(identity)
    }

    async fn start(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.guest(machine)?.resume_services().await
    }

    async fn stop(&self, _: &MachineSpec, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    async fn remove(&self, machine: &MachineSpec) -> Result<(), Error> {
        let directory = self.directory(machine);
        if !directory.exists() {
            return Ok(());
        }
        // Also what was left by a run that was ended before it wrote down which host this is.
        Guest::new(Arc::new(Here(machine.name.clone())), directory).forget().await
    }

    async fn clear(&self) -> Result<(), Error> {
        let directory = self.0.state.join(DIRECTORY);
        let shown = directory.clone();
        let clear = move || {
            let left = match fs::read_dir(&directory) {
                Ok(entries) => entries.map(|entry| entry.map(|entry| entry.file_name())).collect(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
                Err(error) => Err(error),
            };
            Ok((left?, directory))
        };
        let cannot = || Error::host(format!("cannot remove `{}`", shown.display()));
        let (left, directory) = blocking(clear).await.map_err(cannot())?;
        for name in left {
            let name = name.to_string_lossy().into_owned();
            Guest::new(Arc::new(Here(name.clone())), directory.join(&name)).forget().await?;
        }
        blocking(move || files::remove(&directory)).await.map_err(cannot())
    }

    async fn set_hosts(&self, _: &MachineSpec, _: &Hosts) -> Result<(), Error> {
        // This host's names are its owner's.
        Ok(())
    }

    async fn exec(&self, machine: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        match exec.terminal {
            Some(size) => self.on_terminal(machine, &exec, size).await,
            None => self.guest(machine)?.exec(exec).await,
        }
    }

    async fn dial(&self, machine: &MachineSpec, to: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        match tokio::net::TcpStream::connect(to).await {
            Ok(stream) => Ok(Some(Box::new(stream))),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(Error::host(format!("cannot connect from `{}` to {to}", machine.name))(error)),
        }
    }

    async fn start_service(&self, machine: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        self.guest(machine)?.start_service(service).await
    }

    async fn remove_service(&self, machine: &MachineSpec, service: &str) -> Result<(), Error> {
        self.guest(machine)?.remove_service(service).await
    }

    async fn services(&self, machine: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        self.guest(machine)?.services().await
    }

    async fn stat(&self, machine: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        self.on_file(machine, "look at", path, files::stat).await
    }

    async fn read(&self, machine: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        let file = self.on_file(machine, "read", path, files::read).await?;
        Ok(Box::new(tokio::fs::File::from_std(file)))
    }

    async fn write(
        &self,
        machine: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        mut contents: Reader,
    ) -> Result<(), Error> {
        let failed = || failed(&machine.name, "write", path);
        let begin = move |path: &Path| {
            let replacement = Replacement::begin(path, mode)?;
            let file = replacement.file()?;
            Ok((replacement, file))
        };
        let (replacement, file) = self.on_file(machine, "write", path, begin).await?;
        let mut file = tokio::fs::File::from_std(file);
        tokio::io::copy(&mut contents, &mut file).await.map_err(failed())?;
        file.flush().await.map_err(failed())?;
        drop(file);
        blocking(move || replacement.keep()).await.map_err(failed())
    }

    async fn read_dir(&self, machine: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        self.on_file(machine, "list", path, files::read_dir).await
    }

    async fn make_dir(&self, machine: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        self.on_file(machine, "make", path, move |path| files::make_dir(path, mode)).await
    }

    async fn remove_path(&self, machine: &MachineSpec, path: &Path) -> Result<(), Error> {
        self.on_file(machine, "remove", path, files::remove).await
    }
}
