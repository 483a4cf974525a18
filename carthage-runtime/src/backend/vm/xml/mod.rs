//! What libvirt is told, as typed descriptions that become XML, and what is read from what it answers.

mod domain;
mod element;
mod network;
mod read;
mod storage;
#[cfg(test)]
mod tests;

pub(super) use domain::{Boot, Disk, Domain, Mark, Medium, Nic, Virtualisation};
pub(super) use network::{Lease, Network};
pub(super) use read::{attribute, attributes};
pub(super) use storage::{Backing, Pool, Volume};

/// The namespace of what we write into a domain's metadata.
pub(super) const NAMESPACE: &str = "urn:carthage:machine:1";
