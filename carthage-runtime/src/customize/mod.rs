//! Customizations: sets of setup tasks that are applied to a machine, its root or its file tree.

mod apply;
mod blocks;
mod body;
mod elsewhere;
mod inspect;
mod kind;
mod model_dir;
mod names;
mod on;
mod panics;
mod skip;
mod surroundings;
mod together;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub(crate) use apply::{Application, Applied, Now, Setting};
pub(crate) use blocks::Compared;
pub(crate) use elsewhere::Walk;
pub use inspect::{Inspected, Would};
pub(crate) use kind::When;
pub use kind::{Ground, Kind, Layer, OwnHost, PartOfMachine, Reached, Workplace, WorkplaceOn};
pub use model_dir::ModelDir;
pub(crate) use names::Names;
pub(crate) use on::On;
pub use skip::SkipTask;
pub(crate) use surroundings::Surroundings;
pub use surroundings::{Ending, Surrounding};

use crate::block::{Block, Blocks, apply};
use crate::layout::Place;
use crate::machine::capability::Capability;
use crate::model::Node;
use crate::task::{Completed, Digest};

/// A function of a customization that looks at a host or changes it.
pub type Body<T, R> =
    for<'a> fn(&'a T, &'a <T as Customization>::Host, &'a Place) -> BoxFuture<'a, crate::Result<R>>;

/// A set of setup tasks: `#[customization] impl StaticSite { … }`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a customization",
    label = "`#[customize]` takes a customization",
    note = "write `#[customization]` on the `impl` block that holds its setup tasks"
)]
pub trait Customization: Sized + Send + Sync + 'static {
    /// What its tasks work on, which is its [`Kind`].
    type Host: Workplace;
    /// Its description, with its tasks.
    const NODE: &'static Node;
    /// Its tasks, in the order of [`Node::tasks`].
    const TASKS: &'static [Task<Self>];

    /// Its [`Kind`], as a number.
    #[doc(hidden)]
    const KIND: u8 = <Self::Host as Workplace>::KIND as u8;

    /// What it asks of the implementation that makes its machine.
    #[doc(hidden)]
    const ASKS: &'static [Capability] = <Self::Host as Workplace>::KIND.asks();

    #[doc(hidden)]
    fn any(&self) -> &dyn AnyCustomization {
        self
    }
}

/// A function of a customization that says what is to be, as building blocks. It is called for a plan, too.
pub type Planned<T> =
    for<'a> fn(&'a T, &'a Place) -> BoxFuture<'a, crate::Result<Blocks<<T as Customization>::Host>>>;

/// What a task does.
#[derive(Debug)]
enum Work<T: Customization> {
    /// It works on the host.
    Body(Body<T, ()>),
    /// It says what is to be there.
    Blocks(Planned<T>),
}

/// The functions of one setup task.
#[derive(Debug)]
pub struct Task<T: Customization> {
    work: Work<T>,
    hash: Option<fn(&T) -> Digest>,
    check_completed: Option<(&'static str, Body<T, bool>)>,
    completed_since: Option<(&'static str, Body<T, Completed>)>,
    invalidator: Option<(&'static str, Body<T, bool>)>,
}

impl<T: Customization> Task<T> {
    /// A task with this body.
    #[must_use]
    pub const fn new(body: Body<T, ()>) -> Self {
        Self::of(Work::Body(body))
    }

    /// A task that returns building blocks.
    #[must_use]
    pub const fn blocks(wanted: Planned<T>) -> Self {
        Self::of(Work::Blocks(wanted))
    }

    const fn of(work: Work<T>) -> Self {
        Self { work, hash: None, check_completed: None, completed_since: None, invalidator: None }
    }

    /// With a hash of its inputs: it runs again when that changes.
    #[must_use]
    pub const fn hash(mut self, hash: fn(&T) -> Digest) -> Self {
        self.hash = Some(hash);
        self
    }

    /// With a check, called `name`, that says whether it is done, instead of a stamp.
    #[must_use]
    pub const fn check_completed(mut self, name: &'static str, check: Body<T, bool>) -> Self {
        self.check_completed = Some((name, check));
        self
    }

    /// With a check, called `name`, that says whether it is done and since when, instead of a stamp.
    #[must_use]
    pub const fn completed_since(mut self, name: &'static str, check: Body<T, Completed>) -> Self {
        self.completed_since = Some((name, check));
        self
    }

    /// With a check, called `name`, that says whether what it did is still valid.
    #[must_use]
    pub const fn invalidator(mut self, name: &'static str, check: Body<T, bool>) -> Self {
        self.invalidator = Some((name, check));
        self
    }
}

/// A customization whose type does not matter. `task` is a position in [`Node::tasks`]; of where they run, the functions see what
/// [their kind](Kind) works on.
pub trait AnyCustomization: Send + Sync {
    /// Its description.
    fn node(&self) -> &'static Node;
    /// What it works on.
    fn kind(&self) -> Kind;
    /// Whether something of the user's own surrounds the tasks.
    #[doc(hidden)]
    fn surrounds(&self) -> bool;
    /// Enters what surrounds the tasks, if something does.
    #[doc(hidden)]
    fn enter<'a>(&'a self, ground: &'a Ground) -> Entering<'a>;
    /// Runs the body of a task.
    fn run<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> BoxFuture<'a, crate::Result<()>>;
    /// The building blocks of a task, if it returns any.
    fn blocks<'a>(
        &'a self,
        task: usize,
        place: &'a Place,
    ) -> Option<BoxFuture<'a, crate::Result<Vec<Block>>>>;
    /// The hash of a task's inputs, if it has one.
    fn hash(&self, task: usize) -> Option<Digest>;
    /// Asks the task's `check_completed`, if it has one.
    fn check_completed<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> Option<Asked<'a, Completed>>;
    /// Asks the task's invalidator, if it has one.
    fn invalidator<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> Option<Asked<'a, bool>>;
    /// The names of the task's checks.
    fn checks(&self, task: usize) -> Checks;
}

/// The names of a task's checks, as far as it has any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checks {
    /// Its `check_completed`.
    pub completed: Option<&'static str>,
    /// Whether that says since when.
    pub says_when: bool,
    /// Its invalidator.
    pub invalidator: Option<&'static str>,
}

/// Something that surrounds tasks and is being entered.
#[doc(hidden)]
pub type Entering<'a> = BoxFuture<'a, crate::Result<Option<Arc<dyn Surrounding>>>>;

/// A question that is being answered.
pub type Asked<'a, T> = BoxFuture<'a, crate::Result<T>>;

/// Calls a function of the user's with the host that it works on.
fn called<'a, T: Customization, R: Send + 'a>(
    this: &'a T,
    body: Body<T, R>,
    ground: &'a Ground,
    place: &'a Place,
) -> BoxFuture<'a, crate::Result<R>> {
    Box::pin(async move {
        let host = T::Host::reach(ground).await?;
        body(this, &host, place).await
    })
}

impl<T: Customization> AnyCustomization for T {
    fn node(&self) -> &'static Node {
        T::NODE
    }

    fn kind(&self) -> Kind {
        T::Host::KIND
    }

    fn surrounds(&self) -> bool {
        T::Host::SURROUNDS
    }

    fn enter<'a>(&'a self, ground: &'a Ground) -> Entering<'a> {
        T::Host::enter_it(ground)
    }

    fn run<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> BoxFuture<'a, crate::Result<()>> {
        match T::TASKS[task].work {
            Work::Body(body) => called(self, body, ground, place),
            Work::Blocks(wanted) => Box::pin(async move {
                let blocks = wanted(self, place).await?.into_list();
                Ok(apply(ground.host()?, self.kind() == Kind::Machine, blocks).await?)
            }),
        }
    }

    fn blocks<'a>(
        &'a self,
        task: usize,
        place: &'a Place,
    ) -> Option<BoxFuture<'a, crate::Result<Vec<Block>>>> {
        let Work::Blocks(wanted) = T::TASKS[task].work else { return None };
        Some(Box::pin(async move { Ok(wanted(self, place).await?.into_list()) }))
    }

    fn hash(&self, task: usize) -> Option<Digest> {
        T::TASKS[task].hash.map(|hash| hash(self))
    }

    fn check_completed<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> Option<Asked<'a, Completed>> {
        if let Some((_, check)) = T::TASKS[task].completed_since {
            return Some(called(self, check, ground, place));
        }
        let (_, check) = T::TASKS[task].check_completed?;
        let asked = called(self, check, ground, place);
        Some(Box::pin(async move { Ok(asked.await?.into()) }))
    }

    fn invalidator<'a>(
        &'a self,
        task: usize,
        ground: &'a Ground,
        place: &'a Place,
    ) -> Option<Asked<'a, bool>> {
        T::TASKS[task].invalidator.map(|(_, check)| called(self, check, ground, place))
    }

    fn checks(&self, task: usize) -> Checks {
        let task = &T::TASKS[task];
        let name = |check: Option<(&'static str, Body<T, bool>)>| check.map(|(name, _)| name);
        let since = task.completed_since.map(|(name, _)| name);
        Checks {
            completed: since.or(name(task.check_completed)),
            says_when: since.is_some(),
            invalidator: name(task.invalidator),
        }
    }
}
