//! What things need beyond what the source says: found out at run time, part of the one graph, and kept on record for when they are
//! no longer in the layout.

use std::collections::{BTreeMap, BTreeSet};

use super::Deployment;
use super::things::{ByName, Things};
use crate::error::{Error, ErrorKind};
use crate::layout::World;
use crate::state::{Record, Snapshot};

impl Things {
    /// Takes in what was found out, of the things that stand at these positions of the layout.
    ///
    /// # Errors
    /// When something is named that is not in the layout, or things need each other; the graph is as before then.
    pub(super) fn add_needed(
        &mut self,
        world: &World,
        standing: &BTreeMap<usize, usize>,
    ) -> Result<(), Error> {
        let Some(needed) = world.needed().filter(|needed| !needed.values().all(Vec::is_empty)) else {
            return Ok(());
        };
        let places: BTreeMap<String, usize> = needed
            .keys()
            .copied()
            .chain(world.networks().keys().copied())
            .chain(world.machines().keys().copied())
            .map(|index| (world.thing(index), index))
            .collect();
        let mut unknown = Vec::new();
        let mut needs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (index, needed) in needed {
            for needed in needed {
                match places.get(needed.thing()) {
                    Some(other) => needs.entry(*index).or_default().push(*other),
                    None => unknown.push(format!("`{}` needs `{}`", world.thing(*index), needed.thing())),
                }
            }
        }
        if !unknown.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "something is needed that is not in the layout")
                .because(unknown.join("\n"))
                .hint("machines are named by their full names and networks by their paths, as `list` shows them"));
        }
        let mut deploys = self.deploys.clone();
        let mut found = Vec::new();
        for (index, thing) in standing {
            // A network that nobody is plugged into is not made; what it needs is needed all the same.
            let mut todo = needs.get(index).cloned().unwrap_or_default();
            let mut seen = BTreeSet::new();
            while let Some(other) = todo.pop() {
                match standing.get(&other) {
                    _ if !seen.insert(other) => {}
                    Some(other) => found.push((*thing, *other)),
                    None => todo.extend(needs.get(&other).into_iter().flatten()),
                }
            }
        }
        found.iter().for_each(|(thing, other)| deploys.need(*thing, *other));
        if let Some(circle) = deploys.circle() {
            let names: Vec<_> = circle.iter().map(|at| format!("`{}`", self.all[*at].name())).collect();
            return Err(Error::new(
                ErrorKind::Usage,
                format!("things need each other: {}", names.join(" -> ")),
            )
            .because("what models and implementations say that they need makes it so")
            .hint("leave one of these out of what `dynamic_dependencies` answers"));
        }
        self.deploys = deploys;
        found.into_iter().for_each(|(thing, other)| self.destroys.need(thing, other));
        Ok(())
    }

    /// What is no longer in the layout needs what it needed when it was. So does everything, when it is not known what that is now.
    pub(super) fn add_recorded(&mut self, world: &World, snapshot: &Snapshot, at_name: &ByName) {
        let unknown = world.needed().is_none();
        let old = at_name.iter().filter(|(_, at)| unknown || self.all[**at].is_old());
        // Where not all of it can be so, it is always the same that is.
        let old: BTreeMap<_, _> = old.collect();
        for (name, at) in old {
            let Some(record) = snapshot.records.get(name) else { continue };
            for other in record.needs.iter().filter_map(|other| at_name.get(other)) {
                self.destroys.need_if_it_can(*at, *other);
            }
        }
    }

    /// The names of what a thing needs itself.
    pub(super) fn needs(&self, at: usize) -> Vec<String> {
        self.deploys.needs(at).map(|other| self.all[other].name()).collect()
    }
}

impl Deployment {
    /// Keeps on record what these things need, where that is not what the record says.
    pub(super) async fn note_needs(&self, among: &BTreeSet<usize>) -> Result<(), Error> {
        let known = self.ledger.view().await?;
        let changed = among.iter().filter(|at| !self.things.all[**at].is_old()).filter_map(|at| {
            let record = known.records.get(&self.things.all[*at].name())?;
            let needs = self.things.needs(*at);
            (record.needs != needs).then(|| Record { needs, ..record.clone() })
        });
        let changed: Vec<_> = changed.collect();
        if changed.is_empty() { Ok(()) } else { self.ledger.put_records(changed).await }
    }
}
