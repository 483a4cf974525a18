//! Connecting a machine's container to its networks, in the order of its links.

use std::collections::HashMap;

use bollard::models::{
    ContainerInspectResponse, EndpointIpamConfig, EndpointSettings, NetworkConnectRequest,
    NetworkDisconnectRequest,
};

use super::client::Client;
use super::life::Container;
use super::names::Names;
use super::namespace;
use super::transport::{InContainer, NO_PROGRAM};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{LinkSpec, MachineSpec};

/// What the engine is told of a link.
pub(super) fn endpoint(spec: &MachineSpec, link: &LinkSpec) -> EndpointSettings {
    let ipv4_address = link.address.map(|net| net.addr().to_string());
    EndpointSettings {
        ipam_config: ipv4_address.map(|address| EndpointIpamConfig {
            ipv4_address: Some(address),
            ..EndpointIpamConfig::default()
        }),
        mac_address: link.mac.map(mac),
        aliases: Some(aliases(spec)),
        ..EndpointSettings::default()
    }
}

/// The names by which the engine's name server knows the machine.
fn aliases(spec: &MachineSpec) -> Vec<String> {
    let mut names = vec![spec.hostname.clone()];
    if spec.name != spec.hostname {
        names.push(spec.name.clone());
    }
    names
}

/// A hardware address, as engines write it.
pub(super) fn mac(bytes: [u8; 6]) -> String {
    bytes.map(|byte| format!("{byte:02x}")).join(":")
}

/// The networks of a container, by their names in the engine.
type Endpoints = HashMap<String, EndpointSettings>;

fn endpoints(container: &ContainerInspectResponse) -> Endpoints {
    let settings = container.network_settings.as_ref();
    settings.and_then(|settings| settings.networks.clone()).unwrap_or_default()
}

/// The links of a running container that are not plugged in as they should be.
pub(super) fn unplugged<'a>(
    names: &Names,
    spec: &'a MachineSpec,
    container: &ContainerInspectResponse,
) -> impl Iterator<Item = &'a LinkSpec> {
    let endpoints = endpoints(container);
    spec.links.iter().filter(move |link| {
        let endpoint = endpoints.get(&names.network(&link.network));
        let address = endpoint.and_then(|endpoint| endpoint.ip_address.as_deref());
        endpoint.is_none() || link.address.is_some_and(|net| address != Some(&net.addr().to_string()))
    })
}

/// A machine that is being connected.
pub(super) struct Plugging<'a> {
    pub(super) client: &'a Client,
    pub(super) names: &'a Names,
    pub(super) spec: &'a MachineSpec,
    /// The container's id.
    pub(super) id: &'a str,
    pub(super) container: &'a ContainerInspectResponse,
    /// The ids of the networks that exist, by their names in the engine.
    pub(super) networks: &'a HashMap<String, String>,
}

impl Plugging<'_> {
    /// What has to be done while it is stopped.
    pub(super) async fn before_start(&self) -> Result<(), Error> {
        let all_now = self.client.dialect.connects_before_start();
        let has = endpoints(self.container);
        for (at, link) in self.spec.links.iter().enumerate() {
            let name = self.names.network(&link.network);
            let plugged = has.get(&name).is_some_and(|endpoint| self.is_current(&name, endpoint));
            match (at == 0 || all_now, plugged) {
                (true, true) => {}
                (true, false) => {
                    self.disconnect(&name, has.contains_key(&name)).await?;
                    self.connect(&name, link).await?;
                }
                // It is connected again when the container runs, to come after the first.
                (false, _) => self.disconnect(&name, has.contains_key(&name)).await?,
            }
        }
        let ports = self.names.ports(&self.spec.name);
        match (all_now, has.contains_key(&ports)) {
            (true, false) => self.connect_ports().await,
            (false, true) if !self.spec.links.is_empty() => self.disconnect(&ports, true).await,
            _ => Ok(()),
        }
    }

    /// What has to be done when it runs.
    pub(super) async fn after_start(&self) -> Result<(), Error> {
        if self.client.dialect.connects_before_start() {
            return Ok(());
        }
        for (at, link) in self.spec.links.iter().enumerate().skip(1) {
            self.connect(&self.names.network(&link.network), link).await?;
            if let Some(mac) = link.mac.filter(|_| self.client.dialect.sets_further_macs_inside()) {
                self.set_mac(&format!("eth{at}"), link, mac).await?;
            }
        }
        if self.spec.links.is_empty() {
            return Ok(());
        }
        self.connect_ports().await
    }

    /// Whether an endpoint is on the network that now has this name. Podman says names in place of ids.
    fn is_current(&self, name: &str, endpoint: &EndpointSettings) -> bool {
        let id = endpoint.network_id.as_deref().unwrap_or_default();
        // Before its first start a container does not know the ids of its networks.
        id.is_empty() || id == name || self.networks.get(name).is_some_and(|current| current == id)
    }

    async fn connect(&self, network: &str, link: &LinkSpec) -> Result<(), Error> {
        let what =
            format!("cannot plug `{}` of `{}` into `{}`", link.interface, self.spec.name, link.network);
        self.connect_as(network, Some(endpoint(self.spec, link)), what).await
    }

    async fn connect_ports(&self) -> Result<(), Error> {
        if self.spec.ports.is_empty() {
            return Ok(());
        }
        let what = format!("cannot make the ports of `{}` reachable", self.spec.name);
        self.connect_as(&self.names.ports(&self.spec.name), None, what).await
    }

    async fn connect_as(
        &self,
        network: &str,
        endpoint_config: Option<EndpointSettings>,
        what: String,
    ) -> Result<(), Error> {
        let request = NetworkConnectRequest { container: self.id.to_owned(), endpoint_config };
        self.client.docker.connect_network(network, request).await.map_err(self.client.failed(what))
    }

    async fn disconnect(&self, network: &str, connected: bool) -> Result<(), Error> {
        if !connected {
            return Ok(());
        }
        let request = NetworkDisconnectRequest { container: self.id.to_owned(), force: Some(true) };
        match self.client.docker.disconnect_network(network, request).await {
            Err(failure) if !self.client.dialect.is_not_connected(&failure) => {
                Err(self.client.failed(format!("cannot unplug `{}`", self.spec.name))(failure))
            }
            _ => Ok(()),
        }
    }

    /// Sets the hardware address of a link: from this host, if the network can be entered from here; else by a program inside,
    /// with rights that the machine itself does not have.
    async fn set_mac(&self, interface: &str, link: &LinkSpec, address: [u8; 6]) -> Result<(), Error> {
        let what = format!("cannot give `{}` of `{}` its hardware address", link.interface, self.spec.name);
        let inspected = self.client.inspect(self.id).await.map_err(self.client.failed(what.clone()))?;
        let inspected = inspected.unwrap_or_default();
        let container = Container { id: self.id.to_owned(), inspected };
        if let Ok(namespace) = namespace::of(&container, &self.spec.name, self.client.local)
            && rustix::process::geteuid().is_root()
        {
            return namespace::set_mac(namespace, interface, address).await.map_err(Error::host(what));
        }
        let inside = InContainer {
            client: self.client.clone(),
            machine: self.spec.name.clone(),
            id: self.id.to_owned(),
        };
        let (status, said) =
            inside.with_rights(SET_MAC, [interface.to_owned(), mac(address)], what.clone()).await?;
        match status {
            Some(0) => Ok(()),
            Some(NO_PROGRAM) => Err(Error::new(ErrorKind::Unsupported, what)
                .because("this Docker sets that of the first link only, and there is no program `ip` in the machine")
                .hint("use Docker 25 or later, an image with `ip`, or deploy as root")),
            _ => Err(Error::new(ErrorKind::Host, what).because(said)),
        }
    }
}

/// Gives the interface `$1` the hardware address `$2`.
const SET_MAC: &str = r#"
PATH=$PATH:/usr/sbin:/sbin
command -v ip >/dev/null || exit 3
ip link set dev "$1" down && ip link set dev "$1" address "$2" && ip link set dev "$1" up
"#;
