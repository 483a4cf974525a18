//! The graph over everything deployable: networks, machines and models of the layout, and what exists but is no longer in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use super::graph::Graph;
use super::models::Former;
use super::select::Selection;
use super::{Action, Recorded};
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::layout::{Generating, OldModel, Starts, World};
use crate::machine::engine::{Engine, Identity, MachineSpec, NetworkSpec};
use crate::machine::{Machine, MadeFrom, OfRun, Wires};
use crate::network::Network;
use crate::reason::Reason;
use crate::state::{Kind, Ledger, Origin, Record, Snapshot};

/// Something that can be deployed or destroyed.
#[derive(Clone, Debug)]
pub(crate) enum Thing {
    /// A network of the layout.
    Network(Network),
    /// A machine of the layout, and its position.
    Machine(usize, Machine),
    /// A model of the layout that has tasks of its own, and its position.
    Model(usize, Generating),
    /// A network that is no longer in the layout.
    OldNetwork(Network),
    /// A machine that is no longer in the layout.
    OldMachine(Machine),
    /// A model that had tasks of its own, and is no longer in the layout.
    OldModel(OldModel),
}

impl Thing {
    /// Its name as users write it: `machine:mirror.algebra`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => network.thing(),
            Self::Machine(_, machine) | Self::OldMachine(machine) => machine.thing(),
            Self::Model(_, model) => model.thing(),
            Self::OldModel(model) => model.thing(),
        }
    }

    /// Whether it is no longer in the layout.
    pub(crate) fn is_old(&self) -> bool {
        matches!(self, Self::OldNetwork(_) | Self::OldMachine(_) | Self::OldModel(_))
    }

    /// What its implementation calls it, if it is something to one.
    fn made_as(&self) -> Option<(Kind, &'static str, &str)> {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => {
                Some((Kind::Network, network.implementation(), &network.spec().name))
            }
            Self::Machine(_, machine) | Self::OldMachine(machine) => {
                Some((Kind::Machine, machine.implementation(), machine.made_as()))
            }
            Self::Model(..) | Self::OldModel(_) => None,
        }
    }

    /// The machine whose links it shares.
    fn shares_links_of(&self) -> Option<&str> {
        let (Self::Machine(_, machine) | Self::OldMachine(machine)) = self else { return None };
        machine.spec().shares_links.as_ref().map(|shared| shared.machine.as_str())
    }

    /// How it ends, for this reason: what is not made from here is given back.
    pub(crate) fn end(&self, why: Reason) -> (Action, Reason) {
        match self {
            Self::Machine(_, machine) | Self::OldMachine(machine) if !machine.is_made() => {
                let by = machine.implementation().to_string();
                (Action::Retain, Reason::OnlyReached { because: Box::new(why), by })
            }
            _ => (Action::Destroy, why),
        }
    }

    /// Its kind and its names, for patterns: a machine also goes by its host name and its tags.
    pub(crate) fn names(&self) -> (&'static str, Vec<&str>) {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => ("network", vec![network.name()]),
            Self::Machine(_, machine) | Self::OldMachine(machine) => {
                let spec = machine.spec();
                let mut names: Vec<&str> = vec![&spec.name];
                if spec.name != spec.hostname {
                    names.push(&spec.hostname);
                }
                names.extend(spec.tags.iter().map(String::as_str));
                ("machine", names)
            }
            Self::Model(_, model) => ("model", vec![model.dir.name()]),
            Self::OldModel(model) => ("model", vec![&model.name]),
        }
    }

    fn selected(&self, selection: &Selection) -> bool {
        let (kind, names) = self.names();
        selection.holds(kind, &names)
    }
}

/// All things and what each needs.
#[derive(Debug, Default)]
pub(crate) struct Things {
    pub(crate) all: Vec<Thing>,
    /// What must exist for a thing to be deployed or started: of the layout alone.
    pub(crate) deploys: Graph,
    /// What of all that exists must not be taken away before a thing is: of the layout, and of what was made.
    pub(crate) destroys: Graph,
    /// Which machines' tasks read what which models generate.
    pub(super) reads: Graph,
    /// What comes before the start of each machine, by its position in the layout.
    pub(super) starts: BTreeMap<usize, Starts>,
    /// Why that is not known, if it is not.
    pub(super) trouble: Option<Arc<Error>>,
    /// What a deployment takes away before it comes to another thing, if it does both: the second waits for the first.
    pub(super) first: Vec<(usize, usize)>,
    /// What is on record of models of the layout as of others, by the names of these things.
    pub(super) former: HashMap<String, Former>,
    /// The machines that share links of others, and whose, once somebody asks: few, if any.
    sharers: OnceLock<Vec<(String, usize)>>,
}

impl Things {
    /// Of a layout, and of what was recorded when it was last deployed.
    pub(crate) fn of(
        world: &Arc<World>,
        snapshot: &Snapshot,
        wires: &Recorded<'_>,
        ledger: &Ledger,
        events: &Events,
    ) -> Result<Self, Error> {
        let mut things = Self::default();
        let mut standing = BTreeMap::new();
        let mut plugged = plugged(world);
        for (index, (spec, _)) in world.networks() {
            let makers = plugged.remove(spec.name.as_str()).unwrap_or_default();
            if let Some(engine) = engine_of_network(world, spec, &makers)? {
                let name = world.placement(*index).path();
                let network = Network::new(
                    name,
                    spec.clone(),
                    engine,
                    ledger.clone(),
                    events.clone(),
                    world.patience().clone(),
                );
                standing.insert(*index, things.add(Thing::Network(network)));
            }
        }
        let machines: BTreeMap<usize, usize> = world
            .machines()
            .iter()
            .map(|(index, machine)| (*index, things.add(Thing::Machine(*index, machine.clone()))))
            .collect();
        let mut at_name: ByName =
            things.all.iter().enumerate().map(|(at, thing)| (thing.name(), at)).collect();
        things.add_old(world, snapshot, &mut at_name, ledger, events)?;
        let networks: BTreeMap<String, usize> = things.networks();
        match world.starts() {
            Ok(starts) => things.starts = starts,
            Err(error) => things.trouble = Some(Arc::new(error)),
        }
        for (index, &thing) in &machines {
            let after = things.starts.get(index).into_iter().flat_map(|starts| &starts.machines);
            for other in after.filter_map(|other| machines.get(other)) {
                things.deploys.need(thing, *other);
                things.destroys.need(thing, *other);
            }
            for network in world.machine(*index).links().iter().filter_map(|link| networks.get(&link.network))
            {
                things.deploys.need(thing, *network);
                things.destroys.need(thing, *network);
            }
        }
        standing.extend(&machines);
        if let Err(error) = things.add_needed(world, &standing) {
            things.trouble.get_or_insert(Arc::new(error));
        }
        things.note_what_was_made(snapshot, wires, &networks, &at_name);
        things.add_models(world, &machines);
        things.add_old_models(world, snapshot, &mut at_name);
        things.add_recorded(world, snapshot, &at_name);
        things.order_old_models();
        Ok(things)
    }

    pub(super) fn add(&mut self, thing: Thing) -> usize {
        self.all.push(thing);
        self.destroys.add();
        self.reads.add();
        self.deploys.add()
    }

    fn networks(&self) -> BTreeMap<String, usize> {
        let network = |(at, thing): (usize, &Thing)| match thing {
            Thing::Network(network) | Thing::OldNetwork(network) => Some((network.spec().name.clone(), at)),
            _ => None,
        };
        self.all.iter().enumerate().filter_map(network).collect()
    }

    /// What exists but is not in the layout.
    fn add_old(
        &mut self,
        world: &World,
        snapshot: &Snapshot,
        at_name: &mut ByName,
        ledger: &Ledger,
        events: &Events,
    ) -> Result<(), Error> {
        let unrecorded: Vec<_> =
            unrecorded(world, snapshot).into_iter().map(|record| (record.thing(), record)).collect();
        let unrecorded = unrecorded.iter().map(|(thing, record)| (thing, record));
        let known = snapshot.records.iter().chain(unrecorded);
        let known = known.filter(|(_, record)| record.kind != Kind::ModelWithTasks);
        let old: Vec<_> = known.filter(|(thing, _)| !at_name.contains_key(*thing)).collect();
        for (thing, record) in old {
            let engine = world.engines().get(record.implementation.as_str()).cloned().ok_or_else(|| {
                let what = format!("`{}` was made by `{}`", record.thing(), record.implementation);
                Error::new(ErrorKind::Usage, what)
                    .because("nothing in the layout names that implementation any more")
                    .hint("name it again, in `implementation = …` of any scope, until the thing is destroyed")
            })?;
            let at = self.add(match record.kind {
                // Models are not here.
                Kind::Machine | Kind::ModelWithTasks => {
                    let (ledger, events, patience) =
                        (ledger.clone(), events.clone(), world.patience().clone());
                    let run = OfRun { ledger, events, unwinding: Default::default(), patience };
                    Thing::OldMachine(old_machine(record, engine, run))
                }
                Kind::Network => {
                    let (spec, ledger, events) = (old_network(record), ledger.clone(), events.clone());
                    let patience = world.patience().clone();
                    Thing::OldNetwork(Network::new(&record.name, spec, engine, ledger, events, patience))
                }
            });
            at_name.insert(thing.clone(), at);
        }
        Ok(())
    }

    /// Whatever a machine was plugged into when it was made is needed until the machine is changed or gone. A machine of the
    /// layout whose addresses one that is not in it still has waits for that one to go.
    fn note_what_was_made(
        &mut self,
        snapshot: &Snapshot,
        wires: &Recorded<'_>,
        networks: &BTreeMap<String, usize>,
        at_name: &ByName,
    ) {
        let mut holders: BTreeMap<(&str, IpAddr), usize> = BTreeMap::new();
        let mut macs: BTreeMap<[u8; 6], usize> = BTreeMap::new();
        let any_old = self.all.iter().any(Thing::is_old);
        for ((machine, _), assignment) in snapshot.assignments.iter().filter(|_| any_old) {
            let Some(&old) = at_name.get(&Kind::Machine.thing(machine)).filter(|at| self.all[**at].is_old())
            else {
                continue;
            };
            macs.extend(assignment.mac.map(|mac| (mac, old)));
            holders.extend(assignment.address.map(|address| ((assignment.network.as_str(), address), old)));
        }
        let mut made: Vec<Option<&Wires>> = vec![None; self.all.len()];
        for (thing, wires) in wires {
            at_name.get(*thing).iter().for_each(|at| made[**at] = Some(wires));
        }
        let unwired = Wires::default();
        for (at, thing) in self.all.iter().enumerate() {
            let (Thing::Machine(_, machine) | Thing::OldMachine(machine)) = thing else { continue };
            let wires = made[at].unwrap_or(&unwired);
            for other in wires.shared.iter().filter_map(|other| at_name.get(&Kind::Machine.thing(other))) {
                self.destroys.need_if_it_can(at, *other);
                if self.all[*other].is_old() && !thing.is_old() {
                    self.first.push((at, *other));
                }
            }
            for network in &wires.networks {
                let Some(&network) = networks.get(network) else { continue };
                self.destroys.need_if_it_can(at, network);
                if self.all[network].is_old() {
                    self.first.push((at, network));
                }
            }
            if thing.is_old() {
                continue;
            }
            for link in machine.links() {
                let address = link.address.and_then(|net| holders.get(&(link.network.as_str(), net.addr())));
                let holders = address.into_iter().chain(link.mac.and_then(|mac| macs.get(&mac)));
                self.first.extend(holders.map(|holder| (*holder, at)));
            }
        }
    }

    /// Whether the addresses of this machine are still held by one that is not in the layout any more.
    pub(crate) fn waits_for_addresses(&self, thing: usize) -> bool {
        self.first
            .iter()
            .any(|(first, then)| *then == thing && matches!(self.all[*first], Thing::OldMachine(_)))
    }

    /// What is no longer in the layout and stays, but has an address of a machine of these; and that machine.
    pub(super) fn held_by_others(&self, among: &BTreeSet<usize>) -> impl Iterator<Item = (usize, usize)> {
        let holds = |(first, then): &&(usize, usize)| {
            matches!(self.all[*first], Thing::OldMachine(_)) && !among.contains(first) && among.contains(then)
        };
        self.first.iter().filter(holds).copied()
    }

    /// What is no longer in the layout, and what of these would be one with it to their implementation: it was renamed, and is called
    /// there as it was.
    pub(super) fn one_with_old(&self, among: &BTreeSet<usize>) -> Option<(usize, usize)> {
        let old = self.all.iter().enumerate().filter(|(_, thing)| thing.is_old());
        let old: HashMap<_, usize> = old.filter_map(|(at, thing)| Some((thing.made_as()?, at))).collect();
        let new = among.iter().filter(|at| !old.is_empty() && !self.all[**at].is_old());
        new.filter_map(|at| Some((*old.get(&self.all[*at].made_as()?)?, *at))).next()
    }

    /// The machines that share the links of this one.
    pub(super) fn sharing(&self, thing: usize) -> impl Iterator<Item = usize> + '_ {
        let name = match &self.all[thing] {
            Thing::Machine(_, machine) | Thing::OldMachine(machine) => Some(machine.name()),
            _ => None,
        };
        let sharers = self.sharers.get_or_init(|| {
            let shares = |(at, other): (usize, &Thing)| Some((other.shares_links_of()?.to_owned(), at));
            self.all.iter().enumerate().filter_map(shares).collect()
        });
        sharers.iter().filter(move |(of, _)| Some(of.as_str()) == name).map(|(_, at)| *at)
    }

    /// The order in which a deployment works: what is needed first, and also what has to be taken away first.
    pub(crate) fn deploys_in_order(&self) -> Graph {
        let mut graph = self.deploys.clone();
        self.first.iter().for_each(|(first, then)| graph.need(*then, *first));
        graph
    }

    /// The things that a selection names; a pattern that names nothing is an error.
    pub(crate) fn selected(&self, selection: &Selection) -> Result<BTreeSet<usize>, Error> {
        selection.check(self.all.iter().map(Thing::names))?;
        Ok((0..self.all.len()).filter(|at| self.all[*at].selected(selection)).collect())
    }
}

/// Where things are, by their names.
pub(super) type ByName = HashMap<String, usize>;

/// The implementations of the machines that are plugged into each network, by its name; without those of machines that are there
/// before anything is made, which are plugged in already.
fn plugged(world: &World) -> HashMap<&str, BTreeSet<&'static str>> {
    let mut plugged: HashMap<_, BTreeSet<_>> = HashMap::new();
    for machine in world.machines().values().filter(|machine| machine.is_made()) {
        for link in machine.links() {
            plugged.entry(link.network.as_str()).or_default().insert(machine.implementation());
        }
    }
    plugged
}

/// The implementation that makes a network: that of the machines which are plugged into it.
fn engine_of_network(
    world: &World,
    network: &NetworkSpec,
    names: &BTreeSet<&'static str>,
) -> Result<Option<Arc<dyn Engine>>, Error> {
    let mut engines = names.iter().filter_map(|name| world.engines().get(name));
    let engine = engines.next().cloned();
    if engines.next().is_some() {
        let names: Vec<_> = names.iter().copied().collect();
        let what = format!("network `{}` has machines by {} on it", network.name, names.join(" and by "));
        return Err(Error::new(ErrorKind::Unsupported, what)
            .because("implementations cannot share a network yet")
            .hint("give each implementation a network of its own"));
    }
    Ok(engine)
}

/// What an earlier run announced that it would make, and was ended before it wrote down that it had. Which implementation was
/// asked to is not known, so each may be asked whether it has it.
fn unrecorded(world: &World, snapshot: &Snapshot) -> Vec<Record> {
    let begun = snapshot.unfinished.iter().filter(|entry| entry.action == "create");
    let missing = begun.filter(|entry| !snapshot.records.contains_key(&entry.thing));
    let named = missing.filter_map(|entry| {
        let (kind, name) = entry.thing.split_once(':')?;
        let kind = [Kind::Machine, Kind::Network].into_iter().find(|k| k.to_string() == kind)?;
        Some((kind, name, entry.run))
    });
    let for_each = |(kind, name, run): (Kind, &str, u64)| {
        let (name, record) = (name.to_owned(), |name: String, implementation: &str| Record {
            kind,
            path: name.clone(),
            name,
            implementation: implementation.to_owned(),
            identity: Identity(String::new()),
            spec: Origin::unknown(),
            needs: Vec::new(),
            run,
            at: 0,
        });
        world
            .engines()
            .keys()
            .map(move |implementation| record(name.clone(), implementation))
            .collect::<Vec<_>>()
    };
    named.flat_map(for_each).collect()
}

fn old_machine(record: &Record, engine: Arc<dyn Engine>, run: OfRun) -> Machine {
    let spec = MadeFrom::of(record).map_or_else(
        || MachineSpec { name: record.name.clone(), hostname: record.name.clone(), ..MachineSpec::default() },
        |made| made.spec,
    );
    let made_as = spec.name.clone();
    let spec = MachineSpec { name: record.name.clone(), ..spec };
    Machine::new(spec, Some(&made_as), record.path.clone(), engine, run)
}

fn old_network(record: &Record) -> NetworkSpec {
    record.spec.read().unwrap_or_else(|| NetworkSpec { name: record.name.clone(), ..NetworkSpec::default() })
}
