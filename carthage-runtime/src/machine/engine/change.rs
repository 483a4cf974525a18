//! What a changed model means for a machine that exists.

/// What can change in a machine's model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Aspect {
    /// [`MachineSpec::name`](super::MachineSpec::name): unless it is made anew, [`Engine::rename`](super::Engine::rename) is asked
    /// for.
    Name,
    /// [`MachineSpec::root`](super::MachineSpec::root)
    Root,
    /// [`MachineSpec::image`](super::MachineSpec::image)
    Image,
    /// [`MachineSpec::boot`](super::MachineSpec::boot)
    Boot,
    /// [`MachineSpec::disk_sizes`](super::MachineSpec::disk_sizes), `disk_config` or `disk_cache`
    Disks,
    /// [`MachineSpec::firmware`](super::MachineSpec::firmware)
    Firmware,
    /// What else is built in: the architecture, the TPM, nested virtualisation, the screen, cloud-init.
    Devices,
    /// [`MachineSpec::options`](super::MachineSpec::options)
    Options,
    /// [`MachineSpec::memory_mb`](super::MachineSpec::memory_mb)
    Memory,
    /// [`MachineSpec::cpus`](super::MachineSpec::cpus)
    Cpus,
    /// [`MachineSpec::hostname`](super::MachineSpec::hostname)
    Hostname,
    /// [`MachineSpec::environment`](super::MachineSpec::environment)
    Environment,
    /// [`MachineSpec::mounts`](super::MachineSpec::mounts)
    Mounts,
    /// [`MachineSpec::ports`](super::MachineSpec::ports)
    Ports,
    /// [`MachineSpec::links`](super::MachineSpec::links)
    Links,
    /// Whose links it shares: [`MachineSpec::shares_links`](super::MachineSpec::shares_links), or that machine has been made anew
    SharedLinks,
    /// [`MachineSpec::login`](super::MachineSpec::login)
    Login,
}

/// What must be done to a machine for a change to be true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// [`Engine::update`](super::Engine::update) makes it so.
    Update,
    /// It must be stopped and started.
    Restart,
    /// It must be made anew.
    Recreate,
}
