//! What an implementation may ask about the machines that others make.

use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;

use super::world::World;
use crate::error::{Error, ErrorKind};
use crate::machine::Machine;
use crate::machine::engine::{MachineSpec, Namespace, Neighbours};

/// The machines of a world, once there is one.
#[derive(Debug, Default)]
pub(super) struct Neighbourhood(OnceLock<Weak<World>>);

impl Neighbourhood {
    /// They are this world's.
    pub(super) fn are_of(&self, world: &Arc<World>) {
        self.0.get_or_init(|| Arc::downgrade(world));
    }

    fn machine(&self, name: &str) -> Option<Machine> {
        let world = self.0.get()?.upgrade()?;
        world.machines().values().find(|machine| machine.name() == name).cloned()
    }
}

#[async_trait]
impl Neighbours for Neighbourhood {
    fn spec(&self, machine: &str) -> Option<MachineSpec> {
        self.machine(machine).map(|machine| machine.spec().clone())
    }

    async fn namespace(&self, machine: &str) -> Result<Namespace, Error> {
        let missing = || Error::new(ErrorKind::NotFound, format!("there is no machine `{machine}`"));
        self.machine(machine).ok_or_else(missing)?.namespace().await
    }
}
