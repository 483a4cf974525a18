//! The kinds of customizations: what each works on, and when it is applied.

use crate::machine::implementation::{Capability, FileTree, Implementation, OfflineRoot};
use crate::machine::{Host, Root, Tree};

/// What a customization works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `#[customization]`: a machine that runs.
    Machine,
    /// `#[customization(container)]`: the root of a machine, before it is started.
    Container,
    /// `#[customization(filesystem)]`: a file tree, however it is reached.
    Filesystem,
}

/// When in the life of a machine a customization is applied. What comes first is less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum When {
    /// Once it exists, whether it runs or not; if it does not, before it is started.
    Exists,
    /// Once it runs.
    Runs,
}

impl Kind {
    /// What it needs of the implementation.
    pub(crate) fn needs(self) -> Option<Capability> {
        match self {
            Self::Machine => None,
            Self::Container => Some(Capability::OfflineRoot),
            Self::Filesystem => Some(Capability::FileTree),
        }
    }

    /// When it is applied to a machine by an implementation that has offline roots, or has none.
    pub(crate) fn when(self, offline_root: bool) -> When {
        match self {
            Self::Container => When::Exists,
            Self::Filesystem if offline_root => When::Exists,
            Self::Machine | Self::Filesystem => When::Runs,
        }
    }
}

/// What the tasks of a customization are given: [`Host`], [`Root`] or [`Tree`].
#[diagnostic::on_unimplemented(
    message = "setup tasks do not work on `{Self}`",
    label = "expected `Host`, `Root` or `Tree`"
)]
pub trait Workplace: Send + Sync + 'static {
    /// The kind of customizations that work on it.
    const KIND: Kind;

    /// The part of a machine that these tasks see.
    #[doc(hidden)]
    fn of(host: &Host) -> &Self;
}

impl Workplace for Host {
    const KIND: Kind = Kind::Machine;

    fn of(host: &Host) -> &Self {
        host
    }
}

impl Workplace for Root {
    const KIND: Kind = Kind::Container;

    fn of(host: &Host) -> &Self {
        host.root()
    }
}

impl Workplace for Tree {
    const KIND: Kind = Kind::Filesystem;

    fn of(host: &Host) -> &Self {
        host.root()
    }
}

/// Whether machines by the implementation `I` have this to work on. `#[machine_model]` asks it for each of the model's
/// customizations.
pub trait WorkplaceOn<I: Implementation>: Workplace {}

impl<I: Implementation> WorkplaceOn<I> for Host {}
impl<I: OfflineRoot> WorkplaceOn<I> for Root {}
impl<I: FileTree> WorkplaceOn<I> for Tree {}

/// What works on an image: on its files, without anything running in it.
#[diagnostic::on_unimplemented(
    message = "a customization of kind `machine` is no layer of an image",
    label = "nothing runs in an image",
    note = "write `#[customization(container)]`, whose tasks take `&Root`, or `#[customization(filesystem)]`, whose tasks take `&Tree`; \
            or let the `#[machine_model]` have it"
)]
pub trait Layer: Workplace {}

impl Layer for Root {}
impl Layer for Tree {}

/// Stands for the customizations whose [`Customization::KIND`](super::Customization::KIND) is this.
#[doc(hidden)]
#[derive(Debug)]
pub struct OfKind<const KIND: u8>;

/// What customizations of a kind are, and what they work on.
#[doc(hidden)]
pub trait HasHost {
    /// What they work on.
    type Host: Workplace;
    /// One of them.
    type Itself<T>;
}

impl HasHost for OfKind<{ Kind::Machine as u8 }> {
    type Host = Host;
    type Itself<T> = T;
}

impl HasHost for OfKind<{ Kind::Container as u8 }> {
    type Host = Root;
    type Itself<T> = T;
}

impl HasHost for OfKind<{ Kind::Filesystem as u8 }> {
    type Host = Tree;
    type Itself<T> = T;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_come_before_machines() {
        assert_eq!(Kind::Container.when(true), When::Exists);
        assert_eq!(Kind::Filesystem.when(true), When::Exists);
        assert_eq!(Kind::Filesystem.when(false), When::Runs);
        assert_eq!(Kind::Machine.when(true), When::Runs);
        assert!(When::Exists < When::Runs);
    }
}
