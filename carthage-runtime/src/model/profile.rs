//! Profiles: the ways in which one layout is deployed.

use super::key::{At, Key};
use super::member::Member;
use super::node::ImplementationNode;
use super::text::same;

/// `#[profile(small, implementation = Sandbox, …)]` on a layout: which implementations make it, and which parts are there.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// What users call it.
    pub name: &'static str,
    /// Where it is declared.
    pub at: At,
    /// What machines are made by where nothing nearer than the layout says otherwise; the layout's own, if absent.
    pub implementation: Option<&'static ImplementationNode>,
    /// What these models, or the machines in these enclaves, are made by.
    pub makes: &'static [(Key, &'static ImplementationNode)],
    /// The names of all profiles of the layout.
    pub among: &'static [&'static str],
}

impl Profile {
    /// Of a layout that declares none.
    pub const NONE: &'static Self = &Self::new("", At::new("", 0));

    /// A profile of this name, declared here.
    #[must_use]
    pub const fn new(name: &'static str, at: At) -> Self {
        Self { name, at, implementation: None, makes: &[], among: &[] }
    }

    /// With machines that are made by this.
    #[must_use]
    pub const fn implementation(mut self, implementation: &'static ImplementationNode) -> Self {
        self.implementation = Some(implementation);
        self
    }

    /// With what is made by something of its own.
    #[must_use]
    pub const fn makes(mut self, makes: &'static [(Key, &'static ImplementationNode)]) -> Self {
        self.makes = makes;
        self
    }

    /// With the names of all profiles of the layout.
    #[must_use]
    pub const fn among(mut self, among: &'static [&'static str]) -> Self {
        self.among = among;
        self
    }

    /// Whether the layout has a profile of this name.
    pub(crate) const fn knows(&self, name: &str) -> bool {
        let mut i = 0;
        while i < self.among.len() {
            if same(self.among[i], name) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Whether the member is there.
    pub(crate) const fn has(&self, member: &Member) -> bool {
        let count = member.only.len();
        let mut i = 0;
        while i < count {
            if same(member.only[i], self.name) {
                return true;
            }
            i += 1;
        }
        count == 0 || self.name.is_empty()
    }

    /// What it says of a model or an enclave itself.
    pub(crate) const fn maker(&self, key: Key) -> Option<&'static ImplementationNode> {
        let mut i = 0;
        while i < self.makes.len() {
            if self.makes[i].0.is(key) {
                return Some(self.makes[i].1);
            }
            i += 1;
        }
        None
    }
}
