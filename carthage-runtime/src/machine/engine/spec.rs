//! Machines and networks as an implementation gets them: resolved, as plain data.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use ipnet::IpNet;

use super::hardware::{Architecture, DiskCache, DiskSpec, OptionSpecs, PolicySpec};
use super::hosts::HostEntry;
use super::login::LoginSpec;

/// A logical network, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NetworkSpec {
    /// Unique in the layout: the path of the placement, such as `algebra.lab`.
    pub name: String,
    /// Its IPv4 subnet.
    pub v4: Option<IpNet>,
    /// Bytes per frame; the implementation's default if absent.
    pub mtu: Option<u32>,
    /// Where frames for other networks are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    /// The first and the last address that a DHCP server gives out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The VLAN, 1 to 4094, that its frames belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vlan: Option<u16>,
    /// The bridge of the host that it is, at most 15 bytes; one of the implementation's own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bridge: Option<String>,
    /// What becomes of it without anybody naming it.
    #[serde(default)]
    pub policy: PolicySpec,
}

/// One network interface of a machine, resolved.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LinkSpec {
    /// The interface's name inside the machine, at most 15 bytes.
    pub interface: String,
    /// The [`NetworkSpec::name`] it is plugged into.
    pub network: String,
    /// Address and prefix length.
    pub address: Option<IpNet>,
    /// The hardware address, six bytes. That of an interface which is there already is its own, and `None` unless the layout says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<[u8; 6]>,
    /// Bytes per frame; the network's if absent.
    pub mtu: Option<u32>,
    /// The VLANs, 1 to 4094, whose frames it takes with their tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vlans: Vec<u16>,
    /// The other end of its cable: a machine's full name, and the interface there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<(String, String)>,
}

/// The links of another machine, resolved, that a machine has in place of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SharedLinks {
    /// The other machine's fully qualified name. Both are made by the same implementation, and the other shares nobody's links.
    pub machine: String,
    /// Its interfaces.
    pub links: Vec<LinkSpec>,
}

/// A machine, resolved: all that an implementation needs to make one.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct MachineSpec {
    /// The fully qualified name, such as `worker-2.algebra`; unique in the layout.
    pub name: String,
    /// The short host name, such as `worker-2`.
    pub hostname: String,
    /// MiB of memory, at most.
    pub memory_mb: Option<u64>,
    /// Processors, at most.
    pub cpus: Option<u32>,
    /// A directory to use as the root instead of the implementation's default.
    pub root: Option<PathBuf>,
    /// As whom commands and services run that name no user; root if absent. The runtime fills it in: an implementation need
    /// not look.
    pub runas_user: Option<String>,
    /// What the root is made from: the reference of a container image, or the path of an archive or a disk image.
    pub image: Option<String>,
    /// What it boots without a boot loader.
    pub boot: Option<BootSpec>,
    /// GiB of disks beyond the root, in their order.
    pub disk_sizes: Vec<u64>,
    /// Disks beyond the root, said in full; there are either these or `disk_sizes`.
    pub disk_config: Vec<DiskSpec>,
    /// How the host keeps what is written to disks that say nothing else.
    pub disk_cache: Option<DiskCache>,
    /// What starts the boot loader.
    pub firmware: Option<Firmware>,
    /// What its processor understands; that of the host if absent.
    pub architecture: Option<Architecture>,
    /// Whether it has a TPM.
    pub hardware_tpm: bool,
    /// Whether it runs virtual machines.
    pub nested_virt: bool,
    /// Whether it has a screen that people can look at.
    pub console_needed: bool,
    /// Whether it is told at its first start who it is, by cloud-init.
    pub cloud_init: bool,
    /// What only some implementation understands.
    pub options: OptionSpecs,
    /// The environment of everything that runs in it.
    pub environment: BTreeMap<String, String>,
    /// Directories and files of the host that it sees.
    pub mounts: Vec<MountSpec>,
    /// Ports of it that the host listens on.
    pub ports: Vec<PortSpec>,
    /// How it is reached by ssh.
    pub login: Option<LoginSpec>,
    /// The interfaces, in the order of the model's fields.
    pub links: Vec<LinkSpec>,
    /// Whose links it has, if it has none of its own: it lives in the network namespace of that machine, which runs when it is
    /// started, and in which its own ports, addresses and routes are the other's. Host name, root and processes are its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares_links: Option<SharedLinks>,
    /// Words by which it is selected, as they are selected: `@web`.
    pub tags: Vec<String>,
    /// Whether it is only looked at.
    pub readonly: bool,
    /// What becomes of it without anybody naming it.
    pub policy: PolicySpec,
}

/// A kernel that is started directly.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BootSpec {
    /// The kernel's path on this host.
    pub kernel: PathBuf,
    /// The path of the initial root file system.
    pub initrd: Option<PathBuf>,
    /// The kernel's command line, besides what the implementation adds.
    pub arguments: String,
}

/// What a virtual machine begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Firmware {
    /// The old one of PCs.
    Bios,
    /// UEFI.
    Uefi,
}

/// Something of the host that a machine sees.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MountSpec {
    /// The path on the host.
    pub source: PathBuf,
    /// The path in the machine.
    pub target: PathBuf,
    /// Whether the machine cannot write to it.
    pub readonly: bool,
}

/// A port of the machine that the host listens on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PortSpec {
    /// In the machine.
    pub inside: u16,
    /// On the host.
    pub outside: u16,
    /// Which.
    pub protocol: Protocol,
}

/// What a port is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl MachineSpec {
    /// The interfaces that are seen in it: its own, or those of the machine whose links it shares.
    #[must_use]
    pub fn interfaces(&self) -> &[LinkSpec] {
        self.shares_links.as_ref().map_or(&self.links, |shared| &shared.links)
    }

    /// What the machine calls itself: lines of `/etc/hosts` with all its addresses and its names, for implementations whose
    /// machines do not know it by other means.
    #[must_use]
    pub fn own_names(&self) -> Vec<HostEntry> {
        let mut names = vec![self.name.clone()];
        if self.hostname != self.name {
            names.push(self.hostname.clone());
        }
        let linked = self.interfaces().iter().filter_map(|link| Some(link.address?.addr()));
        let mut addresses: Vec<IpAddr> = linked.collect();
        if addresses.is_empty() {
            addresses.push(IpAddr::V4(Ipv4Addr::new(127, 0, 1, 1)));
        }
        addresses.into_iter().map(|address| HostEntry { address, names: names.clone() }).collect()
    }
}
