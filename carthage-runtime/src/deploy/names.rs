//! Which names a machine can reach: those of all machines on its networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::machine::engine::{HostEntry, MachineSpec};

/// How many names a reason lists.
const NAMED: usize = 3;

/// Machines by network.
#[derive(Debug, Default)]
pub(crate) struct Directory(BTreeMap<String, Vec<Entry>>);

#[derive(Clone, Debug)]
struct Entry {
    address: IpAddr,
    name: String,
    hostname: String,
}

impl Directory {
    /// Of these machines.
    pub(crate) fn of<'a>(machines: impl Iterator<Item = &'a MachineSpec>) -> Self {
        let mut networks: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for machine in machines {
            for link in machine.interfaces() {
                let Some(address) = link.address.map(|net| net.addr()) else { continue };
                let entry = Entry { address, name: machine.name.clone(), hostname: machine.hostname.clone() };
                networks.entry(link.network.clone()).or_default().push(entry);
            }
        }
        Self(networks)
    }

    /// The names that a machine can reach, besides its own.
    pub(crate) fn hosts(&self, me: &MachineSpec) -> Vec<HostEntry> {
        let networks: BTreeSet<_> = me.interfaces().iter().map(|link| &link.network).collect();
        let entries = networks.into_iter().filter_map(|network| self.0.get(network)).flatten();
        let found: Vec<_> = entries.filter(|entry| entry.name != me.name).collect();
        let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for entry in &found {
            owners.entry(&entry.hostname).or_default().insert(&entry.name);
        }
        let to_host = |entry: &Entry| {
            // A host name that two machines share says nothing; their full names still do.
            let short = owners[entry.hostname.as_str()].len() == 1 && entry.hostname != entry.name;
            let names = std::iter::once(&entry.name).chain(short.then_some(&entry.hostname));
            HostEntry { address: entry.address, names: names.cloned().collect() }
        };
        found.into_iter().map(to_host).collect()
    }
}

/// What changed from one set of names to another, as a reason.
pub(crate) fn changes(old: &[HostEntry], new: &[HostEntry]) -> String {
    let (come, gone) = (names(new, old), names(old, new));
    match (come.is_empty(), gone.is_empty()) {
        (false, _) => format!("it can reach {} now", list(&come)),
        (true, false) => format!("{} left its networks", list(&gone)),
        (true, true) => "an earlier run was ended before it told it all names".to_owned(),
    }
}

/// The first names of the entries of `of` that are not in `without`.
fn names<'a>(of: &'a [HostEntry], without: &[HostEntry]) -> BTreeSet<&'a String> {
    let without: BTreeSet<_> = without.iter().map(|entry| (entry.address, &entry.names)).collect();
    let rest = of.iter().filter(|entry| !without.contains(&(entry.address, &entry.names)));
    rest.filter_map(|entry| entry.names.first()).collect()
}

fn list(names: &BTreeSet<&String>) -> String {
    let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    match names.len().saturating_sub(NAMED) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::LinkSpec;

    fn machine(name: &str, links: &[(&str, &str)]) -> MachineSpec {
        let link = |(network, address): &(&str, &str)| LinkSpec {
            interface: "eth0".into(),
            network: (*network).into(),
            address: address.parse().ok(),
            mac: [2; 6],
            ..LinkSpec::default()
        };
        MachineSpec {
            name: name.into(),
            hostname: name.split('.').next().unwrap().into(),
            links: links.iter().map(link).collect(),
            ..MachineSpec::default()
        }
    }

    #[test]
    fn names_of_the_same_networks() {
        let machines = [
            machine("a.x", &[("n", "10.0.0.1/24"), ("m", "10.1.0.1/24")]),
            machine("b.x", &[("n", "10.0.0.2/24")]),
            machine("b.y", &[("m", "10.1.0.2/24")]),
            machine("c.x", &[("o", "10.2.0.2/24")]),
        ];
        let directory = Directory::of(machines.iter());
        let names = |of: usize| {
            directory.hosts(&machines[of]).into_iter().map(|entry| entry.names).collect::<Vec<_>>()
        };
        assert_eq!(names(0), [["b.y"], ["b.x"]]);
        assert_eq!(names(1), [["a.x", "a"]]);
        assert!(names(3).is_empty());
    }

    #[test]
    fn reasons() {
        let few = Directory::of([machine("b.x", &[("n", "10.0.0.2/24")])].iter());
        let me = machine("a.x", &[("n", "10.0.0.1/24")]);
        let old = few.hosts(&me);
        assert_eq!(changes(&[], &old), "it can reach `b.x` now");
        assert_eq!(changes(&old, &[]), "`b.x` left its networks");
        let many: Vec<_> =
            (2..9).map(|n| machine(&format!("b{n}.x"), &[("n", &format!("10.0.0.{n}/24"))])).collect();
        let new = Directory::of(many.iter()).hosts(&me);
        assert_eq!(changes(&[], &new), "it can reach `b2.x`, `b3.x`, `b4.x` and 4 more now");
    }
}
