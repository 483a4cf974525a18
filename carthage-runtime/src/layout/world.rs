//! Everything that a layout's places share: resolved names and addresses, machines, scopes, and the values in the making.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio_util::task::TaskTracker;

use super::around::{Around, open_engine, stamps_in};
use super::decide::{Decided, Decider, Pending, Successor, no_name_twice};
use super::dynamic::AnyDynamic;
use super::generating::Generating;
use super::neighbours::Neighbourhood;
use super::place::Place;
use super::placed::Placed;
use super::resolvable::Resolver;
use super::resolve::{links, machine_spec, made_as_twice, resolve_networks};
use super::starts::Collector;
use super::{AnyModel, Layout};
use crate::customize::{self, AnyCustomization, Setting, When};
use crate::error::Error;
use crate::event::Events;
use crate::inject::{Scope, Slot, Value};
use crate::machine::capability::Capability;
use crate::machine::engine::{Engine, MachineSpec, NetworkSpec};
use crate::machine::start::Needed;
use crate::machine::{Machine, OfRun, Patience};
use crate::model::{Key, Kind, Part, Placement, Placements, Role};
use crate::network::Given;
use crate::state::{Dirs, Kept, Kind as StateKind};
use crate::task::Stamps;

/// A layout, resolved: names, addresses and links are known, and nothing has been touched.
pub struct World {
    placements: &'static Placements,
    /// Positions of the members, by container and part.
    members: HashMap<(usize, usize), Vec<usize>>,
    networks: BTreeMap<usize, (NetworkSpec, Given)>,
    machines: BTreeMap<usize, Machine>,
    engines: BTreeMap<&'static str, Arc<dyn Engine>>,
    scopes: Vec<Scope>,
    models: Vec<OnceLock<Slot>>,
    customized: Vec<OnceLock<Arc<dyn AnyModel>>>,
    /// Models with tasks of their own, by position, once all are made.
    pub(super) generating: OnceLock<BTreeMap<usize, Generating>>,
    /// What tasks of models need; their stamps are elsewhere.
    pub(super) setting: Setting,
    /// Roles of machines, by position and key, as placed ones.
    roles: Mutex<HashMap<(usize, u64), Value>>,
    /// What models make of their start dependencies.
    pub(super) collectors: Mutex<BTreeMap<usize, Collector>>,
    /// How models say what they need that do, and what was found out.
    pub(super) dynamics: Mutex<BTreeMap<usize, AnyDynamic>>,
    pub(super) needed: OnceLock<BTreeMap<usize, Vec<Needed>>>,
    /// How models are resolved that want to be.
    pub(super) resolvers: Mutex<BTreeMap<usize, Resolver>>,
    provided: Mutex<HashMap<(usize, usize), Slot>>,
    /// What is decided about members, while it is registered.
    decided: Mutex<Decided>,
    pending: Pending,
    successor: Successor,
    /// What tasks of machines need, by position, once somebody has asked.
    settings: Vec<OnceLock<Setting>>,
    /// The same of machines whose stamps are not where they belong, until they are.
    elsewhere: BTreeMap<usize, Setting>,
    settled: AtomicBool,
    /// Paths of networks that their implementation calls otherwise, by what that is.
    renamed: BTreeMap<String, String>,
    kept: Kept,
    /// How many things are asked at the same time.
    pub(super) at_once: usize,
    unwinding: TaskTracker,
    dirs: Dirs,
    id: String,
}

impl World {
    /// Resolves the layout in the profile of `shape` and builds its models. When it cannot be decided which members there are,
    /// an address cannot be given, or an injected value cannot be made, there are no models, but the world stands: what exists
    /// can still be looked at and taken away.
    ///
    /// # Errors
    /// When an implementation cannot be opened.
    pub(crate) async fn open<L: Layout>(
        shape: &'static Placements,
        mut around: Around,
    ) -> Result<(Arc<Self>, Result<Placed<L>, Error>), Error> {
        let neighbours = Arc::new(Neighbourhood::default());
        around.site.neighbours = neighbours.clone();
        let mut engines = BTreeMap::new();
        // Also those that make nothing any more: what they made may still be there.
        let said = shape.iter().filter_map(|placement| placement.node().implementation);
        for implementation in said.filter(|_| around.instead.is_none()) {
            open_engine(implementation, &around.site, &mut engines).await?;
        }
        for machine in of_kind(shape, Kind::Machine) {
            open_engine(around.maker(machine)?, &around.site, &mut engines).await?;
        }
        let mut decided = Decided::default();
        let mut before = Vec::new();
        let (world, mut trouble) = loop {
            let placements = decided.tables(shape);
            let (world, trouble) = Self::of(placements, &around, &engines, decided)?;
            let root = Place::new(world.clone(), 0);
            L::register(&root);
            root.says_what_it_needs::<L>();
            decided = world.take_decided();
            if !world.is_undecided() {
                break (world, trouble);
            }
            if let Err(error) = decided.decide(&root, &world.pending).await {
                break (world, Some(error));
            }
            before.push(world);
        };
        for earlier in before {
            earlier.successor.get_or_init(|| Arc::downgrade(&world));
        }
        neighbours.are_of(&world);
        if trouble.is_none() && world.placements.shape.is_some() {
            trouble = no_name_twice(world.placements).err();
        }
        around.follow(world.placements);
        let layout = match trouble {
            Some(trouble) => Err(trouble),
            None => {
                let root = Place::new(world.clone(), 0);
                match root.make::<L>().await.map(|layout| Placed::new(layout, root)) {
                    Ok(layout) => {
                        world.set_customized(0, layout.model());
                        match world.generating_by_names().and(world.resolve(&layout).await) {
                            Ok(()) => world.ask_what_is_needed(&layout).await.map(|()| layout),
                            Err(error) => Err(error),
                        }
                    }
                    Err(error) => Err(error),
                }
            }
        };
        Ok((world, layout))
    }

    /// The tree of these placements, with no models yet; and what cannot be resolved in it, if something cannot.
    fn of(
        placements: &'static Placements,
        around: &Around,
        engines: &BTreeMap<&'static str, Arc<dyn Engine>>,
        decided: Decided,
    ) -> Result<(Arc<Self>, Option<Error>), Error> {
        let (networks, mut trouble) = resolve_networks(placements, around);
        let unwinding = TaskTracker::new();
        let (mut machines, mut elsewhere) = (BTreeMap::new(), BTreeMap::new());
        let named = of_kind(placements, Kind::Machine).flat_map(links).filter_map(|link| link.mac);
        let macs = around.macs.besides(named);
        let mut called = HashMap::new();
        for placement in of_kind(placements, Kind::Machine) {
            let maker = around.maker(placement)?.name;
            let macs = engines[maker].makes().then_some(&macs);
            let spec = machine_spec(macs, placement, &networks).unwrap_or_else(|error| {
                trouble.get_or_insert(error);
                MachineSpec { name: placement.fqdn().to_owned(), ..MachineSpec::default() }
            });
            let made_as = around.made_as(StateKind::Machine, placement.fqdn());
            let known_as = made_as.unwrap_or(placement.fqdn());
            if let Some(other) = called.insert((maker, known_as), placement.fqdn()) {
                trouble.get_or_insert(made_as_twice("machines", placement.fqdn(), other, known_as));
            }
            let run = OfRun {
                ledger: around.ledger.clone(),
                events: around.events.clone(),
                unwinding: unwinding.clone(),
                patience: around.patience.clone(),
            };
            let path = placement.path().to_owned();
            let machine = Machine::new(spec, made_as, path, engines[maker].clone(), run);
            machines.insert(placement.index(), machine);
            if let Some(place) = around.elsewhere(placement) {
                let stamps = Stamps::new(around.dirs.storage().clone(), place, &around.site.id);
                elsewhere.insert(placement.index(), Setting { stamps, ..around.setting(Path::new("")) });
            }
        }
        let count = placements.len();
        let mut scopes: Vec<Scope> = Vec::with_capacity(count);
        for placement in placements.iter() {
            let scope = match placement.parent() {
                Some(parent) => scopes[parent.index()].child(placement.path()),
                None => Scope::root(&around.site.layout),
            };
            placement.node().masks.iter().for_each(|mask| scope.mask(mask.key));
            scopes.push(scope);
        }
        let network = |placement: Placement| {
            let made_as = around.made_as(StateKind::Network, placement.path())?;
            Some((made_as.to_owned(), placement.path().to_owned()))
        };
        let renamed = of_kind(placements, Kind::Network).filter_map(network).collect();
        let world = Arc::new(Self {
            placements,
            members: members_of(placements),
            networks,
            machines,
            engines: engines.clone(),
            scopes,
            models: (0..count).map(|_| OnceLock::new()).collect(),
            customized: (0..count).map(|_| OnceLock::new()).collect(),
            generating: OnceLock::new(),
            setting: around.setting(Path::new("")),
            roles: Mutex::default(),
            collectors: Mutex::default(),
            dynamics: Mutex::default(),
            needed: OnceLock::new(),
            resolvers: Mutex::default(),
            provided: Mutex::default(),
            decided: Mutex::new(decided),
            pending: Pending::default(),
            successor: Successor::new(),
            settings: (0..count).map(|_| OnceLock::new()).collect(),
            elsewhere,
            settled: AtomicBool::new(false),
            at_once: around.at_once,
            renamed,
            kept: around.kept.clone(),
            unwinding,
            dirs: around.dirs.clone(),
            id: around.site.id.clone(),
        });
        Ok((world, trouble))
    }

    fn take_decided(&self) -> Decided {
        std::mem::take(&mut *self.decided.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether members are left out because nothing is decided about them yet.
    pub(super) fn is_undecided(&self) -> bool {
        !self.pending.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// How many members a part has is decided by this, if it is not yet.
    pub(super) fn has_to_decide(&self, index: usize, part: usize, decider: Decider) {
        let placement = self.placement(index);
        let Role::Member(member) = &placement.node().parts[part].role else { return };
        let decided = self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if self.placements.profile.has(member) && !decided.knows(placement.path(), part) {
            self.pending.lock().unwrap_or_else(PoisonError::into_inner).push((index, part, decider));
        }
    }

    /// The value of this part, if it was made while the layout was decided.
    pub(super) fn made_before(&self, container: &str, part: usize) -> Option<Slot> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).value(container, part)
    }

    /// The values that are made, by the path of what provides them, and its part.
    pub(super) fn made(&self) -> Vec<((String, usize), Slot)> {
        let provided = self.provided.lock().unwrap_or_else(PoisonError::into_inner);
        let made = provided.iter().filter(|(_, slot)| slot.is_ready());
        made.map(|((index, part), slot)| ((self.placement(*index).path().to_owned(), *part), slot.clone()))
            .collect()
    }

    /// The world that came after this one.
    pub(super) fn successor(&self) -> Option<Arc<Self>> {
        self.successor.get()?.upgrade()
    }

    /// All placements, in the order of the source.
    #[must_use]
    pub fn placements(&self) -> &'static Placements {
        self.placements
    }

    #[expect(clippy::expect_used, reason = "indices come from the placements themselves")]
    pub(crate) fn placement(&self, index: usize) -> Placement {
        self.placements.get(index).expect("something is placed here")
    }

    pub(crate) fn scope(&self, index: usize) -> &Scope {
        &self.scopes[index]
    }

    pub(crate) fn members(&self, index: usize, part: usize) -> &[usize] {
        self.members.get(&(index, part)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.kept
    }

    /// The path of the network that implementations call so.
    pub(crate) fn network_called<'a>(&'a self, made_as: &'a str) -> &'a str {
        self.renamed.get(made_as).map_or(made_as, String::as_str)
    }

    /// The machine at a place that is one.
    #[expect(
        clippy::expect_used,
        reason = "asked for by `MachineModel`s and by positions taken from `machines` only"
    )]
    pub(crate) fn machine(&self, index: usize) -> &Machine {
        self.machines.get(&index).expect("a machine stands here")
    }

    /// How long what is asked may take, and how often it is asked again.
    pub(crate) fn patience(&self) -> &Patience {
        &self.setting.patience
    }

    /// Where to tell what goes on.
    pub(super) fn events(&self) -> &Events {
        &self.setting.events
    }

    pub(crate) fn setting(&self, index: usize) -> &Setting {
        let elsewhere = self.elsewhere.get(&index).filter(|_| !self.settled.load(Ordering::SeqCst));
        elsewhere.unwrap_or_else(|| {
            self.settings[index].get_or_init(|| Setting {
                stamps: self.stamps(Path::new(self.placement(index).stamp_dir())),
                ..self.setting.clone()
            })
        })
    }

    /// All stamps are where they belong from now on.
    pub(crate) fn stamps_are_settled(&self) {
        self.settled.store(true, Ordering::SeqCst);
    }

    /// The model at a place, if it is kept: a machine's, or one that has tasks.
    pub(super) fn customized(&self, index: usize) -> Option<&dyn AnyModel> {
        self.customized[index].get().map(|model| &**model)
    }

    /// The layout's directories, and the id of its state.
    pub(super) fn dirs(&self) -> (&Dirs, &str) {
        (&self.dirs, &self.id)
    }

    /// The stamps in a directory of the layout's.
    pub(crate) fn stamps(&self, stamp_dir: &Path) -> Stamps {
        stamps_in(&self.dirs, stamp_dir, &self.id)
    }

    /// All machines, by position, in the order of the source.
    pub(crate) fn machines(&self) -> &BTreeMap<usize, Machine> {
        &self.machines
    }

    /// All networks, by position, with the addresses given in them.
    pub(crate) fn networks(&self) -> &BTreeMap<usize, (NetworkSpec, Given)> {
        &self.networks
    }

    /// The implementations in use, by name.
    pub(crate) fn engines(&self) -> &BTreeMap<&'static str, Arc<dyn Engine>> {
        &self.engines
    }

    /// Whether the implementation of the machine at a place can do this.
    pub(crate) fn can(&self, index: usize, capability: Capability) -> bool {
        let implementation = self.placement(index).implementation();
        implementation.is_some_and(|implementation| implementation.capabilities.contains(&capability))
    }

    /// When a customization of this kind is applied to the machine at a place.
    pub(crate) fn when(&self, index: usize, kind: customize::Kind) -> When {
        kind.when(self.can(index, Capability::OfflineRoot))
    }

    /// The customizations of a machine, with the parts that hold them.
    pub(crate) fn customizations(&self, index: usize) -> Vec<(&'static Part, &dyn AnyCustomization)> {
        let node = self.placement(index).node();
        let mut all = Vec::new();
        if let Some(model) = self.customized[index].get() {
            customizations_of(&**model, node.parts, node.own_parts(), &mut all);
        }
        all
    }

    pub(super) fn role(&self, index: usize, key: Key) -> Option<Value> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).get(&(index, key.id())).cloned()
    }

    /// Keeps a role of a machine; answers the one that is kept, which may be one before.
    pub(super) fn set_role(&self, index: usize, key: Key, role: Value) -> Value {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.entry((index, key.id())).or_insert(role).clone()
    }

    pub(crate) fn place(self: &Arc<Self>, index: usize) -> Place {
        Place::new(self.clone(), index)
    }

    /// Where the nearest scope holds something of this key: one position, or all of an array.
    pub(crate) fn nearest(
        &self,
        asker: usize,
        key: crate::model::Key,
        field: Option<&'static str>,
    ) -> Vec<usize> {
        let found = self.placement(asker).resolve(key, field).unwrap_or_default();
        found.into_iter().map(Placement::index).collect()
    }

    /// The place of a scope, or the nearest around it: the scopes of places are made first, in their order.
    pub(super) fn nearest_place(&self, scope: &Scope) -> usize {
        scope.upwards().map(Scope::number).find(|number| *number < self.scopes.len()).unwrap_or_default()
    }

    pub(super) fn model(&self, index: usize) -> Option<Slot> {
        self.models[index].get().cloned()
    }

    pub(super) fn set_model(&self, index: usize, slot: Slot) {
        // The first registration stands: a model that registers a part twice gets one member all the same.
        self.models[index].get_or_init(|| slot);
    }

    pub(super) fn set_customized(&self, index: usize, model: Arc<dyn AnyModel>) {
        self.customized[index].get_or_init(|| model);
    }

    pub(super) fn provided(&self, index: usize, part: usize) -> Option<Slot> {
        self.provided.lock().unwrap_or_else(PoisonError::into_inner).get(&(index, part)).cloned()
    }

    pub(super) fn set_provided(&self, index: usize, part: usize, slot: Slot) {
        self.provided.lock().unwrap_or_else(PoisonError::into_inner).insert((index, part), slot);
    }

    /// Waits until every machine that a dropped guard is stopping has stopped.
    pub(crate) async fn unwound(&self) {
        self.unwinding.close();
        self.unwinding.wait().await;
        self.unwinding.reopen();
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("machines", &self.machines.values()).finish_non_exhaustive()
    }
}

/// The customizations of a machine or of a role, whose own parts these are: those of a role where its field is.
fn customizations_of<'a>(
    model: &'a dyn AnyModel,
    parts: &'static [Part],
    own: Range<usize>,
    all: &mut Vec<(&'static Part, &'a dyn AnyCustomization)>,
) {
    let (mut customizations, mut roles) = (model.customizations().into_iter(), model.roles().into_iter());
    for part in &parts[own] {
        match &part.role {
            Role::Customize(_) => {
                all.extend(customizations.next().map(|customization| (part, customization)))
            }
            Role::Taken(taken) => {
                let role = roles.next().filter(|_| !taken.again);
                role.into_iter().for_each(|role| customizations_of(role, parts, taken.own(), all));
            }
            _ => {}
        }
    }
}

/// The positions of what each field of each container holds.
fn members_of(placements: &'static Placements) -> HashMap<(usize, usize), Vec<usize>> {
    let mut members: HashMap<_, Vec<_>> = HashMap::new();
    for placement in placements.iter() {
        if let Some(parent) = placement.parent() {
            let part = placement.row().part as usize;
            members.entry((parent.index(), part)).or_default().push(placement.index());
        }
    }
    members
}

pub(super) fn of_kind(placements: &'static Placements, kind: Kind) -> impl Iterator<Item = Placement> {
    placements.iter().filter(move |placement| placement.node().kind == kind)
}
