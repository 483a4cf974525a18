//! What a machine is made of, and what it shares with the host, as constants.

use crate::machine::engine::{Firmware, Protocol};

/// What a machine is made of; what is absent is left to the implementation.
///
/// A path begins with `/`, or with a variable of the controller's environment: `$HOME/images/debian.qcow2`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hardware {
    /// MiB of memory, at most.
    pub memory_mb: Option<u64>,
    /// Processors, at most.
    pub cpus: Option<u32>,
    /// The path of a directory that is its root.
    pub root: Option<&'static str>,
    /// As whom commands and services run, by name or number; root if absent.
    pub runas_user: Option<&'static str>,
    /// What its root is made from: the reference of a container image, or the path of an archive or a disk image.
    pub image: Option<&'static str>,
    /// The path of a kernel that is started directly.
    pub kernel: Option<&'static str>,
    /// The path of the kernel's initial root file system.
    pub initrd: Option<&'static str>,
    /// The kernel's command line, besides what the implementation adds.
    pub kernel_args: Option<&'static str>,
    /// GiB of disks beyond the root.
    pub disk_sizes: &'static [u64],
    /// What starts the boot loader.
    pub firmware_type: Option<Firmware>,
    /// Whether it has a TPM.
    pub tpm: bool,
    /// Whether it runs virtual machines.
    pub nested_virt: bool,
}

impl Hardware {
    /// Whatever there is.
    pub const ANY: Self = Self {
        memory_mb: None,
        cpus: None,
        root: None,
        runas_user: None,
        image: None,
        kernel: None,
        initrd: None,
        kernel_args: None,
        disk_sizes: &[],
        firmware_type: None,
        tpm: false,
        nested_virt: false,
    };

    /// With at most this many MiB of memory.
    #[must_use]
    pub const fn memory_mb(mut self, memory_mb: u64) -> Self {
        self.memory_mb = Some(memory_mb);
        self
    }

    /// With at most this many processors.
    #[must_use]
    pub const fn cpus(mut self, cpus: u32) -> Self {
        self.cpus = Some(cpus);
        self
    }

    /// With this directory as its root.
    #[must_use]
    pub const fn root(mut self, root: &'static str) -> Self {
        self.root = Some(root);
        self
    }

    /// With commands and services that run as this user.
    #[must_use]
    pub const fn runas_user(mut self, user: &'static str) -> Self {
        self.runas_user = Some(user);
        self
    }

    /// With a root made from this image.
    #[must_use]
    pub const fn image(mut self, image: &'static str) -> Self {
        self.image = Some(image);
        self
    }

    /// With this kernel, started directly.
    #[must_use]
    pub const fn kernel(mut self, kernel: &'static str) -> Self {
        self.kernel = Some(kernel);
        self
    }

    /// With this initial root file system.
    #[must_use]
    pub const fn initrd(mut self, initrd: &'static str) -> Self {
        self.initrd = Some(initrd);
        self
    }

    /// With this added to the kernel's command line.
    #[must_use]
    pub const fn kernel_args(mut self, kernel_args: &'static str) -> Self {
        self.kernel_args = Some(kernel_args);
        self
    }

    /// With this firmware.
    #[must_use]
    pub const fn firmware_type(mut self, firmware_type: Firmware) -> Self {
        self.firmware_type = Some(firmware_type);
        self
    }

    /// With disks of these sizes, in GiB.
    #[must_use]
    pub const fn disk_sizes(mut self, disk_sizes: &'static [u64]) -> Self {
        self.disk_sizes = disk_sizes;
        self
    }

    /// With a TPM.
    #[must_use]
    pub const fn tpm(mut self) -> Self {
        self.tpm = true;
        self
    }

    /// With virtual machines of its own.
    #[must_use]
    pub const fn nested_virt(mut self) -> Self {
        self.nested_virt = true;
        self
    }
}

/// What a machine gets from the host, and gives to it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Surroundings {
    /// Variables of the environment of everything that runs in it, with their values.
    pub environment: &'static [(&'static str, &'static str)],
    /// What of the host it sees.
    pub mounts: &'static [Mount],
    /// Ports of it that the host listens on.
    pub ports: &'static [Port],
}

impl Surroundings {
    /// None.
    pub const NONE: Self = Self { environment: &[], mounts: &[], ports: &[] };

    /// With these variables.
    #[must_use]
    pub const fn environment(mut self, environment: &'static [(&'static str, &'static str)]) -> Self {
        self.environment = environment;
        self
    }

    /// With these mounts.
    #[must_use]
    pub const fn mounts(mut self, mounts: &'static [Mount]) -> Self {
        self.mounts = mounts;
        self
    }

    /// With these ports.
    #[must_use]
    pub const fn ports(mut self, ports: &'static [Port]) -> Self {
        self.ports = ports;
        self
    }
}

/// `#[mount("/srv/data", at = "/data", readonly)]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The path on the host.
    pub source: &'static str,
    /// The path in the machine.
    pub at: &'static str,
    /// Whether the machine cannot write to it.
    pub readonly: bool,
}

/// `#[expose(80, on = 8080)]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// In the machine.
    pub inside: u16,
    /// On the host.
    pub on: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}
