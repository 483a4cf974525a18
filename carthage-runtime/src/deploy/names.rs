//! Which names a machine can reach: those of all machines on its networks.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::machine::engine::{HostEntry, Hosts, MachineSpec};

/// How many names a reason lists.
const NAMED: usize = 3;

/// Machines by network.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    networks: BTreeMap<String, Network>,
    /// By the networks that machines are on: all the names that can be reached there.
    together: Mutex<BTreeMap<Vec<String>, Arc<Together>>>,
}

#[derive(Debug, Default)]
struct Network {
    entries: Vec<Entry>,
    /// Of the entries, in whatever order they came.
    hash: [u8; 32],
}

impl Network {
    fn seal(&mut self) {
        let line = |entry: &Entry| format!("{} {} {}\n", entry.address, entry.name, entry.hostname);
        let lines: BTreeSet<_> = self.entries.iter().map(line).collect();
        let lines: Vec<_> = lines.into_iter().collect();
        self.hash = *blake3::hash(lines.concat().as_bytes()).as_bytes();
    }
}

#[derive(Clone, Debug)]
struct Entry {
    address: IpAddr,
    name: String,
    hostname: String,
}

/// The entries of several networks, with what each is called by somebody else.
#[derive(Debug)]
struct Together {
    entries: Vec<(Entry, HostEntry)>,
    /// The machines that have a host name.
    owners: BTreeMap<String, BTreeSet<String>>,
}

impl Directory {
    /// Of these machines.
    pub(crate) fn of<'a>(machines: impl Iterator<Item = &'a MachineSpec>) -> Self {
        let mut networks: BTreeMap<_, Network> = BTreeMap::new();
        for machine in machines {
            for link in machine.interfaces() {
                let Some(address) = link.address.map(|net| net.addr()) else { continue };
                let entry = Entry { address, name: machine.name.clone(), hostname: machine.hostname.clone() };
                let network = networks.entry(link.network.clone()).or_default();
                network.entries.push(entry);
            }
        }
        networks.values_mut().for_each(Network::seal);
        Self { networks, together: Mutex::default() }
    }

    /// The networks of a machine on which there are names.
    fn networks<'a>(&'a self, me: &'a MachineSpec) -> BTreeMap<&'a str, &'a Network> {
        let names = me.interfaces().iter().map(|link| link.network.as_str());
        names.filter_map(|name| Some((name, self.networks.get(name)?))).collect()
    }

    /// A hash of the names that a machine can reach; costs the same whatever their number.
    pub(crate) fn hash(&self, me: &MachineSpec) -> String {
        let mut hasher = blake3::Hasher::new();
        for network in self.networks(me).values() {
            hasher.update(&network.hash);
        }
        // Its own are not among them.
        hasher.update(me.name.as_bytes()).finalize().to_hex().to_string()
    }

    /// The names that a machine can reach, besides its own.
    pub(crate) fn hosts(&self, me: &MachineSpec) -> Hosts {
        let (together, name, hostname) = (self.together(me), me.name.clone(), me.hostname.clone());
        Hosts::when_asked(move || together.as_seen_by(&name, &hostname))
    }

    fn together(&self, me: &MachineSpec) -> Arc<Together> {
        let networks = self.networks(me);
        let key = networks.keys().map(|name| (*name).to_owned()).collect();
        let mut known = self.together.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(key).or_insert_with(|| Arc::new(Together::of(networks.into_values()))).clone()
    }
}

impl Entry {
    /// A host name that two machines share says nothing; their full names still do.
    fn host(&self, alone: bool) -> HostEntry {
        let short = alone && self.hostname != self.name;
        let names = std::iter::once(&self.name).chain(short.then_some(&self.hostname));
        HostEntry { address: self.address, names: names.cloned().collect() }
    }
}

impl Together {
    fn of<'a>(networks: impl Iterator<Item = &'a Network>) -> Self {
        let entries: Vec<_> = networks.flat_map(|network| &network.entries).collect();
        let mut owners: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for entry in &entries {
            owners.entry(entry.hostname.clone()).or_default().insert(entry.name.clone());
        }
        let host = |entry: &&Entry| ((*entry).clone(), entry.host(owners[&entry.hostname].len() == 1));
        Self { entries: entries.iter().map(host).collect(), owners }
    }

    fn as_seen_by(&self, name: &str, hostname: &str) -> Vec<HostEntry> {
        let others = self.entries.iter().filter(|(entry, _)| entry.name != name);
        let host = |(entry, host): &(Entry, HostEntry)| {
            // A host name that one other machine has says nothing to all but that one.
            let shared_with_it = entry.hostname == hostname
                && entry.hostname != entry.name
                && self.owners[&entry.hostname].len() == 2
                && self.owners[&entry.hostname].contains(name);
            match shared_with_it {
                true => entry.host(true),
                false => host.clone(),
            }
        };
        others.map(host).collect()
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
            mac: Some([2; 6]),
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
            directory.hosts(&machines[of]).list().into_iter().map(|entry| entry.names).collect::<Vec<_>>()
        };
        assert_eq!(names(0), [["b.y"], ["b.x"]]);
        assert_eq!(names(1), [["a.x", "a"]]);
        assert!(names(3).is_empty());
        // To one of two of a name, the other is known by it.
        let two = [machine("b.x", &[("n", "10.0.0.2/24")]), machine("b.y", &[("n", "10.0.0.3/24")])];
        let hosts = Directory::of(two.iter()).hosts(&two[0]).list();
        assert_eq!(hosts[0].names, ["b.y", "b"]);
    }

    #[test]
    fn a_hash_tells_of_others_only() {
        let others = [machine("b.x", &[("n", "10.0.0.2/24")]), machine("c.x", &[("m", "10.1.0.2/24")])];
        let me = machine("a.x", &[("n", "10.0.0.1/24")]);
        let hash = |all: &[&MachineSpec]| Directory::of(all.iter().copied()).hash(&me);
        let before = hash(&[&me, &others[0], &others[1]]);
        let moved = machine("b.x", &[("n", "10.0.0.3/24")]);
        assert_eq!(before, hash(&[&me, &others[0]]), "another network");
        assert_ne!(before, hash(&[&me, &moved, &others[1]]));
        assert_ne!(before, hash(&[&me, &others[1]]));
        assert_eq!(before, hash(&[&others[1], &others[0], &me]), "in whatever order");
    }

    #[test]
    fn reasons() {
        let few = Directory::of([machine("b.x", &[("n", "10.0.0.2/24")])].iter());
        let me = machine("a.x", &[("n", "10.0.0.1/24")]);
        let old = few.hosts(&me).list();
        assert_eq!(changes(&[], &old), "it can reach `b.x` now");
        assert_eq!(changes(&old, &[]), "`b.x` left its networks");
        let many: Vec<_> =
            (2..9).map(|n| machine(&format!("b{n}.x"), &[("n", &format!("10.0.0.{n}/24"))])).collect();
        let new = Directory::of(many.iter()).hosts(&me).list();
        assert_eq!(changes(&[], &new), "it can reach `b2.x`, `b3.x`, `b4.x` and 4 more now");
    }
}
