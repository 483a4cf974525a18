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
    /// `#[member(when = …)]`: whether it is there is decided at run time. The checks take it to be.
    pub when: bool,
    /// `#[member(only = …)]`: the profiles in which it is there; all, if the list is empty.
    pub only: &'static [&'static str],
}

impl Member {
    /// One of these, in every profile.
    #[must_use]
    pub const fn new(node: &'static Node) -> Self {
        Self { node, count: Count::One, name: None, when: false, only: &[] }
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

    /// Whether how many there are is known at run time only.
    #[must_use]
    pub const fn is_decided(&self) -> bool {
        self.when || matches!(self.count, Count::Fleet)
    }
}
