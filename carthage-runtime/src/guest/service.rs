//! Services of a guest: kept in our directory there, each with a shell as its parent.

use std::path::{Path, PathBuf};

use super::Guest;
use super::exec::{cannot_run, command, status};
use super::quote::Line;
use super::script::{Answer, SERVICE, Trouble};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Exit, Log, ServiceSpec, ServiceState, ServiceStatus};

impl Guest {
    /// Starts a service, in place of one of the same name; see
    /// [`Engine::start_service`](crate::machine::engine::Engine::start_service).
    ///
    /// # Errors
    /// When the program cannot be started; nothing of it is left then.
    pub async fn start_service(&self, service: &ServiceSpec) -> Result<(), Error> {
        self.check_name(&service.name)?;
        let spec = command(self.machine(), &service.exec, "no")?.set("channel", "5").set("eol", "\\n");
        let line = Line::default().set("name", &service.name).set("spec", spec.as_word());
        match self.services_do("start", line).await {
            Ok(_) => Ok(()),
            Err(Trouble::Said(reason)) => Err(cannot_run(self.machine(), &service.exec, &reason)),
            Err(Trouble::Lost(error)) => Err(error),
        }
    }

    /// Starts all services that do not run, as after a start of the machine.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn resume_services(&self) -> Result<(), Error> {
        self.services_done("resume", Line::default()).await.map(drop)
    }

    /// Ends a service and forgets it; no error if there is none.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn remove_service(&self, service: &str) -> Result<(), Error> {
        self.check_name(service)?;
        self.services_done("remove", Line::default().set("name", service)).await.map(drop)
    }

    /// All services, running or not, by name.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn services(&self) -> Result<Vec<ServiceStatus>, Error> {
        let answer = self.services_done("list", Line::default()).await?;
        let text = String::from_utf8_lossy(&answer.stdout).into_owned();
        let mut services: Vec<_> = text.lines().filter_map(|line| self.parse(line)).collect();
        services.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(services)
    }

    /// Ends all services and removes our directory.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn forget(&self) -> Result<(), Error> {
        self.services_done("forget", Line::default()).await.map(drop)
    }

    /// Where the services of a guest are kept, each in a directory of its name: for machines that are asked while they do not run.
    #[must_use]
    pub fn services_dir(base: &Path) -> PathBuf {
        base.join("services")
    }

    /// Where the output of a service is kept.
    #[must_use]
    pub fn service_log(base: &Path, service: &str) -> PathBuf {
        Self::services_dir(base).join(service).join("log")
    }

    fn parse(&self, line: &str) -> Option<ServiceStatus> {
        let mut words = line.split(' ');
        let (name, state, number) = (words.next()?, words.next()?, words.next()?);
        let state = match state {
            "running" => ServiceState::Running(number.parse().ok()?),
            _ => ServiceState::Ended(status(number).unwrap_or(Exit::Signal(9))),
        };
        Some(ServiceStatus {
            name: name.to_owned(),
            state,
            log: Some(Log::Inside(Self::service_log(&self.base, name))),
        })
    }

    async fn services_do(&self, operation: &str, line: Line) -> Result<Answer, Trouble> {
        self.run(&SERVICE, line.set("operation", operation).set("base", &self.base), None).await
    }

    async fn services_done(&self, operation: &str, line: Line) -> Result<Answer, Error> {
        self.services_do(operation, line).await.map_err(|trouble| match trouble {
            Trouble::Said(why) => {
                let what = format!("cannot {operation} services of `{}`", self.machine());
                Error::new(ErrorKind::Host, what).because(why)
            }
            Trouble::Lost(error) => error,
        })
    }

    fn check_name(&self, name: &str) -> Result<(), Error> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if !name.is_empty() && !name.starts_with('.') && name.chars().all(fits) {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Usage, format!("`{name}` is not the name of a service"))
            .hint("letters, digits, `.`, `_` and `-` are allowed, not beginning with `.`"))
    }
}
