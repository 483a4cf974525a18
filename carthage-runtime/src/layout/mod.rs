//! A layout as an instance: models placed in a tree, with their scopes, names and addresses.
//!
//! What the attributes generate is an implementation of [`Model`] for each item; everything here can be written by hand as well.

mod around;
mod by_hand;
mod carried;
mod decide;
mod dynamic;
mod equipment;
mod fleet;
mod generating;
mod macs;
mod many;
mod neighbours;
mod noted;
mod parts;
mod place;
mod placed;
mod profiles;
mod resolvable;
mod resolve;
mod starts;
mod wanted;
mod world;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub(crate) use around::Around;
pub use by_hand::{PlacedTask, PlacedTasks, TaskOf, TasksOf};
pub(crate) use carried::{Carried, Carry};
pub use decide::{Decider, Decision};
pub use dynamic::Dynamic;
pub use fleet::Fleet;
pub(crate) use generating::Generating;
pub use generating::{Generated, ModelTasks, TakesTasks};
pub(crate) use macs::Macs;
pub use many::{All, Quoted};
pub(crate) use noted::OldModel;
pub use parts::Parts;
pub use place::{Place, Provider};
pub use placed::Placed;
pub(crate) use profiles::{in_profile, name_in};
pub use resolvable::ResolvableModel;
pub(crate) use starts::Starts;
pub use wanted::{Deferred, Made, Wanted};
pub use world::World;

use crate::customize::AnyCustomization;
use crate::error::Error;
use crate::machine::start::Prerequisite;
use crate::model::{Called, Key, Node, Part, Placement, Placements, Taken, TakenIn};
use crate::network::Link;

/// An item that can be a member of a layout: an enclave, a network, a machine's model, a layout itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "expected an enclave, a network or a machine model",
    note = "write `#[machine_model]`, `#[network]`, `#[enclave]` or `#[role]` on it; a field that is none of these needs `#[inject]`, \
            `#[provide]`, `#[link]` or `#[customize]`"
)]
pub trait Model: Sized + Send + Sync + 'static {
    /// What references call it.
    const KEY: Key;
    /// Its description.
    const NODE: &'static Node;

    /// Tells the place about its members and what it provides. Makes nothing.
    fn register(_: &Place) {}

    /// Makes what cannot be made without awaiting something, before [`Model::build`]; see [`Parts::prepare`].
    fn prepare(_: &Parts) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Makes the model out of its parts.
    ///
    /// # Errors
    /// When one of them cannot be made.
    fn build(parts: &Parts) -> Result<Self, Error>;

    /// Of a machine: what must be so before it starts, out of what was collected for it.
    fn start_dependencies(machine: Placement, collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
        let _ = machine;
        collected
    }

    /// How it says at run time what it needs beyond what the source says: machines and networks that are there before it and go
    /// after it. What an enclave or a layout needs, all machines in it do. Asked when everything is resolved, before anything is
    /// planned, with the model at hand; it changes nothing.
    const DYNAMIC_DEPENDENCIES: Option<Dynamic<Self>> = None;

    /// Its customizations, in the order of their fields.
    fn customizations(&self) -> Vec<&dyn AnyCustomization> {
        Vec::new()
    }

    /// Its own setup tasks: `#[model_tasks] impl Algebra { … }`.
    fn model_tasks(&self) -> Option<&dyn AnyCustomization> {
        None
    }

    /// Tells the place, of a machine or a role, by which traits it is found there; see [`RoleTrait::found_at`].
    fn implements(_: &Arc<Self>, _: &Place) {}

    /// The roles that it takes in, in the order of their fields.
    fn roles(&self) -> Vec<&dyn AnyModel> {
        Vec::new()
    }

    /// Of a machine that takes in roles: its own parts. Those of its node are then `Self::CALLED.parts()`.
    const OWN: &'static [Part] = &[];
    #[doc(hidden)]
    const TAKEN_IN: &'static TakenIn = &TakenIn::of(Self::OWN);
    #[doc(hidden)]
    const CALLED: &'static Called = &TakenIn::called(Self::TAKEN_IN);

    #[doc(hidden)]
    const TAKEN: Taken =
        Taken::new(Self::NODE, if Self::OWN.is_empty() { Self::NODE.parts } else { Self::OWN });

    // What generated code asks of a member's type, it asks as `<T as Model>::…`: rustc then has one and the same to say of a
    // type that is no model, and says it once.

    #[doc(hidden)]
    fn register_as_member(place: &Place, part: usize) {
        place.has_member::<Self>(part);
    }

    #[doc(hidden)]
    fn one(parts: &Parts, part: usize) -> Result<Placed<Self>, Error> {
        parts.member(part)
    }

    #[doc(hidden)]
    fn several<const N: usize>(parts: &Parts, part: usize) -> Result<[Placed<Self>; N], Error> {
        parts.members(part)
    }

    #[doc(hidden)]
    fn perhaps_one(parts: &Parts, part: usize) -> Result<Option<Placed<Self>>, Error> {
        if parts.is_absent(part) { Ok(None) } else { parts.member(part).map(Some) }
    }

    #[doc(hidden)]
    fn perhaps_several<const N: usize>(
        parts: &Parts,
        part: usize,
    ) -> Result<Option<[Placed<Self>; N]>, Error> {
        if parts.is_absent(part) { Ok(None) } else { parts.members(part).map(Some) }
    }

    #[doc(hidden)]
    fn register_as_role(place: &Place, part: usize) {
        place.takes_in::<Self>(part);
    }

    #[doc(hidden)]
    fn taken_in(parts: &Parts, part: usize) -> Result<Arc<Self>, Error> {
        parts.role(part)
    }

    #[doc(hidden)]
    fn prepare_as_role(parts: &Parts, part: usize) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(parts.prepare_role::<Self>(part))
    }

    #[doc(hidden)]
    fn any(&self) -> &dyn AnyModel {
        self
    }

    #[doc(hidden)]
    fn fleet(parts: &Parts, part: usize) -> Result<Fleet<Self>, Error> {
        parts.fleet(part)
    }
}

/// What `Placed<…>` finds: a model, a role of a machine, or a trait with `#[role]`, such as `dyn Database`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "expected a model, a role, or `dyn` of a trait with `#[role]`"
)]
pub trait Findable: Send + Sync + 'static {
    /// What references call it.
    const FOUND: Key;
}

impl<T: Model> Findable for T {
    const FOUND: Key = T::KEY;
}

/// What is found at a machine: its model, a role, or a trait with `#[role]`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a machine model", label = "this is not a machine")]
pub trait AtMachine: Findable {}

impl<T: MachineModel> AtMachine for T {}

/// A trait with `#[role]`, as `dyn Database`: machines whose models have `#[implements(dyn Database)]` are found by it.
#[diagnostic::on_unimplemented(
    message = "machines are not found by `{Self}`",
    label = "expected `dyn` of a trait with `#[role]`"
)]
pub trait RoleTrait: Send + Sync + 'static {
    /// Its description.
    const NODE: &'static Node;

    /// The machine at this place, or the role that is meant, is found by it: what [`Model::implements`] says.
    fn found_at(place: &Place, found: Arc<Self>) {
        place.implements(found);
    }
}

/// A model of whatever type.
pub trait AnyModel: Send + Sync {
    /// [`Model::customizations`].
    fn customizations(&self) -> Vec<&dyn AnyCustomization>;
    /// [`Model::roles`].
    fn roles(&self) -> Vec<&dyn AnyModel>;
    /// [`Model::model_tasks`].
    fn model_tasks(&self) -> Option<&dyn AnyCustomization>;
}

impl<T: Model> AnyModel for T {
    fn customizations(&self) -> Vec<&dyn AnyCustomization> {
        T::customizations(self)
    }

    fn roles(&self) -> Vec<&dyn AnyModel> {
        T::roles(self)
    }

    fn model_tasks(&self) -> Option<&dyn AnyCustomization> {
        T::model_tasks(self)
    }
}

/// The model of a machine.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a machine model", label = "this is not a machine")]
pub trait MachineModel: Model {}

/// The model of a network.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a network",
    label = "a link is plugged into a network",
    note = "write `#[network(…)]` on it"
)]
pub trait NetworkModel: Model {
    #[doc(hidden)]
    const NETWORK: Key = Self::KEY;

    #[doc(hidden)]
    fn link(parts: &Parts, part: usize) -> Result<Link<Self>, Error> {
        parts.link(part)
    }
}

/// What `link!(Switch.port1)` looks a link up in.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no links",
    label = "expected a machine's model with a `#[link]` field"
)]
pub trait HasLinks: MachineModel {
    #[doc(hidden)]
    type Links: 'static;
    #[doc(hidden)]
    const LINKS: Self::Links;
}

/// The top of a tree, checked as a whole.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layout",
    label = "expected a layout",
    note = "write `#[layout(…)]` on the struct at the top of the tree"
)]
pub trait Layout: Model {
    /// What users, directories and kernel objects call it.
    const NAME: &'static str;
    /// Everything placed in it, as constants; in the first profile, if it has several.
    const PLACEMENTS: &'static Placements = Self::PROFILES[0];
    /// Everything placed in it, in each of its profiles; at least one.
    const PROFILES: &'static [&'static Placements] = <Self::Named as Named>::PROFILES;
    /// The same without names and paths, which no check needs that finds nothing.
    const SHAPES: &'static [&'static Placements];
    #[doc(hidden)]
    type Named: Named;
}

/// [`Layout::PROFILES`], of a type with a parameter: the compiler evaluates others even where nobody reads them, to look for
/// mistakes.
#[doc(hidden)]
pub trait Named {
    const PROFILES: &'static [&'static Placements];
}

/// Checks a layout; `#[layout]` evaluates it in a constant, with what [`Placements::scratch`] answers.
///
/// # Panics
/// When it does not hold together; the message lists every problem once.
#[track_caller]
pub const fn check<L: Layout, const SCRATCH: usize>() {
    if !Placements::seem_right::<SCRATCH>(L::SHAPES) {
        tell::<L, SCRATCH>();
    }
}

/// Apart, because the constants of a function are evaluated whenever it is called.
#[track_caller]
const fn tell<L: Layout, const SCRATCH: usize>() {
    Placements::check::<SCRATCH>(L::PROFILES);
}

/// What is placed at `path` in the first profile.
///
/// # Panics
/// When nothing is placed there.
#[must_use]
#[track_caller]
pub const fn placement<L: Layout>(path: &str) -> Placement {
    L::PLACEMENTS.at(path)
}
