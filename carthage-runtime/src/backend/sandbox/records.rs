//! What the implementation keeps below the layout's state directory.
//!
//! ```text
//! sandbox/                    all 0700
//!   networks/NAME.json        a network
//!   machines/NAME/            a machine
//!     machine.json            its identity and its specification
//!     hosts.json              the names it can reach
//!     services/NAME.json      its services
//!     upper/ work/ root/      its writable layer, the overlays' own, where its root is assembled
//!     sock                    where it takes requests
//!     offline                 where it takes requests for files while it is stopped
//!   keeper.lock .sock .log    the keeper's
//!   cover/                    where the keeper has the layer that hides the host's secrets
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::message::ServiceRecord;
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{HostEntry, Identity, MachineSpec, NetworkSpec, Site};
use crate::state::Files;

/// The file of what a machine is.
const MACHINE: &str = "machine.json";
/// The file of the names that a machine can reach.
const HOSTS: &str = "hosts.json";

/// A machine that exists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct MachineRecord {
    pub(super) identity: Identity,
    pub(super) spec: MachineSpec,
}

/// A network that exists.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct NetworkRecord {
    pub(super) identity: Identity,
    pub(super) spec: NetworkSpec,
}

/// The files of a layout's sandboxes.
#[derive(Clone, Debug)]
pub(super) struct Records(Files);

impl Records {
    pub(super) fn new(site: &Site) -> Self {
        Self(site.files("sandbox").alone())
    }

    pub(super) fn base(&self) -> &Path {
        self.0.dir()
    }

    /// Makes the directory itself.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        self.0.make_dir()
    }

    /// The directory of a machine.
    pub(super) fn machine(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.machines().join(checked("machine", name)?))
    }

    fn machines(&self) -> PathBuf {
        self.0.path("machines")
    }

    fn of_machine(&self, name: &str) -> Result<Files, Error> {
        Ok(self.0.of(self.machine(name)?))
    }

    fn networks(&self) -> Files {
        self.0.of(self.0.path("networks"))
    }

    pub(super) fn find_network(&self, name: &str) -> Result<Option<NetworkRecord>, Error> {
        read(&self.networks(), &file("network", name)?)
    }

    pub(super) fn keep_network(&self, record: &NetworkRecord) -> Result<(), Error> {
        self.networks().make_dir()?;
        write(&self.networks(), &file("network", &record.spec.name)?, record)
    }

    pub(super) fn forget_network(&self, name: &str) -> Result<(), Error> {
        self.networks().forget(&file("network", name)?)
    }

    pub(super) fn find_machine(&self, name: &str) -> Result<Option<MachineRecord>, Error> {
        read(&self.of_machine(name)?, MACHINE)
    }

    pub(super) fn keep_machine(&self, record: &MachineRecord) -> Result<(), Error> {
        write(&self.of_machine(&record.spec.name)?, MACHINE, record)
    }

    /// Makes a machine exist, all at once.
    pub(super) fn create_machine(&self, record: &MachineRecord) -> Result<(), Error> {
        let name = checked("machine", &record.spec.name)?;
        let machines = self.0.of(self.machines());
        machines.make_dir()?;
        let new = self.0.of(machines.path(&format!(".new-{name}")));
        new.clear()?;
        // Nobody relies on it before it has its name, so what is in it becomes durable at once.
        new.make_unsynced()?;
        for part in ["upper", "work", "root", "services"] {
            new.of(new.path(part)).make_unsynced()?;
        }
        // What a machine's root is depends on the mode of this.
        let upper = new.of(new.path("upper"));
        fs::set_permissions(upper.dir(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .map_err(Error::host(format!("cannot set up `{}`", upper.dir().display())))?;
        crash_point("layer-opened");
        upper.sync()?;
        write(&new, MACHINE, record)?;
        if new.move_to(&self.machine(name)?)? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Host, format!("machine `{name}` could not be made"))
            .because(format!("`{}` vanished while it was", new.dir().display()))
            .hint("deploy again, and let nothing else change the state directory meanwhile"))
    }

    /// Gives a machine another name, if it has the one before.
    pub(super) fn rename_machine(&self, before: &str, name: &str) -> Result<(), Error> {
        self.of_machine(before)?.move_to(&self.machine(name)?).map(drop)
    }

    /// Makes a machine not exist, all at once; its files are still to be removed.
    pub(super) fn forget_machine(&self, name: &str) -> Result<(), Error> {
        let gone = self.machines().join(format!(".gone-{}-{name}", super::random_id()?));
        self.of_machine(name)?.move_to(&gone).map(drop)
    }

    /// What machines that no longer exist, or never came to be, have left behind.
    pub(super) fn leftovers(&self, name: &str) -> Vec<PathBuf> {
        let new = format!(".new-{name}");
        let entries = fs::read_dir(self.machines()).into_iter().flatten().flatten();
        let left = entries.filter(|entry| {
            let entry = entry.file_name();
            // Each machine's own only: others may be removed at the same time.
            let gone = entry.to_str().and_then(|entry| entry.strip_prefix(".gone-")?.split_once('-'));
            gone.is_some_and(|(_, of)| of == name) || *entry == *new
        });
        left.map(|entry| entry.path()).collect()
    }

    /// Whether no network and no machine is left; what has a hidden name is neither.
    pub(super) fn is_empty(&self) -> bool {
        ["networks", "machines"].iter().all(|part| {
            let entries = fs::read_dir(self.0.path(part)).into_iter().flatten().flatten();
            entries.into_iter().all(|entry| entry.file_name().to_string_lossy().starts_with('.'))
        })
    }

    /// The names that a machine can reach.
    pub(super) fn hosts(&self, machine: &str) -> Result<Vec<HostEntry>, Error> {
        Ok(read(&self.of_machine(machine)?, HOSTS)?.unwrap_or_default())
    }

    pub(super) fn keep_hosts(&self, machine: &str, hosts: &[HostEntry]) -> Result<(), Error> {
        write(&self.of_machine(machine)?, HOSTS, &hosts)
    }

    /// The services of a machine, by name.
    pub(super) fn services(&self, machine: &str) -> Result<Vec<ServiceRecord>, Error> {
        let files = self.services_of(machine)?;
        let names = files.names()?;
        let mut services = Vec::new();
        for name in names.iter().filter(|name| name.ends_with(".json")) {
            services.extend(read::<ServiceRecord>(&files, name)?);
        }
        services.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(services)
    }

    fn services_of(&self, machine: &str) -> Result<Files, Error> {
        Ok(self.0.of(self.machine(machine)?.join("services")))
    }

    pub(super) fn keep_service(&self, machine: &str, service: &ServiceRecord) -> Result<(), Error> {
        write(&self.services_of(machine)?, &file("service", &service.name)?, service)
    }

    pub(super) fn forget_service(&self, machine: &str, name: &str) -> Result<(), Error> {
        self.services_of(machine)?.forget(&file("service", name)?)
    }
}

fn file(what: &str, name: &str) -> Result<String, Error> {
    Ok(format!("{}.json", checked(what, name)?))
}

/// Names become names of files.
fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 200 || name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::new(ErrorKind::Usage, format!("`{name}` cannot be the name of a {what}"))
            .hint("use letters, digits, `.`, `-` and `_`, and begin with none of `.`"));
    }
    Ok(name)
}

fn read<T: DeserializeOwned>(files: &Files, name: &str) -> Result<Option<T>, Error> {
    let Some(bytes) = files.read(name)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", files.path(name).display()))
            .because(error)
            .hint("`destroy` the machine or network, or remove the file, and deploy again")
    })
}

/// Writes a file in a directory that is there: of a machine that is gone nothing is made again.
fn write(files: &Files, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_vec_pretty(value);
    let text = text.map_err(Error::host(format!("cannot write `{}`", files.path(name).display())))?;
    files.keep_in_place(name, &text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use super::*;
    use crate::state::storage::Disk;

    #[test]
    fn a_machine_is_made_with_few_waits_for_the_disk_and_nothing_of_one_that_is_gone() {
        let state = tempfile::tempdir().unwrap();
        let disk = Arc::new(Disk::default());
        let records = Records(Files::new(disk.clone(), state.path().join("sandbox")));
        let record = |name: &str| MachineRecord {
            identity: Identity(name.to_owned()),
            spec: MachineSpec { name: name.to_owned(), ..MachineSpec::default() },
        };
        records.create_machine(&record("a")).unwrap();
        let before = disk.syncs();
        records.create_machine(&record("b")).unwrap();
        // The mode of a directory, the record and its name, the machine's.
        assert_eq!(disk.syncs() - before, 4);
        let upper = records.machine("b").unwrap().join("upper");
        assert_eq!(fs::metadata(upper).unwrap().permissions().mode() & 0o777, 0o755);
        records.keep_hosts("b", &[]).unwrap();
        assert_eq!(records.find_machine("b").unwrap().unwrap().spec.name, "b");

        records.forget_machine("b").unwrap();
        records.keep_hosts("b", &[]).unwrap_err();
        records.keep_machine(&record("b")).unwrap_err();
        assert!(!records.machine("b").unwrap().exists());
    }
}
