//! What a placement becomes: networks with addresses given in them, and machines as an implementation gets them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};

use super::around::Around;
use super::equipment;
use super::macs::Besides;
use super::world::of_kind;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{
    BootSpec, HostKey, Jump, LinkSpec, LoginSpec, MachineSpec, MountSpec, NetworkSpec, PortSpec, SharedLinks,
};
use crate::model::{Key, Kind, Placement, Placements, Role, Through};
use crate::network::{Asked, Given, assign};
use crate::state;

/// The key of a link in the state directory.
fn link_key(machine: Placement, interface: &str) -> String {
    format!("{}/{interface}", machine.fqdn())
}

pub(super) fn links(machine: Placement) -> impl Iterator<Item = &'static crate::model::Link> {
    machine.node().parts.iter().filter_map(|part| match &part.role {
        Role::Link(link) => Some(link),
        _ => None,
    })
}

/// The networks, with the addresses given in them; and what could not be given, if something could not.
pub(super) fn resolve_networks(
    placements: &'static Placements,
    around: &Around,
) -> (BTreeMap<usize, (NetworkSpec, Given)>, Option<Error>) {
    let mut asked: BTreeMap<usize, Vec<Asked>> = BTreeMap::new();
    for machine in of_kind(placements, Kind::Machine) {
        for link in links(machine) {
            let Some(network) = machine.network(link) else { continue };
            let fixed = machine.fixed_address(link);
            asked
                .entry(network.index())
                .or_default()
                .push(Asked { who: link_key(machine, link.interface), fixed });
        }
    }
    let none = Given::new();
    let mut trouble = None;
    let mut names = BTreeMap::new();
    let resolve = |network: Placement| {
        let addressing = network.node().addressing;
        // Implementations know it by the name by which it was made.
        let name = around.made_as(state::Kind::Network, network.path()).unwrap_or(network.path()).to_owned();
        if let Some(other) = names.insert(name.clone(), network.path()) {
            trouble.get_or_insert(made_as_twice("networks", network.path(), other, &name));
        }
        let v4 = addressing.v4.and_then(|net| Ipv4Net::new(net.network, net.prefix).ok()).map(IpNet::V4);
        let asked = asked.get(&network.index()).map_or(&[][..], Vec::as_slice);
        let before = around.given.get(&name).unwrap_or(&none);
        let given = assign(&name, &addressing, asked, before).unwrap_or_else(|error| {
            trouble.get_or_insert(error);
            before.clone()
        });
        let spec = NetworkSpec {
            name,
            v4,
            mtu: addressing.mtu,
            gateway: addressing.gateway,
            dhcp: addressing.dhcp.map(|range| (range.first, range.last)),
            vlan: addressing.vlan,
            bridge: addressing.bridge.map(str::to_owned),
            policy: equipment::policy(network),
        };
        (network.index(), (spec, given))
    };
    let networks = of_kind(placements, Kind::Network).map(resolve).collect();
    (networks, trouble)
}

/// Two things would be one to their implementation: one that was renamed is still called there as it was.
pub(super) fn made_as_twice(things: &str, one: &str, other: &str, name: &str) -> Error {
    let what = format!("the {things} `{one}` and `{other}` would be one to their implementation");
    let until = if things == "machines" { "deployed" } else { "destroyed" };
    Error::new(ErrorKind::Usage, what)
        .because(format!(
            "one of them was made as `{name}` and renamed since, and is called so there until it is {until}"
        ))
        .hint("call the new one otherwise")
}

/// The links of a machine's own; without `macs`, they are there already, with hardware addresses of their own.
fn plugged(
    macs: Option<&Besides<'_>>,
    machine: Placement,
    networks: &BTreeMap<usize, (NetworkSpec, Given)>,
) -> impl Iterator<Item = LinkSpec> {
    links(machine).filter_map(move |link| {
        let (network, given) = networks.get(&machine.network(link)?.index())?;
        let who = link_key(machine, link.interface);
        let prefix = network.v4.map(|net| net.prefix_len());
        let address =
            given.get(&who).copied().zip(prefix).and_then(|(a, prefix)| Ipv4Net::new(a, prefix).ok());
        Some(LinkSpec {
            interface: link.interface.to_owned(),
            network: network.name.clone(),
            address: address.map(IpNet::V4),
            mac: link.mac.or_else(|| Some(macs?.of(&who))),
            mtu: link.mtu.or(network.mtu),
            vlans: link.vlans.to_vec(),
            peer: link.peer.and_then(|peer| {
                let found = machine.resolve(peer.machine, None).unwrap_or_default();
                Some((found.first()?.fqdn().to_owned(), peer.interface.to_owned()))
            }),
        })
    })
}

/// The compiler knows how many machines are meant, but not of members that are decided at run time.
fn nobodys(machine: Placement, key: Key) -> Error {
    let what = format!("`{}` shares the links of `{}`", machine.fqdn(), key.name());
    Error::new(ErrorKind::Usage, what)
        .because("there is not one such machine")
        .hint("name in `shares_links` one that is there whenever this one is")
}

/// All that an implementation needs to know of a machine; `macs` if it makes that.
pub(super) fn machine_spec(
    macs: Option<&Besides<'_>>,
    machine: Placement,
    networks: &BTreeMap<usize, (NetworkSpec, Given)>,
) -> Result<MachineSpec, Error> {
    let node = machine.node();
    let (hardware, surroundings) = (node.hardware, node.surroundings);
    let shares_links = node.shares_links.map(|shared| {
        let other = machine.shares_links().ok_or_else(|| nobodys(machine, shared.key))?;
        let links = plugged(macs, other, networks).collect();
        Ok::<_, Error>(SharedLinks { machine: other.fqdn().to_owned(), links })
    });

    let path = |text: Option<&str>| text.map(|text| expanded(machine, text).map(PathBuf::from)).transpose();
    let mounts = surroundings.mounts.iter().map(|mount| {
        let source = expanded(machine, mount.source)?.into();
        Ok(MountSpec { source, target: mount.at.into(), readonly: mount.readonly })
    });
    let ports = surroundings.ports.iter().map(|port| PortSpec {
        inside: port.inside,
        outside: port.on,
        protocol: port.protocol,
    });
    let boot = path(hardware.kernel)?
        .map(|kernel| {
            let arguments = hardware.kernel_args.unwrap_or_default().to_owned();
            Ok::<_, Error>(BootSpec { kernel, initrd: path(hardware.initrd)?, arguments })
        })
        .transpose()?;
    Ok(MachineSpec {
        name: machine.fqdn().to_owned(),
        hostname: machine.name().to_owned(),
        memory_mb: hardware.memory_mb,
        cpus: hardware.cpus,
        root: path(hardware.root)?,
        runas_user: hardware.runas_user.map(Into::into),
        image: hardware.image.map(|image| expanded(machine, image)).transpose()?,
        boot,
        disk_sizes: hardware.disk_sizes.to_vec(),
        disk_config: equipment::disks(machine)?,
        disk_cache: hardware.disk_cache,
        firmware: hardware.firmware_type,
        architecture: hardware.architecture,
        hardware_tpm: hardware.hardware_tpm,
        nested_virt: hardware.nested_virt,
        console_needed: hardware.console_needed,
        cloud_init: hardware.cloud_init,
        options: equipment::options(hardware.options)?,
        environment: surroundings.environment.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect(),
        mounts: mounts.collect::<Result<_, Error>>()?,
        ports: ports.collect(),
        login: login(machine)?,
        links: plugged(macs, machine, networks).collect(),
        shares_links: shares_links.transpose()?,
        tags: node.tags.iter().map(|tag| format!("@{tag}")).collect(),
        readonly: node.readonly,
        policy: equipment::policy(machine),
    })
}

fn login(machine: Placement) -> Result<Option<LoginSpec>, Error> {
    let Some(login) = machine.node().login else { return Ok(None) };
    let name = |key: Key| {
        let found = machine.resolve(key, None).unwrap_or_default();
        match found[..] {
            [other] => Ok(other.fqdn().to_owned()),
            _ => {
                let what = format!("`{}` is reached by way of several machines", machine.fqdn());
                Err(Error::new(ErrorKind::Usage, what)
                    .because(format!("{} machines are meant", found.len()))
                    .hint("name one that is no array in `ssh_jump` and `ssh_origin`"))
            }
        }
    };
    let jump = match login.jump {
        None => Jump::None,
        Some(Through::Host(host)) => Jump::Host(host.to_owned()),
        Some(Through::Machine(key)) => Jump::Machine(name(key)?),
    };
    let host_key = match login.host_key {
        Some(key) => HostKey::Pinned(key.to_owned()),
        None if login.learn_host_key => HostKey::Learn,
        None => HostKey::Unknown,
    };
    Ok(Some(LoginSpec {
        address: machine.login_address(),
        port: login.port,
        user: login.user.map(str::to_owned),
        key: login.key.map(|key| expanded(machine, key).map(PathBuf::from)).transpose()?,
        host_key,
        jump,
        origin: login.origin.map(name).transpose()?,
        online: login.online,
        online_timeout: login.online_timeout.map(|seconds| Duration::from_secs(seconds.into())),
        online_retries: login.online_retries,
        privilege: login.privilege,
    }))
}

/// The text of a model in which a path may begin with a variable of the environment: `$HOME/images/debian.qcow2`.
pub(super) fn expanded(machine: Placement, text: &str) -> Result<String, Error> {
    let Some(rest) = text.strip_prefix('$') else { return Ok(text.to_owned()) };
    let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value + below),
        _ => {
            let what = format!("`{text}`, which `{}` is made from, cannot be found", machine.fqdn());
            Err(Error::new(ErrorKind::Usage, what)
                .because(format!("the environment has no `{name}`"))
                .hint(format!("set `{name}` to a path, or write the path in the model")))
        }
    }
}
