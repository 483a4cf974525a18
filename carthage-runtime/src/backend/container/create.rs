//! What a container is made from.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, NetworkingConfig, PortBinding};

use super::client::Client;
use super::dialect::Limits;
use super::names::Names;
use super::{init, plug, shared};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{MachineSpec, Protocol};

/// The configuration of a machine's container, with its first link; the others are connected later. `shared` is the container in
/// whose network it is, if it shares another machine's links.
pub(super) fn body(
    client: &Client,
    names: &Names,
    spec: &MachineSpec,
    image: String,
    shared: Option<&str>,
) -> Result<ContainerCreateBody, Error> {
    let first = spec.links.first();
    let first_network = first.map(|link| names.network(&link.network));
    // Without links it has only the network of its ports, if it has ports.
    let mode = match (shared, &first_network, spec.ports.is_empty()) {
        (Some(container), ..) => shared::mode(container),
        (None, Some(network), _) => network.clone(),
        (None, None, false) => names.ports(&spec.name),
        (None, None, true) => "none".to_owned(),
    };
    let endpoints = first_network.zip(first).map(|(network, link)| (network, plug::endpoint(spec, link)));
    let mounts = spec.mounts.iter().map(|mount| {
        let (source, target) = (text(&mount.source)?, text(&mount.target)?);
        if let Some(path) = [&source, &target].into_iter().find(|path| !client.dialect.mounts(path)) {
            let what = format!("cannot mount `{path}` in the container of `{}`", spec.name);
            return Err(Error::new(ErrorKind::Unsupported, what)
                .because(format!("{} takes no path with a comma", client.dialect.program()))
                .hint("mount the directory above it"));
        }
        // Podman would make a directory of what is not there.
        if client.local && !mount.source.exists() {
            let what = format!("cannot mount `{source}` in the container of `{}`", spec.name);
            return Err(Error::new(ErrorKind::NotFound, what).because("it is not there"));
        }
        Ok(Mount {
            typ: Some(MountType::BIND),
            source: Some(source),
            target: Some(target),
            read_only: Some(mount.readonly),
            ..Mount::default()
        })
    });
    let ports = spec.ports.iter().map(|port| {
        let protocol = match port.protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let outside = PortBinding { host_ip: None, host_port: Some(port.outside.to_string()) };
        (format!("{}/{protocol}", port.inside), outside)
    });
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for (inside, outside) in ports {
        bindings.entry(inside).or_default().get_or_insert_default().push(outside);
    }
    let mut host = HostConfig {
        network_mode: Some(mode),
        mounts: Some(mounts.collect::<Result<_, Error>>()?),
        port_bindings: (!bindings.is_empty()).then(|| bindings.clone()),
        // The first process is ours.
        init: Some(false),
        ..HostConfig::default()
    };
    Limits::wanted(spec).put(&mut host);
    Ok(ContainerCreateBody {
        hostname: (shared.is_none() || !client.dialect.names_shared_inside()).then(|| spec.hostname.clone()),
        // What the image says of these is about its own program, which does not run here.
        user: Some("0:0".to_owned()),
        working_dir: Some("/".to_owned()),
        healthcheck: client.dialect.no_health_check(),
        stop_signal: Some("SIGTERM".to_owned()),
        entrypoint: Some(init::COMMAND.map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        exposed_ports: (!bindings.is_empty()).then(|| bindings.into_keys().collect()),
        image: Some(image),
        labels: Some(names.machine_labels(spec)),
        host_config: Some(host),
        networking_config: endpoints
            .map(|endpoint| NetworkingConfig { endpoints_config: Some(HashMap::from([endpoint])) }),
        ..ContainerCreateBody::default()
    })
}

/// A path as the engine's interface takes it.
pub(super) fn text(path: &Path) -> Result<String, Error> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::new(
            ErrorKind::Unsupported,
            format!("`{}` cannot be told to the container engine", path.display()),
        )
        .because("its interface takes names in UTF-8 only")
    })
}
