//! The engines that tests need: installed and started here, in namespaces and directories of their own, and stopped again.

pub(crate) mod containers;
mod guest;
pub(crate) mod libvirt;
mod packages;
mod registry;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use nix::unistd::geteuid;

use containers::Containers;
use libvirt::Libvirt;

/// What other distributions install packages and start services with, and what their packages are made with.
const PROGRAMS: &[&str] = &["dnf", "zypper", "rpm", "createrepo-c", "pacman-package-manager", "openrc"];

/// All of them.
#[derive(Debug)]
pub(super) struct Engines {
    /// The packages of [`PROGRAMS`], which nobody wants on a host.
    programs: Option<PathBuf>,
    containers: Containers,
    pub(super) libvirt: Libvirt,
}

impl Engines {
    /// Installs what is missing, and starts them. Only root can.
    pub(super) fn start(ground: &Path) -> Result<Option<Self>> {
        if !geteuid().is_root() {
            return Ok(None);
        }
        install()?;
        let programs = ground.join("foreign-programs");
        let programs = match packages::fetch(PROGRAMS, &programs) {
            Ok(()) => Some(programs),
            // Tests of these skip, by name; in continuous integration that is a failure.
            Err(error) => {
                println!("without programs of other systems: {error:#}");
                None
            }
        };
        Ok(Some(Self { programs, containers: Containers::start(ground)?, libvirt: Libvirt::start(ground)? }))
    }

    /// Tells a test program where they are.
    pub(super) fn tell(&self, command: &mut Command) {
        self.containers.tell(command);
        self.libvirt.tell(command);
        command.envs(self.programs.as_ref().map(|programs| ("CARTHAGE_TEST_PROGRAMS", programs)));
    }

    /// Ends them.
    pub(super) fn stop(self) -> Result<()> {
        self.containers.stop()?;
        self.libvirt.stop()
    }
}

/// Installs the packages of all engines, of the hosts that are reached by ssh, and of the system that is booted for its services.
pub(crate) fn install() -> Result<()> {
    packages::install(
        &["openssh-client", "openssh-server", "openssh-sftp-server", "systemd-container"],
        &[],
    )?;
    containers::install()?;
    Libvirt::install()
}
