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
    /// Where those of a machine are.
    of: BTreeMap<String, Vec<usize>>,
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
        let mut of: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            owners.entry(entry.hostname.clone()).or_default().insert(entry.name.clone());
            of.entry(entry.name.clone()).or_default().push(at);
        }
        let host = |entry: &&Entry| ((*entry).clone(), entry.host(owners[&entry.hostname].len() == 1));
        Self { entries: entries.iter().map(host).collect(), of, owners }
    }

    /// The one other machine that has the host name of this one: to all but this one that name says nothing.
    fn twin(&self, name: &str, hostname: &str) -> Option<&str> {
        let owners = self.owners.get(hostname).filter(|owners| owners.len() == 2 && owners.contains(name))?;
        owners.iter().map(String::as_str).find(|owner| *owner != name)
    }

    fn as_seen_by(&self, name: &str, hostname: &str) -> Vec<HostEntry> {
        let twin = self.twin(name, hostname);
        let others = self.entries.iter().filter(|(entry, _)| entry.name != name);
        others.map(|(entry, host)| seen(entry, host, hostname, twin)).collect()
    }

    /// What one machine is called by another.
    fn of_one(&self, one: &str, name: &str, hostname: &str) -> Vec<HostEntry> {
        let twin = self.twin(name, hostname);
        let at = self.of.get(one).into_iter().flatten();
        at.map(|at| &self.entries[*at]).map(|(entry, host)| seen(entry, host, hostname, twin)).collect()
    }
}

/// An entry as who has this host name, and this twin, sees it.
fn seen(entry: &Entry, host: &HostEntry, hostname: &str, twin: Option<&str>) -> HostEntry {
    match twin == Some(&*entry.name) && entry.hostname == hostname {
        true => entry.host(true),
        false => host.clone(),
    }
}

/// The names that machines could reach when they were deployed, and what has changed since: all that are on the same networks are
/// told out of one comparison.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) names: Directory,
    /// By the networks that machines are on.
    differences: Mutex<BTreeMap<Vec<String>, Arc<Difference>>>,
}

impl Before {
    pub(crate) fn new(names: Directory) -> Self {
        Self { names, differences: Mutex::default() }
    }

    /// What changed for a machine, as a reason.
    pub(crate) fn changes(&self, now: &Directory, me: &MachineSpec) -> String {
        let networks: BTreeSet<_> = me.interfaces().iter().map(|link| link.network.clone()).collect();
        let mut known = self.differences.lock().unwrap_or_else(PoisonError::into_inner);
        let difference = known
            .entry(networks.into_iter().collect())
            .or_insert_with(|| Arc::new(Difference::of(self.names.together(me), now.together(me))))
            .clone();
        drop(known);
        difference.as_seen_by(&me.name, &me.hostname)
    }
}

/// What differs between the names of then and of now on some networks, for who is not called like any machine there.
#[derive(Debug)]
struct Difference {
    old: Arc<Together>,
    new: Arc<Together>,
    come: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Difference {
    fn of(old: Arc<Together>, new: Arc<Together>) -> Self {
        let hosts = |together: &Together| together.entries.iter().map(|(_, host)| host.clone()).collect();
        let (before, now): (Vec<_>, Vec<_>) = (hosts(&old), hosts(&new));
        Self { come: names(&now, &before), gone: names(&before, &now), old, new }
    }

    fn as_seen_by(&self, name: &str, hostname: &str) -> String {
        let (mut come, mut gone) = (Told::of(&self.come, name), Told::of(&self.gone, name));
        let twins = [&self.old, &self.new].into_iter().filter_map(|then| then.twin(name, hostname));
        for twin in twins.collect::<BTreeSet<_>>() {
            let (before, now) =
                (self.old.of_one(twin, name, hostname), self.new.of_one(twin, name, hostname));
            come.say(twin, !names(&now, &before).is_empty());
            gone.say(twin, !names(&before, &now).is_empty());
        }
        match (come.list(), gone.list()) {
            (Some(come), _) => format!("it can reach {come} now"),
            (None, Some(gone)) => format!("{gone} left its networks"),
            (None, None) => "an earlier run was ended before it told it all names".to_owned(),
        }
    }
}

/// The names of entries of `of` that are not in `without`.
fn names(of: &[HostEntry], without: &[HostEntry]) -> BTreeSet<String> {
    let without: BTreeSet<_> = without.iter().map(|entry| (entry.address, &entry.names)).collect();
    let rest = of.iter().filter(|entry| !without.contains(&(entry.address, &entry.names)));
    rest.filter_map(|entry| entry.names.first().cloned()).collect()
}

/// Names of a reason: those of many machines, with what is otherwise for some.
struct Told<'a> {
    most: &'a BTreeSet<String>,
    otherwise: BTreeMap<&'a str, bool>,
}

impl<'a> Told<'a> {
    /// These, without the own one.
    fn of(most: &'a BTreeSet<String>, own: &'a str) -> Self {
        Self { most, otherwise: BTreeMap::from([(own, false)]) }
    }

    fn say(&mut self, name: &'a str, is_one: bool) {
        self.otherwise.insert(name, is_one);
    }

    /// The first of them, and how many there are more; `None` if there are none.
    fn list(&self) -> Option<String> {
        let most = || self.most.iter().filter(|name| !self.otherwise.contains_key(name.as_str()));
        let some: BTreeSet<_> = self.otherwise.iter().filter(|(_, is)| **is).map(|(name, _)| *name).collect();
        let without = self.otherwise.keys().filter(|name| self.most.contains(**name)).count();
        let count = self.most.len() - without + some.len();
        let first: BTreeSet<_> = most().take(NAMED).map(String::as_str).chain(some).collect();
        let shown: Vec<_> = first.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        match count.saturating_sub(NAMED) {
            _ if count == 0 => None,
            0 => Some(shown.join(", ")),
            more => Some(format!("{} and {more} more", shown.join(", "))),
        }
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
        let none = || Before::new(Directory::default());
        let few = || Directory::of([machine("b.x", &[("n", "10.0.0.2/24")])].iter());
        let me = machine("a.x", &[("n", "10.0.0.1/24")]);
        assert_eq!(none().changes(&few(), &me), "it can reach `b.x` now");
        assert_eq!(Before::new(few()).changes(&Directory::default(), &me), "`b.x` left its networks");
        let many: Vec<_> =
            (2..9).map(|n| machine(&format!("b{n}.x"), &[("n", &format!("10.0.0.{n}/24"))])).collect();
        let new = Directory::of(many.iter());
        assert_eq!(none().changes(&new, &me), "it can reach `b2.x`, `b3.x`, `b4.x` and 4 more now");
        assert_eq!(none().changes(&new, &many[1]), "it can reach `b2.x`, `b4.x`, `b5.x` and 3 more now");
    }

    /// The same for one machine, by its own two lists.
    fn by_itself(before: &Directory, now: &Directory, me: &MachineSpec) -> String {
        let (old, new) = (before.hosts(me).list(), now.hosts(me).list());
        let (come, gone) = (names(&new, &old), names(&old, &new));
        let list = |names: &BTreeSet<String>| {
            let shown: Vec<_> = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
            match names.len().saturating_sub(NAMED) {
                0 => shown.join(", "),
                more => format!("{} and {more} more", shown.join(", ")),
            }
        };
        match (come.is_empty(), gone.is_empty()) {
            (false, _) => format!("it can reach {} now", list(&come)),
            (true, false) => format!("{} left its networks", list(&gone)),
            (true, true) => "an earlier run was ended before it told it all names".to_owned(),
        }
    }

    #[test]
    fn one_comparison_tells_each_what_its_own_would() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut told = BTreeSet::new();
        for _ in 0..400 {
            // Few names, so that many are shared, by two and by more.
            let mut some = || {
                let mut all = BTreeMap::new();
                for _ in 0..random.usize(0..9) {
                    let name = format!(
                        "{}{}",
                        ["a", "b", "c"][random.usize(0..3)],
                        ["", ".x", ".y", ".z"][random.usize(0..4)]
                    );
                    let mut links = Vec::new();
                    for network in ["m", "n"] {
                        if random.bool() {
                            links.push((network, format!("10.0.0.{}/24", random.u8(1..5))));
                        }
                    }
                    let links: Vec<_> = links.iter().map(|(n, a)| (*n, a.as_str())).collect();
                    all.insert(name.clone(), machine(&name, &links));
                }
                all
            };
            let (old, new) = (some(), some());
            let now = Directory::of(new.values());
            let before = Before::new(Directory::of(old.values()));
            for me in new.values() {
                let own = by_itself(&before.names, &now, me);
                assert_eq!(before.changes(&now, me), own, "{} of {new:#?}, before {old:#?}", me.name);
                told.insert(own.split('`').next().unwrap().to_owned());
            }
            assert!(before.differences.lock().unwrap().len() <= 4, "by networks, not by machines");
        }
        assert_eq!(told.len(), 3, "{told:?}");
    }
}
