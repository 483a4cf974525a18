//! What things are called in the engine, and the labels by which they are known as ours.

use std::collections::HashMap;

use serde::Serialize;

use crate::machine::engine::{MachineSpec, NetworkSpec, Site};

/// Which layout, in which state directory: without it, or with another's, a thing is a stranger's.
const SITE: &str = "carthage.site";
/// The layout's name, for people.
const LAYOUT: &str = "carthage.layout";
/// The machine's name.
const MACHINE: &str = "carthage.machine";
/// The network's name.
const NETWORK: &str = "carthage.network";
/// The machine whose links it shares.
const SHARES: &str = "carthage.shares";
/// A hash of what it was made from, as far as that cannot be changed in place.
const WANTED: &str = "carthage.wanted";

/// The labels of a thing, as the engine answers them.
pub(super) type Labels = HashMap<String, String>;

/// Names and labels on one site.
#[derive(Clone, Debug)]
pub(super) struct Names {
    layout: String,
    id: String,
}

impl Names {
    pub(super) fn new(site: &Site) -> Self {
        Self { layout: site.layout.clone(), id: site.id.clone() }
    }

    /// The first digits of the site's number tell layouts of the same name apart.
    fn of(&self, thing: &str) -> String {
        format!("carthage-{}-{thing}", self.id.get(..8).unwrap_or(&self.id))
    }

    /// What the container of a machine is called.
    pub(super) fn machine(&self, machine: &str) -> String {
        self.of(machine)
    }

    /// What a network is called in the engine.
    pub(super) fn network(&self, network: &str) -> String {
        self.of(network)
    }

    /// What the network is called through which the ports of a machine are reached: no layout's network has a `_`.
    pub(super) fn ports(&self, machine: &str) -> String {
        format!("{}_ports", self.of(machine))
    }

    /// The repository of an image with these contents.
    pub(super) fn image(hash: &str) -> String {
        format!("carthage/{hash}")
    }

    /// This site's tag of an image that was made from a directory or an archive.
    pub(super) fn tag(&self) -> &str {
        &self.id
    }

    /// The labels of a machine's container.
    pub(super) fn machine_labels(&self, spec: &MachineSpec) -> Labels {
        let mut labels = self.labels(MACHINE, &spec.name, self.machine_hash(spec));
        labels.extend(spec.shares_links.iter().map(|shared| (SHARES.to_owned(), shared.machine.clone())));
        labels
    }

    /// The labels of a network.
    pub(super) fn network_labels(&self, spec: &NetworkSpec) -> Labels {
        self.labels(NETWORK, &spec.name, self.network_hash(spec))
    }

    /// The labels of the network of a machine's ports.
    pub(super) fn ports_labels(&self, machine: &str) -> Labels {
        self.labels(MACHINE, machine, String::new())
    }

    fn labels(&self, kind: &str, name: &str, wanted: String) -> Labels {
        [(SITE, self.id.clone()), (LAYOUT, self.layout.clone()), (kind, name.to_owned()), (WANTED, wanted)]
            .map(|(label, value)| (label.to_owned(), value))
            .into()
    }

    /// Whether these are the labels of this machine of ours.
    pub(super) fn is_machine(&self, labels: Option<&Labels>, machine: &str) -> bool {
        self.is_ours(labels) && label(labels, MACHINE) == Some(machine)
    }

    /// The machine of ours with these labels, if it shares the links of `other`.
    pub(super) fn sharing<'a>(&self, labels: Option<&'a Labels>, other: &str) -> Option<&'a str> {
        let shares = self.is_ours(labels) && label(labels, SHARES) == Some(other);
        label(labels, MACHINE).filter(|_| shares)
    }

    /// Whether these are the labels of this network of ours.
    pub(super) fn is_network(&self, labels: Option<&Labels>, network: &str) -> bool {
        self.is_ours(labels) && label(labels, NETWORK) == Some(network)
    }

    /// Whether these are labels of this site.
    pub(super) fn is_ours(&self, labels: Option<&Labels>) -> bool {
        label(labels, SITE) == Some(&*self.id)
    }

    /// Whether a container was made from what is wanted now.
    pub(super) fn machine_is_as_wanted(&self, labels: Option<&Labels>, spec: &MachineSpec) -> bool {
        label(labels, WANTED) == Some(&*self.machine_hash(spec))
    }

    /// Whether a network was made from what is wanted now.
    pub(super) fn network_is_as_wanted(&self, labels: Option<&Labels>, spec: &NetworkSpec) -> bool {
        label(labels, WANTED) == Some(&*self.network_hash(spec))
    }

    fn machine_hash(&self, spec: &MachineSpec) -> String {
        // What can be changed in place, and what a container has nothing of.
        let fixed = MachineSpec { memory_mb: None, cpus: None, login: None, ..spec.clone() };
        self.hash(&fixed)
    }

    fn network_hash(&self, spec: &NetworkSpec) -> String {
        self.hash(spec)
    }

    /// Keyed, for the environment is part of it.
    #[expect(clippy::expect_used, reason = "a derived `Serialize` over strings and numbers cannot fail")]
    fn hash(&self, spec: &impl Serialize) -> String {
        let key = blake3::derive_key("carthage 2026 wanted configuration of a container", self.id.as_bytes());
        let text = serde_json::to_vec(spec).expect("plain data");
        blake3::keyed_hash(&key, &text).to_hex().to_string()
    }
}

fn label<'a>(labels: Option<&'a Labels>, name: &str) -> Option<&'a str> {
    labels?.get(name).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::SharedLinks;

    #[test]
    fn limits_are_no_part_of_what_cannot_be_changed() {
        let names = Names { layout: "lab".into(), id: "0123456789abcdef".into() };
        let spec = MachineSpec { name: "m.lab".into(), ..MachineSpec::default() };
        let labels = names.machine_labels(&spec);
        let more = MachineSpec { memory_mb: Some(64), cpus: Some(2), ..spec.clone() };
        assert!(names.machine_is_as_wanted(Some(&labels), &more));
        let mut other = spec;
        other.environment.insert("WORD".into(), "secret".into());
        assert!(!names.machine_is_as_wanted(Some(&labels), &other));
        assert_eq!(names.machine("m.lab"), "carthage-01234567-m.lab");
    }

    #[test]
    fn strangers_are_told_apart() {
        let names = Names { layout: "lab".into(), id: "0123456789abcdef".into() };
        let labels = names.machine_labels(&MachineSpec { name: "m".into(), ..MachineSpec::default() });
        assert!(names.is_machine(Some(&labels), "m") && !names.is_machine(Some(&labels), "n"));
        let elsewhere = Names { id: "0123456789abcdee".into(), ..names };
        assert!(!elsewhere.is_machine(Some(&labels), "m"), "the same name in another state directory");
        assert!(!elsewhere.is_ours(None));
    }

    #[test]
    fn who_shares_links_is_known_by_its_labels() {
        let names = Names { layout: "lab".into(), id: "0123456789abcdef".into() };
        let shared = SharedLinks { machine: "router".into(), links: Vec::new() };
        let spec =
            MachineSpec { name: "watcher".into(), shares_links: Some(shared), ..MachineSpec::default() };
        let labels = names.machine_labels(&spec);
        assert_eq!(names.sharing(Some(&labels), "router"), Some("watcher"));
        assert_eq!(names.sharing(Some(&labels), "watcher"), None);
        let elsewhere = Names { id: "0123456789abcdee".into(), ..names };
        assert_eq!(elsewhere.sharing(Some(&labels), "router"), None);
    }
}
