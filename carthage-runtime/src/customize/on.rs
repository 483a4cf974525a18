//! What tasks are applied to: a machine, or the directory of a model.

use super::{Application, Ground, ModelDir};
use crate::machine::{Host, Machine};

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
            )),
        }
    }
}
