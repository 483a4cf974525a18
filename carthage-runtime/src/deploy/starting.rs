//! What is waited for before a machine starts, when all machines that come first run.

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Deployment;
use super::progress::Undone;
use super::things::Things;
use crate::error::Error;
use crate::event::Event;
use crate::machine::Machine;
use crate::machine::start::{Condition, Starting};

impl Deployment {
    /// Waits until a machine may start. All that it waits for is waited for at the same time; the first failure is the error, and
    /// the others are told.
    pub(super) async fn may_start(&self, index: usize, machine: &Machine) -> Result<(), Undone> {
        let conditions = self.things.conditions(index);
        if conditions.is_empty() {
            return Ok(());
        }
        let events = &self.options.events;
        let starting = Starting::new(machine.clone(), self.world.scope(index).clone(), events.clone());
        let waits: FuturesUnordered<_> =
            conditions.iter().map(|condition| condition.wait(&starting)).collect();
        let failures = waits.filter_map(async |outcome| outcome.err()).collect::<Vec<Error>>();
        let Some(failures) = self.options.stop.run_until_cancelled(failures).await else {
            return Err(Undone::Interrupted);
        };
        let mut failures = failures.into_iter();
        let Some(first) = failures.next() else { return Ok(()) };
        for other in failures {
            let text = format!("it cannot start for another reason, too: {}", crate::chain(&other));
            events.send(Event::Warning { thing: machine.thing(), text });
        }
        Err(first.into())
    }

    /// What a machine waits for, as the plan tells it.
    pub(super) fn waits_for(&self, index: usize) -> impl Iterator<Item = String> + '_ {
        self.things.conditions(index).iter().map(|condition| format!("waits for {}", condition.about()))
    }
}

impl Things {
    fn conditions(&self, index: usize) -> &[Condition] {
        self.starts.get(&index).map_or(&[], |starts| &starts.conditions)
    }
}
