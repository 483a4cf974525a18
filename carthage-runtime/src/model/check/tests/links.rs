//! Hardware addresses, networks that one machine is plugged into, DHCP and gateways.

use super::super::super::addressing::Addressing;
use super::super::super::node::{Link, Node, Part, Role};
use super::super::super::sample::*;
use super::{problem, problems, with_lab};

/// A machine with a link that has a hardware address.
fn with_mac(name: &'static str, line: u32, mac: [u8; 6]) -> Node {
    let link = Link { mac: Some(mac), ..Link::new(key("Lab"), "eth0") };
    machine(name, line, vec![Part::new("eth0", at(line + 1), Role::Link(link))])
}

#[test]
fn a_hardware_address_is_given_once_in_a_network() {
    const MAC: [u8; 6] = [0x52, 0x54, 0, 0x12, 0x34, 0xf6];
    let two = with_lab(vec![
        member("a", 60, with_mac("A", 10, MAC)),
        member("b", 61, with_mac("B", 20, [0x52, 0x54, 0, 0x12, 0x34, 0x57])),
        member("c", 62, with_mac("C", 30, MAC)),
    ]);
    assert_eq!(
        problem(two),
        "the hardware address 52:54:00:12:34:f6 on `lab` (lab.rs:50) is given twice\n  \
         to `eth0` of `a`: lab.rs:11\n  to `eth0` of `c`: lab.rs:31\n  \
         write another at one of them, or leave `mac` out to have one given"
    );
    let many = problem(with_lab(vec![array("workers", 60, 20, with_mac("Worker", 10, MAC))]));
    assert!(many.contains("the machines of an array cannot have one address"), "{many}");
    // Each group has a network of its own.
    let group = || {
        let lab = network("Lab", 5, "10.37.0.0/24", "10.37.0.5-10.37.0.25");
        enclave("Group", 40, vec![member("lab", 41, lab), member("a", 42, with_mac("A", 10, MAC))])
            .domain("group")
    };
    assert_eq!(problems(layout(vec![array("groups", 60, 3, group())])), Vec::<String>::new());
    // Where addresses are not ours to give, there are hardware addresses all the same.
    let bare = layout(vec![
        member("lab", 50, network("Lab", 5, "", "")),
        array("workers", 60, 2, with_mac("Worker", 10, MAC)),
    ]);
    assert!(problem(bare).contains("is given twice"));
}

#[test]
fn networks_of_one_machine_are_apart() {
    let mut random = fastrand::Rng::with_seed(37);
    for round in 0..200 {
        let count = random.usize(2..7);
        let subnets: Vec<(u32, u8)> = (0..count)
            .map(|_| {
                let prefix = random.u8(6..10);
                (random.u32(..) & (u32::MAX << (32 - prefix)), prefix)
            })
            .collect();
        let overlap = |a: (u32, u8), b: (u32, u8)| {
            let mask = u32::MAX << (32 - a.1.min(b.1));
            a.0 & mask == b.0 & mask
        };
        let any = (0..count).any(|i| (0..i).any(|j| overlap(subnets[i], subnets[j])));
        let names = ["N0", "N1", "N2", "N3", "N4", "N5", "N6"];
        let fields = ["n0", "n1", "n2", "n3", "n4", "n5", "n6"];
        let links = (0..count).map(|i| {
            let own = std::net::Ipv4Addr::from_bits(subnets[i].0 + 1 + i as u32).to_string();
            link_called(fields[i], 10 + i as u32, names[i], &own, fields[i])
        });
        let mut parts: Vec<Part> = (0..count)
            .map(|i| {
                let text = format!("{}/{}", std::net::Ipv4Addr::from_bits(subnets[i].0), subnets[i].1);
                member(fields[i], 50 + i as u32, network(names[i], 30 + i as u32, &text, ""))
            })
            .collect();
        parts.push(member("router", 60, machine("Router", 5, links.collect())));
        let found = problems(layout(parts));
        assert_eq!(!found.is_empty(), any, "round {round}: {subnets:?} {found:#?}");
        assert!(found.iter().all(|text| text.contains("two networks of `router`")), "{found:#?}");
    }
    // Twice into one network is not two networks.
    let twice = vec![
        link_called("eth0", 11, "Lab", "10.37.0.2", "eth0"),
        link_called("eth1", 12, "Lab", "10.37.0.3", "eth1"),
    ];
    assert_eq!(problems(with_lab(vec![member("m", 60, machine("M", 10, twice))])), Vec::<String>::new());
}

#[test]
fn what_dhcp_gives_is_nobodys_and_the_gateway_is_one_machine() {
    let lab = || {
        let node = network("Lab", 5, "10.37.0.0/24", "");
        let addressing: Addressing = node.addressing.dhcp(range("10.37.0.100-10.37.0.199"));
        node.addressing(addressing.gateway(address("10.37.0.1")))
    };
    let with = |given| {
        layout(vec![
            member("lab", 50, lab()),
            member("m", 60, machine("M", 10, vec![link(11, "Lab", given)])),
        ])
    };
    for fine in ["10.37.0.1", "10.37.0.99", "10.37.0.200"] {
        assert_eq!(problems(with(fine)), Vec::<String>::new(), "{fine}");
    }
    for wrong in ["10.37.0.100", "10.37.0.199"] {
        assert!(problem(with(wrong)).contains("which the DHCP server of `Lab` gives out"), "{wrong}");
    }
    let workers = |given| {
        let worker = machine("Worker", 10, vec![link(11, "Lab", given)]);
        layout(vec![member("lab", 50, lab()), array("workers", 60, 3, worker)])
    };
    assert!(
        problem(workers("10.37.0.98-10.37.0.100"))
            .contains("of which the DHCP server of `Lab` gives out some")
    );
    assert!(
        problem(workers("10.37.0.1-10.37.0.3")).contains("which include the gateway of `Lab`, 10.37.0.1")
    );
}
