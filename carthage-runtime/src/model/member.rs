//! Member fields of enclaves and layouts: what they hold, how many, and when.

use super::node::Node;

/// How many of a member there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// One, called by its name.
    One,
    /// So many, numbered from 1: `worker-1` …
    Array(usize),
    /// As many as a list says at run time, called by the names in it. The checks take it for one.
    Fleet,
}

/// A member field.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Member {
    /// What it holds.
    pub node: &'static Node,
    /// How many.
    pub count: Count,
    /// `#[member(name = "…")]`: another name than the node's.
    pub name: Option<&'static str>,
    /// `#[member(domain = "…")]`: another domain than the node's.
    pub domain: Option<&'static str>,
    /// `#[member(is = …)]`: what it stands for, besides itself.
    pub is: &'static [&'static Node],
    /// `#[member(when = …)]`: whether it is there is decided at run time. The checks take it to be.
    pub when: bool,
    /// `#[member(only = …)]`: the profiles in which it is there; all, if the list is empty.
    pub only: &'static [&'static str],
    /// `#[moved_from(…)]` on the field: what it was called before. The node's says nothing then.
    pub moved_from: &'static [&'static str],
}

impl Member {
    /// One of these, in every profile.
    #[must_use]
    pub const fn new(node: &'static Node) -> Self {
        Self {
            node,
            count: Count::One,
            name: None,
            domain: None,
            is: &[],
            when: false,
            only: &[],
            moved_from: &[],
        }
    }

    /// So many of them.
    #[must_use]
    pub const fn count(mut self, count: Count) -> Self {
        self.count = count;
        self
    }

    /// Under another name than the node's.
    #[must_use]
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// In another domain than the node's.
    #[must_use]
    pub const fn domain(mut self, domain: &'static str) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Standing for these as well: who refers to them means it.
    #[must_use]
    pub const fn is(mut self, others: &'static [&'static Node]) -> Self {
        self.is = others;
        self
    }

    /// If it is decided so at run time.
    #[must_use]
    pub const fn when(mut self) -> Self {
        self.when = true;
        self
    }

    /// In these profiles.
    #[must_use]
    pub const fn only(mut self, profiles: &'static [&'static str]) -> Self {
        self.only = profiles;
        self
    }

    /// Called by one of these before; see [`Placement::moved_from`](super::Placement::moved_from).
    #[must_use]
    pub const fn moved_from(mut self, names: &'static [&'static str]) -> Self {
        self.moved_from = names;
        self
    }

    /// What it was called before, as it is written at the field or else at the model.
    pub(crate) const fn called_before(&self) -> &'static [&'static str] {
        if self.moved_from.is_empty() { self.node.moved_from } else { self.moved_from }
    }

    /// The domain of what is inside.
    pub(crate) const fn domain_inside(&self) -> Option<&'static str> {
        match self.domain {
            Some(domain) => Some(domain),
            None => self.node.domain,
        }
    }

    /// Whether it is found by what it stands for in this position: not if it is found by that anyhow.
    pub(crate) const fn is_found_by(&self, position: usize) -> bool {
        let key = self.is[position].key.id();
        let mut i = 0;
        while i < position {
            if self.is[i].key.id() == key {
                return false;
            }
            i += 1;
        }
        self.node.key.id() != key && !self.node.has_role(key)
    }

    /// Whether `key` is its own, or of something that it stands for.
    pub(crate) const fn answers_to(&self, key: u64) -> bool {
        let mut i = 0;
        while i < self.is.len() {
            if self.is[i].key.id() == key {
                return true;
            }
            i += 1;
        }
        self.node.key.id() == key || self.node.has_role(key)
    }

    /// Whether how many there are is known at run time only.
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        self.when || matches!(self.count, Count::Fleet)
    }
}
