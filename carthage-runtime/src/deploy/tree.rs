//! The layout as it was resolved, as a tree; and what of it is probably not meant.

use serde::Serialize;

use super::Deployment;
use super::status::{addresses, shares_links};
use crate::error::Error;
use crate::layout::{Generating, Layout};
use crate::machine::Machine;
use crate::model::{Kind, Node, Part, Placement, Placements, Provide, Role, Warning};

/// Something in the layout, with what is part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `layout`, `enclave`, `network` or `machine`.
    pub kind: &'static str,
    /// Of a machine its full name, of a network its path, of the layout what it is called; otherwise the path of fields.
    pub name: String,
    /// The fields that lead to it: `algebra.mirror`.
    pub path: String,
    /// How many items it is inside of.
    pub depth: usize,
    /// Its type.
    pub model: &'static str,
    /// The first line of its doc comment.
    pub about: &'static str,
    /// File and line of the field that holds it, or of the layout.
    pub at: String,
    /// What completes the names of machines inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What makes it, if it is a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// Addresses of a machine, or a network's subnet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Of a machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Plugged>,
    /// The full name of the machine whose links a machine shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares_links: Option<String>,
    /// What it provides for itself and what is inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub provides: Vec<Provided>,
    /// What is hidden from it and what is inside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<String>,
    /// Of a machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub customizations: Vec<Customized>,
    /// The tasks of its own that it has, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<&'static str>,
    /// The full names of the machines that a machine starts after.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub starts_after: Vec<String>,
}

/// A link of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plugged {
    /// The interface.
    pub interface: String,
    /// The path of the network.
    pub network: String,
    /// Its address with the prefix's length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// A value that is provided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Provided {
    /// The field.
    pub field: &'static str,
    /// Its type, and its constraints: `` `Token` with `Site = "red"` ``.
    pub value: String,
    /// Whether it is kept in the state directory.
    pub persist: bool,
    /// Whether each that asks has its own.
    pub each: bool,
    /// The fields that lead to where it is taken from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

/// A customization of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Customized {
    /// The field.
    pub field: &'static str,
    /// Its type.
    pub customization: &'static str,
    /// Its tasks, in their order.
    pub tasks: Vec<&'static str>,
}

/// What holds together and is probably not meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lint {
    /// The name of its rule: one of [`LINTS`].
    pub rule: &'static str,
    /// File and line.
    pub at: String,
    /// What it is.
    pub text: String,
    /// What to write instead.
    pub help: String,
}

/// The names of all rules of [`lints`].
pub const LINTS: &[&str] = Warning::RULES;

/// What of a layout is probably not meant, in all of its profiles.
#[must_use]
pub fn lints<L: Layout>() -> Vec<Lint> {
    let lint = |Warning { rule, at, text, help }| Lint { rule, at: at.to_string(), text, help };
    Placements::warnings(L::PROFILES).into_iter().map(lint).collect()
}

impl Deployment {
    /// All that is in the layout, each after what it is inside of. Asks nobody.
    ///
    /// # Errors
    /// When the layout could not be resolved.
    pub fn tree(&self) -> Result<Vec<Item>, Error> {
        self.resolved()?;
        Ok(self.world.placements().iter().map(|placement| self.item(placement)).collect())
    }

    fn item(&self, placement: Placement) -> Item {
        let (node, index) = (placement.node(), placement.index());
        let path = placement.path().to_owned();
        let mut item = Item {
            depth: placement.scopes().count() - 1,
            model: placement.key().name(),
            about: node.about,
            at: placement.part().map_or(node.at, |part| part.at).to_string(),
            provides: node.parts.iter().filter_map(provided).collect(),
            masks: node.masks.iter().map(|mask| mask.key.to_string()).collect(),
            tasks: self.world.generating().get(&index).into_iter().flat_map(Generating::tasks).collect(),
            ..Item::default()
        };
        let domain = || (!placement.domain().is_empty()).then(|| placement.domain().to_owned());
        (item.kind, item.name) = match node.kind {
            Kind::Layout => {
                item.domain = domain();
                // One that is placed in another is a group like others.
                let name = if index == 0 { self.world.scope(0).name().to_owned() } else { path.clone() };
                ("layout", name)
            }
            Kind::Network => {
                let subnet = self.world.networks().get(&index).and_then(|(spec, _)| spec.v4);
                item.addresses.extend(subnet.map(|subnet| subnet.to_string()));
                ("network", path.clone())
            }
            Kind::Machine => {
                self.machine_item(index, node, &mut item);
                ("machine", placement.fqdn().to_owned())
            }
            // Nothing else is placed.
            Kind::Enclave | Kind::Customization | Kind::Role | Kind::Image | Kind::Trait => {
                item.domain = domain();
                ("enclave", path.clone())
            }
        };
        Item { path, ..item }
    }

    fn machine_item(&self, index: usize, node: &'static Node, item: &mut Item) {
        let Some(machine) = self.world.machines().get(&index) else { return };
        item.implementation = Some(machine.implementation().to_owned());
        item.addresses = addresses(machine);
        let links = machine.links().iter().map(|link| Plugged {
            interface: link.interface.clone(),
            network: self.world.network_called(&link.network).to_owned(),
            address: link.address.map(|address| address.to_string()),
        });
        item.links = links.collect();
        item.shares_links = shares_links(machine);
        item.customizations = node.parts.iter().filter_map(customized).collect();
        let before = self.things.starts.get(&index).into_iter().flat_map(|starts| &starts.machines);
        let before = before.filter_map(|index| self.world.machines().get(index));
        item.starts_after = before.map(Machine::name).map(str::to_owned).collect();
    }
}

fn provided(part: &'static Part) -> Option<Provided> {
    let Role::Provide(Provide { key, persist, each, from, .. }) = part.role else { return None };
    let from = (!from.is_empty()).then(|| from.join("."));
    Some(Provided { field: part.field, value: key.to_string(), persist, each, from })
}

fn customized(part: &'static Part) -> Option<Customized> {
    let Role::Customize(node) = part.role else { return None };
    let tasks = node.tasks.iter().map(|task| task.name).collect();
    Some(Customized { field: part.field, customization: node.key.name(), tasks })
}
