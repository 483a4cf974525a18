//! A place in the tree, as generated code sees it: what is around, and how to ask for it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::decide::Decider;
use super::parts::downcast;
use super::placed::Placed;
use super::world::World;
use super::{Model, RoleTrait};
use crate::customize::Setting;
use crate::error::{BoxError, Error, ErrorKind};
use crate::inject::{Close, Closing, Making, MakingEach, Scope, Slot, Value};
use crate::machine::engine::NetworkSpec;
use crate::machine::{Machine, told};
use crate::model::{Key, Kind, Mode, Need, Part, Placement, Role, Taken};
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
    /// Where the parts begin that are meant: a role's are behind the machine's own.
    first: usize,
    /// The value on whose behalf this handle asks.
    asker: Option<Slot>,
    /// For which place a value is made that each has its own of.
    made_for: usize,
    /// What is done at the end with a value that is provided here.
    close: Option<Arc<Closing>>,
}

impl Place {
    pub(super) fn new(world: Arc<World>, index: usize) -> Self {
        Self { world, index, first: 0, asker: None, made_for: index, close: None }
    }

    fn asking(&self, asker: Slot) -> Self {
        Self { asker: Some(asker), ..self.clone() }
    }

    pub(super) fn asker(&self) -> Option<&Slot> {
        self.asker.as_ref()
    }

    /// For one of the roles of the machine at this place.
    pub(super) fn of_role(&self, taken: &Taken) -> Self {
        Self { first: taken.first, ..self.clone() }
    }

    /// Where the parts begin that are meant.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// The constants of this place.
    #[must_use]
    pub fn placement(&self) -> Placement {
        self.world.placement(self.index)
    }

    /// For which place a value is made: with `#[provide(each, …)]` the one that asks, otherwise the one that provides.
    #[must_use]
    pub fn made_for(&self) -> Placement {
        self.world.placement(self.made_for)
    }

    /// The scope of this place.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.world.scope(self.index)
    }

    /// The machine at this place.
    pub(crate) fn machine(&self) -> &Machine {
        self.world.machine(self.index)
    }

    /// The network at this place.
    pub(super) fn network(&self) -> &NetworkSpec {
        // Every placed network is resolved when the world is built.
        &self.world.networks()[&self.index].0
    }

    /// The machines inside, in the order of the source; of a machine, itself.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        let subtree = self.placement().subtree();
        subtree.filter_map(|placement| self.world.machines().get(&placement.index()))
    }

    /// Where the machines are that a task at this place depends on by this: of an enclave, all inside; none if it is absent.
    pub(crate) fn depended_on(&self, need: &Need) -> Vec<Self> {
        let meant = self.placement().resolve(need.key, need.field).unwrap_or_default();
        let inside = meant.into_iter().flat_map(Placement::subtree);
        let machines = inside.filter(|placement| placement.kind() == Kind::Machine);
        machines.map(|machine| Self::new(self.world.clone(), machine.index())).collect()
    }

    /// What the tasks of the machine at this place need.
    pub(crate) fn setting(&self) -> &Setting {
        self.world.setting(self.index)
    }

    /// The model at this place.
    pub(super) async fn own_model(&self) -> Result<Value, Error> {
        self.model(self.index).await
    }

    pub(super) fn part(&self, part: usize) -> &'static Part {
        &self.placement().node().parts[part]
    }

    /// What users call a part: `` `token` of `algebra` ``.
    pub(super) fn part_name(&self, part: usize) -> String {
        format!("`{}` of `{}`", self.part(part).field, self.scope().name())
    }

    // ---- what `Model::register` calls

    /// The part is a member, or an array of members, of type `T`.
    pub fn has_member<T: Model>(&self, part: usize) {
        let part = self.first + part;
        for &index in self.world.members(self.index, part) {
            let place = Self::new(self.world.clone(), index);
            T::register(&place);
            place.collects_starts::<T>();
            place.says_what_it_needs::<T>();
            let name = format!("`{}`", place.scope().name());
            let slot = self.scope().slot(name, making_model::<T>(place));
            self.world.set_model(index, slot);
        }
    }

    /// For a value that is closed at the end.
    #[must_use]
    pub fn closing<T: Close>(&self) -> Self {
        let close: Arc<Closing> = Arc::new(|value| {
            Box::pin(async move {
                let value = downcast::<T>(value, "what is to be closed")?;
                value.close().await.map_err(|error| match error.downcast::<Error>() {
                    Ok(ours) => *ours,
                    Err(other) => Error::new(ErrorKind::Injection, "it cannot be closed").because(other),
                })
            })
        });
        Self { close: Some(close), ..self.clone() }
    }

    /// The part provides a value, made by an expression.
    pub fn has_provider<T: Send + Sync + 'static>(&self, part: usize, provider: Provider<T>) {
        let part = self.first + part;
        self.provide(part, move |place| {
            let made = provider(place);
            Box::pin(async move { Ok(Arc::new(made.await.map_err(failed)?) as Value) })
        });
    }

    /// The part provides a value that is made once and kept in the state directory.
    pub fn has_kept<T: Persist + Send + Sync + 'static>(&self, part: usize, provider: Provider<T>) {
        let part = self.first + part;
        let field = self.part(part).field;
        let path = match self.placement().path() {
            "" => field.to_owned(),
            path => format!("{path}.{field}"),
        };
        self.provide(part, move |place| {
            // Each that has its own keeps its own.
            let path = match place.made_for == place.index {
                true => path.clone(),
                false => format!("{path}@{}", place.made_for().path()),
            };
            Box::pin(async move {
                let kept = place.world.kept().clone();
                let make = async { provider(place).await.map_err(failed) };
                Ok(Arc::new(kept.get_or_make(&path, make).await?) as Value)
            })
        });
    }

    /// The part provides a value that a scope inside provides.
    pub fn has_reference(&self, part: usize) {
        let part = self.first + part;
        let Role::Provide(provide) = &self.part(part).role else { return };
        let from = provide.from.join(".");
        let path = match self.placement().path() {
            "" => from,
            around => format!("{around}.{from}"),
        };
        // That the fields lead somewhere is checked by the compiler.
        if let Some(inside) = self.placement().all().find(&path) {
            let other = self.world.scope(inside.index());
            let slot = self.scope().provide_from(provide.key, self.part_name(part), other, provide.key);
            self.world.set_provided(self.index, part, slot);
        }
    }

    /// How many members the part has is decided by an expression.
    pub fn decides(&self, part: usize, decider: Decider) {
        self.world.has_to_decide(self.index, self.first + part, decider);
    }

    /// The part takes in a role.
    pub fn takes_in<T: Model>(&self, part: usize) {
        if let Role::Taken(taken) = &self.part(self.first + part).role
            && !taken.again
        {
            T::register(&self.of_role(taken));
        }
    }

    /// The machine at this place, or the role that is meant, is found by this trait.
    pub(super) fn implements<T: RoleTrait + ?Sized>(&self, found: Arc<T>) {
        let node = self.placement().node();
        let own = node.own_parts().start == self.first;
        let own = match node.roles().find(|taken| !own && taken.first == self.first) {
            Some(taken) => taken.own(),
            None => node.own_parts(),
        };
        // Of several that are found by it at one machine, the first counts.
        let first = node.parts[own].iter().any(
            |part| matches!(&part.role, Role::Taken(taken) if !taken.again && taken.node.key == T::NODE.key),
        );
        if first {
            let place = Self::new(self.world.clone(), self.index);
            self.world.set_role(self.index, T::NODE.key, Arc::new(Placed::of(found, place)));
        }
    }

    /// A role of the machine at this place, made by the first who asks.
    pub(super) fn role<T: Model>(
        &self,
        taken: &Taken,
        make: impl FnOnce() -> Result<Arc<T>, Error>,
    ) -> Result<Arc<T>, Error> {
        let name = format!("the role `{}`", taken.node.key.name());
        let placed = match self.world.role(self.index, taken.node.key) {
            Some(placed) => placed,
            None => {
                let made = make()?;
                T::implements(&made, &self.of_role(taken));
                let placed = Placed::of(made, Self::new(self.world.clone(), self.index));
                self.world.set_role(self.index, taken.node.key, Arc::new(placed))
            }
        };
        downcast::<Placed<T>>(placed, &name).map(|placed| placed.model())
    }

    fn provide(
        &self,
        part: usize,
        make: impl Fn(Self) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync + 'static,
    ) {
        let Role::Provide(provide) = &self.part(part).role else { return };
        let (place, name) = (self.clone(), self.part_name(part));
        let make = move |place: Self| -> BoxFuture<'static, Result<Value, Error>> {
            let (place, made) = (place.clone(), make(place));
            Box::pin(async move { place.waits_for(part, std::convert::identity, made).await })
        };
        let slot = match provide.each {
            false => match self.world.made_before(self.placement().path(), part) {
                Some(slot) => self.scope().provide_made(provide.key, slot),
                None => {
                    let make: Box<Making> = Box::new(move |me| make(place.asking(me)));
                    self.scope().provide_to_close(provide.key, name, make, self.close.clone())
                }
            },
            true => {
                let make: Box<MakingEach> = Box::new(move |asker, me| {
                    let made_for = place.world.nearest_place(asker);
                    make(Self { made_for, ..place.asking(me) })
                });
                self.scope().provide_each(provide.key, name, make, self.close.clone())
            }
        };
        self.world.set_provided(self.index, part, slot);
    }

    /// Waits for what the source says of a part, no longer than the limit, and tells of it where that takes a while.
    pub(super) async fn waits_for<T, E>(
        &self,
        part: usize,
        failed: impl FnOnce(E) -> Error,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        let thing = || self.world.thing(self.index);
        let asked = told(self.world.events(), thing, || format!("`{}`", self.part(part).field), asked);
        let what = || format!("{} ({})", self.part_name(part), self.part(part).at);
        self.world.patience().answered(what, failed, asked).await
    }

    // ---- what [`Place::ask`] asks for

    pub(super) async fn members(&self, part: usize) -> Result<Vec<Value>, Error> {
        let mut made = Vec::new();
        for &index in self.world.members(self.index, part) {
            made.push(self.model(index).await?);
        }
        Ok(made)
    }

    pub(super) async fn provided(&self, part: usize) -> Result<Value, Error> {
        let slot = self.world.provided(self.index, part).ok_or_else(|| self.misread(part))?;
        slot.get(self.asker()).await
    }

    /// What a need is about, if it is made at once and there is one.
    ///
    /// # Errors
    /// When it must be there and is not, and when it cannot be made.
    pub(super) async fn find(&self, need: &'static Need) -> Result<Option<Value>, Error> {
        match need.mode {
            Mode::Deferred | Mode::Every => Ok(None),
            // Nothing is given to the task, or where something is.
            Mode::Generated | Mode::Running | Mode::RunningToJudge | Mode::After { .. } => Ok(None),
            Mode::PlacedIfThere => match self.world.nearest(self.index, need.key, need.field)[..] {
                [] => Ok(None),
                [index, ..] => self.model_as(index, need.key).await.map(Some),
            },
            Mode::AllPlaced => {
                let mut all = Vec::new();
                for index in self.world.nearest(self.index, need.key, need.field) {
                    all.push(self.model_as(index, need.key).await?);
                }
                Ok(Some(Arc::new(all)))
            }
            Mode::Placed => match self.world.nearest(self.index, need.key, need.field)[..] {
                [index] => self.model_as(index, need.key).await.map(Some),
                ref several => {
                    let (name, at, wanted, count) = (need.name, need.at, need.key.name(), several.len());
                    let what = format!("`{name}` at {at} wants one `{wanted}`, and there are {count}");
                    Err(Error::new(ErrorKind::Injection, what))
                }
            },
            Mode::Optional => match self.scope().find(need.key) {
                Some(slot) => slot.get(self.asker()).await.map(Some),
                None => Ok(None),
            },
            Mode::Required => self.provider(need)?.get(self.asker()).await.map(Some),
        }
    }

    /// What provides a value that must be there.
    pub(super) fn provider(&self, need: &Need) -> Result<Slot, Error> {
        self.scope().find(need.key).ok_or_else(|| self.not_provided(need))
    }

    fn not_provided(&self, need: &Need) -> Error {
        let searched: Vec<_> = self.scope().upwards().map(|scope| format!("`{}`", scope.name())).collect();
        let (wanted, name, at) = (need.key, need.name, need.at);
        Error::new(ErrorKind::Injection, format!("nothing provides {wanted}, which `{name}` at {at} needs"))
            .hint(format!("searched {}; add a `#[provide(…)]` field to one of them", searched.join(", ")))
    }

    /// The model at another place, or its role with this key.
    async fn model_as(&self, index: usize, key: Key) -> Result<Value, Error> {
        let model = self.model(index).await?;
        Ok(self.world.role(index, key).unwrap_or(model))
    }

    /// The model at another place.
    async fn model(&self, index: usize) -> Result<Value, Error> {
        if self.world.is_undecided() {
            let what =
                format!("`{}` is wanted to decide which members there are", self.world.scope(index).name());
            return Err(Error::new(ErrorKind::Injection, what)
                .because("machines, networks and enclaves are made when that is decided")
                .hint("let the value that `when` or `list` needs do without them"));
        }
        let slot = self.world.model(index).ok_or_else(|| self.misread(0))?;
        slot.get(self.asker()).await
    }

    /// A hand-written model asked for a part as something that it is not.
    pub(super) fn misread(&self, part: usize) -> Error {
        let what = format!("{} is not what its model takes it for", self.part_name(part));
        Error::new(ErrorKind::Injection, what)
            .hint("let the attributes write `Model`, or mend `register` and `build`")
    }
}

/// Builds the model at `place`, and keeps it with the world.
fn making_model<T: Model>(place: Place) -> Box<Making> {
    Box::new(move |me| {
        let (bare, asking) = (place.clone(), place.asking(me));
        Box::pin(async move {
            let placed = Placed::new(asking.make::<T>().await?, bare.clone());
            if bare.placement().node().kind == Kind::Machine {
                T::implements(&placed.model(), &bare);
                bare.world.set_customized(bare.index, placed.model());
            } else if placed.model_tasks().is_some() {
                bare.world.set_customized(bare.index, placed.model());
            }
            Ok(Arc::new(placed) as Value)
        })
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
