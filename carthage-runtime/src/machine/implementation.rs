//! What an implementation is to the compiler: a type that a layout names, and the capabilities it declares.

use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::error::{Error, Result};
use crate::machine::engine::{Engine, Site};
use crate::model::ImplementationNode;

/// A kind of machine that a layout can name: `#[layout(implementation = Sandbox)]`.
///
/// What it can do is told by the capability traits ([`Links`], [`Tpm`] …) that it implements; a layout that asks for more
/// does not compile.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an implementation of machines",
    label = "expected an implementation, such as `Sandbox`"
)]
pub trait Implementation: Sized + 'static {
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

/// Capability: machines have network interfaces, plugged into the layout's networks.
#[diagnostic::on_unimplemented(
    message = "machines by `{Self}` have no network links",
    label = "`{Self}` cannot plug a machine into a network",
    note = "implementations with links: `Sandbox`"
)]
pub trait Links: Implementation {}

/// Capability: a virtual trusted platform module.
#[diagnostic::on_unimplemented(
    message = "machines by `{Self}` have no TPM",
    label = "`tpm` needs an implementation with a TPM",
    note = "no implementation in this build has a TPM; remove `tpm`, or name another implementation for this machine"
)]
pub trait Tpm: Implementation {}

/// Capability: machines can run virtual machines themselves.
#[diagnostic::on_unimplemented(
    message = "machines by `{Self}` cannot run virtual machines of their own",
    label = "`nested_virt` needs an implementation with nested virtualisation",
    note = "no implementation in this build has nested virtualisation; remove `nested_virt`, or name another implementation for this machine"
)]
pub trait NestedVirt: Implementation {}

/// Capability: the root of a machine can be a directory that the model names (`root = "…"`).
#[diagnostic::on_unimplemented(
    message = "machines by `{Self}` cannot use a directory as their root",
    label = "`root` needs an implementation that takes a directory",
    note = "implementations that do: `Sandbox`"
)]
pub trait DirectoryRoot: Implementation {}
