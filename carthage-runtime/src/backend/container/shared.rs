//! Containers in the network of another: machines that share the links of one.
//!
//! An engine knows the other container by its id, so one that was made anew leaves those in its network to be made anew, too; and
//! one that was only started again has another network namespace than those that still run.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::life::{Container, Life};
use super::namespace;
use super::transport::NO_PROGRAM;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Effect, MachineSpec};

/// What stands before the id of the other container, where a network would be named.
const MODE: &str = "container:";

/// How an engine is told in whose network a container is.
pub(super) fn mode(container: &str) -> String {
    format!("{MODE}{container}")
}

/// A container of a machine in the network of another.
pub(super) struct Sharing {
    pub(super) id: String,
    pub(super) machine: String,
}

impl Container {
    /// The id of the container in whose network this one is.
    fn is_in_network_of(&self) -> Option<&str> {
        self.inspected.host_config.as_ref()?.network_mode.as_deref()?.strip_prefix(MODE)
    }
}

impl Life {
    /// What has to be done to a container for its network to be that of the machine whose links it shares.
    pub(super) async fn stranded(
        &self,
        container: &Container,
        spec: &MachineSpec,
    ) -> Result<Option<Effect>, Error> {
        let (Some(shared), Some(id)) = (&spec.shares_links, container.is_in_network_of()) else {
            return Ok(None);
        };
        let Some(other) = self.container(&shared.machine).await?.filter(|other| other.id == id) else {
            return Ok(Some(Effect::Recreate));
        };
        if !container.runs() {
            return Ok(None);
        }
        let together = other.runs()
            && self.number(container, &spec.name).await? == self.number(&other, &shared.machine).await?;
        Ok((!together).then_some(Effect::Restart))
    }

    /// The number of the network namespace that a running container is in.
    async fn number(&self, container: &Container, machine: &str) -> Result<String, Error> {
        if let Ok(namespace) = namespace::of(container, machine, self.client.local)
            && let Ok(found) = fs::metadata(&namespace.net)
        {
            return Ok(found.ino().to_string());
        }
        // From here it cannot be seen, but from inside.
        let what = format!("cannot find out in which network `{machine}` is");
        let (status, said) = self.inside(container, machine).0.with_rights(NUMBER, [], what.clone()).await?;
        match (status, said.split_whitespace().next()) {
            (Some(0), Some(number)) => Ok(number.to_owned()),
            _ => Err(Error::new(ErrorKind::Host, what).because(said)),
        }
    }

    /// Has a container that is to be started be in a network that works: the other machine runs, and this one not in the network
    /// that the other had before.
    pub(super) async fn ready_to_share(
        &self,
        container: &Container,
        spec: &MachineSpec,
    ) -> Result<(), Error> {
        let Some(shared) = &spec.shares_links else { return Ok(()) };
        let other = &shared.machine;
        let cannot = |kind| {
            Error::new(kind, format!("cannot start `{}`, which shares the links of `{other}`", spec.name))
        };
        if !self.existing(other).await?.runs() {
            let start = format!("start it with `start machine:{other}`");
            return Err(cannot(ErrorKind::NotFound).because(format!("`{other}` is not running")).hint(start));
        }
        match self.stranded(container, spec).await? {
            None => Ok(()),
            Some(Effect::Recreate) => Err(cannot(ErrorKind::Host)
                .because(format!("`{other}` was made anew since, and an engine knows it by what it was"))
                .hint("`deploy` makes this one anew, too")),
            Some(_) => self.stop_it(&container.id, &spec.name, std::time::Duration::ZERO).await,
        }
    }

    /// Gives a running container in the network of another its own host name, where the engine gave it the other's.
    pub(super) async fn name_shared(&self, id: &str, spec: &MachineSpec) -> Result<(), Error> {
        if spec.shares_links.is_none() || !self.client.dialect.names_shared_inside() {
            return Ok(());
        }
        let what = format!("cannot give `{}` its host name", spec.name);
        let inspected = self.client.inspect(id).await.map_err(self.client.failed(what.clone()))?;
        let container = Container { id: id.to_owned(), inspected: inspected.unwrap_or_default() };
        if let Ok(namespace) = namespace::of(&container, &spec.name, self.client.local)
            && rustix::process::geteuid().is_root()
        {
            let set = namespace::set_hostname(namespace, spec.hostname.clone()).await;
            return set.map_err(Error::host(what));
        }
        let (inside, _) = self.inside(&container, &spec.name);
        match inside.with_rights(NAME, [spec.hostname.clone()], what.clone()).await? {
            (Some(0), _) => Ok(()),
            (Some(NO_PROGRAM), _) => Err(Error::new(ErrorKind::Unsupported, what)
                .because("Docker gives it that of the machine whose links it shares, and there is no program `hostname` in it")
                .hint("use an image with `hostname`, or deploy as root")),
            (_, said) => Err(Error::new(ErrorKind::Host, what).because(said)),
        }
    }

    /// The containers of ours in the network of this machine's.
    pub(super) async fn sharing(&self, machine: &str) -> Result<Vec<Sharing>, Error> {
        let what = format!("cannot look for what shares the links of `{machine}`");
        let all = self.client.containers().await.map_err(self.client.failed(what))?;
        let sharing = all.into_iter().filter_map(|container| {
            let name = self.names.sharing(container.labels.as_ref(), machine)?.to_owned();
            Some(Sharing { id: container.id, machine: name })
        });
        Ok(sharing.collect())
    }
}

/// Prints the number of the network namespace.
const NUMBER: &str = "ls -diL /proc/self/ns/net";

/// Sets the host name.
const NAME: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
command -v hostname >/dev/null || exit 3
hostname "$1"
"#;
