//! The static description that every attribute writes: data for the checks and for the runtime.
//!
//! A node describes one item. Containers refer to their members' nodes; everything else is referred to by [`Key`], so that items
//! may refer to each other in any order. Nodes are made with the `const` builders here, by the macros or by hand:
//!
//! ```
//! use carthage::model::{At, Key, Kind, Node, Part};
//! const KEY: Key = Key::new(module_path!(), "Probe", line!(), column!());
//! const PROBE: &Node = &Node::new(Kind::Machine, KEY, "probe", At::new(file!(), line!())).about("Watches.");
//! assert_eq!(PROBE.name, "probe");
//! ```

use super::addressing::{Addressing, Range4};
use super::hardware::{Hardware, Surroundings};
use super::key::{At, Key};
use super::login::Login;
use super::member::Member;
use super::options::Policy;
use super::shared::Shared;
use super::start::{Dependency, Starts};
use super::taken::Taken;
use super::value::{Mask, Need, Provide};
use crate::machine::implementation::{Capability, Implementation};

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The top of a tree.
    Layout,
    /// A group of parts.
    Enclave,
    /// A machine's model.
    Machine,
    /// A logical network.
    Network,
    /// A set of setup tasks.
    Customization,
    /// A bundle of parts that machines take in.
    Role,
    /// What the roots of machines are made from.
    Image,
    /// A trait by which machines are found.
    Trait,
}

impl Kind {
    /// Whether it has members.
    pub(crate) const fn is_container(self) -> bool {
        matches!(self, Self::Layout | Self::Enclave)
    }

    /// What it is called in a sentence.
    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Layout => "a layout",
            Self::Enclave => "an enclave",
            Self::Machine => "a machine",
            Self::Network => "a network",
            Self::Customization => "a customization",
            Self::Role => "a role",
            Self::Image => "an image",
            Self::Trait => "a trait",
        }
    }
}

/// The static description of one item.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// What it is called by references.
    pub key: Key,
    /// What it is called by users, in kebab-case.
    pub name: &'static str,
    /// The first line of its doc comment, or nothing.
    pub about: &'static str,
    /// Where it stands.
    pub at: At,
    /// Completes the names of the machines inside.
    pub domain: Option<&'static str>,
    /// What machines in here are made by, unless something nearer says otherwise.
    pub implementation: Option<&'static ImplementationNode>,
    /// Of a network: its addressing.
    pub addressing: Addressing,
    /// Of a machine: what it is made of.
    pub hardware: Hardware,
    /// Of a machine: what it gets from the host, and gives to it.
    pub surroundings: Surroundings,
    /// Of a machine: how it is reached by ssh, as far as the model says.
    pub login: Option<Login>,
    /// Of a machine: whose links it has in place of its own.
    pub shares_links: Option<Shared>,
    /// Of a machine: words by which it is selected.
    pub tags: &'static [&'static str],
    /// Of a machine: whether it is only looked at.
    pub readonly: bool,
    /// What becomes of it, and of what is inside, without anybody naming it.
    pub policy: Policy,
    /// Of a machine or a network: what it was called before.
    pub moved_from: &'static [&'static str],
    /// The fields, in their order.
    pub parts: &'static [Part],
    /// What scopes around provide and that is hidden in here.
    pub masks: &'static [Mask],
    /// What must run before it, or before all machines in it.
    pub depends_on: &'static [Dependency],
    /// What it makes of what scopes around depend on.
    pub starts: Starts,
    /// What its arguments ask of the implementation; of a customization: what its kind does.
    pub asks: &'static [Capability],
    /// Of a customization: its tasks, in the order in which they run.
    pub tasks: &'static [TaskNode],
}

impl Node {
    /// A node with nothing but its names.
    #[must_use]
    pub const fn new(kind: Kind, key: Key, name: &'static str, at: At) -> Self {
        Self {
            kind,
            key,
            name,
            about: "",
            at,
            domain: None,
            implementation: None,
            addressing: Addressing::NONE,
            hardware: Hardware::ANY,
            surroundings: Surroundings::NONE,
            login: None,
            shares_links: None,
            tags: &[],
            readonly: false,
            policy: Policy::INHERITED,
            moved_from: &[],
            parts: &[],
            masks: &[],
            depends_on: &[],
            starts: Starts::INHERITED,
            asks: &[],
            tasks: &[],
        }
    }

    /// With a description.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// With a domain for the machines inside.
    #[must_use]
    pub const fn domain(mut self, domain: &'static str) -> Self {
        self.domain = Some(domain);
        self
    }

    /// With an implementation for the machines inside.
    #[must_use]
    pub const fn implementation(mut self, implementation: &'static ImplementationNode) -> Self {
        self.implementation = Some(implementation);
        self
    }

    /// With the addressing of a network.
    #[must_use]
    pub const fn addressing(mut self, addressing: Addressing) -> Self {
        self.addressing = addressing;
        self
    }

    /// With a machine's hardware.
    #[must_use]
    pub const fn hardware(mut self, hardware: Hardware) -> Self {
        self.hardware = hardware;
        self
    }

    /// With what a machine gets from the host, and gives to it.
    #[must_use]
    pub const fn surroundings(mut self, surroundings: Surroundings) -> Self {
        self.surroundings = surroundings;
        self
    }

    /// With how a machine is reached by ssh.
    #[must_use]
    pub const fn login(mut self, login: Login) -> Self {
        self.login = Some(login);
        self
    }

    /// With words by which it is selected.
    #[must_use]
    pub const fn tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Only looked at.
    #[must_use]
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// With its fields.
    #[must_use]
    pub const fn parts(mut self, parts: &'static [Part]) -> Self {
        self.parts = parts;
        self
    }

    /// With what is hidden in here of the scopes around.
    #[must_use]
    pub const fn masks(mut self, masks: &'static [Mask]) -> Self {
        self.masks = masks;
        self
    }

    /// With what must run before it.
    #[must_use]
    pub const fn depends_on(mut self, depends_on: &'static [Dependency]) -> Self {
        self.depends_on = depends_on;
        self
    }

    /// With what it makes of what scopes around depend on.
    #[must_use]
    pub const fn starts(mut self, starts: Starts) -> Self {
        self.starts = starts;
        self
    }

    /// With what it asks of the implementation, besides what its links and fields tell.
    #[must_use]
    pub const fn asks(mut self, asks: &'static [Capability]) -> Self {
        self.asks = asks;
        self
    }

    /// With its tasks.
    #[must_use]
    pub const fn tasks(mut self, tasks: &'static [TaskNode]) -> Self {
        self.tasks = tasks;
        self
    }
}

/// An implementation as a constant: its name, and how the runtime opens it.
#[derive(Clone, Copy)]
pub struct ImplementationNode {
    /// [`Implementation::NAME`].
    pub name: &'static str,
    /// What it can do.
    pub capabilities: &'static [Capability],
    pub(crate) open: crate::machine::implementation::OpenFn,
}

impl ImplementationNode {
    /// Of the type `I`.
    #[must_use]
    pub const fn of<I: Implementation>() -> Self {
        Self { name: I::NAME, capabilities: I::CAPABILITIES, open: crate::machine::implementation::open::<I> }
    }

    /// Whether it can do something.
    #[must_use]
    pub const fn has(&self, asked: Capability) -> bool {
        let mut i = 0;
        while i < self.capabilities.len() {
            if self.capabilities[i] as u32 == asked as u32 {
                return true;
            }
            i += 1;
        }
        false
    }
}

impl std::fmt::Debug for ImplementationNode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// One field of an item.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The field's name, as written.
    pub field: &'static str,
    /// Where it stands.
    pub at: At,
    /// What it is.
    pub role: Role,
}

impl Part {
    /// A field.
    #[must_use]
    pub const fn new(field: &'static str, at: At, role: Role) -> Self {
        Self { field, at, role }
    }
}

/// What a field is.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Role {
    /// A part of the tree: an enclave, a network or a machine, or several.
    Member(Member),
    /// A network interface.
    Link(Link),
    /// A set of setup tasks.
    Customize(&'static Node),
    /// A value from the scopes around.
    Inject(Need),
    /// A value for everything in here.
    Provide(Provide),
    /// A bundle of parts, which come after the machine's own.
    Taken(Taken),
}

/// A `#[link]` field. The interface is named like the field.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The network it is plugged into.
    pub network: Key,
    /// The interface's name.
    pub interface: &'static str,
    /// Its address: one, or in an array of machines one for each.
    pub address: Option<Range4>,
    /// Its hardware address.
    pub mac: Option<[u8; 6]>,
    /// Bytes per frame.
    pub mtu: Option<u32>,
    /// VLANs whose frames it takes with their tags.
    pub vlans: &'static [u16],
    /// The other end of its cable.
    pub peer: Option<LinkRef>,
}

impl Link {
    /// Plugged into this network, with nothing but a name.
    #[must_use]
    pub const fn new(network: Key, interface: &'static str) -> Self {
        Self { network, interface, address: None, mac: None, mtu: None, vlans: &[], peer: None }
    }
}

/// `link!(Switch.port1)`: a link of another model.
#[derive(Clone, Copy, Debug)]
pub struct LinkRef {
    /// The machine's model.
    pub machine: Key,
    /// The field.
    pub field: &'static str,
    /// The interface's name.
    pub interface: &'static str,
    /// The network it is plugged into.
    pub network: Key,
    /// Its address, as in [`Link`].
    pub address: Option<Range4>,
    /// Where it stands.
    pub at: At,
}

/// One setup task, as far as the checks and the plan look.
#[derive(Clone, Copy, Debug)]
pub struct TaskNode {
    /// The function's name.
    pub name: &'static str,
    /// The first line of its doc comment, or nothing.
    pub about: &'static str,
    /// Where it stands.
    pub at: At,
    /// Positions, in the customization's list, of the tasks that come before it by `after` and `before`.
    pub after: &'static [usize],
    /// As whom its commands and services run; the machine's user if absent.
    pub user: Option<&'static str>,
    /// How long a try of it may take, in seconds; as long as it takes if absent.
    pub timeout_seconds: Option<u64>,
    /// How often it is tried again when it fails.
    pub retries: u64,
    /// A hash of its tokens: comments and formatting do not count.
    pub source: u64,
    /// What its functions need injected: the body's, then those of its hash, invalidator and check.
    pub needs: &'static [Need],
}
