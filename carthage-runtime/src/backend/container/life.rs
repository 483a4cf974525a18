//! Making, starting, stopping and removing a machine's container.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};
use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder,
};

use super::client::{Client, found, is_gone_meanwhile, message};
use super::dialect::{self, Limits};
use super::image::{self, Images};
use super::names::Names;
use super::offline::Offline;
use super::plug::{self, Plugging};
use super::transport::InContainer;
use super::{create, network};
use crate::error::{Error, ErrorKind};
use crate::guest::Guest;
use crate::machine::engine::{Alteration, Aspect, Effect, Identity, MachineSpec, Presence};

/// How often an image is made ready again that went before a container was made from it.
const IMAGE_TRIES: u32 = 5;

/// An engine, and the site whose machines are meant.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) client: Client,
    pub(super) names: Names,
    /// Our directory in every machine.
    pub(super) base: PathBuf,
    pub(super) images: Arc<Images>,
}

/// A machine's container.
pub(super) struct Container {
    pub(super) id: String,
    pub(super) inspected: ContainerInspectResponse,
}

impl Container {
    fn status(&self) -> Option<ContainerStateStatusEnum> {
        self.inspected.state.as_ref().and_then(|state| state.status)
    }

    pub(super) fn runs(&self) -> bool {
        self.inspected.state.as_ref().and_then(|state| state.running) == Some(true)
    }

    fn is_paused(&self) -> bool {
        self.inspected.state.as_ref().and_then(|state| state.paused) == Some(true)
            || self.status() == Some(ContainerStateStatusEnum::PAUSED)
    }

    /// Whether it was ever started.
    fn is_new(&self) -> bool {
        let started = self.inspected.state.as_ref().and_then(|state| state.started_at.as_deref());
        started.is_none_or(|at| at.is_empty() || at.starts_with("0001-"))
    }

    /// The number of its first process, as the engine's host counts.
    pub(super) fn pid(&self) -> Option<i64> {
        self.inspected.state.as_ref().and_then(|state| state.pid).filter(|pid| *pid > 0)
    }
}

impl Life {
    /// The container of a machine, if it is ours.
    pub(super) async fn container(&self, machine: &str) -> Result<Option<Container>, Error> {
        let what = format!("cannot look for the container of `{machine}`");
        let asked = self.client.inspect(&self.names.machine(machine)).await;
        let Some(inspected) = asked.map_err(self.client.failed(what))? else { return Ok(None) };
        let labels = inspected.config.as_ref().and_then(|config| config.labels.as_ref());
        let ours = self.names.is_machine(labels, machine);
        Ok(inspected.id.clone().filter(|_| ours).map(|id| Container { id, inspected }))
    }

    /// The same, which must be there.
    pub(super) async fn existing(&self, machine: &str) -> Result<Container, Error> {
        self.container(machine).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the machine `{machine}` does not exist"))
                .hint("deploy it first")
        })
    }

    /// The same, which must run.
    pub(super) async fn running(&self, machine: &str) -> Result<(Container, InContainer, Guest), Error> {
        let container = self.existing(machine).await?;
        if !container.runs() {
            let stopped = Error::new(ErrorKind::NotFound, format!("the machine `{machine}` is not running"));
            return Err(stopped.hint(format!("start it with `start machine:{machine}`")));
        }
        let (inside, guest) = self.inside(&container, machine);
        Ok((container, inside, guest))
    }

    pub(super) fn inside(&self, container: &Container, machine: &str) -> (InContainer, Guest) {
        let inside = InContainer {
            client: self.client.clone(),
            machine: machine.to_owned(),
            id: container.id.clone(),
        };
        let guest = Guest::new(Arc::new(inside.clone()), &self.base);
        (inside, guest)
    }

    pub(super) fn offline(&self, container: &Container, machine: &str) -> Offline {
        Offline { client: self.client.clone(), machine: machine.to_owned(), id: container.id.clone() }
    }

    pub(super) async fn find(&self, spec: &MachineSpec) -> Result<Presence, Error> {
        let Some(container) = self.container(&spec.name).await? else { return Ok(Presence::Absent) };
        let identity = Identity(container.id.clone());
        let unknown = |why: String| Presence::Unknown(identity.clone(), why);
        if container.is_paused() {
            return Ok(unknown("it is paused".to_owned()));
        }
        if container.status() == Some(ContainerStateStatusEnum::RESTARTING) {
            return Ok(unknown("the engine restarts it".to_owned()));
        }
        if let Some(effect) = self.stranded(&container, spec).await? {
            return Ok(Presence::Stranded(identity, effect));
        }
        if container.runs() {
            let links = plug::unplugged(&self.names, spec, &container.inspected).map(|link| Alteration {
                aspect: Aspect::Links,
                mends: Effect::Restart,
                what: format!("its link `{}` is not plugged into `{}`", link.interface, link.network),
            });
            let limits = Limits::set(container.inspected.host_config.as_ref()).altered(&self.client, spec);
            return Ok(Presence::running_but(identity, links.chain(limits).collect()));
        }
        // A run that was ended while it made this one wanted something else: it is not the machine.
        if container.is_new() && !self.is_as_wanted(&container, spec) {
            return Ok(Presence::Absent);
        }
        Ok(Presence::Stopped(identity))
    }

    fn is_as_wanted(&self, container: &Container, spec: &MachineSpec) -> bool {
        let labels = container.inspected.config.as_ref().and_then(|config| config.labels.as_ref());
        self.names.machine_is_as_wanted(labels, spec)
    }

    pub(super) async fn create(&self, spec: &MachineSpec) -> Result<Identity, Error> {
        if let Some(container) = self.container(&spec.name).await? {
            if !container.is_new() || self.is_as_wanted(&container, spec) {
                return Ok(Identity(container.id));
            }
            self.remove_container(&container.id, &spec.name).await?;
        }
        if !spec.ports.is_empty() {
            network::create_for_ports(&self.client, &self.names, &spec.name).await?;
        }
        let shared = match &spec.shares_links {
            Some(shared) => Some(self.existing(&shared.machine).await?.id),
            None => None,
        };
        let first = spec.links.first().and_then(|link| link.mac);
        let (name, mac) = (self.names.machine(&spec.name), first.map(plug::mac));
        let mut tries = 0..IMAGE_TRIES;
        let made = loop {
            let image = self.images.ready(&self.client, &self.names, spec).await?;
            let body = create::body(&self.client, &self.names, spec, image, shared.as_deref())?;
            match dialect::create(&self.client, &name, body, mac.as_deref()).await {
                // Another site has removed it, just before it got the tag of this one.
                Err(failure) if is_gone_meanwhile(&failure) && tries.next().is_some() => {}
                made => break made,
            }
        };
        match made {
            Ok(id) => Ok(Identity(id)),
            Err(failure) => {
                self.remove_ports(&spec.name).await?;
                let what = format!("cannot make the container of `{}`", spec.name);
                if !self.client.dialect.is_taken(&failure) {
                    return Err(self.client.failed(what)(failure));
                }
                let program = self.client.dialect.program();
                Err(Error::new(ErrorKind::Host, what)
                    .because(format!(
                        "the container engine has a container `{name}` that is not this layout's"
                    ))
                    .hint(format!("look at it with `{program} inspect {name}`; rename or remove it")))
            }
        }
    }

    /// Makes what can be changed in place true of a running container.
    pub(super) async fn update(&self, spec: &MachineSpec) -> Result<(), Error> {
        let container = self.existing(&spec.name).await?;
        self.set_limits(&container, spec, true).await
    }

    async fn set_limits(&self, container: &Container, spec: &MachineSpec, always: bool) -> Result<(), Error> {
        let wanted = Limits::wanted(spec);
        if !always && Limits::set(container.inspected.host_config.as_ref()) == wanted {
            return Ok(());
        }
        let what = format!("cannot change the limits of `{}`", spec.name);
        wanted.apply(&self.client, &container.id).await.map_err(self.client.failed(what))
    }

    pub(super) async fn start(&self, spec: &MachineSpec) -> Result<(), Error> {
        let container = self.existing(&spec.name).await?;
        self.ready_to_share(&container, spec).await?;
        let started = self.start_it(&container, spec).await;
        if started.is_err()
            && let Err(error) = self.stop_it(&container.id, &spec.name, Duration::ZERO).await
        {
            tracing::warn!(machine = spec.name, %error, "a container that was not started may still run");
        }
        started
    }

    async fn start_it(&self, container: &Container, spec: &MachineSpec) -> Result<(), Error> {
        if !spec.ports.is_empty() {
            network::create_for_ports(&self.client, &self.names, &spec.name).await?;
        }
        let new = container.is_new();
        let simple = new && spec.links.len() < 2 && spec.ports.is_empty();
        // A new container is on its first network already.
        let networks = match simple {
            true => Default::default(),
            false => network::ids(&self.client, &self.names).await?,
        };
        let plugging = Plugging {
            client: &self.client,
            names: &self.names,
            spec,
            id: &container.id,
            container: &container.inspected,
            networks: &networks,
        };
        if !simple {
            plugging.before_start().await?;
        }
        self.begin(&container.id, &spec.name).await?;
        plugging.after_start().await?;
        self.name_shared(&container.id, spec).await?;
        self.set_limits(container, spec, false).await?;
        match new {
            true => Ok(()),
            false => self.inside(container, &spec.name).1.resume_services().await,
        }
    }

    /// Starts the container, and nothing that belongs to the machine.
    async fn begin(&self, id: &str, machine: &str) -> Result<(), Error> {
        let what = format!("cannot start the container of `{machine}`");
        let started = self.client.docker.start_container(id, None::<StartContainerOptions>).await;
        started.map_err(|failure| {
            let no_shell = message(&failure).contains("/bin/sh");
            let error = self.client.failed(what)(failure);
            match no_shell {
                true => error
                    .hint("the image needs a POSIX shell as `/bin/sh`, in which machines are looked after"),
                false => error,
            }
        })
    }

    pub(super) async fn stop(&self, machine: &str, grace: Duration) -> Result<(), Error> {
        let Some(container) = self.container(machine).await? else { return Ok(()) };
        for sharing in self.sharing(machine).await? {
            self.stop_it(&sharing.id, &sharing.machine, grace).await?;
        }
        if container.is_paused() {
            let what = format!("cannot wake the container of `{machine}` up");
            self.client.docker.unpause_container(&container.id).await.map_err(self.client.failed(what))?;
        }
        if !container.runs() && container.status() == Some(ContainerStateStatusEnum::EXITED) {
            return Ok(());
        }
        self.stop_it(&container.id, machine, grace).await
    }

    pub(super) async fn stop_it(&self, id: &str, machine: &str, grace: Duration) -> Result<(), Error> {
        let seconds = i32::try_from(grace.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::new().t(seconds).build();
        let stopped = self.client.waiting(grace).stop_container(id, Some(options)).await;
        found(stopped)
            .map(drop)
            .map_err(self.client.failed(format!("cannot stop the container of `{machine}`")))
    }

    pub(super) async fn remove(&self, machine: &str) -> Result<(), Error> {
        if let Some(container) = self.container(machine).await? {
            // They could never be started again, and Podman removes nothing whose network others have.
            for sharing in self.sharing(machine).await? {
                self.remove_container(&sharing.id, &sharing.machine).await?;
            }
            self.remove_container(&container.id, machine).await?;
        }
        self.remove_ports(machine).await
    }

    async fn remove_container(&self, id: &str, machine: &str) -> Result<(), Error> {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.client.waiting(Duration::ZERO).remove_container(id, Some(options)).await;
        found(removed)
            .map(drop)
            .map_err(self.client.failed(format!("cannot remove the container of `{machine}`")))
    }

    async fn remove_ports(&self, machine: &str) -> Result<(), Error> {
        let name = self.names.ports(machine);
        match network::ids(&self.client, &self.names).await?.get(&name) {
            Some(id) => network::remove(&self.client, id, &name, &name).await,
            None => Ok(()),
        }
    }

    /// Removes everything of the site.
    pub(super) async fn clear(&self) -> Result<(), Error> {
        let all = self
            .client
            .containers()
            .await
            .map_err(self.client.failed("cannot list the engine's containers"))?;
        for container in all.iter().filter(|container| self.names.is_ours(container.labels.as_ref())) {
            self.remove_container(&container.id, &container.id).await?;
        }
        for (name, id) in network::ids(&self.client, &self.names).await? {
            network::remove(&self.client, &id, &name, &name).await?;
        }
        image::remove_unused(&self.client, &self.names).await
    }

    /// Removes a path in a stopped machine: archives can only add. Runs the container for that, and nothing of the machine's.
    pub(super) async fn remove_offline(
        &self,
        container: &Container,
        spec: &MachineSpec,
        path: &std::path::Path,
    ) -> Result<(), Error> {
        self.begin(&container.id, &spec.name).await?;
        let removed = self.inside(container, &spec.name).1.remove_path(path).await;
        self.stop_it(&container.id, &spec.name, Duration::from_secs(1)).await.and(removed)
    }
}
