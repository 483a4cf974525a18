//! What a setup task sees: a machine that runs.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use super::command::Command;
use super::engine::{Exec, ServiceSpec};
use super::machine::Machine;

/// A running machine, as a setup task of a machine customization gets it. Everything that [`Machine`] offers is here too.
///
/// ```no_run
/// # use carthage::{Host, Result};
/// # async fn body(host: &Host) -> Result<()> {
/// host.write("/srv/index.html", "hello").await?;
/// let kernel = host.run(["uname", "-r"]).await?.text();
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Host {
    machine: Machine,
    /// `task:mirror.algebra/site.index`
    task: String,
    /// The task's part of it, which names its services: `site.index`.
    stem: String,
    spawned: Mutex<BTreeSet<String>>,
}

impl Host {
    pub(crate) fn new(machine: Machine, task: String, stem: String) -> Self {
        Self { machine, task, stem, spawned: Mutex::default() }
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A command; see [`Machine::command`].
    pub fn command<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Command {
        self.machine.command(argv).on_behalf_of(&self.task)
    }

    /// Runs a command as root and fails unless it returns 0; see [`Machine::run`].
    ///
    /// # Errors
    /// As there.
    pub async fn run<A: Into<OsString>>(
        &self,
        argv: impl IntoIterator<Item = A>,
    ) -> crate::Result<super::Output> {
        self.command(argv).run().await
    }

    /// Starts a service that belongs to the machine: it goes on when this run ends, starts again with the machine, and its
    /// output is kept. It takes the place of the one that this task spawned in an earlier run.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub async fn spawn<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> crate::Result<()> {
        self.spawn_exec(Exec { argv: argv.into_iter().map(Into::into).collect(), ..Exec::default() }).await
    }

    /// Like [`Host::spawn`], with user, directory and environment.
    ///
    /// # Errors
    /// As there.
    pub async fn spawn_exec(&self, exec: Exec) -> crate::Result<()> {
        let name = {
            let mut spawned = self.spawned.lock().unwrap_or_else(PoisonError::into_inner);
            let name = match spawned.len() {
                0 => self.stem.clone(),
                others => format!("{}.{}", self.stem, others + 1),
            };
            spawned.insert(name.clone());
            name
        };
        Ok(self.machine.start_service(&ServiceSpec { name, exec }).await?)
    }

    /// Ends what the task spawned in an earlier run and did not spawn in this one.
    pub(crate) async fn end_services_not_spawned(&self) -> Result<(), crate::Error> {
        let numbered = format!("{}.", self.stem);
        let is_ours = |name: &str| {
            let number = name.strip_prefix(&numbered);
            name == self.stem || number.is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()))
        };
        for service in self.machine.services().await? {
            let again = self.spawned.lock().unwrap_or_else(PoisonError::into_inner).contains(&service.name);
            if is_ours(&service.name) && !again {
                self.machine.remove_service(&service.name).await?;
            }
        }
        Ok(())
    }
}

impl Deref for Host {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}
