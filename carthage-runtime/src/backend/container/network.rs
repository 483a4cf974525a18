//! Networks of the engine: one for each logical network, and one for each machine that exposes ports.
//!
//! The network of a link has no way out. A machine that exposes ports gets one more interface, on a network of its own, through
//! which it is reached, and through which it reaches what the host does.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest, NetworkDisconnectRequest};
use ipnet::IpNet;

use super::client::{Client, ListedNetwork, found};
use super::names::{Labels, Names};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Identity, NetworkSpec};

/// All networks of the site.
async fn all(client: &Client, names: &Names) -> Result<impl Iterator<Item = ListedNetwork>, Error> {
    let all = client.networks().await.map_err(client.failed("cannot list the engine's networks"))?;
    Ok(all.into_iter().filter(|network| names.is_ours(network.labels.as_ref())))
}

/// The ids of the site's networks, by their names in the engine.
pub(super) async fn ids(client: &Client, names: &Names) -> Result<HashMap<String, String>, Error> {
    Ok(all(client, names).await?.map(|network| (network.name, network.id)).collect())
}

/// The network, if it exists.
pub(super) async fn find(
    client: &Client,
    names: &Names,
    spec: &NetworkSpec,
) -> Result<Option<(Identity, Option<Labels>)>, Error> {
    let found =
        all(client, names).await?.find(|network| names.is_network(network.labels.as_ref(), &spec.name));
    Ok(found.map(|network| (Identity(network.id), network.labels)))
}

/// Makes the network, in place of one of ours that has become another.
pub(super) async fn create(client: &Client, names: &Names, spec: &NetworkSpec) -> Result<Identity, Error> {
    if let Some((identity, labels)) = find(client, names, spec).await? {
        if names.network_is_as_wanted(labels.as_ref(), spec) {
            return Ok(identity);
        }
        remove(client, &identity.0, &names.network(&spec.name), &spec.name).await?;
    }
    let config = spec.v4.map(|net| -> Result<_, Error> {
        let gateway = gateway(net).ok_or_else(|| too_small(spec, net))?;
        Ok(vec![IpamConfig {
            subnet: Some(net.trunc().to_string()),
            gateway: Some(gateway.to_string()),
            ..IpamConfig::default()
        }])
    });
    let config = config.transpose()?;
    let request = NetworkCreateRequest {
        name: names.network(&spec.name),
        driver: Some("bridge".to_owned()),
        internal: Some(true),
        ipam: Some(Ipam { config, ..Ipam::default() }),
        options: Some(client.dialect.network_options(spec)),
        labels: Some(names.network_labels(spec)),
        ..NetworkCreateRequest::default()
    };
    make(client, request, &format!("the network `{}`", spec.name)).await
}

/// Makes the network of a machine's ports, if it is not there.
pub(super) async fn create_for_ports(client: &Client, names: &Names, machine: &str) -> Result<(), Error> {
    let name = names.ports(machine);
    if ids(client, names).await?.contains_key(&name) {
        return Ok(());
    }
    let request = NetworkCreateRequest {
        name,
        driver: Some("bridge".to_owned()),
        options: Some(client.dialect.isolation()),
        labels: Some(names.ports_labels(machine)),
        ..NetworkCreateRequest::default()
    };
    make(client, request, &format!("the network for the ports of `{machine}`")).await.map(drop)
}

async fn make(client: &Client, request: NetworkCreateRequest, what: &str) -> Result<Identity, Error> {
    let name = request.name.clone();
    let failed = format!("cannot make {what}");
    let taken = || {
        let hint = format!(
            "look at it with `{} network inspect {name}`; rename or remove it",
            client.dialect.program()
        );
        Error::new(ErrorKind::Host, failed.clone())
            .because(format!("the container engine has a network `{name}` that is not this layout's"))
            .hint(hint)
    };
    // Docker would make a second one of this name.
    let stranger = found(client.docker.inspect_network(&name, None).await);
    if stranger.map_err(client.failed(failed.clone()))?.is_some() {
        return Err(taken());
    }
    match client.docker.create_network(request).await {
        Ok(made) => Ok(Identity(made.id)),
        Err(failure) if client.dialect.is_taken(&failure) => Err(taken()),
        Err(failure) => Err(client.failed(failed)(failure)
            .hint("does another network of the engine, or of the host, have this subnet?")),
    }
}

/// Removes a network, and takes out of it what is still in it.
pub(super) async fn remove(client: &Client, id: &str, engine_name: &str, name: &str) -> Result<(), Error> {
    let what = format!("cannot remove the network `{name}`");
    // Docker refuses to remove a network that is used; Podman does not, and leaves half of it.
    let all = client.containers().await.map_err(client.failed(what.clone()))?;
    for container in all.into_iter().filter(|container| container.is_on(engine_name)) {
        let request = NetworkDisconnectRequest { container: container.id, force: Some(true) };
        match found(client.docker.disconnect_network(id, request).await) {
            Err(failure) if !client.dialect.is_not_connected(&failure) => {
                return Err(client.failed(what)(failure));
            }
            _ => {}
        }
    }
    found(client.docker.remove_network(id).await).map(drop).map_err(client.failed(what))
}

/// The address that the engine takes for itself: the last, because people begin to count at the first.
fn gateway(net: IpNet) -> Option<Ipv4Addr> {
    match net {
        IpNet::V4(net) if net.prefix_len() <= 30 => Some(Ipv4Addr::from(u32::from(net.broadcast()) - 1)),
        _ => None,
    }
}

fn too_small(spec: &NetworkSpec, net: IpNet) -> Error {
    Error::new(ErrorKind::Unsupported, format!("a container engine cannot make the network `{}`", spec.name))
        .because(format!("it needs an address of {net} for itself"))
        .hint("use a prefix of at most 29")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_takes_the_last_address() {
        let gateway = |net: &str| gateway(net.parse().unwrap()).map(|address| address.to_string());
        assert_eq!(gateway("10.1.0.0/24").as_deref(), Some("10.1.0.254"));
        assert_eq!(gateway("10.1.0.0/30").as_deref(), Some("10.1.0.2"));
        assert_eq!(gateway("10.1.0.0/31"), None);
    }
}
