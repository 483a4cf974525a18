//! Which services a machine has, for when it is not there to be asked: a file for each machine in the state directory.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{ServiceState, ServiceStatus, Site};
use crate::state::Files;

/// The services of a layout's machines.
#[derive(Clone, Debug)]
pub(super) struct Services(Files);

impl Services {
    pub(super) fn new(site: &Site) -> Self {
        Self(site.files("vm"))
    }

    fn names(&self, machine: &str) -> Result<BTreeSet<String>, Error> {
        let Some(text) = self.0.read(&file(machine))? else { return Ok(BTreeSet::new()) };
        serde_json::from_slice(&text).map_err(|error| {
            let path = self.0.path(&file(machine));
            Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", path.display()))
                .because(error)
                .hint("remove it; the services themselves are kept in the machine")
        })
    }

    fn keep(&self, machine: &str, names: &BTreeSet<String>) -> Result<(), Error> {
        let text = serde_json::to_vec(names).map_err(Error::host("the services cannot be written"))?;
        self.0.keep(&file(machine), &text)
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
        self.0.forget(&file(machine))?;
        self.0.tidy()
    }

    /// Forgets all machines.
    pub(super) fn clear(&self) -> Result<(), Error> {
        self.0.clear()
    }
}

fn file(machine: &str) -> String {
    format!("{machine}.services")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::storage;

    #[test]
    fn names_are_kept_until_the_machine_goes() {
        let state = tempfile::tempdir().unwrap();
        let services = Services(Files::new(storage::usual(), state.path().join("vm")));
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
