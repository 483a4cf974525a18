//! How many machines may be on their way up at the same time.

use tokio::sync::{Semaphore, SemaphorePermit};

use super::xml::Virtualisation;
use crate::error::Error;

/// An emulated processor takes a real one: with more boots than that, all of them take longer than they are waited for.
const EMULATED: usize = 2;
const REAL: usize = 8;

/// Machines on their way up.
#[derive(Debug)]
pub(super) struct Boots {
    emulated: Semaphore,
    real: Semaphore,
}

impl Boots {
    pub(super) fn new() -> Self {
        Self { emulated: Semaphore::new(EMULATED), real: Semaphore::new(REAL) }
    }

    /// Waits until one more may begin; it is over when what is returned is dropped.
    pub(super) async fn turn(&self, by: Virtualisation) -> Result<SemaphorePermit<'_>, Error> {
        let turns = match by {
            Virtualisation::Kvm => &self.real,
            Virtualisation::Emulation => &self.emulated,
        };
        turns.acquire().await.map_err(Error::host("no machine is started any more"))
    }
}
