//! The links of this host: its own interfaces, with their addresses and hardware addresses, which are looked at and left alone.

use std::net::IpAddr;

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::sys::socket::{SockaddrLike, SockaddrStorage};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{LinkSpec, MachineSpec};

/// Whether this host has all interfaces, addresses and hardware addresses that the layout says it has.
///
/// # Errors
/// [`ErrorKind::Host`] for the first that it has not.
pub(super) fn are_there(machine: &MachineSpec) -> Result<(), Error> {
    if machine.links.is_empty() {
        return Ok(());
    }
    let found = interfaces(machine)?;
    for LinkSpec { interface, network, address, mac, .. } in &machine.links {
        let own = || found.iter().filter(|found| found.interface_name == *interface);
        let whose = format!("`{}` has no", machine.name);
        if own().next().is_none() {
            let what = format!("{whose} interface `{interface}`, which is to be in the network `{network}`");
            return Err(Error::new(ErrorKind::Host, what).hint(
                "this host is used as it is: set the interface up, or name another one, `#[link(name = \"…\")]`; \
                 `ip address show` lists them",
            ));
        }
        let has = hardware(&found, interface);
        if let Some(mac) = mac.filter(|mac| has != Some(*mac)) {
            let shown = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
            let what = format!(
                "{whose} hardware address {} on `{interface}`, which the layout says it has",
                shown(mac)
            );
            return Err(Error::new(ErrorKind::Host, what)
                .because(format!("it has {}", has.map_or_else(|| "none".to_owned(), shown)))
                .hint("this host is used as it is: leave `mac` out, and it is looked up"));
        }
        let Some(address) = address.map(|net| net.addr()) else { continue };
        let addresses: Vec<_> = own().filter_map(|found| ip(found.address.as_ref()?)).collect();
        if !addresses.contains(&address) {
            let what = format!(
                "{whose} address {address} on `{interface}`, which is to have it in the network `{network}`"
            );
            let has: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            let has = if has.is_empty() { "no address".to_owned() } else { has.join(", ") };
            return Err(Error::new(ErrorKind::Host, what)
                .because(format!("it has {has}"))
                .hint("this host is used as it is: write the address that it has, `#[link(address = \"…\")]`, or give it this one"));
        }
    }
    Ok(())
}

/// The hardware address that an interface has. The loopback has none, and one that is not there is not known.
pub(super) fn mac(machine: &MachineSpec, link: &LinkSpec) -> Result<Option<[u8; 6]>, Error> {
    Ok(hardware(&interfaces(machine)?, &link.interface))
}

/// Each interface at least once, and once for each of its addresses.
fn interfaces(machine: &MachineSpec) -> Result<Vec<InterfaceAddress>, Error> {
    let cannot = Error::host(format!("cannot look at the interfaces of `{}`", machine.name));
    Ok(getifaddrs().map_err(std::io::Error::from).map_err(cannot)?.collect())
}

fn hardware(found: &[InterfaceAddress], interface: &str) -> Option<[u8; 6]> {
    let own = found.iter().filter(|found| found.interface_name == interface);
    let address = own.filter_map(|found| found.address.as_ref()?.as_link_addr()?.addr()).next();
    address.filter(|address| *address != [0; 6])
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    match address.family()? {
        nix::sys::socket::AddressFamily::Inet => Some(IpAddr::V4(address.as_sockaddr_in()?.ip())),
        nix::sys::socket::AddressFamily::Inet6 => Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(interface: &str, address: &str) -> MachineSpec {
        let link = LinkSpec {
            interface: interface.into(),
            network: "lan".into(),
            address: address.parse().ok(),
            ..LinkSpec::default()
        };
        MachineSpec { name: "here".into(), links: vec![link], ..MachineSpec::default() }
    }

    #[test]
    fn what_the_layout_says_of_this_host_is_looked_up() {
        are_there(&host("lo", "127.0.0.1/8")).unwrap();
        let missing = are_there(&host("nosuch0", "127.0.0.1/8")).unwrap_err();
        assert_eq!(
            missing.to_string(),
            "`here` has no interface `nosuch0`, which is to be in the network `lan`"
        );
        let other = are_there(&host("lo", "192.0.2.77/24")).unwrap_err();
        assert!(other.to_string().starts_with("`here` has no address 192.0.2.77 on `lo`"), "{other}");
        let mut said = host("lo", "127.0.0.1/8");
        assert_eq!(mac(&said, &said.links[0]).unwrap(), None, "the loopback has none");
        said.links[0].mac = Some([2, 0, 0, 0, 0, 1]);
        let other = crate::chain(&are_there(&said).unwrap_err());
        assert!(other.starts_with("`here` has no hardware address 02:00:00:00:00:01 on `lo`"), "{other}");
        assert!(other.contains("it has none"), "{other}");
    }
}
