//! Networks of libvirt's: one for each logical network, from which nothing leads outside but to this host.

use std::net::IpAddr;

use ipnet::IpNet;
use virt::connect::Connect;
use virt::network::Network as Handle;
use virt::sys;

use super::hypervisor::{failed, found, gone};
use super::names::{Names, mac};
use super::random_id;
use super::xml::{self, Lease, Network};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Identity, LinkSpec, MachineSpec, NetworkSpec, Presence};

const BOTH: sys::virNetworkUpdateFlags =
    sys::VIR_NETWORK_UPDATE_AFFECT_LIVE | sys::VIR_NETWORK_UPDATE_AFFECT_CONFIG;

fn lookup(connect: &Connect, names: &Names, network: &str) -> Result<Option<Handle>, Error> {
    found(Handle::lookup_by_uuid_string(connect, names.network_uuid(network).as_str()))
        .map_err(failed(format!("cannot look for the network `{network}`")))
}

/// Whether the network exists and works.
pub(super) fn find(connect: &Connect, names: &Names, network: &str) -> Result<Presence, Error> {
    let what = || format!("cannot look at the network `{network}`");
    let Some(handle) = lookup(connect, names, network)? else { return Ok(Presence::Absent) };
    let identity = identity(&described(&handle, network)?);
    Ok(match handle.is_active().map_err(failed(what()))? {
        true => Presence::Running(identity),
        false => Presence::Stopped(identity),
    })
}

/// How libvirt describes it.
fn described(handle: &Handle, network: &str) -> Result<String, Error> {
    handle.get_xml_desc(0).map_err(failed(format!("cannot look at the network `{network}`")))
}

/// It is known by the hardware address of its bridge, which is new whenever it is made anew; or by the name of a bridge of the
/// host's own.
fn identity(described: &str) -> Identity {
    let bridge = || xml::attribute(described, "bridge", "name");
    Identity(xml::attribute(described, "mac", "address").or_else(bridge).unwrap_or_default())
}

/// Makes the network work, in place of one of ours that has become another. Says whether machines that run have to be plugged in
/// again. To be called by one at a time.
pub(super) fn create(
    connect: &Connect,
    names: &Names,
    spec: &NetworkSpec,
) -> Result<(Identity, bool), Error> {
    let failure = || format!("cannot make the network `{}`", spec.name);
    let mut leases = Vec::new();
    if let Some(old) = lookup(connect, names, &spec.name)? {
        let before = described(&old, &spec.name)?;
        let active = old.is_active().map_err(failed(failure()))?;
        if active && is_as_wanted(&before, spec)? {
            return Ok((identity(&before), false));
        }
        leases = leases_of(&before);
        drop(old);
        remove(connect, names, &spec.name)?;
    }
    let name = names.network(&spec.name);
    if found(Handle::lookup_by_name(connect, &name)).map_err(failed(failure()))?.is_some() {
        return Err(Error::new(ErrorKind::Host, failure())
            .because(format!("libvirt has a network `{name}` that is not this layout's"))
            .hint(format!(
                "look at it with `virsh net-dumpxml {name}`; remove it, or give it another name"
            )));
    }
    let address = host_address(spec)?.filter(|_| spec.bridge.is_none());
    leases.retain(|lease| spec.v4.is_some_and(|net| net.contains(&lease.address)));
    let random = random_id()?;
    let network = Network {
        name,
        uuid: names.network_uuid(&spec.name).to_string(),
        // Hexadecimal digits are single bytes, and there are 32 of them.
        bridge: spec.bridge.clone().unwrap_or_else(|| format!("cv{}", &random[..12])),
        mac: spec.bridge.is_none().then(|| bridge_mac(&random)),
        mtu: spec.mtu,
        address,
        leases,
    };
    let handle = Handle::define_xml(connect, &network.xml()?).map_err(failed(failure()))?;
    let begun = handle.create().map_err(|error| {
        failed(failure())(error)
            .hint("does the host, or another network of libvirt's, have this subnet already?")
    });
    if let Err(error) = begun {
        // Defined and never started, it would stand in the way of the next attempt.
        gone(handle.undefine()).map_err(failed(failure()))?;
        return Err(error);
    }
    let told =
        failed(format!("the network `{}` would not be there after the host has been restarted", spec.name));
    handle.set_autostart(true).map_err(told)?;
    Ok((Identity(network.mac.unwrap_or(network.bridge)), true))
}

/// A hardware address out of random digits, marked as given by hand.
fn bridge_mac(digits: &str) -> String {
    let pairs: Vec<_> = digits.as_bytes().chunks(2).take(5).map(String::from_utf8_lossy).collect();
    format!("52:{}", pairs.join(":"))
}

/// Whether a network is what is wanted now, apart from its leases.
fn is_as_wanted(described: &str, spec: &NetworkSpec) -> Result<bool, Error> {
    let address = xml::attribute(described, "ip", "address").zip(xml::attribute(described, "ip", "prefix"));
    if let Some(bridge) = &spec.bridge {
        return Ok(xml::attribute(described, "bridge", "name").as_ref() == Some(bridge) && address.is_none());
    }
    let wanted = host_address(spec)?.map(|(address, prefix)| (address.to_string(), prefix.to_string()));
    let mtu = xml::attribute(described, "mtu", "size");
    Ok(xml::attribute(described, "forward", "mode").is_none()
        && address == wanted
        && mtu == spec.mtu.map(|mtu| mtu.to_string()))
}

/// The address that the host takes for itself: the last, because people begin to count at the first.
fn host_address(spec: &NetworkSpec) -> Result<Option<(IpAddr, u8)>, Error> {
    match spec.v4 {
        None => Ok(None),
        Some(IpNet::V4(net)) if net.prefix_len() <= 30 => {
            let last = u32::from(net.broadcast()) - 1;
            Ok(Some((IpAddr::V4(last.into()), net.prefix_len())))
        }
        Some(net) => {
            let what = format!("libvirt cannot make the network `{}`", spec.name);
            Err(Error::new(ErrorKind::Unsupported, what)
                .because(format!("the host needs an address of {net} for itself"))
                .hint("use a prefix of at most 29"))
        }
    }
}

fn leases_of(described: &str) -> Vec<Lease> {
    let lease = |mut host: std::collections::BTreeMap<String, String>| {
        let address = host.get("ip")?.parse().ok()?;
        Some(Lease { mac: host.remove("mac")?, name: host.remove("name")?, address })
    };
    xml::attributes(described, "host").into_iter().filter_map(lease).collect()
}

/// Has the network give a machine its address when it asks.
pub(super) fn lease(
    connect: &Connect,
    names: &Names,
    machine: &MachineSpec,
    link: &LinkSpec,
) -> Result<(), Error> {
    let (Some(address), Some(own)) = (link.address.map(|net| net.addr()), link.mac) else { return Ok(()) };
    let what = || format!("`{}` cannot be given its address {address}", machine.name);
    let handle = lookup(connect, names, &link.network)?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, what())
            .because(format!("there is no network `{}`", link.network))
            .hint("`deploy` makes it again")
    })?;
    let described = described(&handle, &link.network)?;
    // Who is on a bridge of the host's own gives its addresses himself.
    if xml::attribute(&described, "forward", "mode").is_some() {
        return Ok(());
    }
    if xml::attribute(&described, "ip", "address") == Some(address.to_string()) {
        return Err(Error::new(ErrorKind::Unsupported, what())
            .because("the host itself has the last address of each network")
            .hint("give the machine another address"));
    }
    let wanted = Lease { mac: mac(own), name: machine.hostname.clone(), address };
    let leases = leases_of(&described);
    if leases.contains(&wanted) {
        return Ok(());
    }
    // What it, or another machine that is gone, had before.
    for old in leases.iter().filter(|old| old.mac == wanted.mac || old.address == wanted.address) {
        update(&handle, sys::VIR_NETWORK_UPDATE_COMMAND_DELETE, old).map_err(failed(what()))?;
    }
    update(&handle, sys::VIR_NETWORK_UPDATE_COMMAND_ADD_LAST, &wanted).map_err(failed(what()))
}

/// Takes an address back.
pub(super) fn release(connect: &Connect, names: &Names, network: &str, mac: &str) -> Result<(), Error> {
    let Some(handle) = lookup(connect, names, network)? else { return Ok(()) };
    let described = described(&handle, network)?;
    for old in leases_of(&described).iter().filter(|lease| lease.mac == mac) {
        update(&handle, sys::VIR_NETWORK_UPDATE_COMMAND_DELETE, old)
            .map_err(failed(format!("the network `{network}` keeps the address {}", old.address)))?;
    }
    Ok(())
}

fn update(
    handle: &Handle,
    command: sys::virNetworkUpdateCommand,
    lease: &Lease,
) -> Result<(), virt::error::Error> {
    // What cannot be written as XML was never given.
    let Ok(xml) = lease.xml() else { return Ok(()) };
    let flags = if handle.is_active()? { BOTH } else { sys::VIR_NETWORK_UPDATE_AFFECT_CONFIG };
    handle.update(command, sys::VIR_NETWORK_SECTION_IP_DHCP_HOST, -1, &xml, flags)
}

/// Removes the network; no error if it is not there.
pub(super) fn remove(connect: &Connect, names: &Names, network: &str) -> Result<(), Error> {
    match lookup(connect, names, network)? {
        Some(handle) => remove_handle(&handle, network),
        None => Ok(()),
    }
}

fn remove_handle(handle: &Handle, network: &str) -> Result<(), Error> {
    let what = || format!("cannot remove the network `{network}`");
    if handle.is_active().map_err(failed(what()))? {
        gone(handle.destroy()).map_err(failed(what()))?;
    }
    gone(handle.undefine()).map_err(failed(what()))
}

/// Removes all networks of this site.
pub(super) fn clear(connect: &Connect, names: &Names) -> Result<(), Error> {
    let what = "cannot list the networks";
    for handle in connect.list_all_networks(0).map_err(failed(what))? {
        let (name, uuid) = (handle.get_name(), handle.get_uuid_string());
        let (name, uuid) = (name.map_err(failed(what))?, uuid.map_err(failed(what))?);
        let Some(network) = names.network_of(&name) else { continue };
        if names.network_uuid(network).as_str() == uuid {
            remove_handle(&handle, network)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(v4: &str) -> NetworkSpec {
        NetworkSpec { name: "lab".into(), v4: v4.parse().ok(), ..NetworkSpec::default() }
    }

    #[test]
    fn the_host_takes_the_last_address() {
        let address = |v4| host_address(&spec(v4)).unwrap().unwrap().0.to_string();
        assert_eq!(address("10.1.0.0/24"), "10.1.0.254");
        assert_eq!(address("10.1.0.0/30"), "10.1.0.2");
        assert_eq!(host_address(&spec("10.1.0.0/31")).unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn hardware_addresses_are_for_one_and_given_by_hand() {
        assert_eq!(bridge_mac("0123456789abcdef0123456789abcdef"), "52:01:23:45:67:89");
    }

    #[test]
    fn what_libvirt_says_of_a_network_is_understood() {
        let described = "<network><mac address='52:01:23:45:67:89'/><ip family='ipv4' address='10.1.0.254' prefix='24'>\
            <dhcp><host mac='02:00:00:00:00:01' name='m' ip='10.1.0.5'/></dhcp></ip></network>";
        assert_eq!(identity(described).0, "52:01:23:45:67:89");
        assert!(is_as_wanted(described, &spec("10.1.0.0/24")).unwrap());
        assert!(!is_as_wanted(described, &spec("10.2.0.0/24")).unwrap());
        let lease =
            Lease { mac: "02:00:00:00:00:01".into(), name: "m".into(), address: [10, 1, 0, 5].into() };
        assert_eq!(leases_of(described), [lease]);
    }
}
