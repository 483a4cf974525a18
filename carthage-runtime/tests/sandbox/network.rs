//! Who reaches whom.

use std::net::SocketAddr;
use std::path::Path;

use libtest_mimic::Failed;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Test, TestSite, machine, on_a_site};
use carthage_runtime::machine::engine::{HostEntry, MachineSpec, ServiceSpec};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![("machines_meet_on_their_networks_only", meeting), ("there_is_no_way_out", no_way_out)]
}

/// A server of one line per connection, out of what every host has.
async fn serve(site: &TestSite, machine: &MachineSpec) -> Result<(), Failed> {
    let program = "import socket\ns = socket.create_server(('', 8080))\nwhile True:\n    c, _ = s.accept()\n    c.sendall(socket.gethostname().encode())\n    c.close()\n";
    let path = Path::new("/srv/serve.py");
    site.engine.write(machine, path, None, Box::new(program.as_bytes())).await?;
    let argv = [
        "sh",
        "-c",
        "exec $(ls /usr/bin/python3* /usr/local/bin/python3 2>/dev/null | head -n1) /srv/serve.py",
    ];
    let exec =
        carthage_runtime::machine::engine::Exec { argv: argv.map(Into::into).to_vec(), ..Default::default() };
    site.engine.start_service(machine, &ServiceSpec { name: "serve".into(), exec }).await?;
    let own: SocketAddr = "127.0.0.1:8080".parse()?;
    let deadline = tokio::time::Instant::now() + crate::support::GRACE;
    while site.engine.dial(machine, own).await?.is_none() {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the server does not listen: {:?}",
            site.engine.services(machine).await?
        );
    }
    Ok(())
}

fn meeting() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["left"]);
        let two = machine("two", 2, &["left", "right"]);
        let three = MachineSpec {
            links: machine("x", 3, &["left", "right"]).links.split_off(1),
            ..machine("three", 3, &[])
        };
        site.up(&[&one, &two, &three]).await?;
        for served in [&one, &two, &three] {
            serve(&site, served).await?;
        }
        let entry = HostEntry { address: "10.37.0.2".parse()?, names: vec!["two.lab".into(), "two".into()] };
        site.engine.set_hosts(&one, &vec![entry].into()).await?;
        let fetch = |host: &str| format!("exec 3<>/dev/tcp/{host}/8080 && cat <&3");
        let bash = async |from: &MachineSpec, host: &str| {
            site.sh(from, &format!("timeout 3 bash -c '{}' 2>&1", fetch(host))).await
        };
        assert_eq!(bash(&one, "10.37.0.2").await?.1, "two");
        assert_eq!(bash(&one, "two").await?.1, "two");
        assert_eq!(bash(&two, "10.37.0.1").await?.1, "one");
        assert_eq!(bash(&two, "10.37.1.3").await?.1, "three");
        assert!(!bash(&one, "10.37.1.3").await?.0.success(), "they have no network in common");
        assert!(!bash(&three, "10.37.0.1").await?.0.success(), "they have no network in common");
        let mut stream = site.engine.dial(&one, "10.37.0.2:8080".parse()?).await?.unwrap();
        let mut greeting = String::new();
        stream.read_to_string(&mut greeting).await?;
        stream.shutdown().await.ok();
        assert_eq!(greeting, "two");
        assert!(site.engine.dial(&one, "10.37.0.2:8081".parse()?).await?.is_none());
        // A machine that comes back is plugged in again at once.
        site.engine.stop(&two, crate::support::GRACE).await?;
        site.engine.start(&two).await?;
        let deadline = tokio::time::Instant::now() + crate::support::GRACE;
        while bash(&one, "10.37.0.2").await?.1 != "two" {
            assert!(tokio::time::Instant::now() < deadline);
        }
        site.down(&[&one, &two, &three]).await
    })
}

fn no_way_out() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["lab"]);
        site.up(&[&one]).await?;
        let routes = site.sh_ok(&one, "cat /proc/net/route | tail -n +2 | awk '{print $1, $2}'").await?;
        assert_eq!(routes, "eth0 0000250A\n");
        let interfaces = site.sh_ok(&one, "ls /sys/class/net").await?;
        assert_eq!(interfaces, "eth0\nlo\n");
        assert!(site.engine.dial(&one, "192.0.2.1:80".parse()?).await.is_err());
        site.sh_ok(
            &one,
            "echo 1 > /proc/sys/net/ipv4/ip_forward && ip link set lo down && ip link set lo up",
        )
        .await?;
        site.down(&[&one]).await
    })
}
