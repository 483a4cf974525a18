//! The kinds of customizations: what each works on, and when it is applied.

use std::future::Future;
use std::ops::Deref;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Ending, Entering, ModelDir, Surrounding};
use crate::error::{Error, ErrorKind};
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
    /// `#[model_tasks]`: a directory of a model, on the controller.
    Controller,
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
    #[must_use]
    pub const fn asks(self) -> &'static [Capability] {
        match self {
            Self::Machine | Self::Controller => &[],
            Self::Container => &[Capability::OfflineRoot],
            Self::Filesystem => &[Capability::FileTree],
        }
    }

    /// When it is applied to a machine by an implementation that has offline roots, or has none.
    pub(crate) fn when(self, offline_root: bool) -> When {
        match self {
            Self::Container | Self::Controller => When::Exists,
            Self::Filesystem if offline_root => When::Exists,
            Self::Machine | Self::Filesystem => When::Runs,
        }
    }
}

/// Where tasks are run: what their host is, is part of, or is opened from.
#[derive(Debug)]
pub enum Ground {
    /// A machine.
    Machine(Host),
    /// The directory of a model.
    Controller(ModelDir),
}

impl Ground {
    /// The machine.
    ///
    /// # Errors
    /// When it is something else, which is a mistake in what was written by hand.
    pub fn host(&self) -> Result<&Host, Error> {
        match self {
            Self::Machine(host) => Ok(host),
            Self::Controller(dir) => Err(misplaced(&format!("`{}` is a model, and no machine", dir.name()))),
        }
    }
}

fn misplaced(why: &str) -> Error {
    Error::new(ErrorKind::Usage, "these tasks work on something else").because(why)
}

/// A host, as its tasks get it.
#[derive(Debug)]
pub enum Reached<'a, W> {
    /// It is there as long as the machine is.
    There(&'a W),
    /// It was opened for the task.
    Opened(W),
}

impl<W> Deref for Reached<'_, W> {
    type Target = W;

    fn deref(&self) -> &W {
        match self {
            Self::There(host) => host,
            Self::Opened(host) => host,
        }
    }
}

/// What the tasks of a customization are given: [`Host`], [`Root`], [`Tree`], [`ModelDir`], or a type with [`OwnHost`].
#[diagnostic::on_unimplemented(
    message = "setup tasks do not work on `{Self}`",
    label = "expected `Host`, `Root`, `Tree`, or a host of your own",
    note = "a host of your own implements `carthage::customize::OwnHost`, which says how it is opened"
)]
pub trait Workplace: Sized + Send + Sync + 'static {
    /// The kind of customizations that work on it.
    const KIND: Kind;

    /// What these tasks see of where they run.
    #[doc(hidden)]
    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>>;

    /// Whether it is entered before tasks run, and left afterwards.
    #[doc(hidden)]
    const SURROUNDS: bool = false;

    #[doc(hidden)]
    fn enter_it(_ground: &Ground) -> Entering<'_> {
        Box::pin(async { Ok(None) })
    }
}

/// A host of your own: what the tasks of `#[customization(host = Console)]` get, so that what it cannot do does not compile.
///
/// It is opened from the machine or from its files. What is opened to look, for a plan or for a check before anything runs, is opened anew each time,
/// and changes nothing. The one that tasks run on is opened before the first of them that runs, [entered](Self::enter), given to all of
/// them that run and to their checks, and [left](Self::leave) when they have ended, however that was.
/// [`WorkplaceOn`] says which implementations have it: of a machine that has none, the compiler says so.
///
/// ```
/// use carthage::customize::{OwnHost, WorkplaceOn};
/// use carthage::machine::implementation::Implementation;
/// use carthage::prelude::*;
///
/// /// What a switch is told over its own interface.
/// pub struct Console {
///     host: Machine,
/// }
///
/// impl OwnHost for Console {
///     type From = Host;
///
///     async fn open(host: &Host) -> Result<Self> {
///         host.run(["console", "login"]).await?;
///         Ok(Self { host: host.machine().clone() })
///     }
/// }
///
/// /// Whatever makes the machine.
/// impl<I: Implementation> WorkplaceOn<I> for Console {}
///
/// impl Console {
///     /// Puts a port into a VLAN.
///     pub async fn vlan(&self, port: u16, vlan: u16) -> Result<()> {
///         let (port, vlan) = (port.to_string(), vlan.to_string());
///         self.host.run(["console", "vlan", &port, &vlan]).await?;
///         Ok(())
///     }
/// }
///
/// #[derive(Default)]
/// pub struct Ports;
///
/// #[customization(host = Console)]
/// impl Ports {
///     /// The first port is the office's.
///     #[setup_task]
///     async fn office(&self, console: &Console) -> Result<()> {
///         console.vlan(1, 20).await
///     }
/// }
/// ```
pub trait OwnHost: Sized + Send + Sync + 'static {
    /// What it is opened from: [`Host`], once the machine runs; [`Root`], before it is started; or [`Tree`].
    type From: PartOfMachine;

    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be; the task, or what asks its check, has failed then.
    fn open(from: &Self::From) -> impl Future<Output = crate::Result<Self>> + Send;

    /// What is done before the first of a customization's tasks that runs. A plan does not do it, nor does a run in which none has to.
    ///
    /// # Errors
    /// When it cannot be; the task has failed then, and was not begun. The next one that is to run tries again.
    fn enter(&self) -> impl Future<Output = crate::Result<()>> + Send {
        async { Ok(()) }
    }

    /// What is done after the last of them: when they succeeded, when one failed, panicked or was not done in time, when the run is
    /// interrupted, and when it is given up. It has no limit of time, and the run does not end before.
    ///
    /// Tasks are done when it is left. Whoever is killed before runs them again, and so enters and leaves again: both must be repeatable.
    ///
    /// # Errors
    /// When it cannot be; all tasks that ran in it have failed then.
    fn leave(&self, ending: Ending) -> impl Future<Output = crate::Result<()>> + Send {
        _ = ending;
        async { Ok(()) }
    }
}

impl<T: OwnHost> Workplace for T {
    const KIND: Kind = T::From::KIND;

    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>> {
        Box::pin(async move {
            let host = ground.host()?;
            match host.entered::<T>() {
                Some(entered) => Ok(Reached::There(entered)),
                None => Ok(Reached::Opened(T::open(T::From::of(host)).await?)),
            }
        })
    }

    const SURROUNDS: bool = true;

    fn enter_it(ground: &Ground) -> Entering<'_> {
        Box::pin(async move {
            let host = T::open(T::From::of(ground.host()?)).await?;
            host.enter().await?;
            let entered: Arc<dyn Surrounding> = Arc::new(host);
            Ok(Some(entered))
        })
    }
}

/// What a host of somebody's own is opened from: [`Host`], [`Root`] or [`Tree`].
#[diagnostic::on_unimplemented(
    message = "a host is not opened from `{Self}`",
    label = "expected `Host`, `Root` or `Tree`"
)]
pub trait PartOfMachine: Workplace {
    #[doc(hidden)]
    fn of(host: &Host) -> &Self;
}

impl PartOfMachine for Host {
    fn of(host: &Host) -> &Self {
        host
    }
}

impl PartOfMachine for Root {
    fn of(host: &Host) -> &Self {
        host.root()
    }
}

impl PartOfMachine for Tree {
    fn of(host: &Host) -> &Self {
        host.root()
    }
}

fn there<W: PartOfMachine>(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, W>>> {
    Box::pin(async move { Ok(Reached::There(W::of(ground.host()?))) })
}

impl Workplace for Host {
    const KIND: Kind = Kind::Machine;

    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>> {
        there(ground)
    }
}

impl Workplace for Root {
    const KIND: Kind = Kind::Container;

    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>> {
        there(ground)
    }
}

impl Workplace for Tree {
    const KIND: Kind = Kind::Filesystem;

    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>> {
        there(ground)
    }
}

impl Workplace for ModelDir {
    const KIND: Kind = Kind::Controller;

    fn reach(ground: &Ground) -> BoxFuture<'_, crate::Result<Reached<'_, Self>>> {
        Box::pin(async move {
            match ground {
                Ground::Controller(dir) => Ok(Reached::There(dir)),
                Ground::Machine(host) => Err(misplaced(&format!("`{}` is a machine", host.name())).into()),
            }
        })
    }
}

/// Whether machines by the implementation `I` have this to work on. `#[machine_model]` asks it for each of the model's
/// customizations.
#[diagnostic::on_unimplemented(
    message = "machines by `{I}` have no `{Self}`",
    label = "this works on a `{Self}`",
    note = "a host of your own says which implementations have it: `impl WorkplaceOn<{I}> for {Self} {{}}`"
)]
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
