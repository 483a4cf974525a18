//! Who gets which address of a network: a pure function of the layout and of what has been given before.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::error::{Error, ErrorKind};
use crate::model::{Addressing, Cidr4, Range4};

/// A link that wants an address. `who` is its key in the state directory: the machine's path and the interface.
pub(crate) struct Asked {
    pub(crate) who: String,
    pub(crate) fixed: Option<Ipv4Addr>,
}

/// Addresses by [`Asked::who`].
pub(crate) type Given = BTreeMap<String, Ipv4Addr>;

/// Gives every link of a network its address: the one in the model; else the one that it has had before; else the first of
/// the pool that is neither in the model, nor given to anybody before. `before` also holds links that are not in the layout
/// any more, as long as their machines exist.
///
/// # Errors
/// When the pool is used up.
pub(crate) fn assign(
    network: &str,
    addressing: &Addressing,
    asked: &[Asked],
    before: &Given,
) -> Result<Given, Error> {
    let fixed: BTreeSet<_> = asked.iter().filter_map(|link| link.fixed).collect();
    let floating = || asked.iter().filter(|link| link.fixed.is_none());
    let usable = |address: &Ipv4Addr| {
        !fixed.contains(address) && addressing.v4.is_some_and(|net| holds(net, *address))
    };
    let kept: Given = floating()
        .filter_map(|link| {
            before.get(&link.who).filter(|address| usable(address)).map(|a| (link.who.clone(), *a))
        })
        .collect();
    let taken: BTreeSet<_> = before.values().copied().chain(fixed.iter().copied()).collect();
    let pool =
        addressing.pool.into_iter().flat_map(|Range4 { first, last }| first.to_bits()..=last.to_bits());
    let mut free = pool.map(Ipv4Addr::from_bits).filter(|address| !taken.contains(address));

    let mut given = kept;
    for link in asked {
        let address = match (link.fixed, given.contains_key(&link.who)) {
            (_, true) => continue,
            (Some(fixed), _) => fixed,
            (None, _) if addressing.v4.is_none() => continue,
            (None, _) => free.next().ok_or_else(|| {
                let what = format!("the pool of network `{network}` has no address left for `{}`", link.who);
                Error::new(ErrorKind::Usage, what).hint(
                    "make the pool larger, or destroy machines that are no longer in the layout but still hold addresses",
                )
            })?,
        };
        given.insert(link.who.clone(), address);
    }
    Ok(given)
}

fn holds(net: Cidr4, address: Ipv4Addr) -> bool {
    let mask = u32::MAX.checked_shl(32 - u32::from(net.prefix)).unwrap_or(0);
    let host = address.to_bits() & !mask;
    net.network.to_bits() == address.to_bits() & mask && (net.prefix >= 31 || (host != 0 && host != !mask))
}

/// The hardware address of a link that names none: locally administered, and always the same for the same link.
#[must_use]
pub fn mac_address(layout: &str, who: &str) -> [u8; 6] {
    let hash = blake3::hash(format!("{layout}\0{who}").as_bytes());
    let [a, b, c, d, e, ..] = *hash.as_bytes();
    // Bit 1 of the first byte says "locally administered", bit 0 "group" (IEEE 802, 8.2).
    [0x02, a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::At;

    fn lab(pool: (u8, u8)) -> Addressing {
        let host = |n| Ipv4Addr::new(10, 37, 0, n);
        Addressing::at(At::new("x.rs", 1))
            .v4(Cidr4 { network: host(0), prefix: 24 })
            .pool(Range4 { first: host(pool.0), last: host(pool.1) })
    }

    fn ask(links: &[(&str, Option<u8>)]) -> Vec<Asked> {
        let fixed = |n| Ipv4Addr::new(10, 37, 0, n);
        links.iter().map(|(who, n)| Asked { who: (*who).to_owned(), fixed: n.map(fixed) }).collect()
    }

    fn last(given: &Given) -> Vec<(&str, u8)> {
        given.iter().map(|(who, address)| (who.as_str(), address.octets()[3])).collect()
    }

    #[test]
    fn fixed_ones_are_reserved_and_the_rest_follow_the_layout() {
        let asked = ask(&[("b", None), ("fixed", Some(6)), ("a", None), ("c", None)]);
        let given = assign("lab", &lab((5, 9)), &asked, &Given::new()).unwrap();
        assert_eq!(last(&given), [("a", 7), ("b", 5), ("c", 8), ("fixed", 6)]);
    }

    #[test]
    fn an_address_once_given_stays_and_is_never_given_to_another() {
        let before =
            assign("lab", &lab((5, 9)), &ask(&[("a", None), ("b", None), ("gone", None)]), &Given::new())
                .unwrap();
        let given = assign("lab", &lab((5, 9)), &ask(&[("new", None), ("b", None)]), &before).unwrap();
        assert_eq!(last(&given), [("b", 6), ("new", 8)]);
    }

    #[test]
    fn an_address_that_the_model_now_fixes_for_another_is_given_up() {
        let before = assign("lab", &lab((5, 9)), &ask(&[("a", None)]), &Given::new()).unwrap();
        let given = assign("lab", &lab((5, 9)), &ask(&[("a", None), ("new", Some(5))]), &before).unwrap();
        assert_eq!(last(&given), [("a", 6), ("new", 5)]);
    }

    #[test]
    fn a_pool_that_is_used_up_names_the_network_and_the_link() {
        let error =
            assign("lab", &lab((5, 5)), &ask(&[("a", None), ("b", None)]), &Given::new()).unwrap_err();
        assert!(error.to_string().contains("`lab`") && error.to_string().contains("`b`"), "{error}");
    }

    #[test]
    fn hardware_addresses_are_stable_and_differ() {
        let one = mac_address("lab", "a/eth0");
        assert_eq!(one, mac_address("lab", "a/eth0"));
        assert_ne!(one, mac_address("lab", "b/eth0"));
        assert_eq!(one[0] & 0b11, 0b10);
    }
}
