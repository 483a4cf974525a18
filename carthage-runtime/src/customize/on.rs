//! What tasks are applied to: a machine, or the directory of a model.

use super::body::on_disk;
use super::{Application, Ground, ModelDir};
use crate::machine::{BeforeService, Host, Machine};
use crate::task::Stamps;

/// What tasks are applied to.
#[derive(Clone, Copy)]
pub(crate) enum On<'a> {
    /// A machine.
    Machine(&'a Machine),
    /// The directory of a model.
    Model(&'a ModelDir),
}

impl<'a> On<'a> {
    pub(super) fn name(self) -> &'a str {
        match self {
            Self::Machine(machine) => machine.name(),
            Self::Model(dir) => dir.name(),
        }
    }

    /// What users call it in filters: `machine:mirror.algebra`.
    pub(super) fn thing(self) -> String {
        match self {
            Self::Machine(machine) => machine.thing(),
            Self::Model(dir) => format!("model:{}", dir.name()),
        }
    }
}

impl Application<'_> {
    /// Where a task runs.
    pub(super) fn ground(&self, task: usize) -> Ground {
        match self.on {
            On::Model(dir) => Ground::Controller(dir.clone()),
            On::Machine(machine) => Ground::Machine(Host::new(
                machine.clone(),
                self.thing(task).to_owned(),
                self.stem(task).to_owned(),
                self.tasks()[task].user,
                self.surroundings.host(),
                self.before_service(),
            )),
        }
    }

    /// Before a task starts a service, its stamp is durable that says "begun": by it the service is known to be the task's.
    fn before_service(&self) -> BeforeService {
        let (stamps, ledger) = (self.setting.stamps.clone(), self.setting.ledger.clone());
        BeforeService(Box::new(move || {
            let (stamps, ledger) = (stamps.clone(), ledger.clone());
            Box::pin(async move { on_disk(&stamps, &ledger, Stamps::sync_written).await })
        }))
    }
}
