//! What has to be so before each machine starts: collected from its model and the scopes around, and handed to the model and to
//! the implementation, which may make something else of it.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use super::Model;
use super::place::Place;
use super::world::World;
use crate::error::{Error, ErrorKind};
use crate::machine::Machine;
use crate::machine::start::{CommandDependency, Condition, Prerequisite};
use crate::model::{After, Kind, Placement, Until};

/// What a model makes of what was collected for it.
pub(super) type Collector = fn(Placement, Vec<Prerequisite>) -> Vec<Prerequisite>;

/// What has to be so before a machine starts.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// The positions of the machines that run by then.
    pub(crate) machines: Vec<usize>,
    /// What is waited for then.
    pub(crate) conditions: Vec<Condition>,
}

impl Place {
    /// The model has its say about what comes before its start.
    pub(super) fn collects_starts<T: Model>(&self) {
        if self.placement().kind() == Kind::Machine {
            let mut collectors = self.world.collectors.lock().unwrap_or_else(PoisonError::into_inner);
            collectors.insert(self.index, T::start_dependencies);
        }
    }
}

impl World {
    /// What has to be so before each machine starts, by its position.
    ///
    /// # Errors
    /// When a model or an implementation names a machine that is not in the layout, or machines start after each other by what
    /// they have made of it.
    pub(crate) fn starts(&self) -> Result<BTreeMap<usize, Starts>, Error> {
        let mut after = self.placements().starts();
        let named = LazyCell::new(|| -> HashMap<&str, usize> {
            self.machines().iter().map(|(index, machine)| (machine.name(), *index)).collect()
        });
        let collectors = self.collectors.lock().unwrap_or_else(PoisonError::into_inner);
        let mut starts = BTreeMap::new();
        for (&index, machine) in self.machines() {
            let collected = std::mem::take(&mut after[index]);
            let collected = collected.iter().flat_map(|after| self.prerequisites(after)).collect();
            let collected = match collectors.get(&index) {
                Some(collector) => collector(self.placement(index), collected),
                None => collected,
            };
            let mut of = Starts::default();
            for Prerequisite { machine: other, condition, .. } in machine.start_dependencies(collected) {
                if let Some(other) = other {
                    of.machines.push(*named.get(other.as_str()).ok_or_else(|| not_there(machine, &other))?);
                }
                of.conditions.extend(condition);
            }
            // Whatever was made of the others: there is no network to be in before.
            of.machines.extend(self.placement(index).shares_links().map(Placement::index));
            // One that is both depended on and wanted is waited for once.
            of.machines.sort_unstable();
            of.machines.dedup();
            starts.insert(index, of);
        }
        self.no_circle(&starts)?;
        Ok(starts)
    }

    /// What is in the source was checked by the compiler, with all members there; what became of it was not.
    fn no_circle(&self, starts: &BTreeMap<usize, Starts>) -> Result<(), Error> {
        if starts.values().all(|of| of.machines.is_empty()) {
            return Ok(());
        }
        let mut left: BTreeMap<usize, usize> =
            starts.iter().map(|(index, starts)| (*index, starts.machines.len())).collect();
        let mut users: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, other) in
            starts.iter().flat_map(|(index, of)| of.machines.iter().map(move |other| (index, other)))
        {
            users.entry(*other).or_default().push(*index);
        }
        let mut ready: Vec<usize> =
            left.iter().filter(|(_, count)| **count == 0).map(|(index, _)| *index).collect();
        while let Some(index) = ready.pop() {
            left.remove(&index);
            for user in users.remove(&index).unwrap_or_default() {
                if let Some(count) = left.get_mut(&user) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(user);
                    }
                }
            }
        }
        // Whatever is left needs something that is left, and so leads to a circle.
        let next =
            |index: &usize| starts[index].machines.iter().find(|other| left.contains_key(other)).copied();
        let Some(first) = left.keys().next().copied() else { return Ok(()) };
        let mut way: Vec<usize> = Vec::new();
        let begins = loop {
            let at = way.last().map_or(Some(first), next).unwrap_or(first);
            if let Some(begins) = way.iter().position(|seen| *seen == at) {
                break begins;
            }
            way.push(at);
        };
        let circle = way[begins..].iter().chain(&way[begins..=begins]);
        let names: Vec<_> = circle.map(|index| format!("`{}`", self.machine(*index).name())).collect();
        let what = format!("machines start after each other: {}", names.join(" -> "));
        Err(Error::new(ErrorKind::Usage, what)
            .because("a model or an implementation has made that of their start dependencies"))
    }

    fn prerequisites(&self, after: &After) -> Vec<Prerequisite> {
        let scope = after.scope as usize;
        let new = || Prerequisite::new(self.placement(scope).path());
        let dependency = after.dependency;
        if let Some((key, Until::Value(of))) = dependency.map(|dependency| (dependency.key, dependency.until))
        {
            return vec![new().when(Condition::value(self.scope(scope), key, of))];
        }
        let of = |index: &u32| {
            let machine = self.machine(*index as usize);
            let found = new().after(machine);
            match dependency.map(|dependency| dependency.until) {
                Some(Until::Command(argv, seconds)) => {
                    let argv = argv.iter().copied();
                    let command = CommandDependency::new(machine, argv, Duration::from_secs(seconds));
                    found.when(Condition::command(command))
                }
                _ => found,
            }
        };
        after.machines.iter().map(of).collect()
    }
}

fn not_there(machine: &Machine, other: &str) -> Error {
    let what = format!("`{}` is to start after `{other}`, which is not in the layout", machine.name());
    let why = format!("its model or `{}` has made that of its start dependencies", machine.implementation());
    Error::new(ErrorKind::Usage, what).because(why).hint("machines are named by their full names")
}
