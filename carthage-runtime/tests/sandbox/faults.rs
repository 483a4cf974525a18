//! What is killed, lost or half done.

use std::time::Duration;

use carthage_runtime::machine::engine::{Presence, ServiceSpec, ServiceState};
use libtest_mimic::Failed;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{GRACE, Test, eventually, machine, network, on_a_site, shell};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("a_first_process_that_is_killed", first_process),
        ("a_keeper_that_is_killed", keeper),
        ("a_state_directory_that_is_removed", state_removed),
        ("a_machine_that_cannot_start_leaves_nothing", cannot_start),
        ("a_machine_ends_by_itself", halted),
        ("half_done_creations_and_removals", half_done),
        ("a_machine_that_does_not_want_to_end", stubborn),
        ("looking_is_nothing_to_the_keeper", looking),
        ("clearing_removes_what_nobody_knows_of", clearing),
    ]
}

pub(crate) fn murder(pid: i32) -> Result<(), Failed> {
    kill(Pid::from_raw(pid), Signal::SIGKILL)?;
    eventually("it is dead", || {
        std::fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    })
}

fn first_process() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (one, two) = (machine("one", 1, &["lab"]), machine("two", 2, &["lab"]));
        site.up(&[&one]).await?;
        let identity = site.engine.find(&one).await?.identity().cloned().unwrap();
        murder(site.first_processes()[0])?;
        assert_eq!(site.engine.find(&one).await?, Presence::Stopped(identity.clone()));
        site.up(&[&two]).await?;
        site.engine.start(&one).await?;
        assert_eq!(site.engine.find(&one).await?, Presence::Running(identity));
        assert!(
            site.engine.dial(&one, "10.37.0.2:1".parse()?).await?.is_none(),
            "it is reachable, and refuses"
        );
        site.down(&[&one, &two]).await
    })
}

fn keeper() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (one, two) = (machine("one", 1, &["lab"]), machine("two", 2, &["lab"]));
        site.up(&[&one, &two]).await?;
        site.engine
            .start_service(&one, &ServiceSpec { name: "tick".into(), exec: shell("sleep 4740") })
            .await?;
        let lab =
            site.engine.find_network(&crate::support::network("lab")).await?.identity().cloned().unwrap();
        murder(site.keeper())?;
        eventually("the machines have gone with it", || site.processes().is_empty())?;
        assert_eq!(
            site.engine.find_network(&crate::support::network("lab")).await?,
            Presence::Stopped(lab.clone())
        );
        assert!(!site.running(&one).await? && !site.running(&two).await?);
        assert_eq!(site.engine.services(&one).await?[0].state, ServiceState::Stopped);
        site.engine.start(&one).await?;
        assert_eq!(
            site.engine.find_network(&crate::support::network("lab")).await?,
            Presence::Running(lab.clone())
        );
        assert_eq!(site.engine.create_network(&network("lab")).await?, lab);
        site.engine.start(&two).await?;
        assert!(matches!(site.engine.services(&one).await?[0].state, ServiceState::Running(_)));
        assert!(site.engine.dial(&one, "10.37.0.2:1".parse()?).await?.is_none());
        murder(site.keeper())?;
        site.engine.remove(&one).await?;
        site.engine.remove(&two).await?;
        site.engine.remove_network(&crate::support::network("lab")).await?;
        Ok(())
    })
}

fn state_removed() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["lab"]);
        site.up(&[&one]).await?;
        std::fs::remove_file(site.base().join("keeper.lock"))?;
        eventually("keeper and machine have ended", || site.processes().is_empty())?;
        assert!(!site.running(&one).await?);
        site.down(&[&one]).await
    })
}

fn cannot_start() -> Result<(), Failed> {
    on_a_site(async |site| {
        let mut one = machine("one", 1, &["lab"]);
        site.engine.create_network(&network("lab")).await?;
        site.engine.create(&one).await?;
        one.links.push(one.links[0].clone());
        let twice = site.engine.start(&one).await.unwrap_err();
        assert!(carthage_runtime::chain(&twice).contains("eth0"), "{twice:?}");
        one.links[1].interface = "eth1".into();
        one.links[1].network = "elsewhere".into();
        let nowhere = site.engine.start(&one).await.unwrap_err();
        assert!(carthage_runtime::chain(&nowhere).contains("elsewhere"), "{nowhere:?}");
        assert!(site.first_processes().is_empty(), "nothing is left running");
        one.links.pop();
        site.engine.start(&one).await?;
        site.down(&[&one]).await
    })
}

fn halted() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["lab"]);
        site.up(&[&one]).await?;
        let _ = site.sh(&one, "kill -TERM 1; sleep 10").await;
        let deadline = tokio::time::Instant::now() + GRACE;
        while site.running(&one).await? {
            assert!(tokio::time::Instant::now() < deadline);
        }
        site.engine.start(&one).await?;
        site.down(&[&one]).await
    })
}

fn half_done() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (one, two) = (machine("one", 1, &[]), machine("two", 2, &[]));
        site.engine.create(&two).await?;
        // As left by a controller that was killed: while it made a machine, and while it removed another.
        let machines = site.base().join("machines");
        std::fs::create_dir_all(machines.join(".new-one.lab/upper"))?;
        std::fs::rename(machines.join("two.lab"), machines.join(".gone-x"))?;
        assert_eq!(site.engine.find(&one).await?, Presence::Absent);
        assert_eq!(site.engine.find(&two).await?, Presence::Absent);
        site.up(&[&one]).await?;
        site.engine.remove(&two).await?;
        site.down(&[&one]).await?;
        // A damaged record is named.
        site.engine.create(&one).await?;
        std::fs::write(machines.join("one.lab/machine.json"), "{\"identity\":")?;
        let damaged = site.engine.find(&one).await.unwrap_err();
        assert!(damaged.to_string().contains("machine.json") && damaged.next_step().is_some(), "{damaged:?}");
        site.engine.remove(&one).await?;
        Ok(())
    })
}

fn stubborn() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &[]);
        site.up(&[&one]).await?;
        let script = "trap 'echo asked >> /srv/asked' TERM; touch /run/ready; while :; do sleep 0.05; done";
        site.engine
            .start_service(&one, &ServiceSpec { name: "stubborn".into(), exec: shell(script) })
            .await?;
        while site.engine.stat(&one, std::path::Path::new("/run/ready")).await?.is_none() {}
        let begun = std::time::Instant::now();
        site.engine.stop(&one, Duration::from_millis(700)).await?;
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(650) && took < Duration::from_secs(10), "{took:?}");
        site.engine.remove_service(&one, "stubborn").await?;
        site.engine.start(&one).await?;
        assert_eq!(site.sh_ok(&one, "cat /srv/asked").await?, "asked\n", "it was asked before it was killed");
        site.down(&[&one]).await
    })
}

fn looking() -> Result<(), Failed> {
    on_a_site(async |site| {
        let one = machine("one", 1, &["lab"]);
        site.up(&[&one]).await?;
        let keeper = site.keeper();
        let before = faults_of_children(keeper)?;
        for _ in 0..20 {
            assert!(site.running(&one).await?);
            assert!(matches!(
                site.engine.find_network(&crate::support::network("lab")).await?,
                Presence::Running(_)
            ));
        }
        assert_eq!(faults_of_children(keeper)?, before, "it forks for nobody who only looks");
        site.down(&[&one]).await
    })
}

/// The page faults of a process's children that have ended: every child has some.
fn faults_of_children(pid: i32) -> Result<u64, Failed> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields = stat.rsplit_once(')').ok_or("no name in it")?.1;
    Ok(fields.split_whitespace().nth(8).ok_or("too short")?.parse()?)
}

fn clearing() -> Result<(), Failed> {
    on_a_site(async |site| {
        let left = || site.base().exists() || !site.processes().is_empty();
        site.engine.clear().await?;
        assert!(!left(), "nothing is made in order to be removed");
        // As left by a run that was killed before it had made anything, and in the middle of a machine.
        std::fs::create_dir_all(site.base())?;
        site.engine.clear().await?;
        assert!(!left());
        std::fs::create_dir_all(site.base().join("machines/.new-one.lab/upper"))?;
        site.engine.clear().await?;
        assert!(!left());
        let mut one = machine("one", 1, &["lab"]);
        one.memory_mb = Some(64);
        let two = machine("two", 2, &["lab"]);
        site.up(&[&one, &two]).await?;
        site.engine.clear().await?;
        assert!(!left(), "running machines and their network are gone: {:?}", site.processes());
        assert_eq!(site.engine.find(&one).await?, Presence::Absent);
        assert_eq!(site.engine.find_network(&crate::support::network("lab")).await?, Presence::Absent);
        // Without a keeper, and with a record that cannot be read.
        site.up(&[&one]).await?;
        murder(site.keeper())?;
        std::fs::write(site.base().join("networks/lab.json"), "{")?;
        site.engine.clear().await?;
        site.engine.clear().await?;
        Ok(())
    })
}
