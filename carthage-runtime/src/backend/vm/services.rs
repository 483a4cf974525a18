//! Which services a machine has, for when it is not there to be asked: a file for each machine in the state directory.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{ServiceState, ServiceStatus};

/// The services of a layout's machines.
#[derive(Clone, Debug)]
pub(super) struct Services(PathBuf);

impl Services {
    pub(super) fn new(state: &Path) -> Self {
        Self(state.join("vm"))
    }

    fn file(&self, machine: &str) -> PathBuf {
        self.0.join(format!("{machine}.services"))
    }

    fn names(&self, machine: &str) -> Result<BTreeSet<String>, Error> {
        let file = self.file(machine);
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| {
                Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", file.display()))
                    .because(error)
                    .hint("remove it; the services themselves are kept in the machine")
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(Error::host(format!("cannot read `{}`", file.display()))(error)),
        }
    }

    fn keep(&self, machine: &str, names: &BTreeSet<String>) -> Result<(), Error> {
        let file = self.file(machine);
        let keep = || {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
            let mut new = tempfile::NamedTempFile::new_in(&self.0)?;
            new.write_all(&serde_json::to_vec(names)?)?;
            new.as_file().sync_all()?;
            new.persist(&file).map_err(|error| error.error)?;
            Ok(())
        };
        keep().map_err(Error::host::<io::Error>(format!("cannot write `{}`", file.display())))
    }

    /// A machine has this service from now on.
    pub(super) fn add(&self, machine: &str, service: &str) -> Result<(), Error> {
        let mut names = self.names(machine)?;
        match names.insert(service.to_owned()) {
            true => self.keep(machine, &names),
            false => Ok(()),
        }
    }

    /// A machine no longer has this service.
    pub(super) fn drop(&self, machine: &str, service: &str) -> Result<(), Error> {
        let mut names = self.names(machine)?;
        match names.remove(service) {
            true => self.keep(machine, &names),
            false => Ok(()),
        }
    }

    /// The services of a machine that does not run.
    pub(super) fn stopped(&self, machine: &str) -> Result<Vec<ServiceStatus>, Error> {
        let status = |name| ServiceStatus { name, state: ServiceState::Stopped, log: None };
        Ok(self.names(machine)?.into_iter().map(status).collect())
    }

    /// Forgets a machine.
    pub(super) fn forget(&self, machine: &str) -> Result<(), Error> {
        let file = self.file(machine);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", file.display()))(error))
            }
            _ => self.tidy(),
        }
    }

    /// Forgets all machines.
    pub(super) fn clear(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", self.0.display()))(error))
            }
            _ => Ok(()),
        }
    }

    fn tidy(&self) -> Result<(), Error> {
        match fs::remove_dir(&self.0) {
            Err(error)
                if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty) =>
            {
                Err(Error::host(format!("cannot remove `{}`", self.0.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_until_the_machine_goes() {
        let state = tempfile::tempdir().unwrap();
        let services = Services::new(state.path());
        let names =
            || services.stopped("m").unwrap().into_iter().map(|service| service.name).collect::<Vec<_>>();
        assert!(names().is_empty());
        services.add("m", "web").unwrap();
        services.add("m", "db").unwrap();
        services.add("m", "db").unwrap();
        assert_eq!(names(), ["db", "web"]);
        services.drop("m", "db").unwrap();
        services.drop("m", "db").unwrap();
        assert_eq!(names(), ["web"]);
        services.forget("m").unwrap();
        services.forget("m").unwrap();
        assert!(names().is_empty() && !state.path().join("vm").exists());
        services.clear().unwrap();
    }
}
