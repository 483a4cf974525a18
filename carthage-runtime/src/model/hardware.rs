//! What a machine is made of, and what it shares with the host, as constants.

use super::options::OptionNode;
use crate::machine::engine::{Architecture, DiskBus, DiskCache, Firmware, Protocol};

/// The first, or else the second.
pub(super) const fn or(one: Option<&'static str>, other: Option<&'static str>) -> Option<&'static str> {
    match one {
        None => other,
        one => one,
    }
}

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
    /// Disks beyond the root, said in full.
    pub disk_config: &'static [Disk],
    /// How the host keeps what is written to disks that say nothing else.
    pub disk_cache: Option<DiskCache>,
    /// What starts the boot loader.
    pub firmware_type: Option<Firmware>,
    /// What its processor understands.
    pub architecture: Option<Architecture>,
    /// Whether it has a TPM.
    pub hardware_tpm: bool,
    /// Whether it runs virtual machines.
    pub nested_virt: bool,
    /// Whether it has a screen that people can look at.
    pub console_needed: bool,
    /// Whether cloud-init tells it at its first start who it is.
    pub cloud_init: bool,
    /// What only some implementation understands.
    pub options: &'static [OptionNode],
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
        disk_config: &[],
        disk_cache: None,
        firmware_type: None,
        architecture: None,
        hardware_tpm: false,
        nested_virt: false,
        console_needed: false,
        cloud_init: false,
        options: &[],
    };

    /// What it does not say, as the other says it.
    pub(crate) const fn or(self, other: Self) -> Self {
        // What a root is made from is said in one of two ways.
        let has_root = self.root.is_some() || self.image.is_some();
        let has_disks = !self.disk_sizes.is_empty() || !self.disk_config.is_empty();
        let boots = self.kernel.is_some();
        Self {
            memory_mb: match self.memory_mb {
                None => other.memory_mb,
                own => own,
            },
            cpus: match self.cpus {
                None => other.cpus,
                own => own,
            },
            root: if has_root { self.root } else { other.root },
            image: if has_root { self.image } else { other.image },
            runas_user: or(self.runas_user, other.runas_user),
            kernel: if boots { self.kernel } else { other.kernel },
            initrd: if boots { self.initrd } else { other.initrd },
            kernel_args: if boots { self.kernel_args } else { other.kernel_args },
            disk_sizes: if has_disks { self.disk_sizes } else { other.disk_sizes },
            disk_config: if has_disks { self.disk_config } else { other.disk_config },
            disk_cache: match self.disk_cache {
                None => other.disk_cache,
                own => own,
            },
            firmware_type: match self.firmware_type {
                None => other.firmware_type,
                own => own,
            },
            architecture: match self.architecture {
                None => other.architecture,
                own => own,
            },
            hardware_tpm: self.hardware_tpm || other.hardware_tpm,
            nested_virt: self.nested_virt || other.nested_virt,
            console_needed: self.console_needed || other.console_needed,
            cloud_init: self.cloud_init || other.cloud_init,
            options: if self.options.is_empty() { other.options } else { self.options },
        }
    }

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
    pub const fn hardware_tpm(mut self) -> Self {
        self.hardware_tpm = true;
        self
    }

    /// With these disks.
    #[must_use]
    pub const fn disk_config(mut self, disk_config: &'static [Disk]) -> Self {
        self.disk_config = disk_config;
        self
    }

    /// With this cache for its disks.
    #[must_use]
    pub const fn disk_cache(mut self, disk_cache: DiskCache) -> Self {
        self.disk_cache = Some(disk_cache);
        self
    }

    /// With a processor of this kind.
    #[must_use]
    pub const fn architecture(mut self, architecture: Architecture) -> Self {
        self.architecture = Some(architecture);
        self
    }

    /// With a screen.
    #[must_use]
    pub const fn console_needed(mut self) -> Self {
        self.console_needed = true;
        self
    }

    /// With cloud-init at its first start.
    #[must_use]
    pub const fn cloud_init(mut self) -> Self {
        self.cloud_init = true;
        self
    }

    /// With options of its implementation's own.
    #[must_use]
    pub const fn options(mut self, options: &'static [OptionNode]) -> Self {
        self.options = options;
        self
    }

    /// With virtual machines of its own.
    #[must_use]
    pub const fn nested_virt(mut self) -> Self {
        self.nested_virt = true;
        self
    }
}

/// A disk of `disk_config = [(size_gib = 10)]`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Disk {
    /// GiB.
    pub size_gib: Option<u64>,
    /// The path of a file or device of the host that it is.
    pub path: Option<&'static str>,
    /// Whether it is a medium in a drive.
    pub cdrom: bool,
    /// What it is attached to.
    pub bus: Option<DiskBus>,
    /// How the host keeps what is written to it.
    pub cache: Option<DiskCache>,
    /// Whether the machine cannot write to it.
    pub readonly: bool,
    /// What only some implementation understands.
    pub options: &'static [OptionNode],
}

impl Disk {
    /// Of no size yet.
    pub const ANY: Self = Self {
        size_gib: None,
        path: None,
        cdrom: false,
        bus: None,
        cache: None,
        readonly: false,
        options: &[],
    };

    /// Of so many GiB.
    #[must_use]
    pub const fn size_gib(mut self, size_gib: u64) -> Self {
        self.size_gib = Some(size_gib);
        self
    }

    /// In this file or device of the host.
    #[must_use]
    pub const fn path(mut self, path: &'static str) -> Self {
        self.path = Some(path);
        self
    }

    /// In a drive.
    #[must_use]
    pub const fn cdrom(mut self) -> Self {
        self.cdrom = true;
        self
    }

    /// Attached to this.
    #[must_use]
    pub const fn bus(mut self, bus: DiskBus) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Kept so.
    #[must_use]
    pub const fn cache(mut self, cache: DiskCache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Never written to.
    #[must_use]
    pub const fn readonly(mut self) -> Self {
        self.readonly = true;
        self
    }

    /// With options of the implementation's own.
    #[must_use]
    pub const fn options(mut self, options: &'static [OptionNode]) -> Self {
        self.options = options;
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

    /// What it does not say, as the other says it.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            environment: if self.environment.is_empty() { other.environment } else { self.environment },
            mounts: if self.mounts.is_empty() { other.mounts } else { self.mounts },
            ports: if self.ports.is_empty() { other.ports } else { self.ports },
        }
    }

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
