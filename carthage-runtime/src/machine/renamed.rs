//! Machines that have another name in the layout than their implementation knows them by: until they are renamed there.

use std::sync::atomic::{AtomicBool, Ordering};

use super::engine::patience::Operation;
use super::engine::{MachineSpec, Presence};
use super::files::Tree;
use super::machine::Machine;
use super::made_from::MadeFrom;
use crate::crash::crash_point;
use crate::error::Error;
use crate::state::{Change, Record};

/// What is asked of a machine, in words.
const PRESENCE: &str = "whether it is there, and runs";

/// A machine as its implementation knows it.
#[derive(Debug)]
pub(super) struct Before {
    spec: MachineSpec,
    /// Whether it is known by its new name.
    over: AtomicBool,
}

impl Before {
    /// If it was made by this name, and that is another.
    pub(super) fn of(spec: &MachineSpec, made_as: Option<&str>) -> Option<Self> {
        let name = made_as.filter(|name| *name != spec.name)?.to_owned();
        Some(Self { spec: MachineSpec { name, ..spec.clone() }, over: AtomicBool::new(false) })
    }
}

impl Tree {
    /// What the implementation is told of the machine: with the name by which it knows it.
    pub(super) fn known(&self) -> &MachineSpec {
        match &self.before {
            Some(before) if !before.over.load(Ordering::SeqCst) => &before.spec,
            _ => &self.spec,
        }
    }

    /// From now on the implementation knows it by the name that it has in the layout.
    pub(super) fn is_known_by_its_name(&self) {
        if let Some(before) = &self.before {
            before.over.store(true, Ordering::SeqCst);
        }
    }
}

impl Machine {
    /// The name by which its implementation knows it.
    pub(crate) fn made_as(&self) -> &str {
        &self.known().name
    }

    /// Whether its implementation knows it by another name.
    pub(crate) fn has_other_name(&self) -> bool {
        self.made_as() != self.spec().name
    }

    /// Looks at it; one that an earlier run has renamed, and was ended before it wrote that down, is found by its new name.
    pub(super) async fn look(&self) -> Result<Presence, Error> {
        let found = self.looked_at(PRESENCE, "look at", || self.engine().find(self.known())).await?;
        if found != Presence::Absent || !self.has_other_name() {
            return Ok(found);
        }
        let found = self.looked_at(PRESENCE, "look at", || self.engine().find(self.spec())).await?;
        if found != Presence::Absent {
            self.is_known_by_its_name();
        }
        Ok(found)
    }

    /// Has its implementation know it by its new name, if it does not yet, and writes that down. It does not run, unless the
    /// implementation renames what runs.
    pub(crate) async fn rename(&self, record: Option<&Record>) -> Result<(), Error> {
        if !self.has_other_name() {
            return Ok(());
        }
        let _alone = self.0.users.lock().await;
        let intent = self.0.ledger.intend(&self.thing(), "rename").await?;
        let renamed = || self.engine().rename(self.known(), self.spec());
        let renamed = self.within(Operation::Change, "rename", renamed).await;
        crash_point("machine-renamed-unrecorded");
        let record = record.cloned();
        let change = |(): &()| match record.and_then(|record| Some((MadeFrom::of(&record)?, record))) {
            Some((made, record)) => {
                let spec = MachineSpec { name: self.name().to_owned(), ..made.spec };
                Change::Put(Record { spec: MadeFrom { spec, ..made }.kept(), ..record })
            }
            None => Change::Nothing,
        };
        intent.settle(renamed, change).await?;
        self.is_known_by_its_name();
        Ok(())
    }
}
