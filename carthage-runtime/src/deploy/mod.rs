//! Deployment: what a layout would become, making it so, and taking it away again.
//!
//! [`Deployment::open`] resolves a layout and touches nothing. Everything that changes the world goes through the same
//! decisions as the plan, is announced in the journal before it is begun, and is written down when it ended.

mod abort;
mod apply;
mod chosen;
mod decide;
mod force;
mod graph;
mod logged;
mod models;
mod moved;
mod names;
mod needed;
#[cfg(test)]
mod older;
mod parallel;
mod plan;
mod policy;
mod progress;
mod remove;
mod report;
mod runs;
mod saved;
mod select;
mod services;
mod starting;
mod status;
mod survey;
mod things;
mod tree;
mod waiting;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub use crate::machine::{Limit, Limits, Operation};
pub use crate::pattern::Pattern;
pub use abort::Abort;
pub use parallel::AtOnce;
pub use report::{Plan, Report};
pub use runs::{LoggedRun, logged_runs, run_log};
pub use saved::SavedPlan;
pub use select::Selection;
pub(crate) use select::nearest;
pub use status::{Drift, Listed, ListedRole, MachineStatus, ModelStatus, NetworkStatus, Service, Status};
pub use tree::{Customized, Item, LINTS, Lint, Plugged, Provided, lints};

pub use crate::customize::{Inspected, Would};
pub use crate::reason::Reason;
pub use crate::step::{Action, Change, Failure, Skip, Step};

use crate::customize::Customization;
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::inject::Scope;
use crate::layout::{Carried, Layout, Macs, Placed, PlacedTask, World, in_profile, name_in};
use crate::machine::engine::{Rehearsal, Site};
use crate::machine::{GRACE, Machine, MadeFrom, Patience, Wires};
use crate::model::ImplementationNode;
use crate::network::Given;
use crate::state::storage::Storage;
use crate::state::{Dirs, Kept, Ledger, Snapshot};
use crate::step::Planned;
use logged::{Logging, logged};
use moved::Moves;
use names::{Before, Directory};
use things::Things;

/// How a layout is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory below which the layout's directories are; XDG's if absent.
    pub state_dir: Option<PathBuf>,
    /// What its state is kept on; files, unless a test wants something else.
    pub storage: Arc<dyn Storage>,
    /// The profile in which it is deployed; its first, if absent.
    pub profile: Option<String>,
    /// What the user runs, as the holder of the lock is described to others.
    pub command: String,
    /// How long another run on the layout is waited for; not at all, if absent.
    pub wait: Option<Duration>,
    /// How many things are worked on at the same time.
    pub parallel: usize,
    /// How many machines of an implementation, by its name, are worked on at the same time, where that is fewer.
    pub parallel_of: BTreeMap<String, usize>,
    /// How long a machine gets to end by itself before it is killed.
    pub grace: Duration,
    /// How long what is asked may take before it is given up.
    pub limits: Limits,
    /// How often an operation of an implementation that has failed is done again.
    pub retries: u64,
    /// Where events go.
    pub events: Events,
    /// How a simulated world behaves.
    pub rehearsal: Arc<Rehearsal>,
    /// What makes everything, instead of what the layout says.
    pub instead: Option<&'static ImplementationNode>,
    /// When cancelled, nothing new is begun, and what was begun is finished.
    pub stop: CancellationToken,
    /// Gives up what was begun.
    pub abort: Abort,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            state_dir: None,
            storage: crate::state::storage::usual(),
            profile: None,
            command: "carthage".to_owned(),
            wait: None,
            parallel: std::thread::available_parallelism().map_or(4, |n| n.get() * 4),
            parallel_of: BTreeMap::new(),
            grace: GRACE,
            limits: Limits::default(),
            retries: 0,
            events: Events::none(),
            rehearsal: Arc::default(),
            instead: None,
            stop: CancellationToken::new(),
            abort: Abort::default(),
        }
    }
}

/// Whether a deployment may change the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It only looks; others may change things meanwhile.
    Look,
    /// It has the layout to itself.
    Change,
}

/// A layout and what exists of it.
#[derive(Debug)]
pub struct Deployment {
    world: Arc<World>,
    things: Things,
    /// Of the layout.
    names: OnceLock<Directory>,
    /// Of the machines that were deployed. Of both, once somebody has asked.
    before: OnceLock<Before>,
    /// By the names that things have in the layout.
    snapshot: Snapshot,
    moves: Moves,
    carried: Carried,
    ledger: Ledger,
    dirs: Dirs,
    options: Options,
    /// Of what changes something.
    log: Option<Logging>,
    /// Why there are no models, if there are none.
    trouble: Option<Arc<Error>>,
    /// What it keeps to, if it is to.
    planned: OnceLock<Planned>,
}

impl Deployment {
    /// Resolves a layout. Nothing is touched, but with [`Access::Change`] the layout is locked and a run begins.
    ///
    /// # Errors
    /// When the state is damaged or held by another run, an address cannot be given, or an injected value cannot be made.
    pub async fn open<L: Layout>(access: Access, options: Options) -> Result<(Self, Placed<L>), Error> {
        let (deployment, layout) = Self::open_whatever::<L>(access, options).await?;
        deployment.resolved()?;
        let unmade = || Error::new(ErrorKind::Injection, "the layout has no model");
        Ok((deployment, layout.ok_or_else(unmade)?))
    }

    /// Like [`Deployment::open`], but a layout whose addresses cannot be given or whose values cannot be made is no error: what
    /// exists of it can still be looked at, stopped and destroyed, and only what would change it answers the error.
    pub(crate) async fn open_whatever<L: Layout>(
        access: Access,
        mut options: Options,
    ) -> Result<(Self, Option<Placed<L>>), Error> {
        let shape = in_profile::<L>(options.profile.as_deref())?;
        let name = name_in::<L>(shape);
        let dirs = Dirs::find(&name, options.state_dir.as_deref())?.on(options.storage.clone());
        let carried = Carried::of(&dirs);
        let (snapshot, ledger, log) = match access {
            Access::Look => (
                blocking({
                    let dirs = dirs.clone();
                    move || Snapshot::read(&dirs)
                })
                .await?,
                Ledger::closed(),
                None,
            ),
            Access::Change => {
                let store = waiting::store(&dirs, &options).await?;
                let ledger = Ledger::open(store).await?;
                let (events, log) = logged(options.events, &dirs, &options.command, ledger.run());
                options.events = events;
                let (carried, snapshot) = (carried.clone(), ledger.view().await?);
                // What an earlier run has moved, and was ended before it could tidy up.
                let settled = move || carried.settle(&snapshot.records).map(|()| snapshot);
                (blocking(settled).await?, ledger, Some(log))
            }
        };
        let (mut moves, refused) = match Moves::of(shape, &snapshot) {
            Ok(moves) => (moves, None),
            Err(error) => (Moves::default(), Some(error)),
        };
        let mut snapshot = moves.carried(snapshot);
        let site = Site {
            layout: name,
            id: snapshot.id.clone().unwrap_or_else(|| "0".repeat(32)),
            state: dirs.state().to_owned(),
            looks: access == Access::Look,
            storage: dirs.storage().clone(),
            logs: dirs.logs().to_owned(),
            private: dirs.private(),
            neighbours: Arc::new(()),
            events: options.events.clone(),
            rehearsal: options.rehearsal.clone(),
        };
        let wires = wires(&snapshot);
        let (given, macs) = assigned(&snapshot);
        let macs = Macs::new(&site.layout, macs);
        let around = crate::layout::Around {
            site,
            macs,
            ledger: ledger.clone(),
            kept: Kept::new(snapshot.values.clone()),
            events: options.events.clone(),
            patience: Patience {
                limits: options.limits,
                retries: options.retries,
                stop: options.stop.clone(),
                is_rehearsal: options.instead.is_some(),
            },
            at_once: options.parallel,
            given,
            dirs: dirs.clone(),
            hash_key: snapshot.hash_key.clone(),
            made_as: made_as(&snapshot, &wires),
            aside: carried.found(&moves.stamps(), &snapshot.records),
            paths: paths(&snapshot),
            instead: options.instead,
        };
        let (world, layout) = World::open::<L>(shape, around).await?;
        parallel::known(&options.parallel_of, &world)?;
        let things = Things::of(&world, &snapshot, &wires, &ledger, &options.events)?;
        drop(wires);
        moves.take_in(world.machines().values(), &mut snapshot);
        let (layout, trouble) = match refused.map_or(layout, Err) {
            Ok(layout) => (Some(layout), None),
            Err(trouble) => (None, Some(Arc::new(trouble))),
        };
        Ok((
            Self {
                world,
                things,
                names: OnceLock::new(),
                before: OnceLock::new(),
                snapshot,
                moves,
                carried,
                ledger,
                dirs,
                options,
                log,
                trouble,
                planned: OnceLock::new(),
            },
            layout,
        ))
    }

    /// The names of the machines of the layout.
    fn names(&self) -> &Directory {
        self.names.get_or_init(|| Directory::of(self.machines().map(Machine::spec)))
    }

    /// The names of the machines that were deployed.
    fn before(&self) -> &Before {
        self.before.get_or_init(|| {
            let made: Vec<_> = self.snapshot.records.values().filter_map(MadeFrom::of).collect();
            Before::new(Directory::of(made.iter().map(|made| &made.spec)))
        })
    }

    /// An error if the layout could not be resolved.
    fn resolved(&self) -> Result<(), Error> {
        self.ordered()?;
        self.trouble.as_ref().map_or(Ok(()), unresolved)
    }

    /// An error if it is not known which machines start after which.
    fn ordered(&self) -> Result<(), Error> {
        self.things.trouble.as_ref().map_or(Ok(()), unresolved)
    }

    /// The scope of the whole layout: what is made in it, and closed at the end.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        self.world.scope(0)
    }

    /// Closes all values with `#[provide(close, …)]` that were made: scopes inside before those around, the last made first.
    /// From then on the layout's values can no longer be asked for.
    ///
    /// # Errors
    /// When one cannot be closed; the others are, all the same.
    pub async fn close(&self) -> Result<(), Error> {
        self.scope().close().await
    }

    /// All machines, in the order of the source.
    pub fn machines(&self) -> impl Iterator<Item = &Machine> {
        self.world.machines().values()
    }

    /// The machine of this name, with or without `machine:`; its host name will do if no other has it.
    ///
    /// # Errors
    /// When there is none; the hint says which was probably meant.
    pub fn machine(&self, name: &str) -> Result<&Machine, Error> {
        let bare = name.strip_prefix("machine:").unwrap_or(name);
        if let Some(machine) = self.machines().find(|machine| machine.name() == bare) {
            return Ok(machine);
        }
        let named: Vec<_> = self.machines().filter(|machine| machine.spec().hostname == bare).collect();
        match named[..] {
            [machine] => Ok(machine),
            [] => {
                let known: Vec<_> = self.machines().map(Machine::name).collect();
                let what = format!("there is no machine `{bare}` in this layout");
                Err(Error::new(ErrorKind::Usage, what).hint(nearest(bare, &known)))
            }
            _ => {
                let names: Vec<_> = named.iter().map(|machine| format!("`{}`", machine.name())).collect();
                let what = format!("{} machines have the host name `{bare}`", named.len());
                Err(Error::new(ErrorKind::Usage, what).hint(format!("write one of {}", names.join(", "))))
            }
        }
    }

    /// The task of this name, with or without `task:`: `mirror.algebra/site.index`, or `algebra/render` of a model itself.
    ///
    /// # Errors
    /// When there is none; the hint says which was probably meant.
    pub fn task(&self, name: &str) -> Result<PlacedTask, Error> {
        let bare = name.strip_prefix("task:").unwrap_or(name);
        let models = self.world.generating();
        if let Some((model, stem)) = bare.split_once('/').filter(|(_, stem)| !stem.contains('.')) {
            let named = models.iter().find(|(_, other)| other.dir.name() == model);
            let found = named.and_then(|(index, _)| PlacedTask::find(self.world.place(*index), stem));
            if let Some(task) = found {
                return Ok(task);
            }
        } else if let Some((machine, stem)) = bare.split_once('/') {
            let machine = self.machine(machine)?.name();
            let mut named = self.world.machines().iter().filter(|(_, other)| other.name() == machine);
            if let Some(task) = named.find_map(|(index, _)| PlacedTask::find(self.world.place(*index), stem))
            {
                return Ok(task);
            }
        }
        let names = self.task_names();
        let known: Vec<_> = names.iter().map(|(_, name)| name.as_str()).collect();
        let what = format!("there is no task `{bare}` in this layout");
        Err(Error::new(ErrorKind::Usage, what).hint(nearest(bare, &known)))
    }

    /// Applies a customization that no model holds to a machine; see [`Placed::apply`].
    ///
    /// # Errors
    /// As there, and as with [`Deployment::machine`].
    pub async fn apply(
        &self,
        machine: &str,
        name: &'static str,
        customization: &impl Customization,
    ) -> Result<(), Error> {
        let machine = self.machine(machine)?;
        for (index, other) in self.world.machines() {
            if other.name() == machine.name() {
                return self.world.place(*index).apply(name, customization).await;
            }
        }
        Err(Error::new(ErrorKind::NotFound, format!("`{}` has no place in the layout", machine.name())))
    }
}

/// What is on record by its name, with what it was plugged into; in the order of the names.
type Recorded<'a> = Vec<(&'a str, Wires)>;

fn wires(snapshot: &Snapshot) -> Recorded<'_> {
    snapshot.records.iter().map(|(thing, record)| (thing.as_str(), Wires::of(record))).collect()
}

/// What implementations call things that have other names on record.
fn made_as(snapshot: &Snapshot, wires: &Recorded<'_>) -> BTreeMap<String, String> {
    let named = snapshot.records.values().zip(wires).filter_map(|(record, (thing, wires))| {
        let name = wires.name.as_ref().filter(|name| **name != record.name)?;
        Some(((*thing).to_owned(), name.clone()))
    });
    named.collect()
}

/// Where machines were placed in the layout, by their names.
fn paths(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let machines = snapshot.records.values().filter(|record| record.kind == crate::state::Kind::Machine);
    machines.map(|record| (record.name.clone(), record.path.clone())).collect()
}

/// The addresses that links have, by network, and their hardware addresses; both by machine and interface.
fn assigned(snapshot: &Snapshot) -> (BTreeMap<String, Given>, BTreeMap<String, [u8; 6]>) {
    let mut given: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut macs = Vec::new();
    for ((machine, interface), assignment) in &snapshot.assignments {
        let link = format!("{machine}/{interface}");
        if let Some(std::net::IpAddr::V4(address)) = assignment.address {
            given.entry(&assignment.network).or_default().push((link.clone(), address));
        }
        macs.extend(assignment.mac.map(|mac| (link, mac)));
    }
    let given = given.into_iter().map(|(network, given)| (network.to_owned(), given.into_iter().collect()));
    (given.collect(), macs.into_iter().collect())
}

fn unresolved(trouble: &Arc<Error>) -> Result<(), Error> {
    let error = Error::new(trouble.kind(), "the layout cannot be resolved");
    let error = match trouble.next_step() {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Err(error.because(trouble.clone()))
}

impl Drop for Deployment {
    /// The models and their places refer to each other and may outlive it; the layout is free for others all the same.
    fn drop(&mut self) {
        // Whoever has the layout next finds all of it.
        drop(self.log.take());
        self.ledger.end();
        self.world.engines().values().for_each(|engine| engine.let_go());
    }
}

/// Runs `work`, which waits for the disk, where waiting harms nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(Error::host("a thread that reads the state has died"))?
}
