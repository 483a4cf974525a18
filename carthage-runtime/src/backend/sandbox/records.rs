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

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::message::ServiceRecord;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{HostEntry, Identity, MachineSpec, NetworkSpec};

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
pub(super) struct Records {
    base: PathBuf,
}

impl Records {
    pub(super) fn new(state: &Path) -> Self {
        Self { base: state.join("sandbox") }
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Makes the directory itself.
    pub(super) fn prepare(&self) -> Result<(), Error> {
        make_directory(&self.base)
    }

    /// The directory of a machine.
    pub(super) fn machine(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.machines().join(checked("machine", name)?))
    }

    fn machines(&self) -> PathBuf {
        self.base.join("machines")
    }

    fn network(&self, name: &str) -> Result<PathBuf, Error> {
        Ok(self.base.join("networks").join(format!("{}.json", checked("network", name)?)))
    }

    pub(super) fn find_network(&self, name: &str) -> Result<Option<NetworkRecord>, Error> {
        read(&self.network(name)?)
    }

    pub(super) fn keep_network(&self, record: &NetworkRecord) -> Result<(), Error> {
        make_directory(&self.base.join("networks"))?;
        write(&self.network(&record.spec.name)?, record)
    }

    pub(super) fn forget_network(&self, name: &str) -> Result<(), Error> {
        remove_file(&self.network(name)?)
    }

    pub(super) fn find_machine(&self, name: &str) -> Result<Option<MachineRecord>, Error> {
        read(&self.machine(name)?.join("machine.json"))
    }

    pub(super) fn keep_machine(&self, record: &MachineRecord) -> Result<(), Error> {
        write(&self.machine(&record.spec.name)?.join("machine.json"), record)
    }

    /// Makes a machine exist, all at once.
    pub(super) fn create_machine(&self, record: &MachineRecord) -> Result<(), Error> {
        make_directory(&self.machines())?;
        let name = checked("machine", &record.spec.name)?;
        let new = self.machines().join(format!(".new-{name}"));
        match fs::remove_dir_all(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::host(format!("cannot remove `{}`", new.display()))(error));
            }
            _ => {}
        }
        for part in ["", "upper", "work", "root", "services"] {
            make_directory(&new.join(part))?;
        }
        // What a machine's root is depends on the mode of this.
        let upper = new.join("upper");
        fs::set_permissions(&upper, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .map_err(Error::host(format!("cannot set up `{}`", upper.display())))?;
        write(&new.join("machine.json"), record)?;
        let place = self.machine(name)?;
        fs::rename(&new, &place)
            .and_then(|()| File::open(self.machines())?.sync_all())
            .map_err(Error::host(format!("cannot make `{}`", place.display())))
    }

    /// Gives a machine another name, if it has the one before.
    pub(super) fn rename_machine(&self, before: &str, name: &str) -> Result<(), Error> {
        let (old, new) = (self.machine(before)?, self.machine(name)?);
        match fs::rename(&old, &new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot rename `{}`", old.display()))(error))
            }
            Err(_) => Ok(()),
            Ok(()) => File::open(self.machines())
                .and_then(|directory| directory.sync_all())
                .map_err(Error::host(format!("cannot rename `{}`", old.display()))),
        }
    }

    /// Makes a machine not exist, all at once; its files are still to be removed.
    pub(super) fn forget_machine(&self, name: &str) -> Result<(), Error> {
        let place = self.machine(name)?;
        let gone = self.machines().join(format!(".gone-{}-{name}", super::random_id()?));
        match fs::rename(&place, &gone) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", place.display()))(error))
            }
            _ => Ok(()),
        }
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
            let entries = fs::read_dir(self.base.join(part)).into_iter().flatten().flatten();
            entries.into_iter().all(|entry| entry.file_name().to_string_lossy().starts_with('.'))
        })
    }

    /// The names that a machine can reach.
    pub(super) fn hosts(&self, machine: &str) -> Result<Vec<HostEntry>, Error> {
        Ok(read(&self.machine(machine)?.join("hosts.json"))?.unwrap_or_default())
    }

    pub(super) fn keep_hosts(&self, machine: &str, hosts: &[HostEntry]) -> Result<(), Error> {
        write(&self.machine(machine)?.join("hosts.json"), &hosts)
    }

    /// The services of a machine, by name.
    pub(super) fn services(&self, machine: &str) -> Result<Vec<ServiceRecord>, Error> {
        let directory = self.machine(machine)?.join("services");
        let entries = fs::read_dir(&directory).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut services = Vec::new();
        for entry in entries.map_err(Error::host(format!("cannot read `{}`", directory.display())))? {
            if entry.path().extension().is_some_and(|extension| extension == "json") {
                services.extend(read::<ServiceRecord>(&entry.path())?);
            }
        }
        services.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(services)
    }

    fn service(&self, machine: &str, name: &str) -> Result<PathBuf, Error> {
        Ok(self.machine(machine)?.join("services").join(format!("{}.json", checked("service", name)?)))
    }

    pub(super) fn keep_service(&self, machine: &str, service: &ServiceRecord) -> Result<(), Error> {
        write(&self.service(machine, &service.name)?, service)
    }

    pub(super) fn forget_service(&self, machine: &str, name: &str) -> Result<(), Error> {
        remove_file(&self.service(machine, name)?)
    }
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

/// Makes a directory that only its owner can enter.
pub(super) fn make_directory(path: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| {
        let hint = "choose a state directory that you can write to with `--state-dir`";
        Error::host(format!("cannot make the directory `{}`", path.display()))(error).hint(hint)
    })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let bytes = match fs::read(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        other => other.map_err(Error::host(format!("cannot read `{}`", path.display())))?,
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| {
        Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", path.display()))
            .because(error)
            .hint("`destroy` the machine or network, or remove the file, and deploy again")
    })
}

/// Replaces a file as a whole, durably.
fn write(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let replace = || -> io::Result<()> {
        let temporary = path.with_extension("new");
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
    };
    replace().map_err(Error::host(format!("cannot write `{}`", path.display())))
}

fn remove_file(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::host(format!("cannot remove `{}`", path.display()))(error))
        }
        _ => Ok(()),
    }
}
