//! Models that have something to resolve of their own, when the layout is.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use futures_util::future::{BoxFuture, join_all};

use super::parts::downcast;
use super::place::Place;
use super::placed::Placed;
use super::world::World;
use super::{Layout, Model};
use crate::error::{BoxError, Error, ErrorKind, chain};
use crate::inject::Value;

/// A model that joins when the layout is resolved: `resolvable` among the arguments of its attribute says that it does.
///
/// Names, addresses and links are known by then, and all models are made; nothing has been touched. What cannot be resolved
/// stops every command that would change something, before it does. All are resolved at the same time.
///
/// ```
/// use carthage::prelude::*;
/// use std::sync::OnceLock;
///
/// /// The names of everything inside, for a name server.
/// #[enclave(domain = "example.org", resolvable)]
/// struct Zone {
///     web: Web,
///     #[provide(Records::default())]
///     records: Arc<Records>,
/// }
///
/// #[injectable]
/// #[derive(Default)]
/// struct Records(OnceLock<Vec<String>>);
///
/// impl ResolvableModel for Zone {
///     async fn resolve_model(me: &Placed<Self>) -> Result<()> {
///         let lines = me.place().machines().map(|machine| format!("{} {:?}", machine.name(), machine.address()));
///         me.records.0.set(lines.collect()).expect("it is resolved once");
///         Ok(())
///     }
/// }
/// # #[machine_model]
/// # struct Web;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is said to be resolvable, but does not say how",
    label = "`resolvable` needs an `impl ResolvableModel for {Self}`"
)]
pub trait ResolvableModel: Model {
    /// Resolves it. It may ask for values, but changes nothing outside of the program.
    ///
    /// # Errors
    /// When something cannot be so.
    fn resolve_model(me: &Placed<Self>) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// [`ResolvableModel::resolve_model`] of a model of whatever type, which is given as a placed one.
pub(super) type Resolver = fn(Value) -> BoxFuture<'static, Result<(), BoxError>>;

impl Place {
    /// The model at this place is to be resolved with the layout.
    pub fn resolves<T: ResolvableModel>(&self) {
        let resolver: Resolver = |value| {
            Box::pin(async move {
                let me = downcast::<Placed<T>>(value, "what is to be resolved")?;
                T::resolve_model(&me).await
            })
        };
        self.world.resolvers.lock().unwrap_or_else(PoisonError::into_inner).insert(self.index, resolver);
    }
}

impl World {
    /// Resolves all that want to be, at the same time.
    ///
    /// # Errors
    /// When some cannot be: what they say, by their names.
    pub(super) async fn resolve<L: Layout>(self: &Arc<Self>, layout: &Placed<L>) -> Result<(), Error> {
        let resolvers = self.resolvers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let resolved = resolvers.into_iter().map(|(index, resolver)| async move {
            let model = match index {
                0 => Ok(Arc::new(layout.clone()) as Value),
                index => Place::new(self.clone(), index).own_model().await,
            };
            let done = match model {
                Ok(model) => resolver(model).await,
                Err(error) => Err(error.into()),
            };
            done.map_err(|error| (index, error))
        });
        let mut failed: Vec<_> = join_all(resolved).await.into_iter().filter_map(Result::err).collect();
        let name = |index| format!("`{}`", self.scope(index).name());
        match failed.len() {
            0 => Ok(()),
            1 => {
                let (index, error) = failed.remove(0);
                Err(Error::new(ErrorKind::Injection, format!("{} cannot be resolved", name(index)))
                    .because(error))
            }
            count => {
                let said =
                    failed.iter().map(|(index, error)| format!("{}: {}", name(*index), chain(&**error)));
                let what = format!("{count} models cannot be resolved");
                Err(Error::new(ErrorKind::Injection, what).because(said.collect::<Vec<_>>().join("; ")))
            }
        }
    }
}
