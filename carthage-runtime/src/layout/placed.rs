//! A model at its place.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::by_hand::{PlacedTask, PlacedTasks, TaskOf, TasksOf};
use super::place::Place;
use super::{AtMachine, Findable, Model, NetworkModel};
use crate::customize::Customization;
use crate::machine::Machine;
use crate::machine::engine::NetworkSpec;
use crate::model::Placement;

/// A model at its place in a layout; dereferences to the model. Cheap to clone.
///
/// ```no_run
/// use carthage::prelude::*;
/// # #[network(v4 = "10.0.0.0/24", pool = "10.0.0.5-10.0.0.9")]
/// # struct Lab;
/// # #[machine_model]
/// # struct Mirror {
/// #     #[link]
/// #     eth0: Link<Lab>,
/// # }
///
/// #[enclave(domain = "algebra")]
/// struct Algebra {
///     lab: Lab,
///     mirror: Mirror, // becomes a `Placed<Mirror>`
/// }
///
/// async fn look(algebra: &Algebra) -> Result<()> {
///     println!("{} has {:?}", algebra.mirror.name(), algebra.mirror.eth0.address());
///     algebra.mirror.machine().run(["uptime"]).await?;
///     Ok(())
/// }
/// ```
pub struct Placed<T: ?Sized>(Arc<Inner<T>>);

struct Inner<T: ?Sized> {
    place: Place,
    model: Arc<T>,
}

impl<T: Model> Placed<T> {
    pub(super) fn new(model: T, place: Place) -> Self {
        Self::of(Arc::new(model), place)
    }
}

impl<T: ?Sized> Placed<T> {
    /// A model that others have as well: a role of the machine at the place.
    pub(super) fn of(model: Arc<T>, place: Place) -> Self {
        Self(Arc::new(Inner { place, model }))
    }
}

impl<T: Findable + ?Sized> Placed<T> {
    pub(super) fn model(&self) -> Arc<T> {
        self.0.model.clone()
    }

    /// The constants of its place: path, names, stamp directory.
    #[must_use]
    pub fn placement(&self) -> Placement {
        self.0.place.placement()
    }

    /// The fully qualified name, such as `worker-2.algebra`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.placement().fqdn()
    }

    /// Its place: the scope around it, for code that asks for values itself.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}

impl<T: AtMachine + ?Sized> Placed<T> {
    /// The machine that is made from the model.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        self.0.place.machine()
    }

    /// Applies a customization that the model does not hold: runs those of its tasks that need to. Its stamps and services go
    /// by `name`, which no field of the model may have. A machine that does not run is started for it, unless all that it works
    /// on is the root, which is reached as it is.
    ///
    /// # Errors
    /// When a task fails, the machine does not exist, or its implementation has no offline root and the customization needs one.
    pub async fn apply(&self, name: &'static str, customization: &impl Customization) -> crate::Result<()> {
        Ok(self.0.place.apply(name, customization).await?)
    }
}

impl<T: NetworkModel> Placed<T> {
    /// The network that is made from the model, as its implementation gets it: its subnet, and the bridge of the host that it is,
    /// if it is one.
    #[must_use]
    pub fn network(&self) -> &NetworkSpec {
        self.0.place.network()
    }
}

impl<T: Model + AtMachine> Placed<T> {
    /// A setup task of the machine: `mirror.task(task!(Mirror.site.index))`.
    #[must_use]
    pub fn task(&self, task: TaskOf<T>) -> PlacedTask {
        task.at(&self.0.place)
    }

    /// All tasks of one of the machine's customizations: `mirror.tasks(tasks!(Mirror.site))`.
    #[must_use]
    pub fn tasks(&self, tasks: TasksOf<T>) -> PlacedTasks {
        tasks.at(&self.0.place)
    }
}

impl<T: ?Sized> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.model
    }
}

impl<T: ?Sized> Clone for Placed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Findable + ?Sized> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Placed").field(&self.name()).finish()
    }
}
