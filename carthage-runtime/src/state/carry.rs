//! What becomes of the store when things get other names: all of it in one transaction.

use std::collections::BTreeSet;
use std::sync::PoisonError;

use super::database::{ASSIGNMENTS, JOURNAL, RECORDS, UNFINISHED, VALUES, guarded};
use super::journal::{Entry, Outcome};
use super::snapshot::Snapshot;
use super::store::{Store, json};
use crate::error::Error;

impl Store {
    /// Replaces what is known by what `carried` says: records, assignments, kept values, and what is unfinished. The journal tells
    /// that `things` were moved in this run.
    ///
    /// # Errors
    /// When the store cannot be written; nothing is changed then.
    pub fn carry(&self, run: u64, carried: &Snapshot, things: &[String]) -> Result<(), Error> {
        let before = self.view()?;
        let path = &self.0.path;
        let things_left = carried.unfinished.iter().map(|entry| entry.thing.clone());
        self.0.earlier.lock().unwrap_or_else(PoisonError::into_inner).extend(things_left);
        self.write(|transaction| {
            guarded(path, || {
                let mut records = transaction.open_table(RECORDS)?;
                records.retain(|thing, _| carried.records.contains_key(thing))?;
                for (thing, record) in &carried.records {
                    if before.records.get(thing) != Some(record) {
                        records.insert(thing.as_str(), json(record)?.as_slice())?;
                    }
                }
                let mut assignments = transaction.open_table(ASSIGNMENTS)?;
                let kept: BTreeSet<(&str, &str)> =
                    carried.assignments.keys().map(|(m, i)| (&**m, &**i)).collect();
                assignments.retain(|key, _| kept.contains(&key))?;
                for ((machine, interface), assignment) in &carried.assignments {
                    assignments
                        .insert((machine.as_str(), interface.as_str()), json(assignment)?.as_slice())?;
                }
                let mut values = transaction.open_table(VALUES)?;
                values.retain(|key, _| carried.values.contains_key(key))?;
                for (key, value) in &carried.values {
                    if before.values.get(key) != Some(value) {
                        values.insert(key.as_str(), value.as_slice())?;
                    }
                }
                let mut unfinished = transaction.open_table(UNFINISHED)?;
                for entry in &carried.unfinished {
                    unfinished.insert(entry.seq, json(entry)?.as_slice())?;
                }
                let mut journal = transaction.open_table(JOURNAL)?;
                for thing in things {
                    let entry = Entry { outcome: Some(Outcome::Done), ..self.entry(run, thing, "move") };
                    journal.insert(entry.seq, json(&entry)?.as_slice())?;
                }
                Ok(())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Change, Dirs};

    #[test]
    fn entries_that_follow_have_numbers_of_their_own() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(&Dirs::find("lab", Some(base.path())).unwrap(), "deploy").unwrap();
        let run = store.begin_run().unwrap();
        store.carry(run, &store.view().unwrap(), &["machine:b".into(), "machine:c".into()]).unwrap();
        store.intend(run, "machine:b", "start").unwrap().done(Change::Nothing).unwrap();
        let told: Vec<_> =
            store.journal(0).unwrap().into_iter().map(|entry| entry.action + " " + &entry.thing).collect();
        assert_eq!(told, ["move machine:b", "move machine:c", "start machine:b"]);
    }
}
