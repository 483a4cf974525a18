//! The graph over everything deployable: networks and machines of the layout, and what exists but is no longer in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::graph::Graph;
use super::select::Selection;
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::layout::World;
use crate::machine::engine::{Engine, Identity, MachineSpec, NetworkSpec};
use crate::machine::{Machine, MadeFrom};
use crate::network::Network;
use crate::state::{Kind, Ledger, Record, Snapshot};

/// Something that can be deployed or destroyed.
#[derive(Clone, Debug)]
pub(crate) enum Thing {
    /// A network of the layout.
    Network(Network),
    /// A machine of the layout, and its position.
    Machine(usize, Machine),
    /// A network that is no longer in the layout.
    OldNetwork(Network),
    /// A machine that is no longer in the layout.
    OldMachine(Machine),
}

impl Thing {
    /// Its name as users write it: `machine:mirror.algebra`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => network.thing(),
            Self::Machine(_, machine) | Self::OldMachine(machine) => machine.thing(),
        }
    }

    /// Whether it is no longer in the layout.
    pub(crate) fn is_old(&self) -> bool {
        matches!(self, Self::OldNetwork(_) | Self::OldMachine(_))
    }

    /// Its kind and its names, for patterns: a machine also goes by its host name.
    pub(crate) fn names(&self) -> (&'static str, Vec<&str>) {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => ("network", vec![&network.spec().name]),
            Self::Machine(_, machine) | Self::OldMachine(machine) => {
                let spec = machine.spec();
                (
                    "machine",
                    if spec.name == spec.hostname {
                        vec![&spec.name]
                    } else {
                        vec![&spec.name, &spec.hostname]
                    },
                )
            }
        }
    }

    fn selected(&self, selection: &Selection) -> bool {
        let (kind, names) = self.names();
        selection.holds(kind, &names)
    }
}

/// All things and what each needs.
#[derive(Debug)]
pub(crate) struct Things {
    pub(crate) all: Vec<Thing>,
    pub(crate) graph: Graph,
}

impl Things {
    /// Of a layout, and of what was recorded when it was last deployed.
    pub(crate) fn of(
        world: &Arc<World>,
        snapshot: &Snapshot,
        ledger: &Ledger,
        events: &Events,
    ) -> Result<Self, Error> {
        let mut things = Self { all: Vec::new(), graph: Graph::default() };
        let mut networks = BTreeMap::new();
        for (index, (spec, _)) in world.networks() {
            if let Some(engine) = engine_of_network(world, spec)? {
                let network = Network::new(spec.clone(), engine, ledger.clone());
                networks.insert(*index, things.add(Thing::Network(network)));
            }
        }
        let machines: BTreeMap<usize, usize> = world
            .machines()
            .iter()
            .map(|(index, machine)| (*index, things.add(Thing::Machine(*index, machine.clone()))))
            .collect();
        for (index, thing) in &machines {
            for link in world.machine(*index).links() {
                let network = world.networks().iter().find(|(_, (spec, _))| spec.name == link.network);
                if let Some(network) = network.and_then(|(index, _)| networks.get(index)) {
                    things.graph.need(*thing, *network);
                }
            }
            for other in world.start_dependencies(*index) {
                if let Some(other) = machines.get(&other) {
                    things.graph.need(*thing, *other);
                }
            }
        }
        things.add_old(world, snapshot, ledger, events)?;
        Ok(things)
    }

    fn add(&mut self, thing: Thing) -> usize {
        self.all.push(thing);
        self.graph.add()
    }

    /// What exists but is not in the layout: machines go first, and a network when nothing is plugged into it any more.
    fn add_old(
        &mut self,
        world: &World,
        snapshot: &Snapshot,
        ledger: &Ledger,
        events: &Events,
    ) -> Result<(), Error> {
        let present: BTreeSet<String> = self.all.iter().map(Thing::name).collect();
        let (mut machines, mut networks) = (Vec::new(), Vec::new());
        let unrecorded = unrecorded(world, snapshot);
        let known = snapshot.records.values().chain(&unrecorded);
        for record in known.filter(|record| !present.contains(&record.thing())) {
            let engine = world.engines().get(record.implementation.as_str()).cloned().ok_or_else(|| {
                let what = format!("`{}` was made by `{}`", record.thing(), record.implementation);
                Error::new(ErrorKind::Usage, what)
                    .because("nothing in the layout uses that implementation any more")
                    .hint("put the machine back into the layout, destroy it, and then remove it")
            })?;
            match record.kind {
                Kind::Machine => machines.push((record, old_machine(record, engine, ledger, events))),
                Kind::Network => networks.push(Network::new(old_network(record), engine, ledger.clone())),
            }
        }
        // Machines of the layout that are still plugged into a network that is not in it any more are changed first.
        let mut plugged: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut plug = |record: Option<&Record>, thing: usize| {
            for link in record.and_then(MadeFrom::of).into_iter().flat_map(|made| made.spec.links) {
                plugged.entry(link.network).or_default().push(thing);
            }
        };
        for (at, thing) in self.all.iter().enumerate() {
            plug(snapshot.records.get(&thing.name()).filter(|record| record.kind == Kind::Machine), at);
        }
        for (record, machine) in machines {
            let thing = self.add(Thing::OldMachine(machine));
            plug(Some(record), thing);
        }
        for network in networks {
            let users = plugged.remove(&network.spec().name).unwrap_or_default();
            let thing = self.add(Thing::OldNetwork(network));
            users.into_iter().for_each(|user| self.graph.need(thing, user));
        }
        Ok(())
    }

    /// The things that a selection names; a pattern that names nothing is an error.
    pub(crate) fn selected(&self, selection: &Selection) -> Result<BTreeSet<usize>, Error> {
        selection.check(self.all.iter().map(Thing::names))?;
        Ok((0..self.all.len()).filter(|at| self.all[*at].selected(selection)).collect())
    }
}

/// The implementation that makes a network: that of the machines plugged into it.
fn engine_of_network(world: &World, network: &NetworkSpec) -> Result<Option<Arc<dyn Engine>>, Error> {
    let plugged = world
        .machines()
        .values()
        .filter(|machine| machine.links().iter().any(|link| link.network == network.name));
    let names: BTreeSet<_> = plugged.map(Machine::implementation).collect();
    let mut engines = names.iter().filter_map(|name| world.engines().get(name));
    let engine = engines.next().cloned();
    if engines.next().is_some() {
        let names: Vec<_> = names.into_iter().collect();
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
            spec: serde_json::Value::Null,
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

fn old_machine(record: &Record, engine: Arc<dyn Engine>, ledger: &Ledger, events: &Events) -> Machine {
    let spec = MadeFrom::of(record).map_or_else(
        || MachineSpec {
            name: record.name.clone(),
            hostname: record.name.clone(),
            memory_mb: None,
            cpus: None,
            root: None,
            links: Vec::new(),
        },
        |made| made.spec,
    );
    Machine::new(spec, record.path.clone(), engine, ledger.clone(), events.clone(), Default::default())
}

fn old_network(record: &Record) -> NetworkSpec {
    let spec = serde_json::from_value(record.spec.clone());
    spec.unwrap_or_else(|_| NetworkSpec { name: record.name.clone(), v4: None, mtu: None })
}
