//! Machines and networks that were renamed: `#[moved_from("mirror")]`. What is on record of the old name becomes the new one's: in the
//! eyes of every command at once, and on the disk when something is changed. What is kept of a machine that is called as before, and has
//! another place in the source, goes with it likewise.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Action, Deployment, Step};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Events};
use crate::layout::Carry;
use crate::machine::engine::{Jump, LinkSpec, MachineSpec};
use crate::machine::{Machine, MadeFrom};
use crate::model::{self, Placement, Placements};
use crate::reason::Reason;
use crate::state::{Kind, Paths, Record, Snapshot};

/// Something that is on record by an old name, or as in another place, and in the layout by a new one.
#[derive(Clone, Debug)]
pub(super) struct Move {
    kind: Kind,
    old: String,
    new: String,
    /// The paths of fields.
    old_path: String,
    new_path: String,
}

/// The moves of a deployment.
#[derive(Debug, Default)]
pub(super) struct Moves {
    all: Vec<Move>,
    /// By the old names, as users write them.
    things: BTreeMap<String, usize>,
    /// Of those that get another.
    paths: Paths,
    /// Whether they are made.
    made: AtomicBool,
}

impl Move {
    fn thing(&self) -> String {
        self.kind.thing(&self.new)
    }

    fn step(&self) -> Step {
        Step::new(self.thing(), Action::Move, Reason::Moved { from: self.kind.thing(&self.old) })
    }
}

impl Moves {
    /// As a plan and a report tell them: to who goes by names, nothing is moved that is called as before.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> {
        self.all.iter().filter(|m| m.old != m.new).map(Move::step)
    }

    /// Takes in the machines of a layout that are called as before, and were placed elsewhere when they were deployed. From now on they
    /// are known to be where they are.
    pub(super) fn take_in<'a>(
        &mut self,
        machines: impl Iterator<Item = &'a Machine>,
        snapshot: &mut Snapshot,
    ) {
        let mut paths = Paths::default();
        for machine in machines {
            let Some(record) = snapshot.records.get_mut(&machine.thing()) else { continue };
            if record.path != machine.path() {
                let old_path = std::mem::replace(&mut record.path, machine.path().to_owned());
                let (name, new_path) = (record.name.clone(), record.path.clone());
                paths.add(&old_path, &new_path);
                self.all.push(Move { kind: Kind::Machine, old: name.clone(), new: name, old_path, new_path });
            }
        }
        paths.carry(&mut snapshot.values);
    }

    /// What of these placements is on record by a former name.
    ///
    /// # Errors
    /// When what is on record cannot become theirs: something else is called so, or they exist themselves.
    pub(super) fn of(shape: &'static Placements, snapshot: &Snapshot) -> Result<Self, Error> {
        let mut moves = Self::default();
        // Also by the new names, while these are looked for.
        let mut taken: BTreeMap<String, String> = BTreeMap::new();
        let names = LazyCell::new(|| -> BTreeSet<String> {
            shape.iter().filter_map(name).map(|(kind, name)| kind.thing(&name)).collect()
        });
        for placement in shape.iter() {
            let Some((kind, new)) = name(placement) else { continue };
            for old in placement.moved_from() {
                let (old_thing, new_thing) = (kind.thing(&old), kind.thing(&new));
                let Some(record) = snapshot.records.get(&old_thing) else { continue };
                let refused = |why: String, hint: &str| {
                    let what = format!("`{new_thing}` cannot be moved from `{old_thing}`");
                    Err(Error::new(ErrorKind::Usage, what).because(why).hint(hint))
                };
                if names.contains(&old_thing) {
                    let hint = "call that one otherwise, or leave `#[moved_from]` out";
                    return refused(format!("there still is a {kind} called `{old}` in the layout"), hint);
                }
                if snapshot.records.contains_key(&new_thing) {
                    let hint = "leave `#[moved_from]` out, and the old one is no longer in the layout: `destroy --orphans` removes it; \
                                or destroy the new one first, and deploy again";
                    return refused("both exist".to_owned(), hint);
                }
                if let Some(at) = moves.things.get(&old_thing) {
                    let why = format!("`{}` was called so, too", moves.all[*at].thing());
                    return refused(why, "leave `#[moved_from]` out at one of them");
                }
                if let Some(other) = taken.insert(new_thing.clone(), old_thing.clone()) {
                    let hint =
                        "leave one of the names out: what exists by it is then no longer in the layout";
                    return refused(format!("`{other}` exists as well, and it cannot become both"), hint);
                }
                let (old_path, new_path) = (record.path.clone(), placement.path().to_owned());
                moves.paths.add(&old_path, &new_path);
                moves.things.insert(old_thing, moves.all.len());
                moves.all.push(Move { kind, old, new: new.clone(), old_path, new_path });
            }
        }
        Ok(moves)
    }

    /// The move of what was called so: `machine:mirror`.
    fn of_thing(&self, thing: &str) -> Option<&Move> {
        self.things.get(thing).map(|at| &self.all[*at])
    }

    /// Whose stamps go elsewhere.
    pub(super) fn stamps(&self) -> Vec<Carry> {
        let machines = self.all.iter().filter(|m| m.kind == Kind::Machine && m.old_path != m.new_path);
        let carry = |m: &Move| Carry { new: m.new.clone(), old: m.old.clone(), old_path: m.old_path.clone() };
        machines.map(carry).collect()
    }

    /// What is known, by the new names. What implementations call things stays until these are renamed there.
    pub(super) fn carried(&self, mut snapshot: Snapshot) -> Snapshot {
        if self.all.is_empty() {
            return snapshot;
        }
        let machines = self.all.iter().filter(|m| m.kind == Kind::Machine);
        let names: BTreeMap<&str, &str> = machines.map(|m| (&*m.old, &*m.new)).collect();
        let records = std::mem::take(&mut snapshot.records).into_values().map(|record| {
            let record = self.record(record, &names);
            (record.thing(), record)
        });
        snapshot.records = records.collect();
        let assignments = std::mem::take(&mut snapshot.assignments);
        let (old, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
            assignments.into_iter().partition(|((machine, _), _)| names.contains_key(&**machine));
        // A first deployment by the new name that was ended at once may have left some.
        let new: BTreeSet<&str> = names.values().copied().collect();
        snapshot.assignments =
            others.into_iter().filter(|((machine, _), _)| !new.contains(&**machine)).collect();
        let moved =
            old.into_iter().map(|((machine, interface), a)| ((names[&*machine].to_owned(), interface), a));
        snapshot.assignments.extend(moved);
        self.paths.carry(&mut snapshot.values);
        for entry in &mut snapshot.unfinished {
            let task = entry.thing.strip_prefix("task:").and_then(|task| task.split_once('/'));
            let moved = match task {
                Some((machine, task)) => {
                    self.of_thing(&Kind::Machine.thing(machine)).map(|m| format!("task:{}/{task}", m.new))
                }
                None => self.of_thing(&entry.thing).map(Move::thing),
            };
            entry.thing = moved.unwrap_or_else(|| std::mem::take(&mut entry.thing));
        }
        snapshot
    }

    /// A record under its new name; one of a machine that mentions others mentions them by theirs.
    fn record(&self, record: Record, names: &BTreeMap<&str, &str>) -> Record {
        let mut record = match self.of_thing(&record.thing()) {
            Some(m) => Record { name: m.new.clone(), path: m.new_path.clone(), ..record },
            None => record,
        };
        for need in &mut record.needs {
            if let Some(m) = self.of_thing(need) {
                *need = m.thing();
            }
        }
        if let (Kind::Machine, Some(mut made)) = (record.kind, MadeFrom::of(&record)) {
            let before = made.clone();
            mentions(&mut made.spec, names);
            if made != before {
                record.spec = made.kept();
            }
        }
        record
    }
}

/// The names of other machines that a machine was made with.
fn mentions(spec: &mut MachineSpec, names: &BTreeMap<&str, &str>) {
    let rename = |name: &mut String| {
        if let Some(new) = names.get(&**name) {
            *name = (*new).to_owned();
        }
    };
    let peers = |links: &mut Vec<LinkSpec>| {
        links.iter_mut().filter_map(|link| link.peer.as_mut()).for_each(|(machine, _)| rename(machine));
    };
    peers(&mut spec.links);
    if let Some(shared) = &mut spec.shares_links {
        rename(&mut shared.machine);
        peers(&mut shared.links);
    }
    if let Some(login) = &mut spec.login {
        login.origin.iter_mut().for_each(rename);
        if let Jump::Machine(machine) = &mut login.jump {
            rename(machine);
        }
    }
}

/// The kind and the name, of what has a record.
fn name(placement: Placement) -> Option<(Kind, String)> {
    match placement.kind() {
        model::Kind::Machine => Some((Kind::Machine, placement.fqdn().to_owned())),
        model::Kind::Network => Some((Kind::Network, placement.path().to_owned())),
        _ => None,
    }
}

impl Deployment {
    /// Makes the moves, once: from now on everything is by its new name on the disk as well.
    ///
    /// Killed anywhere, the next run finishes it: stamps are set aside first, then the store is changed in one transaction, and then
    /// the stamps go where they belong.
    ///
    /// # Errors
    /// When the state or a stamp cannot be written, or a plan that is kept to holds no such move.
    pub(super) async fn carry(&self, events: &Events) -> Result<(), Error> {
        let steps: Vec<_> = self.moves.steps().collect();
        if self.moves.all.is_empty() || self.moves.made.load(Ordering::SeqCst) {
            return Ok(());
        }
        for Step { thing, action, why, .. } in &steps {
            if let Some(planned) = self.planned.get() {
                planned.allows(thing, *action, why)?;
            }
            let (thing, action, why) = (thing.clone(), *action, why.clone());
            events.send(Event::Begun { thing, action, why, by_hand: false });
        }
        let begun = tokio::time::Instant::now();
        let (carried, stamps) = (self.carried.clone(), self.moves.stamps());
        let aside = carried.clone();
        super::blocking(move || aside.set_aside(&stamps)).await?;
        crash_point("move-begun");
        let things = steps.iter().map(|step| step.thing.clone()).collect();
        self.ledger.carry(self.snapshot.clone(), things).await?;
        crash_point("move-recorded");
        let records = self.snapshot.records.clone();
        super::blocking(move || carried.settle(&records)).await?;
        self.world.stamps_are_settled();
        self.moves.made.store(true, Ordering::SeqCst);
        for Step { thing, action, .. } in steps {
            events.send(Event::Done { thing, action, took: begun.elapsed(), by_hand: false });
        }
        Ok(())
    }
}
