//! Which services a machine has, for when it is not there to be asked: a file for each machine in the state directory.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{ServiceState, ServiceStatus, Site};
use crate::state::Files;

/// The services of a layout's machines.
#[derive(Clone, Debug)]
pub(super) struct Services {
    files: Files,
    /// Held while they change: what was read is what is changed, and the directory stays until it is written.
    changes: Arc<Mutex<()>>,
}

impl Services {
    pub(super) fn new(site: &Site) -> Self {
        Self { files: site.files("vm"), changes: Arc::default() }
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self, machine: &str) -> Result<BTreeSet<String>, Error> {
        let Some(text) = self.files.read(&file(machine))? else { return Ok(BTreeSet::new()) };
        serde_json::from_slice(&text).map_err(|error| {
            let path = self.files.path(&file(machine));
            Error::new(ErrorKind::Corrupt, format!("`{}` is damaged", path.display()))
                .because(error)
                .hint("remove it; the services themselves are kept in the machine")
        })
    }

    fn keep(&self, machine: &str, names: &BTreeSet<String>) -> Result<(), Error> {
        let text = serde_json::to_vec(names).map_err(Error::host("the services cannot be written"))?;
        self.files.keep(&file(machine), &text)
    }

    /// A machine has this service from now on.
    pub(super) fn add(&self, machine: &str, service: &str) -> Result<(), Error> {
        let _alone = self.change();
        let mut names = self.names(machine)?;
        match names.insert(service.to_owned()) {
            true => self.keep(machine, &names),
            false => Ok(()),
        }
    }

    /// A machine no longer has this service.
    pub(super) fn drop(&self, machine: &str, service: &str) -> Result<(), Error> {
        let _alone = self.change();
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
        let _alone = self.change();
        self.files.forget(&file(machine))?;
        self.files.tidy()
    }

    /// Forgets all machines.
    pub(super) fn clear(&self) -> Result<(), Error> {
        let _alone = self.change();
        self.files.clear()
    }
}

fn file(machine: &str) -> String {
    format!("{machine}.services")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::state::storage;

    fn services(state: &Path) -> Services {
        Services { files: Files::new(storage::usual(), state.join("vm")), changes: Arc::default() }
    }

    #[test]
    fn none_is_lost_of_those_that_come_at_once_also_when_a_machine_goes() {
        let state = tempfile::tempdir().unwrap();
        let services = services(state.path());
        let together = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for number in 0..8 {
                let (services, together) = (&services, &together);
                scope.spawn(move || {
                    together.wait();
                    (0..5).for_each(|of| services.add("m", &format!("s{number}-{of}")).unwrap());
                });
                scope.spawn(move || (0..10).for_each(|_| services.forget("other").unwrap()));
            }
        });
        assert_eq!(services.stopped("m").unwrap().len(), 40);
        std::fs::write(state.path().join("vm/.0123.new"), "left by a killed process").unwrap();
        services.forget("m").unwrap();
        assert!(!state.path().join("vm").exists());
    }

    #[test]
    fn names_are_kept_until_the_machine_goes() {
        let state = tempfile::tempdir().unwrap();
        let services = services(state.path());
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
