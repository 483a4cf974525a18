//! The life of a container.

use std::time::{Duration, Instant};

use bollard::models::{ContainerCreateBody, NetworkCreateRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use carthage_runtime::machine::engine::{Exec, Exit, MachineSpec, Presence, TerminalSize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{GRACE, Outcome, TestSite, copy_of_root, has};

pub(crate) async fn found_again(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &["a"]);
    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    site.up(&[&machine]).await?;
    let Presence::Running(identity) = site.engine.find(&machine).await? else { panic!("it runs") };
    assert_eq!(site.engine.create(&machine).await?, identity, "made once");
    assert_eq!(site.sh_ok(&machine, "hostname; id -u").await?, "m\n0\n");
    site.engine.stop(&machine, GRACE).await?;
    site.engine.stop(&machine, GRACE).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Stopped(identity.clone()));
    site.engine.start(&machine).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Running(identity.clone()));
    site.engine.stop(&machine, GRACE).await?;
    site.engine.remove(&machine).await?;
    site.engine.remove(&machine).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    assert_ne!(site.engine.create(&machine).await?, identity, "a new one is another one");
    Ok(())
}

/// What runs in it is asked to end, and gets the time to; what has ended does not stay as a zombie.
pub(crate) async fn ends_with_dignity(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &[]);
    site.up(&[&machine]).await?;
    let script = "trap 'sleep 1; echo bye >/farewell; exit' TERM; while :; do sleep 0.1; done";
    site.sh_ok(&machine, &format!("(sh -c \"{script}\" >/dev/null 2>&1 &)")).await?;
    site.sh_ok(&machine, "i=0; while [ $i -lt 20 ]; do (sleep 0 &); i=$((i+1)); done").await?;
    let zombies = "grep -l '^State:.Z' /proc/[0-9]*/status || true";
    let deadline = Instant::now() + Duration::from_secs(10);
    while !site.sh_ok(&machine, zombies).await?.is_empty() {
        assert!(Instant::now() < deadline, "zombies are collected");
    }
    let before = Instant::now();
    site.engine.stop(&machine, Duration::from_secs(30)).await?;
    assert!(before.elapsed() < Duration::from_secs(15), "it waits no longer than it must");
    site.engine.start(&machine).await?;
    assert_eq!(site.sh_ok(&machine, "cat /farewell").await?, "bye\n");
    // What does not want to end is killed.
    site.sh_ok(&machine, "(sh -c \"trap '' TERM; while :; do sleep 0.1; done\" >/dev/null 2>&1 &)").await?;
    let before = Instant::now();
    site.engine.stop(&machine, Duration::from_secs(1)).await?;
    assert!(before.elapsed() < Duration::from_secs(10));
    Ok(())
}

pub(crate) async fn limits_change_in_place(site: TestSite) -> Outcome {
    let small = MachineSpec { memory_mb: Some(64), cpus: Some(1), ..site.machine("m", 2, &[]) };
    site.up(&[&small]).await?;
    let limit = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max";
    let identity = site.engine.find(&small).await?;
    has(&site.sh_ok(&small, limit).await?, "67108864\n100000")?;
    let large = MachineSpec { memory_mb: Some(128), cpus: Some(3), ..small.clone() };
    site.engine.update(&large).await?;
    has(&site.sh_ok(&small, limit).await?, "134217728\n300000")?;
    assert_eq!(site.engine.find(&large).await?, identity, "it is the same one");
    site.engine.stop(&large, GRACE).await?;
    site.engine.start(&large).await?;
    has(&site.sh_ok(&small, limit).await?, "134217728\n300000")?;
    let free = MachineSpec { memory_mb: None, cpus: None, ..small };
    site.engine.update(&free).await?;
    let none = site.sh_ok(&free, limit).await?;
    assert!(none.contains("-1\n") || none.contains("max"), "{none}");
    Ok(())
}

pub(crate) async fn terminals(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &[]);
    site.up(&[&machine]).await?;
    let terminal = Some(TerminalSize { rows: 33, columns: 77 });
    // Podman answers a change of size before it makes it.
    let script = "stty size; read line; until stty size | grep '44 88'; do sleep 0.1; done; \
                  echo \"got $line as $(id -u) with $WORD\"; exit 7";
    let exec = Exec {
        argv: ["sh", "-c", script].map(Into::into).to_vec(),
        env: [("WORD".into(), "it's $HOME".into())].into(),
        user: Some("nobody".into()),
        terminal,
        ..Exec::default()
    };
    let mut running = site.engine.exec(&machine, exec).await?;
    let mut first = [0; 5];
    running.stdout.read_exact(&mut first).await?;
    assert_eq!(String::from_utf8_lossy(&first), "33 77");
    running.control.resize(TerminalSize { rows: 44, columns: 88 }).await?;
    running.stdin.take().unwrap().write_all(b"word\n").await?;
    let mut said = String::new();
    running.stdout.read_to_string(&mut said).await?;
    assert!(!said.contains('\u{1e}'), "{said:?}");
    has(&said, "44 88")?;
    has(&said, "got word as 65534 with it's $HOME")?;
    assert_eq!(running.control.wait().await?, Exit::Status(7));
    // One that is given up ends with all that it started.
    let argv = ["sh", "-c", "sleep 12345 & sleep 12345"].map(Into::into).to_vec();
    let running = site.engine.exec(&machine, Exec { argv, terminal, ..Exec::default() }).await?;
    let sleeping = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null | grep -c '^sleep 1234[5]' || true";
    let deadline = Instant::now() + Duration::from_secs(20);
    while site.sh_ok(&machine, sleeping).await? != "2\n" {
        assert!(Instant::now() < deadline, "they run");
    }
    drop(running);
    while site.sh_ok(&machine, sleeping).await? != "0\n" {
        assert!(Instant::now() < deadline, "they end");
    }
    Ok(())
}

/// A run was killed when the container was made and not yet written down; then the model was changed.
pub(crate) async fn a_half_made_one_is_made_anew(site: TestSite) -> Outcome {
    let mut machine = site.machine("m", 2, &[]);
    let first = site.engine.create(&machine).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Stopped(first.clone()));
    machine.environment.insert("WORD".into(), "new".into());
    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    assert_ne!(site.engine.create(&machine).await?, first);
    site.engine.start(&machine).await?;
    assert_eq!(site.sh_ok(&machine, "echo $WORD").await?, "new\n");
    Ok(())
}

pub(crate) async fn strangers_are_left_alone(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &["a"]);
    let neighbour = site.machine("n", 3, &[]);
    site.engine.create(&neighbour).await?;
    let image = site.client.inspect_container(&site.container(&neighbour), None).await?.image.unwrap();
    let name = site.container(&machine);
    let body = ContainerCreateBody {
        image: Some(image),
        entrypoint: Some(vec!["/bin/sleep".into(), "1000".into()]),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let stranger = site.client.create_container(Some(options), body).await?.id;
    site.client.start_container(&stranger, None::<StartContainerOptions>).await?;
    let request = NetworkCreateRequest {
        name: format!("carthage-{}-a", &site.id[..8]),
        ..NetworkCreateRequest::default()
    };
    let network = site.client.create_network(request).await?.id;

    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    let error = site.engine.create_network(&site.network("a")).await.unwrap_err();
    has(&format!("{error:?}"), "not this layout's")?;
    let plain = site.machine("m", 2, &[]);
    let error = site.engine.create(&plain).await.unwrap_err();
    has(&format!("{error:?}"), "not this layout's")?;
    has(&format!("{error:?}"), &name)?;
    site.engine.stop(&machine, GRACE).await?;
    site.engine.remove(&machine).await?;
    site.engine.remove_network(&site.network("a")).await?;
    site.engine.clear().await?;

    let found = site.client.inspect_container(&stranger, None).await?;
    assert_eq!(found.state.unwrap().running, Some(true));
    site.client.inspect_network(&network, None).await?;
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    site.client.remove_container(&stranger, Some(options)).await?;
    site.client.remove_network(&network).await?;
    Ok(())
}

pub(crate) async fn removed_from_outside(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &["a"]);
    site.up(&[&machine]).await?;
    let name = site.container(&machine);
    let id = site.client.inspect_container(&name, None).await?.id.unwrap();
    site.client.kill_container(&name, None).await?;
    let deadline = Instant::now() + Duration::from_secs(10);
    while site.is_running(&machine).await? {
        assert!(Instant::now() < deadline, "killed is stopped");
    }
    site.engine.start(&machine).await?;
    let options = RemoveContainerOptionsBuilder::new().force(true).build();
    site.client.remove_container(&id, Some(options)).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    let error = site.engine.start(&machine).await.unwrap_err();
    has(&format!("{error:?}"), "does not exist")?;
    site.up(&[&machine]).await?;
    assert_ne!(site.engine.find(&machine).await?.identity().unwrap().0, id);
    Ok(())
}

pub(crate) async fn no_shell(site: TestSite) -> Outcome {
    let root = site.directory.join("root");
    copy_of_root(&root)?;
    std::fs::remove_file(root.join("bin/sh"))?;
    let machine = MachineSpec { root: Some(root), ..site.machine("m", 2, &[]) };
    site.engine.create(&machine).await?;
    let error = site.engine.start(&machine).await.unwrap_err();
    has(&format!("{error:?}"), "needs a POSIX shell")?;
    assert!(!site.is_running(&machine).await?);
    Ok(())
}

pub(crate) async fn paused(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &[]);
    site.up(&[&machine]).await?;
    site.client.pause_container(&site.container(&machine)).await?;
    let found = site.engine.find(&machine).await?;
    assert!(matches!(found, Presence::Unknown(..)), "{found:?}");
    site.engine.stop(&machine, GRACE).await?;
    site.engine.start(&machine).await?;
    assert!(site.is_running(&machine).await?);
    Ok(())
}
