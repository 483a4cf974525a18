//! Documents as they must be, and as libvirt's own schema has them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::machine::engine::Firmware;

fn plain() -> Domain {
    Domain {
        name: "carthage-01234567-web.lab".into(),
        uuid: "8d0f2b0e-5d7e-8c3a-9b1f-0123456789ab".into(),
        title: "web.lab of the layout lab".into(),
        mark: Mark {
            layout: "lab".into(),
            site: "0123456789abcdef0123456789abcdef".into(),
            machine: "web.lab".into(),
            identity: "fedcba9876543210fedcba9876543210".into(),
        },
        virtualisation: Virtualisation::Kvm,
        memory_mb: 1024,
        cpus: 1,
        firmware: None,
        boot: None,
        strings: Vec::new(),
        disks: vec![disk(0)],
        nics: Vec::new(),
        console: None,
    }
}

fn disk(number: usize) -> Disk {
    let volume = format!("web.lab.disk{number}.qcow2");
    Disk { pool: "carthage-0123456789abcdef".into(), volume, medium: Medium::Qcow2 }
}

fn nic(network: &str, mtu: Option<u32>) -> Nic {
    Nic { network: network.into(), mac: Some("02:00:00:00:00:01".into()), mtu }
}

/// With everything that a model can ask for, and every awkward character where one can be.
fn full() -> Domain {
    Domain {
        title: "web.lab of the layout <\"R&D's\">".into(),
        virtualisation: Virtualisation::Emulation,
        memory_mb: 192,
        cpus: 2,
        firmware: Some(Firmware::Bios),
        boot: Some(Boot {
            kernel: "/srv/a & b/vmlinuz".into(),
            initrd: Some("/srv/initrd".into()),
            arguments: "console=ttyS0 name=\"<x>\"".into(),
        }),
        strings: vec!["io.systemd.credential.binary:ssh.authorized_keys.root=c3No".into()],
        disks: vec![disk(0), disk(1)],
        nics: vec![nic("carthage-01234567-lab", None), nic("carthage-01234567-wan", Some(1400))],
        console: Some("/var/log/carthage/console/web.lab.log".into()),
        ..plain()
    }
}

fn uefi() -> Domain {
    Domain { firmware: Some(Firmware::Uefi), ..plain() }
}

fn network() -> Network {
    Network {
        name: "carthage-01234567-lab".into(),
        uuid: "8d0f2b0e-5d7e-8c3a-9b1f-0123456789ab".into(),
        bridge: "cv0123456789ab".into(),
        mac: Some("52:01:23:45:67:89".into()),
        mtu: Some(1400),
        address: Some(([10, 37, 0, 254].into(), 24)),
        leases: vec![lease()],
    }
}

fn bare_network() -> Network {
    Network { mtu: None, address: None, leases: Vec::new(), ..network() }
}

/// The host's own bridge: whatever else is said of it is not libvirt's to do.
fn bridged_network() -> Network {
    Network { bridge: "br0".into(), mac: None, ..network() }
}

fn lease() -> Lease {
    Lease { mac: "02:00:00:00:00:01".into(), name: "web".into(), address: [10, 37, 0, 2].into() }
}

fn pool() -> Pool {
    Pool {
        name: "carthage-0123456789abcdef".into(),
        uuid: "8d0f2b0e-5d7e-8c3a-9b1f-0123456789ab".into(),
        path: "/var/lib/libvirt/images/carthage-0123456789abcdef".into(),
    }
}

fn volume() -> Volume {
    Volume {
        name: "web.lab.disk0.qcow2".into(),
        medium: Medium::Qcow2,
        capacity: 1 << 30,
        backing: Some(Backing { path: "/srv/debian.qcow2".into(), medium: Medium::Qcow2 }),
    }
}

/// Every document, with its name and the schema that it is of.
fn documents() -> Vec<(&'static str, &'static str, String)> {
    [
        ("domain-plain", "domain", plain().xml()),
        ("domain-full", "domain", full().xml()),
        ("domain-uefi", "domain", uefi().xml()),
        ("network", "network", network().xml()),
        ("network-bare", "network", bare_network().xml()),
        ("network-bridge", "network", bridged_network().xml()),
        ("pool", "storagepool", pool().xml()),
        ("volume", "storagevol", volume().xml()),
    ]
    .into_iter()
    .map(|(name, schema, xml)| (name, schema, xml.unwrap()))
    .collect()
}

/// `CARTHAGE_BLESS=1` writes them anew.
#[test]
fn documents_are_as_they_were_read_and_found_good() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/backend/vm/xml/golden");
    for (name, _, xml) in documents() {
        let file = golden.join(format!("{name}.xml"));
        if std::env::var_os("CARTHAGE_BLESS").is_some() {
            std::fs::write(&file, &xml).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap();
        assert_eq!(xml, expected, "{name}");
    }
    assert_eq!(lease().xml().unwrap(), "<host mac=\"02:00:00:00:00:01\" name=\"web\" ip=\"10.37.0.2\"/>\n");
}

#[test]
fn documents_hold_to_the_schema_of_libvirt() {
    let schemas = ["/usr/share/libvirt/schemas", "/usr/local/share/libvirt/schemas"];
    let Some(schemas) = schemas.iter().map(Path::new).find(|path| path.is_dir()) else {
        println!(
            "skipped: documents_hold_to_the_schema_of_libvirt: the schemas of libvirt are not installed (package libvirt-daemon or libvirt-clients)"
        );
        return;
    };
    for (name, schema, xml) in documents() {
        let schema = schemas.join(format!("{schema}.rng"));
        let Some(said) = validate(&schema, &xml) else {
            println!(
                "skipped: documents_hold_to_the_schema_of_libvirt: `xmllint` is not installed (package libxml2-utils)"
            );
            return;
        };
        assert_eq!(said, "- validates\n", "{name}:\n{xml}");
    }
    // It can fail.
    let broken = plain().xml().unwrap().replace("<vcpu>1</vcpu>", "<vcpus>1</vcpus>");
    let said = validate(&schemas.join("domain.rng"), &broken).unwrap();
    assert!(said.contains("- fails to validate"), "{said}");
}

fn validate(schema: &Path, xml: &str) -> Option<String> {
    let mut lint = Command::new("xmllint")
        .args(["--noout", "--nonet", "--relaxng"])
        .arg(schema)
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    lint.stdin.take().unwrap().write_all(xml.as_bytes()).unwrap();
    Some(String::from_utf8_lossy(&lint.wait_with_output().unwrap().stderr).into_owned())
}
