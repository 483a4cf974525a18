//! From nothing to a running machine, and back.

use carthage_runtime::machine::engine::{Identity, MachineSpec, Presence, ServiceSpec, ServiceState};
use libtest_mimic::Failed;

use crate::support::{GRACE, Test, is_root, machine, on_a_site};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("a_machine_is_created_started_stopped_and_removed", life),
        ("a_machine_is_renamed_with_all_that_it_has", renamed),
        ("the_writable_layer_survives_a_stop_and_not_a_removal", layer),
        ("the_host_is_masked", masked),
        ("a_directory_can_be_the_root", directory),
        ("limits_are_enforced_or_reported", limits),
        ("two_layouts_do_not_meet", two_layouts),
        ("ten_machines_start_at_once", ten),
        ("a_host_that_forbids_namespaces_says_how", forbidden),
    ]
}

fn life() -> Result<(), Failed> {
    on_a_site(async |site| {
        let engine = &site.engine;
        engine.survey(&[]).await?;
        let one = machine("one", 1, &["lab"]);
        assert_eq!(engine.find(&one).await?, Presence::Absent);
        assert_eq!(engine.find_network(&crate::support::network("lab")).await?, Presence::Absent);
        engine.stop(&one, GRACE).await?;
        engine.remove(&one).await?;
        engine.remove_network(&crate::support::network("lab")).await?;

        let lab = engine.create_network(&crate::support::network("lab")).await?;
        assert_eq!(engine.create_network(&crate::support::network("lab")).await?, lab);
        assert_eq!(engine.find_network(&crate::support::network("lab")).await?, Presence::Running(lab));
        let identity = engine.create(&one).await?;
        assert_eq!(engine.create(&one).await?, identity);
        assert_eq!(engine.find(&one).await?, Presence::Stopped(identity.clone()));
        for _ in 0..2 {
            engine.start(&one).await?;
            assert_eq!(engine.find(&one).await?, Presence::Running(identity.clone()));
        }
        let seen = site
            .sh_ok(&one, "hostname; cat /proc/1/comm; ip -o -4 addr show eth0; ip link show eth0")
            .await?;
        assert!(seen.starts_with("one\none\n"), "{seen}");
        assert!(
            seen.contains("10.37.0.1/24") && seen.contains("02:00:00:00:00:01") && seen.contains("mtu 1400"),
            "{seen}"
        );
        engine.stop(&one, GRACE).await?;
        engine.stop(&one, GRACE).await?;
        assert_eq!(engine.find(&one).await?, Presence::Stopped(identity.clone()));
        let refused = engine.exec(&one, crate::support::shell("true")).await.unwrap_err();
        assert!(refused.to_string().contains("is not running"), "{refused:?}");
        engine.start(&one).await?;
        assert_eq!(engine.find(&one).await?, Presence::Running(identity.clone()));
        site.down(&[&one]).await?;
        assert_eq!(engine.find(&one).await?, Presence::Absent);
        let other: Identity = engine.create(&one).await?;
        assert_ne!(other, identity, "a recreated machine is another");
        engine.remove(&one).await?;
        Ok(())
    })
}

fn renamed() -> Result<(), Failed> {
    on_a_site(async |site| {
        let engine = &site.engine;
        let (one, two) = (machine("one", 1, &["lab"]), machine("two", 1, &["lab"]));
        site.up(&[&one]).await?;
        let Presence::Running(identity) = engine.find(&one).await? else {
            return Err("it does not run".into());
        };
        site.sh_ok(&one, "echo kept > /etc/kept").await?;
        let service = ServiceSpec { name: "sleep".into(), exec: crate::support::shell("exec sleep 1000") };
        engine.start_service(&one, &service).await?;
        engine.stop(&one, GRACE).await?;
        // Also when what reaches its root while it is stopped is there.
        assert!(engine.stat(&one, "/etc/kept".as_ref()).await?.is_some());
        for _ in 0..2 {
            engine.rename(&one, &two).await?;
            assert_eq!(engine.find(&one).await?, Presence::Absent);
            assert_eq!(engine.find(&two).await?, Presence::Stopped(identity.clone()));
        }
        assert!(engine.stat(&two, "/etc/kept".as_ref()).await?.is_some());
        engine.start(&two).await?;
        assert_eq!(engine.find(&two).await?, Presence::Running(identity));
        assert_eq!(site.sh_ok(&two, "hostname; cat /etc/kept").await?, "two\nkept\n");
        assert!(matches!(engine.services(&two).await?[0].state, ServiceState::Running(_)));
        // Nothing of the old name is in the way of another.
        engine.create(&one).await?;
        assert!(engine.stat(&one, "/etc/kept".as_ref()).await?.is_none());
        site.down(&[&one, &two]).await
    })
}

fn layer() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let places =
            "/etc/kept /usr/local/bin/kept /usr/share/kept /var/lib/lab/kept /srv/kept /root/kept /kept";
        site.sh_ok(&one, &format!("mkdir /var/lib/lab; for i in {places}; do echo $i > $i || exit; done; rm /etc/hostname; echo x >> /etc/profile; touch /tmp/gone /run/gone")).await?;
        site.engine.stop(&one, GRACE).await?;
        site.engine.start(&one).await?;
        let kept = site
            .sh_ok(&one, &format!("cat {places}; tail -n1 /etc/profile; hostname; ls -A /tmp; ls -A /run"))
            .await?;
        assert_eq!(kept.replace('\n', " "), format!("{places} x one "), "{kept}");
        site.down(&[&one]).await?;
        site.up(&[&one]).await?;
        let gone = site.sh_ok(&one, "ls /kept /etc/kept 2>/dev/null; true").await?;
        assert_eq!(gone, "");
        site.down(&[&one]).await
    })
}

fn masked() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let own = site
            .sh_ok(&one, "ls -A /home /root /tmp /run /boot; cat /etc/shadow; ls /etc/ssh; id -u; hostname")
            .await?;
        assert!(!own.contains("$y$") && !own.contains("$6$") && own.contains("root:*:19000:"), "{own}");
        assert!(!own.contains("ssh_host"), "{own}");
        let everywhere =
            site.sh_ok(&one, &format!("find / -xdev -name '{}' 2>/dev/null; true", "s".repeat(120))).await?;
        assert_eq!(everywhere, "", "the state directory is not to be seen");
        let processes = site.sh_ok(&one, "ls -d /proc/[0-9]* | wc -l").await?;
        assert!(processes.trim().parse::<u32>().unwrap() < 10, "{processes}");
        for forbidden in [
            "mount -t tmpfs none /mnt",
            "mount -t devtmpfs none /mnt",
            "mknod /root/disk b 254 0",
            "test -w /proc/sysrq-trigger",
            "test -w /proc/sys/kernel/core_pattern",
            "readlink /proc/1/fd/0",
            "umount /proc/sys",
            "chroot /proc/1/root true",
            "test -n \"$(ls /sys/fs/cgroup 2>/dev/null)\"",
            "date -s now",
            "nsenter -t 1 -a true",
        ] {
            let (exit, output) = site.sh(&one, forbidden).await?;
            assert!(!exit.success(), "`{forbidden}` is possible: {output}");
        }
        site.down(&[&one]).await
    })
}

fn directory() -> Result<(), Failed> {
    on_a_site(async |site| {
        // The directory holds the layout's own, which must not be seen in it.
        let root = site.directory.clone();
        let libraries = std::process::Command::new("ldd").arg("/bin/sh").output()?;
        let libraries = String::from_utf8(libraries.stdout)?;
        for file in libraries.split_whitespace().filter(|word| word.starts_with('/')).chain(["/bin/sh"]) {
            let target = root.join(file.trim_start_matches('/'));
            std::fs::create_dir_all(target.parent().unwrap())?;
            std::fs::copy(file, target)?;
        }
        std::fs::create_dir_all(root.join("etc"))?;
        std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/:/bin/sh\n")?;
        let one = MachineSpec { root: Some(root.clone()), ..machine("one", 1, &[]) };
        site.up(&[&one]).await?;
        let seen = site.sh_ok(&one, "echo changed > /etc/passwd; for i in /*; do echo $i; done").await?;
        for expected in ["/bin", "/dev", "/etc", "/proc", "/run", "/sys", "/tmp"] {
            assert!(seen.lines().any(|line| line == expected), "{expected}: {seen}");
        }
        let state = site.base().parent().unwrap().strip_prefix(&root)?.to_owned();
        let seen = site
            .sh_ok(&one, &format!("cd '/{}/..'; for i in * */* */*/*; do echo $i; done", state.display()))
            .await?;
        assert!(seen.contains("state, with") && !seen.contains("sandbox"), "{seen}");
        site.down(&[&one]).await?;
        assert!(
            std::fs::read_to_string(root.join("etc/passwd"))?.starts_with("root:"),
            "it is not written to"
        );
        let missing = MachineSpec { root: Some(root.join("no")), ..one };
        let refused = site.engine.create(&missing).await.unwrap_err();
        assert!(refused.to_string().contains("is not a directory"), "{refused:?}");
        Ok(())
    })
}

fn limits() -> Result<(), Failed> {
    on_a_site(async |site| {
        let survey = site.engine.survey(&[]).await?;
        let mut one = machine("one", 1, &[]);
        (one.memory_mb, one.cpus) = (Some(64), Some(1));
        site.up(&[&one]).await?;
        let greedy = "head -c 300m /dev/zero | tail -c 299m | wc -c";
        let (exit, output) = site.sh(&one, &format!("sh -o pipefail -c '{greedy}' 2>&1 || {greedy}")).await?;
        let counted = exit.success() && output.contains(&(299_u64 << 20).to_string());
        assert_eq!(counted, survey.memory_not_enforced.is_some(), "{survey:?}: {exit}: {output}");
        assert!(is_root() || survey.memory_not_enforced.is_some() || survey.cpus_not_enforced.is_none());
        assert!(site.running(&one).await?, "the machine itself survives");
        site.down(&[&one]).await
    })
}

fn two_layouts() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["lab"]);
        site.up(&[&one]).await?;
        tokio::task::spawn_blocking(|| {
            on_a_site(async |other| {
                let (same, two) = (machine("one", 1, &["lab"]), machine("two", 2, &["lab"]));
                other.up(&[&same, &two]).await?;
                assert!(other.engine.dial(&two, "10.37.0.1:1".parse()?).await?.is_none());
                other.down(&[&same, &two]).await
            })
        })
        .await??;
        assert!(site.running(&one).await?);
        site.down(&[&one]).await
    })
}

fn ten() -> Result<(), Failed> {
    on_a_site(async |site| {
        let machines: Vec<MachineSpec> =
            (1..=10).map(|number| machine(&format!("m{number}"), number, &[])).collect();
        let starts = machines.iter().map(|spec| async {
            site.engine.create(spec).await?;
            site.engine.start(spec).await
        });
        for started in futures_util::future::join_all(starts).await {
            started?;
        }
        assert_eq!(site.first_processes().len(), 10, "one keeper has them all");
        let stops = machines.iter().map(|spec| async {
            site.engine.stop(spec, GRACE).await?;
            site.engine.remove(spec).await
        });
        for stopped in futures_util::future::join_all(stops).await {
            stopped?;
        }
        Ok(())
    })
}

/// In a user namespace whose root has forbidden further ones.
fn forbidden() -> Result<(), Failed> {
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\" __carthage-sandbox probe";
    let output = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "sh", "-c", script])
        .arg(std::env::current_exe()?)
        .output()?;
    let told = String::from_utf8(output.stdout)?;
    assert!(
        told.contains("user.max_user_namespaces=0") && told.contains("run as root"),
        "{told}: {:?}",
        output.stderr
    );
    Ok(())
}
