//! The runtime of Carthage: the model's static description and its checks, injection, setup tasks, machines, deployment,
//! the implementations and the command line. Users depend on the face crate `carthage`, which re-exports this one.

pub mod backend;
pub mod block;
pub mod cli;
mod crash;
pub mod customize;
pub mod deploy;
mod error;
pub mod event;
pub mod guest;
pub mod inject;
pub mod layout;
pub mod machine;
pub mod model;
pub mod network;
mod pattern;
mod reason;
#[cfg(feature = "ssh")]
pub mod ssh;
pub mod state;
mod step;
pub mod task;
#[cfg(any(feature = "container", feature = "libvirt"))]
mod user_cache;

#[cfg(feature = "sandbox")]
pub use backend::Sandbox;
#[cfg(feature = "libvirt")]
pub use backend::Vm;
#[cfg(feature = "ssh")]
pub use backend::{BareMetal, Local};
pub use block::Blocks;
pub use customize::{Customization, ModelDir, SkipTask};
pub use error::{BoxError, Error, ErrorKind, Result, chain};
pub use inject::{Close, Secret};
pub use layout::{All, Deferred, Fleet, Generated, Placed, Quoted};
pub use machine::{Host, Machine, Root, Tree};
pub use network::Link;
pub use state::Persist;
pub use task::Completed;

/// What generated code needs besides; nothing here is for people.
#[doc(hidden)]
pub mod __private {
    pub use futures_util::future::{BoxFuture, TryFutureExt};
    pub use zeroize::Zeroizing;

    pub use crate::state::persist::{serde_load, serde_save};

    use crate::customize::AnyCustomization;
    use crate::task::{Completed, SaysCompleted};

    /// What a `check_completed` that says more than yes or no has returned.
    pub fn completed<T: SaysCompleted>(said: T) -> Completed {
        said.into()
    }

    /// The tasks of a model without `#[model_tasks]`, which writes a constant of this name for the type itself: that comes first.
    pub trait WithoutTasks {
        const __MODEL_TASKS: for<'a> fn(&'a Self) -> Option<&'a dyn AnyCustomization> = |_| None;
    }

    impl<T> WithoutTasks for T {}

    /// What an expression gives that awaits nothing. It is not evaluated before somebody waits for it.
    pub fn plainly<T: Send + 'static>(
        made: impl FnOnce() -> crate::Result<T> + Send + 'static,
    ) -> BoxFuture<'static, crate::Result<T>> {
        Box::pin(futures_util::future::lazy(move |_| made()))
    }

    /// A type that needs no expression in `#[customize]`.
    #[diagnostic::on_unimplemented(
        message = "nothing says how this `{Self}` is made",
        label = "`#[customize]` without an expression needs a type that has a default",
        note = "write `#[customize({Self} {{ … }})]`, or `#[derive(Default)]` on `{Self}`"
    )]
    pub trait ByDefault: Sized {
        fn by_default() -> Self;
    }

    impl<T: Default> ByDefault for T {
        fn by_default() -> Self {
            Self::default()
        }
    }
}
