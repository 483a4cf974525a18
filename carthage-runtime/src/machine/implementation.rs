//! What an implementation is to the compiler: a type that a layout names.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::error::{Error, Result};

use crate::machine::engine::{Engine, Site};
use crate::model::ImplementationNode;

/// A kind of machine that a layout can name: `#[layout(implementation = Sandbox)]`.
///
/// What it can do is told by the [capabilities](super::capability) that it declares with [`capabilities!`](crate::capabilities);
/// a layout that asks for more does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an implementation of machines",
    label = "expected an implementation, such as `Sandbox`"
)]
pub trait Implementation: Capable + Sized + 'static {
    /// Its name, as shown to users.
    const NAME: &'static str;

    /// Gets ready to work on a site. Touches nothing.
    ///
    /// # Errors
    /// When the site cannot be used at all.
    fn open(site: Site) -> impl Future<Output = Result<Arc<dyn Engine>, Error>> + Send;

    #[doc(hidden)]
    const NODE: &'static ImplementationNode = &ImplementationNode::of::<Self>();

    #[doc(hidden)]
    fn makes<M: On<Self>>() {}
}

/// [`Implementation::open`] as a function pointer, which a constant can hold.
pub(crate) type OpenFn = fn(Site) -> BoxFuture<'static, Result<Arc<dyn Engine>, Error>>;

pub(crate) fn open<I: Implementation>(site: Site) -> BoxFuture<'static, Result<Arc<dyn Engine>, Error>> {
    Box::pin(I::open(site))
}

/// Whether everything in `Self` can be made by the implementation `I`. The attributes implement it, with the capabilities
/// that the item asks for as bounds; a container asks it of its members, and whoever names an implementation asserts it.
pub trait On<I: Implementation> {}

/// Whether an implementation takes options of this type: `impl Takes<Gpu> for Farm {}` beside
/// [`capabilities!`](crate::capabilities), for `#[options(Gpu { memory_gib: 4 })]` on a machine's model.
#[diagnostic::on_unimplemented(
    message = "machines by `{Self}` take no options `{T}`",
    label = "these options are of another implementation",
    note = "name the implementation that takes them for this machine: `implementation = …`"
)]
pub trait Takes<T: super::engine::MachineOptions>: Implementation {}

pub use super::capability::*;
