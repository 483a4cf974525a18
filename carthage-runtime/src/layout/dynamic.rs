//! What is needed beyond what the source says: models and implementations are asked at run time, before anything is planned.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::parts::downcast;
use super::place::Place;
use super::placed::Placed;
use super::world::World;
use super::{Findable, Layout, Model};
use crate::error::{BoxError, Error, ErrorKind};
use crate::inject::Value;
use crate::machine::start::Needed;
use crate::machine::told;
use crate::model::{Kind, Placement};
use crate::state;

/// How a model of type `T` says what it needs: see [`Model::DYNAMIC_DEPENDENCIES`].
pub type Dynamic<T> = for<'a> fn(&'a Placed<T>) -> BoxFuture<'a, Result<Vec<Needed>, BoxError>>;

/// The same of a model of whatever type, which is given as a placed one.
pub(super) type AnyDynamic =
    Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Vec<Needed>, BoxError>> + Send + Sync>;

impl<T: Findable> Placed<T> {
    /// What something that needs this needs: the machine or the network, or all machines of an enclave.
    pub fn needed(&self) -> Vec<Needed> {
        let placement = self.place().placement();
        match placement.kind() {
            Kind::Network => vec![Needed::network(placement.path())],
            Kind::Machine => vec![Needed::machine(placement.fqdn())],
            _ => machines_in(placement).map(|machine| Needed::machine(machine.fqdn())).collect(),
        }
    }
}

fn machines_in(placement: Placement) -> impl Iterator<Item = Placement> {
    placement.subtree().filter(|inside| inside.kind() == Kind::Machine)
}

impl Place {
    /// The model has its say about what it needs, if it has anything to say.
    pub(super) fn says_what_it_needs<T: Model>(&self) {
        let Some(dynamic) = T::DYNAMIC_DEPENDENCIES else { return };
        let any: AnyDynamic = Arc::new(move |value| {
            Box::pin(async move {
                let me = downcast::<Placed<T>>(value, "what says what it needs")?;
                dynamic(&me).await
            })
        });
        self.world.dynamics.lock().unwrap_or_else(PoisonError::into_inner).insert(self.index, any);
    }
}

impl World {
    /// Asks all models that have something to say, and the implementations about each machine.
    ///
    /// # Errors
    /// When one of them cannot say.
    pub(super) async fn ask_what_is_needed<L: Layout>(
        self: &Arc<Self>,
        layout: &Placed<L>,
    ) -> Result<(), Error> {
        let dynamics = self.dynamics.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let cannot = |name: &str| {
            let what = format!("what `{name}` needs cannot be told");
            move |error: BoxError| Error::new(ErrorKind::Injection, what).because(error)
        };
        let models = dynamics.into_iter().map(|(index, dynamic)| async move {
            let failed = cannot(self.scope(index).name());
            let model = match index {
                0 => Arc::new(layout.clone()) as Value,
                index => Place::new(self.clone(), index).own_model().await?,
            };
            let what = || format!("`dynamic_dependencies` of `{}`", self.scope(index).name());
            let asked =
                told(self.events(), || self.thing(index), || "what it needs".to_owned(), dynamic(model));
            Ok::<_, Error>((index, self.patience().answered(what, failed, asked).await?))
        });
        let mut all: BTreeMap<usize, Vec<Needed>> = BTreeMap::new();
        for (index, needed) in self.some_at_once(models).await? {
            let placement = self.placement(index);
            match placement.kind() {
                Kind::Machine | Kind::Network => all.entry(index).or_default().extend(needed),
                // What a scope needs is needed by every machine in it, but for those that are needed, and all that they need.
                _ => {
                    let first = self.come_before(&needed);
                    for machine in machines_in(placement).filter(|machine| !first.contains(&machine.index()))
                    {
                        all.entry(machine.index()).or_default().extend(needed.iter().cloned());
                    }
                }
            }
        }
        let machines = self.machines().iter().map(|(index, machine)| async move {
            let needed = machine.dynamic_dependencies().await;
            Ok((*index, needed.map_err(|error| cannot(machine.name())(error.into()))?))
        });
        for (index, needed) in self.some_at_once(machines).await? {
            if !needed.is_empty() {
                all.entry(index).or_default().extend(needed);
            }
        }
        self.needed.get_or_init(|| all);
        Ok(())
    }

    /// As many at the same time as the user allows; what they answer, in their order.
    async fn some_at_once<T>(
        &self,
        asked: impl Iterator<Item = impl Future<Output = Result<T, Error>>>,
    ) -> Result<Vec<T>, Error> {
        stream::iter(asked).buffered(self.at_once.max(1)).try_collect().await
    }

    /// The machines that are needed, and all that they start after by what the source says.
    fn come_before(&self, needed: &[Needed]) -> BTreeSet<usize> {
        let things: BTreeSet<&str> = needed.iter().map(Needed::thing).collect();
        let named = self.machines().iter().filter(|(_, machine)| things.contains(&*machine.thing()));
        let mut todo: Vec<usize> = named.map(|(index, _)| *index).collect();
        // Machines that start after each other are told of where they are put in order.
        let starts = self.starts().unwrap_or_default();
        let mut before = BTreeSet::new();
        while let Some(index) = todo.pop() {
            if before.insert(index) {
                todo.extend(starts.get(&index).into_iter().flat_map(|starts| &starts.machines));
            }
        }
        before
    }

    /// What each placed thing needs beyond what the source says, by its position; `None` if that could not be found out.
    pub(crate) fn needed(&self) -> Option<&BTreeMap<usize, Vec<Needed>>> {
        self.needed.get()
    }

    /// What is called so in plans: `machine:mirror.algebra`, or `model:algebra` of what is neither a machine nor a network.
    pub(crate) fn thing(&self, index: usize) -> String {
        let placement = self.placement(index);
        match placement.kind() {
            Kind::Network => state::Kind::Network.thing(placement.path()),
            Kind::Machine => state::Kind::Machine.thing(placement.fqdn()),
            _ => format!("model:{}", self.scope(index).name()),
        }
    }
}
