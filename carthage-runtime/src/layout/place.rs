//! A place in the tree, as generated code sees it: what is around, and how to ask for it.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::placed::Placed;
use super::world::World;
use super::{Model, NetworkModel};
use crate::customize::{AnyCustomization, Application};
use crate::error::{BoxError, Error, ErrorKind};
use crate::inject::{Making, Scope, Slot, Value};
use crate::machine::Machine;
use crate::model::{Kind, Need, Part, Placement, Role};
use crate::network::Link;
use crate::state::Persist;

/// An expression of `#[provide(…)]`: makes a value at a place.
pub type Provider<T> = fn(Place) -> BoxFuture<'static, crate::Result<T>>;

/// A place in the tree. Cheap to clone.
///
/// Parts are named by their position in [`Node::parts`](crate::model::Node::parts).
#[derive(Clone)]
pub struct Place {
    pub(super) world: Arc<World>,
    pub(super) index: usize,
    /// The value on whose behalf this handle asks.
    asker: Option<Slot>,
}

impl Place {
    pub(super) fn new(world: Arc<World>, index: usize) -> Self {
        Self { world, index, asker: None }
    }

    fn asking(&self, asker: Slot) -> Self {
        Self { asker: Some(asker), ..self.clone() }
    }

    pub(super) fn asker(&self) -> Option<&Slot> {
        self.asker.as_ref()
    }

    /// The constants of this place.
    #[must_use]
    pub fn placement(&self) -> Placement {
        self.world.placement(self.index)
    }

    /// The scope of this place.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.world.scope(self.index)
    }

    /// The machine at this place.
    pub(super) fn machine(&self) -> &Machine {
        self.world.machine(self.index)
    }

    /// Applies a customization to the machine at this place.
    pub(super) async fn apply(
        &self,
        field: &'static str,
        customization: &dyn AnyCustomization,
    ) -> Result<(), Error> {
        let (machine, setting) = (self.machine(), self.world.setting(self.index));
        self.world.kept().write_to(setting.ledger.clone()).await?;
        let guard = machine.machine_running().await?;
        let presence = machine.presence().await?;
        let identity = presence.identity().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("`{}` does not exist", machine.name()))
                .hint("deploy it first")
        })?;
        let application = Application { field, customization, place: self, machine, setting };
        let applied = application.run(identity, |_| false, false, &CancellationToken::new()).await?;
        guard.release().await?;
        applied.into_result()
    }

    fn part(&self, part: usize) -> &'static Part {
        &self.placement().node().parts[part]
    }

    /// What users call a part: `` `token` of `algebra` ``.
    fn part_name(&self, part: usize) -> String {
        format!("`{}` of `{}`", self.part(part).field, self.scope().name())
    }

    // ---- what `Model::register` calls

    /// The part is a member, or an array of members, of type `T`.
    pub fn has_member<T: Model>(&self, part: usize) {
        for &index in self.world.members(self.index, part) {
            let place = Self::new(self.world.clone(), index);
            T::register(&place);
            let name = format!("`{}`", place.scope().name());
            let slot = self.scope().slot(name, making_model::<T>(place));
            self.world.set_model(index, slot);
        }
    }

    /// The part provides a value, made by an expression.
    pub fn has_provider<T: Send + Sync + 'static>(&self, part: usize, provider: Provider<T>) {
        let place = self.clone();
        self.provide(
            part,
            Box::new(move |me| {
                let made = provider(place.asking(me));
                Box::pin(async move { Ok(Arc::new(made.await.map_err(failed)?) as Value) })
            }),
        );
    }

    /// The part provides a value that is made once and kept in the state directory.
    pub fn has_kept<T: Persist + Send + Sync + 'static>(&self, part: usize, provider: Provider<T>) {
        let place = self.clone();
        let path = match self.placement().path() {
            "" => self.part(part).field.to_owned(),
            path => format!("{path}.{}", self.part(part).field),
        };
        self.provide(
            part,
            Box::new(move |me| {
                let (place, path) = (place.asking(me), path.clone());
                Box::pin(async move {
                    let kept = place.world.kept().clone();
                    let make = async { provider(place).await.map_err(failed) };
                    Ok(Arc::new(kept.get_or_make(&path, make).await?) as Value)
                })
            }),
        );
    }

    fn provide(&self, part: usize, make: Box<Making>) {
        if let Role::Provide(provide) = &self.part(part).role {
            let slot = self.scope().provide(provide.key, self.part_name(part), make);
            self.world.set_provided(self.index, part, slot);
        }
    }

    // ---- what `Model::build` and tasks call

    /// The member of this part.
    ///
    /// # Errors
    /// When it, or something that it needs, cannot be made.
    pub async fn member<T: Model>(&self, part: usize) -> Result<Placed<T>, Error> {
        match self.world.members(self.index, part) {
            &[index] => self.placed(index).await,
            _ => Err(self.misread(part)),
        }
    }

    /// The members of this part.
    ///
    /// # Errors
    /// When one, or something that it needs, cannot be made.
    pub async fn members<T: Model, const N: usize>(&self, part: usize) -> Result<[Placed<T>; N], Error> {
        let mut made = Vec::with_capacity(N);
        for &index in self.world.members(self.index, part) {
            made.push(self.placed(index).await?);
        }
        made.try_into().map_err(|_| self.misread(part))
    }

    /// The value that this part provides.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn provided<T: Send + Sync + 'static>(&self, part: usize) -> Result<Arc<T>, Error> {
        let slot = self.world.provided(self.index, part).ok_or_else(|| self.misread(part))?;
        downcast(slot.get(self.asker()).await?, &slot)
    }

    /// What this part asks for; [`Wanted::want`](super::Wanted::want) takes it.
    ///
    /// # Errors
    /// When the part asks for nothing, which is a mistake in a model written by hand.
    pub fn need(&self, part: usize) -> Result<&'static Need, Error> {
        match &self.part(part).role {
            Role::Inject(need) => Ok(need),
            _ => Err(self.misread(part)),
        }
    }

    /// The link of this part.
    ///
    /// # Errors
    /// When the part is not a link, which generated code never asks for.
    pub fn link<N: NetworkModel>(&self, part: usize) -> Result<Link<N>, Error> {
        match &self.part(part).role {
            Role::Link(link) => {
                let spec = self.machine().links().iter().find(|spec| spec.interface == link.interface);
                spec.cloned().map(Link::new).ok_or_else(|| self.misread(part))
            }
            _ => Err(self.misread(part)),
        }
    }

    /// The customization of this part, made by an expression.
    ///
    /// # Errors
    /// When the expression fails.
    pub async fn customize<T>(
        &self,
        part: usize,
        expression: impl Future<Output = Result<T, BoxError>> + Send,
    ) -> Result<T, Error> {
        expression.await.map_err(|error| {
            Error::new(ErrorKind::Injection, format!("cannot make {}", self.part_name(part))).because(error)
        })
    }

    /// The model at another place.
    pub(super) async fn placed<T: Model>(&self, index: usize) -> Result<Placed<T>, Error> {
        let slot = self.world.model(index).ok_or_else(|| self.misread(0))?;
        let placed: Arc<Placed<T>> = downcast(slot.get(self.asker()).await?, &slot)?;
        Ok(Placed::clone(&placed))
    }

    /// A hand-written model asked for a part as something that it is not.
    fn misread(&self, part: usize) -> Error {
        let what = format!("{} is not what its model takes it for", self.part_name(part));
        Error::new(ErrorKind::Injection, what)
            .hint("let the attributes write `Model`, or mend `register` and `build`")
    }
}

/// Builds the model at `place`, keeps it with the world, and answers it placed.
fn making_model<T: Model>(place: Place) -> Box<Making> {
    Box::new(move |me| {
        let (bare, asking) = (place.clone(), place.asking(me));
        Box::pin(async move {
            let placed = Placed::new(T::build(asking).await?, bare.clone());
            if bare.placement().node().kind == Kind::Machine {
                bare.world.set_customized(bare.index, Arc::new(placed.clone()));
            }
            Ok(Arc::new(placed) as Value)
        })
    })
}

pub(super) fn downcast<T: Any + Send + Sync>(value: Value, slot: &Slot) -> Result<Arc<T>, Error> {
    value.downcast().map_err(|_| {
        let what = format!("{} is not a `{}`", slot.name(), std::any::type_name::<T>());
        Error::new(ErrorKind::Injection, what)
            .hint("two versions of one crate in one build give two types of one name; see `cargo tree --duplicates`")
    })
}

/// What an expression of the layout returned, as an error of ours: itself if it is one.
fn failed(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(other) => Error::new(ErrorKind::Injection, "its expression failed").because(other),
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.scope().name()).finish()
    }
}
