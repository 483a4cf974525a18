//! The engine: every operation meets its fate, and is remembered.

use std::ffi::OsString;
use std::io::Cursor;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncReadExt;

use super::faults::Fate;
use super::log::Log;
use super::streams::{self, NEVER};
use super::world::{Change, Contents, Entry, Machine, World};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{
    Alteration, Aspect, Duplex, Effect, Engine, Exec, Exit, FileKind, FileStat, Hosts, Identity, MachineSpec,
    Misfortune, NetworkSpec, Presence, Reader, Running, ServiceSpec, ServiceState, ServiceStatus, Site,
    Survey,
};

/// The directory of the world, in the layout's state directory.
const DIRECTORY: &str = "simulated";

/// The engine on one site.
#[derive(Debug)]
pub(super) struct SimulatedEngine {
    fate: Fate,
    world: Mutex<(Log, World)>,
}

impl SimulatedEngine {
    pub(super) fn open(site: Site) -> Result<Self, Error> {
        let world = Log::open(&site.state.join(DIRECTORY))?;
        Ok(Self { fate: Fate::new(site.rehearsal), world: Mutex::new(world) })
    }

    fn world(&self) -> MutexGuard<'_, (Log, World)> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a world, or makes changes to it that are written down, as far as fate lets it.
    async fn meet<T>(
        &self,
        operation: &'static str,
        name: &str,
        work: impl FnOnce(&World) -> Result<(Vec<Change>, T), Error> + Send,
    ) -> Result<T, Error> {
        self.meet_or_lie(operation, name, |world, _| work(world)).await
    }

    /// The same for what can be answered wrong, when it is told to.
    async fn meet_or_lie<T>(
        &self,
        operation: &'static str,
        name: &str,
        work: impl FnOnce(&World, bool) -> Result<(Vec<Change>, T), Error> + Send,
    ) -> Result<T, Error> {
        let takes = self.fate.takes(operation, name);
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let failed = |fault: &str, why: &str| {
            Error::new(ErrorKind::Host, format!("cannot {operation} `{name}`"))
                .because(format!("{why} (simulated: {fault})"))
        };
        let strikes = self.fate.strikes(operation, name);
        let lies = matches!(strikes, Some((Misfortune::Lie, _)));
        let struck = match &strikes {
            Some((Misfortune::Fail, fault)) => return Err(failed(fault, "it was refused")),
            Some((Misfortune::Hang, fault)) => {
                tokio::time::sleep(NEVER).await;
                return Err(failed(fault, "it did not end in a year"));
            }
            Some((Misfortune::Lose, fault)) if self.fate.coin(name) => {
                return Err(failed(fault, "the connection was lost"));
            }
            Some((Misfortune::Lose, fault)) => Some(failed(fault, "the connection was lost")),
            Some((Misfortune::Half, fault)) => Some(failed(fault, "it died half-way")),
            Some((Misfortune::Lie | Misfortune::Alter, _)) | None => None,
        };
        let is_altered = matches!(strikes, Some((Misfortune::Alter, _)));
        let mut locked = self.world();
        let (log, world) = &mut *locked;
        let (mut changes, answer) = work(world, lies)?;
        if is_altered {
            changes.push(Change::Altered { name: name.to_owned(), altered: true });
        }
        for change in changes {
            log.write(&change, world)?;
            world.apply(change);
        }
        struck.map_or(Ok(answer), Err)
    }
}

/// What changes nothing.
fn look<T>(answer: T) -> Result<(Vec<Change>, T), Error> {
    Ok((Vec::new(), answer))
}

/// What is a change, if anything.
fn change(changes: impl IntoIterator<Item = Change>) -> Result<(Vec<Change>, ()), Error> {
    Ok((changes.into_iter().collect(), ()))
}

/// Somebody has changed it.
fn alterations(machine: &Machine) -> Vec<Alteration> {
    let what = "its memory is not that of its model (simulated)".to_owned();
    let memory = Alteration { aspect: Aspect::Memory, mends: Effect::Update, what };
    machine.altered.then_some(memory).into_iter().collect()
}

fn existing<'a>(world: &'a World, spec: &MachineSpec) -> Result<&'a Machine, Error> {
    world.machines.get(&spec.name).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("the machine `{}` does not exist", spec.name))
            .hint("deploy it first")
    })
}

fn running<'a>(world: &'a World, spec: &MachineSpec) -> Result<&'a Machine, Error> {
    let machine = existing(world, spec)?;
    if machine.runs {
        return Ok(machine);
    }
    Err(Error::new(ErrorKind::Host, format!("the machine `{}` is not running", spec.name))
        .hint("start it first"))
}

fn absolute(spec: &MachineSpec, path: &Path) -> Result<(), Error> {
    if path.is_absolute() {
        return Ok(());
    }
    let what = format!("cannot use `{}` in `{}`", path.display(), spec.name);
    Err(Error::new(ErrorKind::Usage, what).because("the path is not absolute"))
}

#[async_trait]
impl Engine for SimulatedEngine {
    fn name(&self) -> &'static str {
        "Simulated"
    }

    fn pretends(&self) -> bool {
        true
    }

    fn effect(&self, aspect: Aspect) -> Effect {
        match aspect {
            Aspect::Root | Aspect::Image | Aspect::Firmware => Effect::Recreate,
            Aspect::Name | Aspect::Memory | Aspect::Cpus => Effect::Update,
            _ => Effect::Restart,
        }
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        Ok(Survey { notes: vec!["the machines are simulated".to_owned()], ..Survey::default() })
    }

    async fn find_network(&self, network: &NetworkSpec) -> Result<Presence, Error> {
        let name = &network.name;
        let find = |world: &World, lies: bool| {
            let found = world.networks.get(name).filter(|_| !lies).cloned();
            look(found.map_or(Presence::Absent, |identity| Presence::Running(Identity(identity))))
        };
        self.meet_or_lie("find", name, find).await
    }

    async fn create_network(&self, network: &NetworkSpec) -> Result<Identity, Error> {
        let name = &network.name;
        let create = |world: &World| match world.networks.get(name) {
            Some(identity) => look(Identity(identity.clone())),
            None => {
                let identity = self.fate.identity(name, world.changes);
                let made = Change::Network { name: name.clone(), identity: identity.clone() };
                Ok((vec![made], Identity(identity)))
            }
        };
        self.meet("create", name, create).await
    }

    async fn remove_network(&self, network: &NetworkSpec) -> Result<(), Error> {
        let name = &network.name;
        let remove = |world: &World| {
            let gone = Change::NoNetwork { name: name.clone() };
            change(world.networks.contains_key(name).then_some(gone))
        };
        self.meet("remove", name, remove).await
    }

    async fn find(&self, spec: &MachineSpec) -> Result<Presence, Error> {
        let find = |world: &World, lies: bool| {
            look(match world.machines.get(&spec.name) {
                None => Presence::Absent,
                Some(machine) => {
                    let identity = Identity(machine.identity.clone());
                    match (machine.runs, lies) {
                        (true, false) => Presence::running_but(identity, alterations(machine)),
                        (false, true) => Presence::Absent,
                        (false, false) | (true, true) => Presence::Stopped(identity),
                    }
                }
            })
        };
        self.meet_or_lie("find", &spec.name, find).await
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Identity, Error> {
        let name = &spec.name;
        let create = |world: &World| match world.machines.get(name) {
            Some(machine) => look(Identity(machine.identity.clone())),
            None => {
                let identity = self.fate.identity(name, world.changes);
                let made = Change::Machine { name: name.clone(), identity: identity.clone() };
                Ok((vec![made], Identity(identity)))
            }
        };
        self.meet("create", name, create).await
    }

    async fn update(&self, spec: &MachineSpec) -> Result<(), Error> {
        let update = |world: &World| {
            let name = spec.name.clone();
            change(running(world, spec)?.altered.then_some(Change::Altered { name, altered: false }))
        };
        self.meet("update", &spec.name, update).await
    }

    async fn rename(&self, before: &MachineSpec, spec: &MachineSpec) -> Result<(), Error> {
        let rename = |world: &World| match world.machines.get(&before.name) {
            Some(_) => change([Change::Renamed { name: before.name.clone(), to: spec.name.clone() }]),
            None => existing(world, spec).and_then(|_| change([])),
        };
        self.meet("rename", &spec.name, rename).await
    }

    async fn start(&self, spec: &MachineSpec) -> Result<(), Error> {
        let start = |world: &World| {
            let machine = existing(world, spec)?;
            let missing = spec.links.iter().find(|link| !world.networks.contains_key(&link.network));
            if let Some(link) = missing {
                let what = format!("cannot start `{}`", spec.name);
                return Err(Error::new(ErrorKind::Host, what)
                    .because(format!("there is no network `{}`", link.network)));
            }
            let runs = Change::Runs { name: spec.name.clone(), runs: true };
            change((!machine.runs).then_some(runs))
        };
        let started = self.meet("start", &spec.name, start).await;
        if started.is_err() {
            // Nothing of it is left running.
            let mut locked = self.world();
            let (log, world) = &mut *locked;
            if world.machines.get(&spec.name).is_some_and(|machine| machine.runs) {
                let stopped = Change::Runs { name: spec.name.clone(), runs: false };
                log.write(&stopped, world)?;
                world.apply(stopped);
            }
        }
        started
    }

    async fn stop(&self, spec: &MachineSpec, _: Duration) -> Result<(), Error> {
        let stop = |world: &World| {
            let runs = world.machines.get(&spec.name).is_some_and(|machine| machine.runs);
            change(runs.then(|| Change::Runs { name: spec.name.clone(), runs: false }))
        };
        self.meet("stop", &spec.name, stop).await
    }

    async fn remove(&self, spec: &MachineSpec) -> Result<(), Error> {
        let remove = |world: &World| match world.machines.get(&spec.name) {
            Some(machine) if machine.runs => {
                let what = format!("cannot remove `{}`", spec.name);
                Err(Error::new(ErrorKind::Host, what).because("it runs"))
            }
            Some(_) => change([Change::NoMachine { name: spec.name.clone() }]),
            None => change([]),
        };
        self.meet("remove", &spec.name, remove).await
    }

    async fn clear(&self) -> Result<(), Error> {
        let mut locked = self.world();
        let (log, world) = &mut *locked;
        log.remove()?;
        *world = World::default();
        Ok(())
    }

    async fn set_hosts(&self, spec: &MachineSpec, _: &Hosts) -> Result<(), Error> {
        self.meet("introduce", &spec.name, |world| running(world, spec).and_then(|_| change([]))).await
    }

    async fn exec(&self, spec: &MachineSpec, exec: Exec) -> Result<Running, Error> {
        // A command that hangs has begun: it is its end that does not come.
        let (name, takes) = (&spec.name, self.fate.takes("run", &spec.name));
        running(&self.world().1, spec)?;
        let exit = match self.fate.strikes("run", name) {
            None | Some((Misfortune::Lie | Misfortune::Alter, _)) => Some(Exit::Status(0)),
            Some((Misfortune::Fail, _)) => Some(Exit::Status(1)),
            Some((Misfortune::Half, _)) => Some(Exit::Signal(9)),
            Some((Misfortune::Hang, _)) => None,
            Some((Misfortune::Lose, fault)) => {
                let what = format!(
                    "cannot run `{}` in `{name}`",
                    exec.argv.first().map_or("?".into(), |word| word.display().to_string())
                );
                let why = format!("the connection was lost (simulated: {fault})");
                return Err(Error::new(ErrorKind::Host, what).because(why));
            }
        };
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        Ok(streams::command(&exec, exit))
    }

    async fn dial(&self, spec: &MachineSpec, _: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        self.meet("run", &spec.name, |world| running(world, spec).and_then(|_| look(()))).await?;
        Ok(Some(Box::new(streams::connection())))
    }

    /// What runs listens on whatever it is asked for.
    async fn listens(&self, spec: &MachineSpec, _: u16) -> Result<bool, Error> {
        self.meet("read", &spec.name, |world| {
            running(world, spec).and_then(|machine| look(!machine.services.is_empty()))
        })
        .await
    }

    async fn start_service(&self, spec: &MachineSpec, service: &ServiceSpec) -> Result<(), Error> {
        let start = |world: &World| {
            let known = running(world, spec)?.services.contains(&service.name);
            let made = Change::Service { machine: spec.name.clone(), name: service.name.clone() };
            change((!known).then_some(made))
        };
        self.meet("serve", &spec.name, start).await
    }

    async fn remove_service(&self, spec: &MachineSpec, service: &str) -> Result<(), Error> {
        let remove = |world: &World| {
            let known =
                world.machines.get(&spec.name).is_some_and(|machine| machine.services.contains(service));
            change(known.then(|| Change::NoService { machine: spec.name.clone(), name: service.to_owned() }))
        };
        self.meet("serve", &spec.name, remove).await
    }

    async fn services(&self, spec: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        let list = |world: &World| {
            let Some(machine) = world.machines.get(&spec.name) else { return look(Vec::new()) };
            let state = if machine.runs { ServiceState::Running(1) } else { ServiceState::Stopped };
            let status =
                |name: &String| ServiceStatus { name: name.clone(), state: state.clone(), log: None };
            look(machine.services.iter().map(status).collect())
        };
        self.meet("read", &spec.name, list).await
    }

    async fn stat(&self, spec: &MachineSpec, path: &Path) -> Result<Option<FileStat>, Error> {
        absolute(spec, path)?;
        let stat = |world: &World| {
            let found = existing(world, spec)?.at(path);
            look(found.map(|entry| FileStat {
                kind: if entry.contents.is_some() { FileKind::File } else { FileKind::Directory },
                len: entry.contents.as_ref().map_or(0, Contents::len),
                mode: entry.mode,
                owner: (0, 0),
            }))
        };
        self.meet("read", &spec.name, stat).await
    }

    async fn read(&self, spec: &MachineSpec, path: &Path) -> Result<Reader, Error> {
        absolute(spec, path)?;
        let read = |world: &World| {
            let found = existing(world, spec)?.at(path);
            let failed = |kind, why: &str| {
                let what = format!("cannot read `{}` in `{}`", path.display(), spec.name);
                Error::new(kind, what).because(why.to_owned())
            };
            match found {
                None => Err(failed(ErrorKind::NotFound, "there is no such file")),
                Some(Entry { contents: None, .. }) => Err(failed(ErrorKind::Host, "it is a directory")),
                Some(Entry { contents: Some(contents), .. }) => look(contents),
            }
        };
        let contents = self.meet("read", &spec.name, read).await?;
        let bytes = self.world().0.bytes(contents)?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    async fn write(
        &self,
        spec: &MachineSpec,
        path: &Path,
        mode: Option<u32>,
        mut contents: Reader,
    ) -> Result<(), Error> {
        absolute(spec, path)?;
        let mut bytes = Vec::new();
        let failed = || format!("cannot write `{}` in `{}`", path.display(), spec.name);
        contents.read_to_end(&mut bytes).await.map_err(Error::host(failed()))?;
        let contents = self.world().0.keep(bytes)?;
        let write = |world: &World| {
            let old = existing(world, spec)?.at(path);
            if old.as_ref().is_some_and(|entry| entry.contents.is_none()) {
                return Err(Error::new(ErrorKind::Host, failed()).because("it is a directory"));
            }
            let mode = mode.or(old.map(|entry| entry.mode)).unwrap_or(0o644);
            let entry = Entry { mode, contents: Some(contents) };
            change([Change::Entry { machine: spec.name.clone(), path: path.to_owned(), entry }])
        };
        self.meet("write", &spec.name, write).await
    }

    async fn read_dir(&self, spec: &MachineSpec, path: &Path) -> Result<Vec<OsString>, Error> {
        absolute(spec, path)?;
        let list = |world: &World| {
            let machine = existing(world, spec)?;
            match machine.at(path) {
                Some(Entry { contents: None, .. }) => look(machine.names(path).into_iter().collect()),
                found => {
                    let kind = if found.is_some() { ErrorKind::Host } else { ErrorKind::NotFound };
                    let what = format!("cannot list `{}` in `{}`", path.display(), spec.name);
                    Err(Error::new(kind, what).because("there is no such directory"))
                }
            }
        };
        self.meet("read", &spec.name, list).await
    }

    async fn make_dir(&self, spec: &MachineSpec, path: &Path, mode: Option<u32>) -> Result<(), Error> {
        absolute(spec, path)?;
        let make = |world: &World| {
            let old = existing(world, spec)?.at(path);
            if old.as_ref().is_some_and(|entry| entry.contents.is_some()) {
                let what = format!("cannot make the directory `{}` in `{}`", path.display(), spec.name);
                return Err(Error::new(ErrorKind::Host, what).because("it is a file"));
            }
            let mode = mode.or(old.map(|entry| entry.mode)).unwrap_or(0o755);
            change([Change::Entry {
                machine: spec.name.clone(),
                path: path.to_owned(),
                entry: Entry { mode, contents: None },
            }])
        };
        self.meet("write", &spec.name, make).await
    }

    async fn remove_path(&self, spec: &MachineSpec, path: &Path) -> Result<(), Error> {
        absolute(spec, path)?;
        let remove = |world: &World| {
            let found = existing(world, spec)?.at(path).is_some();
            change(found.then(|| Change::NoEntry { machine: spec.name.clone(), path: path.to_owned() }))
        };
        self.meet("write", &spec.name, remove).await
    }
}
