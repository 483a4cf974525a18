//! A virtual machine as libvirt takes it.

use std::path::{Path, PathBuf};

use super::NAMESPACE;
use super::element::Element;
use crate::error::Error;
use crate::machine::engine::Firmware;

/// What runs a machine's processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Virtualisation {
    /// The processor itself, by way of the kernel.
    Kvm,
    /// A program.
    Emulation,
}

/// A virtual machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Domain {
    /// Its name, unique on the host.
    pub(in super::super) name: String,
    /// Ditto, and what it is found by.
    pub(in super::super) uuid: String,
    /// What people read in lists.
    pub(in super::super) title: String,
    /// Whose it is: the layout, the site, the machine and the identity.
    pub(in super::super) mark: Mark,
    pub(in super::super) virtualisation: Virtualisation,
    pub(in super::super) memory_mb: u64,
    pub(in super::super) cpus: u32,
    /// The host's default if absent.
    pub(in super::super) firmware: Option<Firmware>,
    /// The disk's boot loader if absent.
    pub(in super::super) boot: Option<Boot>,
    /// Strings of the machine's firmware, which its system can read.
    pub(in super::super) strings: Vec<String>,
    /// The first one is the root.
    pub(in super::super) disks: Vec<Disk>,
    pub(in super::super) nics: Vec<Nic>,
    /// Where what it writes to its first serial port is appended.
    pub(in super::super) console: Option<PathBuf>,
}

/// Whose a domain is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Mark {
    pub(in super::super) layout: String,
    pub(in super::super) site: String,
    pub(in super::super) machine: String,
    pub(in super::super) identity: String,
}

/// A kernel that is started directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Boot {
    pub(in super::super) kernel: PathBuf,
    pub(in super::super) initrd: Option<PathBuf>,
    pub(in super::super) arguments: String,
}

/// A disk: a volume of a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Disk {
    pub(in super::super) pool: String,
    pub(in super::super) volume: String,
    pub(in super::super) medium: Medium,
}

/// How the contents of a disk lie in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Medium {
    /// As they are.
    Raw,
    /// In QEMU's own format, which can be a layer over another file.
    Qcow2,
}

impl Medium {
    /// As libvirt calls it.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
        }
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Nic {
    /// The name of libvirt's network.
    pub(in super::super) network: String,
    /// The hardware address; libvirt's choice if absent.
    pub(in super::super) mac: Option<String>,
    pub(in super::super) mtu: Option<u32>,
}

impl Nic {
    fn element(&self) -> Element {
        Element::new("interface")
            .with("type", "network")
            .children(self.mac.as_ref().map(|mac| Element::new("mac").with("address", mac)))
            .child(Element::new("source").with("network", &self.network))
            .child(Element::new("model").with("type", "virtio"))
            .children(self.mtu.map(|mtu| Element::new("mtu").with("size", mtu)))
    }

    /// The interface alone, for a change of a machine that runs.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        self.element().render("a network interface")
    }
}

impl Disk {
    fn element(&self, at: usize) -> Element {
        Element::new("disk")
            .with("type", "volume")
            .with("device", "disk")
            .child(
                Element::new("driver")
                    .with("name", "qemu")
                    .with("type", self.medium.name())
                    .with("discard", "unmap"),
            )
            .child(Element::new("source").with("pool", &self.pool).with("volume", &self.volume))
            .child(Element::new("target").with("dev", target(at)).with("bus", "virtio"))
    }
}

/// The name of a disk in the machine: `vda` is the first.
fn target(at: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = at + 1;
    while rest > 0 {
        rest -= 1;
        // A remainder by 26 is a letter's place in the alphabet.
        letters.push(char::from(b'a' + u8::try_from(rest % 26).unwrap_or_default()));
        rest /= 26;
    }
    "vd".chars().chain(letters.into_iter().rev()).collect()
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

impl Domain {
    /// The document that defines it.
    ///
    /// # Errors
    /// When something in it cannot be written as XML.
    pub(in super::super) fn xml(&self) -> Result<String, Error> {
        let kind = match self.virtualisation {
            Virtualisation::Kvm => "kvm",
            Virtualisation::Emulation => "qemu",
        };
        Element::new("domain")
            .with("type", kind)
            .child(Element::text("name", &self.name))
            .child(Element::text("uuid", &self.uuid))
            .child(Element::text("title", &self.title))
            .child(self.metadata())
            .child(Element::text("memory", self.memory_mb).with("unit", "MiB"))
            .child(Element::text("vcpu", self.cpus))
            .children(self.sysinfo())
            .child(self.os())
            .child(self.features())
            .children(self.cpu())
            .child(Element::text("on_poweroff", "destroy"))
            .child(Element::text("on_reboot", "restart"))
            .child(Element::text("on_crash", "destroy"))
            .child(self.devices())
            .render(&format!("the machine `{}`", self.mark.machine))
    }

    fn metadata(&self) -> Element {
        let Mark { layout, site, machine, identity } = &self.mark;
        Element::new("metadata").child(
            Element::new("carthage:machine")
                .with("xmlns:carthage", NAMESPACE)
                .with("layout", layout)
                .with("site", site)
                .with("machine", machine)
                .with("identity", identity),
        )
    }

    fn sysinfo(&self) -> Option<Element> {
        let strings = self.strings.iter().map(|string| Element::text("entry", string));
        (!self.strings.is_empty()).then(|| {
            Element::new("sysinfo").with("type", "smbios").child(Element::new("oemStrings").children(strings))
        })
    }

    fn os(&self) -> Element {
        let os = match self.firmware {
            Some(Firmware::Uefi) => Element::new("os").with("firmware", "efi"),
            Some(Firmware::Bios) | None => Element::new("os"),
        };
        let os = os.child(Element::text("type", "hvm").with("arch", "x86_64").with("machine", "q35"));
        let os = match (&self.boot, self.firmware) {
            (_, Some(Firmware::Uefi)) => os.child(
                // Nobody is there to enrol the keys of a system that we are given.
                Element::new("firmware")
                    .child(Element::new("feature").with("enabled", "no").with("name", "secure-boot")),
            ),
            _ => os,
        };
        let os = match &self.boot {
            Some(Boot { kernel, initrd, arguments }) => os
                .child(Element::text("kernel", path(kernel)))
                .children(initrd.as_deref().map(|initrd| Element::text("initrd", path(initrd))))
                .children((!arguments.is_empty()).then(|| Element::text("cmdline", arguments))),
            None => os.child(Element::new("boot").with("dev", "hd")),
        };
        os.children((!self.strings.is_empty()).then(|| Element::new("smbios").with("mode", "sysinfo")))
    }

    fn features(&self) -> Element {
        // An emulator that keeps all that it ever translated takes a gigabyte for each machine.
        let cache = || Element::new("tcg").child(Element::text("tb-cache", 64).with("unit", "MiB"));
        let emulated = self.virtualisation == Virtualisation::Emulation;
        Element::new("features")
            .child(Element::new("acpi"))
            .child(Element::new("apic"))
            .children(emulated.then(cache))
    }

    fn cpu(&self) -> Option<Element> {
        let mode = match self.virtualisation {
            Virtualisation::Kvm => "host-passthrough",
            Virtualisation::Emulation => "maximum",
        };
        Some(Element::new("cpu").with("mode", mode))
    }

    fn devices(&self) -> Element {
        let log = self
            .console
            .as_deref()
            .map(|file| Element::new("log").with("file", path(file)).with("append", "on"));
        Element::new("devices")
            .children(self.disks.iter().enumerate().map(|(at, disk)| disk.element(at)))
            .children(self.nics.iter().map(Nic::element))
            .child(
                Element::new("serial")
                    .with("type", "pty")
                    .children(log)
                    .child(Element::new("target").with("port", "0")),
            )
            .child(
                Element::new("console")
                    .with("type", "pty")
                    .child(Element::new("target").with("type", "serial").with("port", "0")),
            )
            .child(Element::new("memballoon").with("model", "none"))
            .child(
                Element::new("rng")
                    .with("model", "virtio")
                    .child(Element::text("backend", "/dev/urandom").with("model", "random")),
            )
    }
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn disks_are_named_as_the_kernel_does() {
        let named: Vec<_> = [0, 1, 25, 26, 27, 701, 702].into_iter().map(target).collect();
        assert_eq!(named, ["vda", "vdb", "vdz", "vdaa", "vdab", "vdzz", "vdaaa"]);
    }
}
