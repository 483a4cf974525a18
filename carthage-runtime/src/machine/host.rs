//! What a setup task sees: a machine that runs.

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::command::Command;
use super::engine::{Exec, Running, ServiceSpec, ServiceStatus};
use super::machine::Machine;
use crate::error::Error;

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
    /// As whom it runs commands and services that name no user, if the task says.
    user: Option<&'static str>,
    spawned: Mutex<BTreeSet<String>>,
    /// The host of the user's own that was entered for its tasks.
    entered: Option<Entered>,
    before_service: BeforeService,
}

/// A host of the user's own.
type Entered = Arc<dyn Any + Send + Sync>;

/// What is waited for before a task starts a service: that the task has begun is written down durably, so that the service is known
/// to be the task's, whatever happens from then on.
pub(crate) struct BeforeService(
    pub(crate) Box<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>,
);

impl fmt::Debug for BeforeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BeforeService")
    }
}

impl Host {
    pub(crate) fn new(
        machine: Machine,
        task: String,
        stem: String,
        user: Option<&'static str>,
        entered: Option<Entered>,
        before_service: BeforeService,
    ) -> Self {
        Self { machine, task, stem, user, spawned: Mutex::default(), entered, before_service }
    }

    /// The host of the user's own that was entered for its tasks.
    pub(crate) fn entered<T: 'static>(&self) -> Option<&T> {
        self.entered.as_ref()?.downcast_ref()
    }

    /// Who says nothing runs as the task's user.
    fn fill_in_user(&self, mut exec: Exec) -> Exec {
        exec.user = exec.user.or_else(|| self.user.map(str::to_owned));
        exec
    }

    /// The task it was made for: `task:mirror.algebra/site.index`.
    pub(super) fn task(&self) -> &str {
        &self.task
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// A command, as the task's user; see [`Machine::command`].
    pub fn command<A: Into<OsString>>(&self, argv: impl IntoIterator<Item = A>) -> Command {
        let command = self.machine.command(argv).on_behalf_of(&self.task);
        match self.user {
            Some(user) => command.user(user),
            None => command,
        }
    }

    /// Runs a command as the task's user and fails unless it returns 0; see [`Machine::run`].
    ///
    /// # Errors
    /// As there.
    pub async fn run<A: Into<OsString>>(
        &self,
        argv: impl IntoIterator<Item = A>,
    ) -> crate::Result<super::Output> {
        self.command(argv).run().await
    }

    /// Starts a command whose streams are the caller's to handle, as the task's user; see [`Machine::exec`].
    ///
    /// # Errors
    /// As there.
    pub async fn exec(&self, exec: Exec) -> Result<Running, Error> {
        self.machine.exec(self.fill_in_user(exec)).await
    }

    /// Starts a service by a name of its own, as the task's user; see [`Machine::start_service`].
    ///
    /// # Errors
    /// As there.
    pub async fn start_service(&self, service: &ServiceSpec) -> Result<(), Error> {
        let ServiceSpec { name, exec } = service.clone();
        (self.before_service.0)().await?;
        self.machine.start_service(&ServiceSpec { name, exec: self.fill_in_user(exec) }).await
    }

    /// Starts a service that belongs to the machine, as the task's user: it goes on when this run ends, starts again with the machine, and its
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
        Ok(self.start_service(&ServiceSpec { name, exec }).await?)
    }

    /// Ends what of these services the task spawned in an earlier run and did not spawn in this one.
    pub(crate) async fn end_services_not_spawned(&self, services: &[ServiceStatus]) -> Result<(), Error> {
        for service in services {
            let again = self.spawned.lock().unwrap_or_else(PoisonError::into_inner).contains(&service.name);
            if is_spawned_by(&self.stem, &service.name) && !again {
                self.machine.remove_service(&service.name).await?;
            }
        }
        Ok(())
    }
}

/// Whether a service is called as those that the task of this stem spawns: `site.serve`, `site.serve.2`.
pub(crate) fn is_spawned_by(stem: &str, service: &str) -> bool {
    let number = service.strip_prefix(stem).and_then(|rest| rest.strip_prefix('.'));
    let is_number = |n: &str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
    service == stem || number.is_some_and(is_number)
}

impl Deref for Host {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}
