//! What is done to the machines and networks of one layout. All of it blocks.

use std::ffi::OsString;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::inside::Inside;
use super::keeper::{Client, remove_tree};
use super::message::{FileOperation, KeeperRequest, MachineAnswer, MachineRequest, StartMachine};
use super::records::{MachineRecord, Records};
use super::wire::{Answer, receive};
use super::{cgroup, make_logs, survey};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Identity, MachineSpec, Presence, Site};

/// How long a machine may take from its first process to accepting commands.
const BOOT: Duration = Duration::from_secs(60);

/// A layout's records, its keeper, and its place on the host.
#[derive(Debug)]
pub(super) struct Premises {
    pub(super) site: Site,
    pub(super) records: Records,
    pub(super) keeper: Client,
}

impl Premises {
    pub(super) fn new(site: Site) -> Self {
        let records = Records::new(&site);
        let keeper = Client::new(records.base().to_owned(), site.id.clone(), site.layout.clone());
        Self { site, records, keeper }
    }

    pub(super) fn record(&self, machine: &str) -> Result<MachineRecord, Error> {
        self.records.find_machine(machine)?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the machine `{machine}` does not exist"))
                .hint("deploy it first")
        })
    }

    /// Connects to a running machine.
    pub(super) fn inside(&self, machine: &str) -> Result<Inside, Error> {
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

    /// Asks a machine about a file, whether it runs or not. The connection is for what follows.
    pub(super) fn file(
        &self,
        machine: &str,
        path: OsString,
        operation: FileOperation,
    ) -> Result<(Inside, MachineAnswer, Vec<OwnedFd>), Error> {
        let request = MachineRequest::File { path, operation };
        let directory = self.records.machine(machine)?;
        let deadline = Instant::now() + BOOT;
        loop {
            // Nothing of a request is done before it is answered, so it can be asked again.
            if let Some(inside) = Inside::connect_for_files(&directory, machine)?
                && let Some((answer, descriptors)) = inside.ask_offline(&request)?
            {
                return Ok((inside, answer, descriptors));
            }
            let order = self.order(self.record(machine)?)?;
            let start = StartMachine { offline: true, services: Vec::new(), ..order };
            match self.boot(machine, start) {
                // It was started for others while we looked away, or is ending; neither tells when.
                Err(error)
                    if Instant::now() < deadline
                        && (error.kind() == ErrorKind::Locked || self.keeper.runs(machine)?) =>
                {
                    std::thread::sleep(Duration::from_millis(5));
                }
                other => other?,
            }
        }
    }

    /// What exists by record, and whether the keeper has it.
    pub(super) fn presence(
        identity: Option<Identity>,
        runs: impl FnOnce() -> Result<bool, Error>,
    ) -> Presence {
        let Some(identity) = identity else { return Presence::Absent };
        match runs() {
            Ok(true) => Presence::Running(identity),
            Ok(false) => Presence::Stopped(identity),
            Err(error) => Presence::Unknown(identity, crate::error::chain(&error)),
        }
    }

    pub(super) fn start(&self, spec: &MachineSpec) -> Result<(), Error> {
        let name = &spec.name;
        let mut record = self.record(name)?;
        if self.keeper.runs(name)? {
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
        let start = self.order(record)?;
        if !start.services.is_empty() {
            make_logs(&self.logs(name))?;
        }
        self.boot(name, start)
    }

    /// Gives a machine that does not run, its files and its logs another name; what was done of it before is not done again.
    pub(super) fn rename(&self, before: &str, spec: &MachineSpec) -> Result<(), Error> {
        // Also what reaches its root while it is stopped.
        self.keeper.stop(before, Duration::ZERO)?;
        self.records.rename_machine(before, &spec.name)?;
        let mut record = self.record(&spec.name)?;
        record.spec.name.clone_from(&spec.name);
        self.records.keep_machine(&record)?;
        let (old, logs) = (self.logs(before), self.logs(&spec.name));
        match std::fs::rename(&old, &logs) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot rename `{}`", old.display()))(error))
            }
            _ => {
                crash_point("logs-renamed");
                cgroup::remove(&self.site.id, before)
            }
        }
    }

    /// All that it takes to start a machine that is on record.
    fn order(&self, record: MachineRecord) -> Result<StartMachine, Error> {
        let MachineRecord { identity, spec } = record;
        Ok(StartMachine {
            offline: false,
            directory: self.records.machine(&spec.name)?.into(),
            private: self.private().into_iter().map(PathBuf::into_os_string).collect(),
            hosts: self.records.hosts(&spec.name)?,
            logs: self.logs(&spec.name).into(),
            services: self.records.services(&spec.name)?,
            machine_id: identity.0,
            spec,
        })
    }

    fn boot(&self, name: &str, start: StartMachine) -> Result<(), Error> {
        let offline = start.offline;
        let failed = || match offline {
            false => format!("cannot start the machine `{name}`"),
            true => format!("cannot reach the root of the machine `{name}`"),
        };
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
            // One that was to be offline has ended by itself; what runs now was started by another.
            if !offline {
                self.keeper.stop(name, Duration::ZERO)?;
            }
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

    pub(super) fn logs(&self, machine: &str) -> PathBuf {
        self.site.logs.join("services").join(machine)
    }

    /// Removes what is left of things that no longer exist, and everything when there is nothing left at all.
    pub(super) fn tidy(&self, name: &str) -> Result<(), Error> {
        for left in self.records.leftovers(name) {
            remove_tree(&self.keeper, &left)?;
        }
        Ok(())
    }

    pub(super) fn tidy_all(&self) -> Result<(), Error> {
        if !self.records.is_empty() || !self.records.base().exists() {
            return Ok(());
        }
        self.remove_base()
    }

    /// Removes everything, whatever is on record.
    pub(super) fn clear(&self) -> Result<(), Error> {
        self.keeper.ask::<()>(&KeeperRequest::End)?;
        self.remove_base()?;
        remove_tree(&self.keeper, &self.site.logs.join("services"))?;
        cgroup::clear(&self.site.id)
    }

    /// Removes the directory, when the keeper has nothing left to do.
    fn remove_base(&self) -> Result<(), Error> {
        self.keeper.wait_for_end()?;
        remove_tree(&self.keeper, self.records.base())
    }
}
