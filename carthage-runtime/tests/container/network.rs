//! Networks of containers.

use carthage_runtime::BoxError;
use carthage_runtime::machine::engine::{Aspect, Effect, HostEntry, MountSpec, NetworkSpec, Presence};

use super::support::{GRACE, Outcome, TestSite, has};

pub(crate) async fn several_links(site: TestSite) -> Outcome {
    // Neither the names' order nor its reverse.
    let machine = site.machine("m", 2, &["b", "c", "a"]);
    site.up(&[&machine]).await?;
    let look = || async {
        for (at, link) in machine.links.iter().enumerate() {
            let shown = site
                .sh_ok(&machine, &format!("ip addr show dev eth{at}; cat /sys/class/net/eth{at}/mtu"))
                .await?;
            has(&shown, &format!("inet {}", link.address.unwrap()))?;
            has(&shown, &link.mac.unwrap().map(|byte| format!("{byte:02x}")).join(":"))?;
            has(&shown, "\n1400\n")?;
        }
        Ok::<_, BoxError>(())
    };
    look().await?;
    site.engine.stop(&machine, GRACE).await?;
    site.engine.start(&machine).await?;
    look().await?;
    assert!(site.is_running(&machine).await?);
    Ok(())
}

pub(crate) async fn names(site: TestSite) -> Outcome {
    let (one, two) = (site.machine("one", 2, &["a"]), site.machine("two", 3, &["a"]));
    site.up(&[&one, &two]).await?;
    let address = two.links[0].address.unwrap().addr().to_string();
    for name in ["two", "two.lab"] {
        let server = "$(sed -n 's/^nameserver //p' /etc/resolv.conf | head -n 1)";
        has(&site.sh_ok(&one, &format!("nslookup {name} {server}")).await?, &address)?;
        site.sh_ok(&one, &format!("ping -c 1 -W 2 {name}")).await?;
    }
    Ok(())
}

/// Ours in `/etc/hosts` change; what else stands there stays. Also where that file is not the engine's.
pub(crate) async fn names_change(site: TestSite) -> Outcome {
    let (one, mut mounted) = (site.machine("one", 2, &["a"]), site.machine("mounted", 3, &["a"]));
    let source = site.directory.join("hosts");
    std::fs::write(&source, "127.0.0.1\tlocalhost\n")?;
    mounted.mounts = vec![MountSpec { source: source.clone(), target: "/etc/hosts".into(), readonly: false }];
    site.up(&[&one, &mounted]).await?;
    let entry = |number: u8, names: &[&str]| HostEntry {
        address: [10, 9, 9, number].into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    for machine in [&one, &mounted] {
        let before = site.sh_ok(machine, "cat /etc/hosts").await?;
        site.engine.set_hosts(machine, &vec![entry(1, &["x.lab", "x"]), entry(2, &["y.lab"])].into()).await?;
        let ours = "# carthage begin\n10.9.9.1\tx.lab x\n10.9.9.2\ty.lab\n# carthage end";
        assert_eq!(
            site.sh_ok(machine, "cat /etc/hosts").await?.trim_end(),
            format!("{}\n{ours}", before.trim_end())
        );
        site.sh_ok(machine, "echo '10.9.9.9\tmine' >>/etc/hosts").await?;
        // Again, with less, and when it was away.
        site.engine.set_hosts(machine, &vec![entry(3, &["z"])].into()).await?;
        let ours = "10.9.9.9\tmine\n# carthage begin\n10.9.9.3\tz\n# carthage end";
        let text = site.sh_ok(machine, "cat /etc/hosts").await?;
        assert_eq!(text.trim_end(), format!("{}\n{ours}", before.trim_end()));
        site.engine.set_hosts(machine, &vec![entry(3, &["z"])].into()).await?;
        assert_eq!(site.sh_ok(machine, "cat /etc/hosts").await?, text);
        site.engine.stop(machine, GRACE).await?;
        site.engine.start(machine).await?;
        site.engine.set_hosts(machine, &vec![entry(4, &["w"])].into()).await?;
        let text = site.sh_ok(machine, "cat /etc/hosts").await?;
        has(&text, "# carthage begin\n10.9.9.4\tw\n# carthage end")?;
        assert!(!text.contains("10.9.9.3"), "{text}");
    }
    has(&std::fs::read_to_string(source)?, "10.9.9.4\tw")
}

/// Machines without a common network do not reach each other, and none reaches the host's neighbours.
pub(crate) async fn apart(site: TestSite) -> Outcome {
    let (one, two) = (site.machine("one", 2, &["a"]), site.machine("two", 2, &["b"]));
    let both = site.machine("both", 3, &["a", "b"]);
    site.up(&[&one, &two, &both]).await?;
    let address = |machine: &carthage_runtime::machine::engine::MachineSpec, link: usize| {
        machine.links[link].address.unwrap().addr().to_string()
    };
    for (from, to) in [(&one, address(&both, 0)), (&two, address(&both, 1)), (&both, address(&two, 0))] {
        site.sh_ok(from, &format!("ping -c 1 -W 2 {to}")).await?;
    }
    for (from, to) in [(&one, address(&two, 0)), (&two, address(&one, 0)), (&one, address(&both, 1))] {
        let (exit, said) = site.sh(from, &format!("ping -c 1 -W 1 {to}")).await?;
        assert!(!exit.success(), "{said}");
    }
    // Not even one that knows the way.
    let name = site.container(&one);
    let exec = bollard::models::ExecConfig {
        cmd: Some(
            ["ip", "route", "replace", "default", "via"]
                .map(str::to_owned)
                .into_iter()
                .chain([site.address("a", 14).trim_end_matches("/28").to_owned()])
                .collect(),
        ),
        privileged: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        ..bollard::models::ExecConfig::default()
    };
    let exec = site.client.create_exec(&name, exec).await?.id;
    let started = site.client.start_exec(&exec, None::<bollard::exec::StartExecOptions>).await?;
    if let bollard::exec::StartExecResults::Attached { mut output, .. } = started {
        while futures_util::StreamExt::next(&mut output).await.is_some() {}
    }
    has(&site.sh_ok(&one, "ip route").await?, "default via")?;
    let (exit, said) = site.sh(&one, &format!("ping -c 1 -W 1 {}", address(&two, 0))).await?;
    assert!(!exit.success(), "{said}");
    Ok(())
}

/// A link that somebody pulled out is noticed, and plugged in again by a restart; so is one whose network was made anew.
pub(crate) async fn plugged_in_again(site: TestSite) -> Outcome {
    let (one, two) = (site.machine("one", 2, &["a", "b"]), site.machine("two", 3, &["a"]));
    site.up(&[&one, &two]).await?;
    let network = format!("carthage-{}-a", &site.id[..8]);
    for machine in [&one, &two] {
        let request = bollard::models::NetworkDisconnectRequest {
            container: site.container(machine),
            force: Some(true),
        };
        site.client.disconnect_network(&network, request).await?;
    }
    let found = site.engine.find(&one).await?;
    let [altered] = found.alterations() else { panic!("{found:?}") };
    assert_eq!((altered.aspect, altered.mends), (Aspect::Links, Effect::Restart));
    has(&altered.what, "its link `port0` is not plugged into")?;
    site.client.remove_network(&network).await?;
    assert_eq!(site.engine.find_network(&site.network("a")).await?, Presence::Absent);
    site.engine.create_network(&site.network("a")).await?;
    for machine in [&one, &two] {
        site.engine.stop(machine, GRACE).await?;
        site.engine.start(machine).await?;
        assert!(site.is_running(machine).await?);
    }
    site.sh_ok(&one, "ping -c 1 -W 2 two.lab").await?;
    has(&site.sh_ok(&one, "ip addr show dev eth0").await?, &site.address("a", 2))?;
    Ok(())
}

pub(crate) async fn readdressed(site: TestSite) -> Outcome {
    let one = site.machine("one", 2, &["a"]);
    site.up(&[&one]).await?;
    let before = site.engine.find_network(&site.network("a")).await?;
    let identity = site.engine.create_network(&site.network("a")).await?;
    assert_eq!(before.identity(), Some(&identity), "made once");
    let other = NetworkSpec { v4: site.network("c").v4, ..site.network("a") };
    let identity = site.engine.create_network(&other).await?;
    assert_ne!(before.identity(), Some(&identity));
    site.engine.stop(&one, GRACE).await?;
    site.engine.remove(&one).await?;
    let mut again = site.machine("one", 2, &["c"]);
    again.links[0].network = "a".into();
    site.engine.create(&again).await?;
    site.engine.start(&again).await?;
    has(&site.sh_ok(&again, "ip addr show dev eth0").await?, &site.address("c", 2))?;
    Ok(())
}
