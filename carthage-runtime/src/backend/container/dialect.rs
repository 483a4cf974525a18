//! In what Docker and Podman differ, though they speak the same language.

use std::collections::HashMap;

use bollard::errors::Error as Failure;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody, HealthConfig, HostConfig};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use serde_json::json;

use super::client::{Client, message};
use super::hello::Hello;
use crate::machine::engine::{Alteration, Aspect, Effect, MachineSpec, NetworkSpec};

/// Which engine it is, and what it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Docker, with the version of its interface.
    Docker((usize, usize)),
    /// Podman, with the version of its own interface.
    Podman((usize, usize)),
}

/// The first version of Docker's interface in which every endpoint has a hardware address of its own. Before, there is one for
/// the container, which its first network gets.
const MAC_OF_ENDPOINT: (usize, usize) = (1, 44);

/// From here on there is no limit. Docker takes none back, but takes a high one.
const UNLIMITED: i64 = 1 << 60;

/// Microseconds in which a quota of processor time is used up.
const PERIOD: i64 = 100_000;

impl Dialect {
    pub(super) fn new(hello: &Hello) -> Self {
        hello.libpod.map_or(Self::Docker(hello.api), Self::Podman)
    }

    /// The program of the engine, as users call it.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Docker(_) => "docker",
            Self::Podman(_) => "podman",
        }
    }

    /// Where paths of the engine's own interface begin, if Docker's is not its own.
    pub(super) fn own_interface(self) -> Option<String> {
        match self {
            Self::Docker(_) => None,
            Self::Podman((major, minor)) => Some(format!("/v{major}.{minor}.0/libpod")),
        }
    }

    /// Whether all links are connected before the start, and the interfaces are then called in the order of connecting.
    ///
    /// Docker would call them in the order of the networks' names: there the first is connected before, and the others, one
    /// after the other, when the container runs.
    pub(super) fn connects_before_start(self) -> bool {
        matches!(self, Self::Podman(_))
    }

    /// Whether the hardware address of a link that is not the first has to be set inside the container.
    pub(super) fn sets_further_macs_inside(self) -> bool {
        matches!(self, Self::Docker(api) if api < MAC_OF_ENDPOINT)
    }

    /// Whether the host name of a container in the network of another has to be set inside. Docker gives it the other's.
    pub(super) fn names_shared_inside(self) -> bool {
        matches!(self, Self::Docker(_))
    }

    /// What a network is told besides its subnet. Docker isolates networks from each other by itself, Podman when asked to.
    pub(super) fn network_options(self, spec: &NetworkSpec) -> HashMap<String, String> {
        let mut options = self.isolation();
        options.extend(spec.mtu.map(|mtu| ("com.docker.network.driver.mtu".to_owned(), mtu.to_string())));
        options
    }

    /// What makes a network one that others are not reached from.
    pub(super) fn isolation(self) -> HashMap<String, String> {
        match self {
            Self::Docker(_) => HashMap::new(),
            Self::Podman(_) => HashMap::from([("isolate".to_owned(), "true".to_owned())]),
        }
    }

    /// What has the engine not look after the health of a program that does not run. Podman would have systemd ask all the time.
    pub(super) fn no_health_check(self) -> Option<HealthConfig> {
        let none = HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() };
        matches!(self, Self::Docker(_)).then_some(none)
    }

    /// Whether it can mount this path. Podman writes what it is told into one text.
    pub(super) fn mounts(self, path: &str) -> bool {
        matches!(self, Self::Docker(_)) || !path.contains(',')
    }

    /// Whether an archive of a file is of that file and tells whose it is. Podman follows links, and says root of everything but
    /// in the archive of the whole.
    pub(super) fn archives_are_exact(self) -> bool {
        matches!(self, Self::Docker(_))
    }

    /// Whether a request failed because the name is somebody else's.
    pub(super) fn is_taken(self, failure: &Failure) -> bool {
        let said = message(failure);
        ["already in use", "already exists", "already used by"].iter().any(|words| said.contains(words))
            && !said.to_lowercase().contains("address")
    }

    /// Whether an image or a network was not removed because something uses it, or it was not there.
    pub(super) fn is_in_use(self, failure: &Failure) -> bool {
        let said = message(failure);
        ["in use", "being used", "is using", "used by", "must be forced"]
            .iter()
            .any(|words| said.contains(words))
    }

    /// Whether there was nothing to disconnect.
    pub(super) fn is_not_connected(self, failure: &Failure) -> bool {
        message(failure).contains("not connected")
    }
}

/// What is wanted of a machine's limits, in the engines' units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Bytes, of memory and swap together.
    memory: Option<i64>,
    /// Microseconds of processor time in a period.
    quota: Option<i64>,
}

impl Limits {
    /// Those of the model.
    pub(super) fn wanted(spec: &MachineSpec) -> Self {
        let bytes = |mib: u64| i64::try_from(mib.saturating_mul(1 << 20)).unwrap_or(UNLIMITED);
        Self { memory: spec.memory_mb.map(bytes), quota: spec.cpus.map(|cpus| i64::from(cpus) * PERIOD) }
    }

    /// Those that a container has, as far as the engine knows.
    pub(super) fn set(config: Option<&HostConfig>) -> Self {
        let limit = |value: Option<i64>| value.filter(|value| *value > 0 && *value < UNLIMITED);
        Self {
            memory: limit(config.and_then(|config| config.memory)),
            quota: limit(config.and_then(|config| config.cpu_quota)),
        }
    }

    /// How these, which a container has, are not those of its model. A limit that the engine does not have may be one that it cannot
    /// keep; and Podman goes on saying what a container was made with.
    pub(super) fn altered(self, client: &Client, spec: &MachineSpec) -> Vec<Alteration> {
        let wanted = Self::wanted(spec);
        if matches!(client.dialect, Dialect::Podman(_)) {
            return Vec::new();
        }
        let mebibytes = |bytes: i64| format!("{} MiB", bytes >> 20);
        let processors = |quota: i64| format!("{:.2} processors", quota as f64 / PERIOD as f64);
        let limits: [(_, _, _, _, &dyn Fn(i64) -> String); 2] = [
            (Aspect::Memory, "memory", self.memory, wanted.memory, &mebibytes),
            (Aspect::Cpus, "processor time", self.quota, wanted.quota, &processors),
        ];
        let differs = limits.into_iter().filter_map(|(aspect, name, has, wanted, words)| {
            let has = has.filter(|has| Some(*has) != wanted)?;
            let wanted = wanted.map_or_else(|| "without a limit".to_owned(), words);
            let what = format!("its {name} is {} and not {wanted}", words(has));
            Some(Alteration { aspect, mends: Effect::Update, what })
        });
        differs.collect()
    }

    /// Writes them into the configuration of a container that is made.
    pub(super) fn put(self, config: &mut HostConfig) {
        config.memory = self.memory;
        config.memory_swap = self.memory;
        // A quota, and not a number of processors, of which there may be no more than the host has.
        config.cpu_period = self.quota.map(|_| PERIOD);
        config.cpu_quota = self.quota;
    }

    /// Makes them those of a container that exists.
    ///
    /// Podman has this in its own interface only, and forgets it when the container stops.
    pub(super) async fn apply(self, client: &Client, container: &str) -> Result<(), Failure> {
        match client.dialect {
            Dialect::Docker(_) => {
                let memory = Some(self.memory.unwrap_or(UNLIMITED));
                let body = ContainerUpdateBody {
                    memory,
                    memory_swap: memory,
                    cpu_period: Some(PERIOD),
                    cpu_quota: Some(self.quota.unwrap_or(-1)),
                    ..ContainerUpdateBody::default()
                };
                client.docker.update_container(container, body).await
            }
            Dialect::Podman(_) => {
                let (memory, quota) = (self.memory.unwrap_or(-1), self.quota.unwrap_or(-1));
                let body = json!({
                    "memory": {"limit": memory, "swap": memory},
                    "cpu": {"quota": quota, "period": PERIOD},
                });
                let docker = client.changed(client.dialect.own_interface().as_deref(), body.to_string());
                docker.update_container(container, ContainerUpdateBody::default()).await
            }
        }
    }
}

/// Makes a container; answers its id. `mac` is the hardware address of its first network.
pub(super) async fn create(
    client: &Client,
    name: &str,
    body: ContainerCreateBody,
    mac: Option<&str>,
) -> Result<String, Failure> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let docker = match (client.dialect, mac) {
        (Dialect::Docker(api), Some(mac)) if api < MAC_OF_ENDPOINT => {
            let mut whole = serde_json::to_value(&body)?;
            whole["MacAddress"] = mac.into();
            client.changed(None, whole.to_string())
        }
        _ => client.docker.clone(),
    };
    Ok(docker.create_container(Some(options), body).await?.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        let spec = MachineSpec { memory_mb: Some(64), cpus: Some(2), ..MachineSpec::default() };
        let mut config = HostConfig::default();
        let wanted = Limits::wanted(&spec);
        wanted.put(&mut config);
        assert_eq!((config.memory, config.cpu_quota), (Some(64 << 20), Some(200_000)));
        assert_eq!(Limits::set(Some(&config)), wanted);
        config.memory = Some(UNLIMITED);
        config.cpu_quota = Some(-1);
        assert_eq!(Limits::set(Some(&config)), Limits::wanted(&MachineSpec::default()));
    }
}
