//! Where disks lie, as libvirt takes it.

use super::domain::Medium;
use super::element::Element;
use crate::error::Error;

/// A directory of disks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Pool {
    /// Its name, unique on the host.
    pub(in super::super) name: String,
    /// Ditto, and what it is found by.
    pub(in super::super) uuid: String,
    /// A path on the hypervisor's host.
    pub(in super::super) path: String,
}

impl Pool {
    /// The document that defines it.
    ///
    /// # Errors
    /// When something in it cannot be written as XML.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        Element::new("pool")
            .with("type", "dir")
            .child(Element::text("name", &self.name))
            .child(Element::text("uuid", &self.uuid))
            .child(
                Element::new("target")
                    .child(Element::text("path", &self.path))
                    .child(Element::new("permissions").child(Element::text("mode", "0711"))),
            )
            .render(&format!("the directory `{}`", self.path))
    }
}

/// A disk in a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Volume {
    pub(in super::super) name: String,
    pub(in super::super) medium: Medium,
    /// Bytes.
    pub(in super::super) capacity: u64,
    /// What it is a layer over, if it is one.
    pub(in super::super) backing: Option<Backing>,
}

/// What a disk is a layer over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Backing {
    /// A path on the hypervisor's host.
    pub(in super::super) path: String,
    pub(in super::super) medium: Medium,
}

impl Volume {
    /// The document that makes it.
    ///
    /// # Errors
    /// When something in it cannot be written as XML.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        let format = |medium: Medium| Element::new("format").with("type", medium.name());
        let backing = self.backing.as_ref().map(|backing| {
            Element::new("backingStore")
                .child(Element::text("path", &backing.path))
                .child(format(backing.medium))
        });
        Element::new("volume")
            .with("type", "file")
            .child(Element::text("name", &self.name))
            .child(Element::text("capacity", self.capacity).with("unit", "bytes"))
            .child(Element::text("allocation", 0).with("unit", "bytes"))
            .child(
                Element::new("target")
                    .child(format(self.medium))
                    .child(Element::new("permissions").child(Element::text("mode", "0600"))),
            )
            .children(backing)
            .render(&format!("the disk `{}`", self.name))
    }
}
