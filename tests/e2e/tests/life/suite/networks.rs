//! Networks: who reaches whom.

use std::net::SocketAddr;
use std::time::Duration;

use carthage::machine::engine::{Exec, ServiceSpec};
use carthage::{ErrorKind, Machine};
use tokio::io::AsyncReadExt;

use super::{Named, cases, refused};
use crate::ground::Ground;

pub(super) fn cases() -> Vec<Named> {
    cases![networks: neighbours_reach_each_other, strangers_do_not, has_its_own_name_and_links, is_dialled]
}

const PROGRAM: &str = "/usr/local/bin/page";

/// Serves the machine's own name there.
async fn serve(machine: &Machine, port: u16) -> carthage::Result<()> {
    machine.copy_in(carthage_e2e::programs!().page, PROGRAM).await?;
    let argv = [PROGRAM, "serve", &port.to_string(), "/etc/hostname"].map(Into::into).into();
    let exec = Exec { argv, ..Exec::default() };
    machine.start_service(&ServiceSpec { name: "page".into(), exec }).await?;
    machine.wait_for_port(port, Duration::from_secs(20)).await
}

async fn fetch(from: &Machine, host: &str, port: u16) -> carthage::Result<String> {
    let fetch = from.command([PROGRAM, "fetch", host, &port.to_string()]);
    Ok(fetch.timeout(Duration::from_secs(5)).run().await?.text())
}

async fn neighbours_reach_each_other(ground: Ground) -> carthage::Result<()> {
    let Ground { one, other, .. } = &ground;
    serve(one, 8080).await?;
    serve(other, 8080).await?;
    let address = one.address().unwrap().to_string();
    for host in ["one", "one.life.test", &address] {
        assert_eq!(fetch(other, host, 8080).await?, "one", "{host}");
    }
    for host in ["other", "other.life.test", "10.71.0.2"] {
        assert_eq!(fetch(one, host, 8080).await?, "other", "{host}");
    }
    assert_eq!(fetch(one, "one.life.test", 8080).await?, "one", "itself");
    // And also after one of them was away.
    other.stop(Duration::from_secs(5)).await?;
    assert!(fetch(one, "other", 8080).await.is_err());
    other.start().await?;
    other.wait_for_port(8080, Duration::from_secs(20)).await?;
    assert_eq!(fetch(one, "other", 8080).await?, "other");
    Ok(())
}

async fn strangers_do_not(ground: Ground) -> carthage::Result<()> {
    let Ground { one, stranger, .. } = &ground;
    serve(one, 8080).await?;
    serve(stranger, 8080).await?;
    let (ours, theirs) = (one.address().unwrap().to_string(), stranger.address().unwrap().to_string());
    for (from, to) in [
        (one, "stranger"),
        (one, "stranger.life.test"),
        (one, &*theirs),
        (stranger, "one"),
        (stranger, &*ours),
    ] {
        assert!(fetch(from, to, 8080).await.is_err(), "{} reaches {to}", from.name());
    }
    // Nor does anybody reach the host, or what is behind it: there is no way out.
    let routes = one.read_to_string("/proc/net/route").await?;
    assert!(
        !routes.lines().skip(1).any(|line| line.split_whitespace().nth(1) == Some("00000000")),
        "{routes}"
    );
    // Nor has the host a way in. (Only looked at: to try would be to send something into the world.)
    let host = std::fs::read_to_string("/proc/net/route")?;
    assert!(!host.contains("0000470A") && !host.contains("0000480A"), "{host}");
    Ok(())
}

async fn has_its_own_name_and_links(ground: Ground) -> carthage::Result<()> {
    for (machine, name) in [(&ground.one, "one"), (&ground.other, "other"), (&ground.stranger, "stranger")] {
        assert_eq!(machine.run(["uname", "-n"]).await?.text(), name);
        assert_eq!(machine.read_to_string("/etc/hostname").await?.trim(), name);
        for link in machine.links() {
            let class = format!("/sys/class/net/{}", link.interface);
            let mac = link.mac.map(|byte| format!("{byte:02x}")).join(":");
            let script = format!(
                "cat {class}/address {class}/mtu {class}/operstate 2>/dev/null || ip -o link show {}",
                link.interface
            );
            let shown = machine.run(["sh", "-c", &script]).await?.text();
            assert!(shown.contains(&mac), "{mac}: {shown}");
            assert!(shown.contains(if name == "stranger" { "1400" } else { "1500" }), "{shown}");
        }
        let table = machine.read_to_string("/proc/net/fib_trie").await?;
        assert!(table.contains(&machine.address().unwrap().to_string()), "{table}");
    }
    assert_eq!(ground.other.address().unwrap().to_string(), "10.71.0.2");
    assert_eq!(ground.other.links()[0].mac, [0x02, 0, 0x5e, 0x10, 0, 0x02]);
    Ok(())
}

async fn is_dialled(ground: Ground) -> carthage::Result<()> {
    let Ground { one, other, .. } = &ground;
    assert!(!one.port_open(8080).await?);
    let said = refused(one.wait_for_port(8080, Duration::from_millis(100)).await, ErrorKind::Timeout);
    assert!(said.contains("8080") && said.contains("one.life.test"), "{said}");
    serve(one, 8080).await?;
    assert!(one.port_open(8080).await?);
    let at = SocketAddr::new(one.address().unwrap(), 8080);
    let mut connection = other.dial(at).await?.unwrap();
    let mut said = String::new();
    connection.read_to_string(&mut said).await?;
    assert_eq!(said.trim(), "one");
    assert!(other.dial(SocketAddr::new(at.ip(), 9)).await?.is_none(), "nobody listens there");
    Ok(())
}
