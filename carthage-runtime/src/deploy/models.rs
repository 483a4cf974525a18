//! Models with tasks: those of the layout, and, by the record, those that have left it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::things::{ByName, Thing, Things};
use super::{Action, Deployment};
use crate::customize::ModelDir;
use crate::error::Error;
use crate::layout::{Generating, World};
use crate::model::Mode;
use crate::state::{Change, Kind, Snapshot};

/// What is on record of a model of the layout as of another: it was renamed, or is in another place.
#[derive(Debug, Default)]
pub(super) struct Former {
    /// What has its directory on record, by the names of these things.
    names: Vec<String>,
    /// The directory that it had, which nothing has any more.
    dir: Option<ModelDir>,
}

impl Things {
    /// Models with tasks: what they generate is there before any machine inside, or any that reads it.
    pub(super) fn add_models(&mut self, world: &Arc<World>, machines: &BTreeMap<usize, usize>) {
        let mut models: BTreeMap<usize, usize> = BTreeMap::new();
        for (&index, model) in world.generating() {
            let at = self.add(Thing::Model(index, model.clone()));
            models.insert(index, at);
            let parent = world.placement(index).parent();
            if let Some(outer) = parent.and_then(|parent| models.get(&world.generating_around(parent)?)) {
                self.deploys.need(at, *outer);
                self.destroys.need(at, *outer);
            }
        }
        if models.is_empty() {
            return;
        }
        for (&index, &thing) in machines {
            let place = world.place(index);
            if let Some(model) = world.generating_around(place.placement()).and_then(|at| models.get(&at)) {
                self.deploys.need(thing, *model);
                self.destroys.need(thing, *model);
            }
            for need in place.placement().needs().filter(|need| need.mode == Mode::Generated) {
                for model in place.generating_positions(need).iter().filter_map(|at| models.get(at)) {
                    self.deploys.need(thing, *model);
                    self.reads.need(thing, *model);
                }
            }
        }
    }

    /// Models on record that are not in the layout. One whose name or directory a model of the layout has is no other than that.
    pub(super) fn add_old_models(&mut self, world: &World, snapshot: &Snapshot, at_name: &mut ByName) {
        let mut records =
            snapshot.records.values().filter(|record| record.kind == Kind::ModelWithTasks).peekable();
        if records.peek().is_none() {
            return;
        }
        let models = world.generating().values();
        let of_dir: HashMap<_, _> =
            models.map(|model| (model.dir.path().to_owned(), model.thing())).collect();
        let names: BTreeSet<String> = of_dir.values().cloned().collect();
        for record in records {
            let (thing, old) = (record.thing(), world.old_model(record));
            let holder = old.dir.as_ref().and_then(|dir| of_dir.get(dir.path()));
            match (names.contains(&thing), holder) {
                (true, Some(_)) => {}
                (true, None) => self.former.entry(thing).or_default().dir = old.dir,
                (false, Some(holder)) => {
                    self.former.entry(holder.clone()).or_default().names.push(thing);
                }
                (false, None) => {
                    let at = self.add(Thing::OldModel(old));
                    at_name.insert(thing, at);
                }
            }
        }
    }

    /// What has left the layout goes before the models that have left it, and that it needed.
    pub(super) fn order_old_models(&mut self) {
        for (at, _) in self.all.iter().enumerate().filter(|(_, thing)| matches!(thing, Thing::OldModel(_))) {
            let users = self.destroys.users(at).filter(|user| self.all[*user].is_old());
            self.first.extend(users.map(|user| (user, at)));
        }
    }
}

impl Deployment {
    /// Keeps on record that the tasks of a model may generate something, before they do, and what it is now. What it had
    /// elsewhere is removed.
    pub(super) async fn note_model(&self, at: usize, model: &Generating) -> Result<(), Error> {
        let thing = &self.things.all[at];
        let (name, record) = (thing.name(), model.record(self.things.needs(at))?);
        let former = self.things.former.get(&name);
        let is_known = self.record(thing).is_some_and(|known| {
            (&known.path, &known.spec, &known.needs) == (&record.path, &record.spec, &record.needs)
        });
        match former.and_then(|former| former.dir.as_ref()) {
            Some(dir) => {
                let intent = self.ledger.intend(&name, Action::Move.word()).await?;
                intent.settle(dir.destroy().await, |()| Change::Put(record)).await?;
            }
            None if is_known => {}
            None => self.ledger.put_record(record).await?,
        }
        self.forget_former(former).await
    }

    /// The same of those of these that have run, by whatever version.
    pub(super) async fn note_models(&self, among: &BTreeSet<usize>) -> Result<(), Error> {
        for at in among {
            let Thing::Model(_, model) = &self.things.all[*at] else { continue };
            if model.dir.is_there().await? {
                self.note_model(*at, model).await?;
            }
        }
        Ok(())
    }

    /// Removes what the tasks of a model have generated, and what is on record of it.
    pub(super) async fn remove_model(&self, thing: &Thing, dir: Option<&ModelDir>) -> Result<(), Error> {
        let name = thing.name();
        let former = self.things.former.get(&name);
        let intent = self.ledger.intend(&name, Action::Destroy.word()).await?;
        let gone = async {
            self.forget_former(former).await?;
            for dir in dir.into_iter().chain(former.and_then(|former| former.dir.as_ref())) {
                dir.destroy().await?;
            }
            Ok(())
        };
        intent.settle(gone.await, |()| Change::Remove).await
    }

    async fn forget_former(&self, former: Option<&Former>) -> Result<(), Error> {
        match former {
            Some(former) if !former.names.is_empty() => {
                self.ledger.forget_records(former.names.clone()).await
            }
            _ => Ok(()),
        }
    }
}
