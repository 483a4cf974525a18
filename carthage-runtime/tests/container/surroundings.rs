//! What a container gets from the host, and gives to it.

use carthage_runtime::BoxError;
use carthage_runtime::machine::engine::{Exec, MachineSpec, MountSpec, PortSpec, Protocol, ServiceSpec};

use super::support::{GRACE, Outcome, TestSite, has};

pub(crate) async fn environment(site: TestSite) -> Outcome {
    let mut machine = site.machine("m", 2, &[]);
    machine.environment.insert("WORD".into(), "it's \"a\" $word\nin two lines".into());
    site.up(&[&machine]).await?;
    let word = machine.environment["WORD"].clone();
    assert_eq!(site.sh_ok(&machine, "printf %s \"$WORD\"").await?, word);
    let argv =
        ["su", "-s", "/bin/sh", "nobody", "-c", "printf %s \"$WORD\" >/tmp/word"].map(Into::into).to_vec();
    let service = ServiceSpec { name: "word".into(), exec: Exec { argv, ..Exec::default() } };
    site.engine.start_service(&machine, &service).await?;
    let deadline = std::time::Instant::now() + GRACE;
    while site.sh_ok(&machine, "cat /tmp/word 2>/dev/null || true").await? != word {
        assert!(std::time::Instant::now() < deadline, "services have it, too");
    }
    Ok(())
}

pub(crate) async fn mounts(site: TestSite) -> Outcome {
    // Podman takes no comma, and says so.
    let name = if site.is_docker() { "a, shared: place" } else { "a shared: place" };
    let shared = site.directory.join(name);
    std::fs::create_dir(&shared)?;
    std::fs::write(shared.join("word"), "from outside")?;
    let mount =
        |target: &str, readonly| MountSpec { source: shared.clone(), target: target.into(), readonly };
    let machine = MachineSpec {
        mounts: vec![mount("/srv/rw", false), mount("/srv/ro", true)],
        ..site.machine("m", 2, &[])
    };
    site.up(&[&machine]).await?;
    assert_eq!(site.sh_ok(&machine, "cat /srv/ro/word; echo inside >/srv/rw/answer").await?, "from outside");
    assert_eq!(std::fs::read_to_string(shared.join("answer"))?, "inside\n");
    let (exit, said) = site.sh(&machine, "echo x >/srv/ro/word").await?;
    assert!(!exit.success(), "{said}");
    let missing = MachineSpec {
        mounts: vec![MountSpec {
            source: site.directory.join("missing"),
            target: "/srv".into(),
            readonly: true,
        }],
        ..site.machine("n", 3, &[])
    };
    let made = async {
        site.engine.create(&missing).await?;
        site.engine.start(&missing).await
    };
    has(&format!("{:?}", made.await.unwrap_err()), "missing")?;
    Ok(())
}

/// Ports are reached through the host, whatever networks the machine is on; these stay without a way out.
pub(crate) async fn ports(site: TestSite) -> Outcome {
    let port = 20000 + fastrand::u16(..10000);
    let expose = |inside, outside, protocol| PortSpec { inside, outside, protocol };
    let served = MachineSpec {
        ports: vec![expose(80, port, Protocol::Tcp), expose(53, port, Protocol::Udp)],
        ..site.machine("served", 2, &["a"])
    };
    let alone =
        MachineSpec { ports: vec![expose(80, port + 1, Protocol::Tcp)], ..site.machine("alone", 3, &[]) };
    let other = site.machine("other", 4, &["a"]);
    site.up(&[&served, &alone, &other]).await?;
    for machine in [&served, &alone] {
        site.sh_ok(machine, "mkdir -p /srv; echo \"$(hostname)\" >/srv/index.html; httpd -p 80 -h /srv")
            .await?;
    }
    let reached = || async {
        for (machine, port) in [(&served, port), (&alone, port + 1)] {
            let said = get(&site, machine, port).await?;
            has(&said, &machine.hostname)?;
        }
        Ok::<_, BoxError>(())
    };
    reached().await?;
    has(&site.sh_ok(&served, "ip addr show dev eth0").await?, &site.address("a", 2))?;
    site.sh_ok(&other, "ping -c 1 -W 2 served.lab").await?;
    // The networks of the ports do not lead from one to the other. netavark 1.4 forgets that for all networks when one goes,
    // as those of other tests do meanwhile.
    if site.is_docker() {
        let address = "ip -4 addr show dev eth0 | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p'";
        let alone_at = site.sh_ok(&alone, address).await?;
        let (exit, said) = site.sh(&served, &format!("ping -c 1 -W 1 {}", alone_at.trim())).await?;
        assert!(!exit.success(), "{said}");
    }
    site.engine.stop(&served, GRACE).await?;
    site.engine.start(&served).await?;
    site.sh_ok(&served, "httpd -p 80 -h /srv").await?;
    reached().await
}

/// Fetches a page from a port of the engine's host, in whose network namespace the engine runs.
async fn get(site: &TestSite, machine: &MachineSpec, port: u16) -> Result<String, BoxError> {
    let pid =
        site.client.inspect_container(&site.container(machine), None).await?.state.unwrap().pid.unwrap();
    let engine = engine_of(pid)?;
    let command =
        format!("exec 3<>/dev/tcp/127.0.0.1/{port}; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3");
    let mut nsenter = tokio::process::Command::new("nsenter");
    nsenter.arg(format!("--net=/proc/{engine}/ns/net")).args(["bash", "-c", &command]);
    let output = tokio::time::timeout(GRACE, nsenter.output()).await??;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// The parent of a container's first process, which is in the engine's network namespace.
fn engine_of(pid: i64) -> Result<i64, BoxError> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').ok_or("no stat")?.1;
    Ok(fields.split_whitespace().nth(1).ok_or("no parent")?.parse()?)
}
