//! Engines that tests need: installed, started in places of their own, and stopped.

pub(crate) mod containers;
#[allow(dead_code, reason = "not every engine fetches packages without installing them")]
mod packages;

use std::path::Path;
use std::process::Command;

use anyhow::Result;
use nix::unistd::geteuid;

use containers::Containers;

/// All of them. Only root can start them.
#[derive(Debug)]
pub(super) struct Engines {
    containers: Option<Containers>,
}

impl Engines {
    /// Installs what is missing, and starts them.
    pub(super) fn start(ground: &Path) -> Result<Self> {
        let containers = if geteuid().is_root() { Some(Containers::start(ground)?) } else { None };
        Ok(Self { containers })
    }

    /// Tells a test program where they are.
    pub(super) fn tell(&self, command: &mut Command) {
        self.containers.iter().for_each(|containers| containers.tell(command));
    }

    /// Ends them.
    pub(super) fn stop(self) -> Result<()> {
        self.containers.map_or(Ok(()), Containers::stop)
    }
}
