//! An implementation of somebody else's that can do what none of ours can: whatever a model says arrives.

use carthage::machine::engine::{Architecture, DiskBus, DiskCache, Firmware, Privilege, Removal};
use carthage::prelude::*;
use carthage_tests::Farm;

#[derive(serde::Serialize, serde::Deserialize)]
struct Gpu {
    memory_gib: u32,
}

impl carthage::machine::engine::MachineOptions for Gpu {
    const NAME: &'static str = "gpu";
}

impl carthage::machine::implementation::Takes<Gpu> for Farm {}

#[derive(serde::Serialize, serde::Deserialize)]
struct Stripes(u8);

impl Stripes {
    fn new(count: u8) -> Self {
        Self(count)
    }
}

impl carthage::machine::engine::MachineOptions for Stripes {
    const NAME: &'static str = "stripes";
}

impl carthage::machine::implementation::Takes<Stripes> for Farm {}

#[network(
    v4 = "10.37.0.0/24",
    pool = "10.37.0.5-10.37.0.25",
    gateway = "10.37.0.1",
    dhcp = "10.37.0.100-10.37.0.199",
    vlan = 5
)]
#[policy(orphan = warn)]
struct Lab;

#[machine_model]
struct Switch {
    #[link(vlans = [5, 4094])]
    port1: Link<Lab>,
    // The gateway itself has the gateway's address.
    #[link(address = "10.37.0.1", name = "uplink")]
    port2: Link<Lab>,
}

#[policy(destroy = delete)]
#[options(Gpu { memory_gib: 4 })]
#[machine_model(
    memory_mb = 256,
    cpus = 2,
    disk_config = [(size_gib = 10, cache = "none", options = Stripes::new(4)), (path = "/srv/cd.iso", cdrom, readonly, bus = "sata")],
    disk_cache = "writeback",
    architecture = "aarch64",
    firmware_type = "uefi",
    hardware_tpm,
    nested_virt,
    console_needed,
    cloud_init,
    readonly,
    tags = ["gpu", "edge-1"],
    ssh_login_user = "admin",
    runas_user = "www-data",
    privilege = "sudo",
    ssh_online_retries = 10
)]
struct Painter {
    #[link(peer = link!(Switch.port2), mac = "52:54:00:12:34:56")]
    eth0: Link<Lab>,
}

#[enclave]
#[policy(destroy = retain, auto_deploy = false)]
struct Studio {
    painter: Painter,
    switch: Switch,
}

#[layout(implementation = Farm)]
#[policy(orphan = warn)]
struct Works {
    lab: Lab,
    studio: Studio,
}

fn main() {
    let painter = const { Works::placement("studio.painter") };
    let (node, hardware) = (painter.node(), painter.node().hardware);
    assert_eq!((hardware.memory_mb, hardware.cpus), (Some(256), Some(2)));
    let [new, medium] = hardware.disk_config else { panic!("{:?}", hardware.disk_config) };
    assert_eq!((new.size_gib, new.cache, new.options[0].name), (Some(10), Some(DiskCache::None), "stripes"));
    assert_eq!((medium.path, medium.bus), (Some("/srv/cd.iso"), Some(DiskBus::Sata)));
    assert!(medium.cdrom && medium.readonly && !new.readonly);
    assert_eq!(hardware.disk_cache, Some(DiskCache::Writeback));
    assert_eq!(hardware.architecture, Some(Architecture::Aarch64));
    assert_eq!(hardware.firmware_type, Some(Firmware::Uefi));
    assert!(hardware.hardware_tpm && hardware.nested_virt && hardware.console_needed && hardware.cloud_init);
    assert_eq!(hardware.options[0].name, "gpu");
    assert_eq!((node.tags, node.readonly), (&["gpu", "edge-1"][..], true));
    let login = node.login.unwrap();
    assert_eq!((login.privilege, login.online_retries), (Some(Privilege::Sudo), Some(10)));

    let policy = painter.policy();
    assert_eq!((policy.destroy, policy.orphan), (Some(Removal::Delete), Some(Removal::Warn)));
    assert_eq!(policy.auto_deploy, Some(false));
    assert_eq!(const { Works::placement("studio.switch") }.policy().destroy, Some(Removal::Retain));

    let lab = const { Works::placement("lab") };
    let addressing = lab.node().addressing;
    assert_eq!(addressing.gateway, Some("10.37.0.1".parse().unwrap()));
    assert_eq!(addressing.vlan, Some(5));
    assert_eq!(addressing.dhcp.unwrap().last, "10.37.0.199".parse::<std::net::Ipv4Addr>().unwrap());
    assert_eq!(lab.policy().destroy, None);

    let port = link!(Switch.port2);
    assert_eq!((port.field, port.interface), ("port2", "uplink"));
}
