//! Networks: who reaches whom.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use carthage::machine::capability::Capability;
use carthage::machine::engine::{Exec, ServiceSpec};
use carthage::{ErrorKind, Machine};
use tokio::io::AsyncReadExt;

use super::{Case, cases, refused};
use crate::ground::{Ground, has};
use crate::subject::facts;

pub(super) fn cases() -> Vec<Case> {
    // What is there already is plugged in already, and is one host with whoever else is it.
    cases![open networks: is_dialled, neighbours_reach_each_other [Links, Power], strangers_do_not [Links, Power],
        has_its_own_name_and_links [Links, Power]]
}

/// Serves a file to whoever connects, or fetches one; runs in any machine.
const PAGE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/page"));

/// The program in a machine, put there if it is not.
async fn program(machine: &Machine) -> carthage::Result<String> {
    let path = (facts().base)(machine).await?.join("networks-page");
    if !machine.exists(&path).await? {
        machine.write_with_mode(&path, 0o755, PAGE).await?;
    }
    Ok(path.into_os_string().into_string().unwrap())
}

/// A port that nobody else uses, also where the machine's are the host's.
pub(super) async fn free_port() -> u16 {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    listener.local_addr().unwrap().port()
}

/// Serves the machine's own name.
pub(super) async fn serve(machine: &Machine, port: u16) -> carthage::Result<()> {
    let program = program(machine).await?;
    let file = format!("{program}.name");
    machine.write(&file, &machine.spec().hostname).await?;
    let argv = [&program, "serve", &port.to_string(), &file].map(Into::into).into();
    let exec = Exec { argv, ..Exec::default() };
    machine.start_service(&ServiceSpec { name: "page".into(), exec }).await?;
    machine.wait_for_port(port, Duration::from_secs(60)).await
}

pub(super) async fn fetch(from: &Machine, host: &str, port: u16) -> carthage::Result<String> {
    let fetch = from.command([&program(from).await?, "fetch", host, &port.to_string()]);
    Ok(fetch.timeout(Duration::from_secs(5)).run().await?.text())
}

async fn is_dialled(ground: Ground) -> carthage::Result<()> {
    let Ground { one, other, .. } = &ground;
    let port = free_port().await;
    assert!(!one.port_open(port).await?);
    let said = refused(one.wait_for_port(port, Duration::from_millis(100)).await, ErrorKind::Timeout);
    assert!(said.contains(&port.to_string()) && said.contains(one.name()), "{said}");
    serve(one, port).await?;
    assert!(one.port_open(port).await?);
    let mut ways = vec![(one, SocketAddr::from((Ipv4Addr::LOCALHOST, port)))];
    if has(Capability::Links) && has(Capability::Power) {
        ways.push((other, SocketAddr::new(one.address().unwrap(), port)));
    }
    for (from, at) in ways {
        let mut connection = from.dial(at).await?.unwrap();
        let mut said = String::new();
        connection.read_to_string(&mut said).await?;
        assert_eq!(said, one.spec().hostname);
    }
    let nobody = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().await));
    assert!(one.dial(nobody).await?.is_none(), "nobody listens there");
    Ok(())
}

/// All that a machine is called.
fn names(machine: &Machine) -> [String; 3] {
    [machine.spec().hostname.clone(), machine.name().to_owned(), machine.address().unwrap().to_string()]
}

async fn neighbours_reach_each_other(ground: Ground) -> carthage::Result<()> {
    let Ground { one, other, .. } = &ground;
    for (server, client) in [(one, other), (other, one)] {
        serve(server, 8080).await?;
        for name in names(server) {
            assert_eq!(fetch(client, &name, 8080).await?, server.spec().hostname, "{name}");
        }
    }
    assert_eq!(fetch(one, one.name(), 8080).await?, one.spec().hostname, "itself");
    if has(Capability::Power) {
        // And also after one of them was away.
        other.stop(Duration::from_secs(5)).await?;
        assert!(fetch(one, other.name(), 8080).await.is_err());
        other.start().await?;
        other.wait_for_port(8080, Duration::from_secs(60)).await?;
        assert_eq!(fetch(one, other.name(), 8080).await?, other.spec().hostname);
    }
    Ok(())
}

async fn strangers_do_not(ground: Ground) -> carthage::Result<()> {
    let Ground { one, stranger, .. } = &ground;
    serve(one, 8080).await?;
    serve(stranger, 8080).await?;
    for (from, to) in [(one, stranger), (stranger, one)] {
        for name in names(to) {
            assert!(fetch(from, &name, 8080).await.is_err(), "{} reaches {name}", from.name());
        }
    }
    Ok(())
}

/// Each interface with its hardware address and its MTU, as the machine shows them.
const INTERFACES: &str = "for i in /sys/class/net/*; do \
    echo \"${i##*/} $(cat $i/address) mtu $(cat $i/mtu)\"; done 2>/dev/null; ip -o link show 2>/dev/null; true";

async fn has_its_own_name_and_links(ground: Ground) -> carthage::Result<()> {
    for machine in [&ground.one, &ground.other, &ground.stranger] {
        assert_eq!(machine.run(["uname", "-n"]).await?.text(), machine.spec().hostname);
        let shown = machine.run(["sh", "-c", INTERFACES]).await?.text();
        for link in machine.links() {
            let mac = link.mac.unwrap().map(|byte| format!("{byte:02x}")).join(":");
            let line = shown.lines().find(|line| line.contains(&mac));
            let line = line.unwrap_or_else(|| panic!("no interface with {mac}: {shown}"));
            let mtu = link.mtu.unwrap_or(1500);
            assert!(line.contains(&format!("mtu {mtu}")), "{mtu}: {line}");
            if has(Capability::InterfaceNames) {
                assert!(line.contains(&link.interface), "{}: {line}", link.interface);
            }
        }
        let table = machine.read_to_string("/proc/net/fib_trie").await?;
        assert!(table.contains(&machine.address().unwrap().to_string()), "{table}");
    }
    Ok(())
}
