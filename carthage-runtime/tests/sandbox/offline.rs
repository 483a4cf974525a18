//! Files of machines that do not run.

use std::path::Path;

use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::{Engine, MachineSpec, Presence, ServiceSpec, ServiceState};
use futures_util::future::try_join_all;
use libtest_mimic::Failed;
use tokio::io::AsyncReadExt;

use crate::faults::murder;
use crate::support::{GRACE, Test, TestSite, eventually, machine, on_a_site, shell};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("files_are_there_before_the_first_start", before),
        ("nothing_of_the_machine_runs_for_its_files", nothing_runs),
        ("a_root_is_there_for_as_long_as_it_is_asked_for", lifetime),
        ("a_start_ends_what_only_reached_files", started),
        ("many_ask_at_once", many),
        ("killed_while_it_is_offline", killed),
    ]
}

async fn write(engine: &dyn Engine, machine: &MachineSpec, path: &str, text: &str) -> Result<(), Failed> {
    let contents = Box::new(std::io::Cursor::new(text.as_bytes().to_vec()));
    Ok(engine.write(machine, Path::new(path), None, contents).await?)
}

async fn read(engine: &dyn Engine, machine: &MachineSpec, path: &str) -> Result<String, Failed> {
    let mut contents = String::new();
    engine.read(machine, Path::new(path)).await?.read_to_string(&mut contents).await?;
    Ok(contents)
}

async fn is_stopped(site: &TestSite, machine: &MachineSpec) -> Result<bool, Failed> {
    Ok(matches!(site.engine.find(machine).await?, Presence::Stopped(_)))
}

fn before() -> Result<(), Failed> {
    on_a_site(async |site| {
        // Its network is not made: nothing but files is wanted.
        let (engine, one) = (&*site.engine, machine("one", 1, &["lab"]));
        let missing = write(engine, &one, "/etc/word", "x").await.unwrap_err();
        assert!(missing.message().unwrap_or_default().contains("does not exist"), "{missing:?}");
        engine.create(&one).await?;
        write(engine, &one, "/etc/word", "first").await?;
        write(engine, &one, "/root/deep/word", "own").await?;
        write(engine, &one, "/run/word", "lost").await?;
        write(engine, &one, "/etc/hosts", "192.0.2.1\tmine\n").await?;
        assert!(is_stopped(&site, &one).await?);
        assert_eq!(read(engine, &one, "/etc/word").await?, "first");
        assert_eq!(read(engine, &one, "/etc/hostname").await?, "one\n");
        assert!(read(engine, &one, "/etc/passwd").await?.starts_with("root:"), "the host's is below");
        let refused = engine.exec(&one, shell("true")).await.unwrap_err();
        assert!(refused.to_string().contains("is not running"), "{refused:?}");
        assert!(engine.read(&one, Path::new("/none")).await.is_err_and(|e| e.kind() == ErrorKind::NotFound));

        site.up(&[&one]).await?;
        let seen = site
            .sh_ok(&one, "cat /etc/word /root/deep/word; ls /run; grep mine /etc/hosts; hostname")
            .await?;
        assert_eq!(seen, "firstown192.0.2.1\tmine\none\n");
        write(engine, &one, "/etc/word", "second").await?;
        engine.stop(&one, GRACE).await?;
        assert_eq!(read(engine, &one, "/etc/word").await?, "second");
        engine.remove_path(&one, Path::new("/etc/word")).await?;
        engine.make_dir(&one, Path::new("/srv/made"), Some(0o700)).await?;
        engine.start(&one).await?;
        site.sh_ok(&one, "! test -e /etc/word && test \"$(stat -c %a /srv/made)\" = 700").await?;
        site.down(&[&one]).await
    })
}

fn nothing_runs() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &["lab"]));
        site.up(&[&one]).await?;
        let exec = shell("echo started >> /var/lib/starts; exec sleep 4741");
        engine.start_service(&one, &ServiceSpec { name: "count".into(), exec }).await?;
        let lines = async || -> Result<usize, Failed> {
            Ok(read(engine, &one, "/var/lib/starts").await.unwrap_or_default().lines().count())
        };
        site.sh_ok(&one, "until test -s /var/lib/starts; do sleep 0.01; done").await?;
        engine.stop(&one, GRACE).await?;
        for _ in 0..3 {
            assert_eq!(lines().await?, 1);
            let services = engine.services(&one).await?;
            assert!(matches!(services[..], [ref one] if one.state == ServiceState::Stopped), "{services:?}");
        }
        assert_eq!(site.first_processes().len(), 1);
        site.down(&[&one]).await
    })
}

fn lifetime() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        engine.create(&one).await?;
        write(engine, &one, "/srv/0", "").await?;
        let first = site.first_processes();
        for number in 1..20 {
            write(engine, &one, &format!("/srv/{number}"), "").await?;
        }
        assert_eq!(site.first_processes(), first, "several in a row cost one");
        eventually("nobody asks any more", || site.processes().is_empty())?;
        assert_eq!(engine.read_dir(&one, Path::new("/srv")).await?.len(), 20);
        // Also a removal does not wait for it.
        engine.remove(&one).await?;
        Ok(())
    })
}

fn started() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        engine.create(&one).await?;
        write(engine, &one, "/srv/word", "old").await?;
        let (reader, writer) = tokio::io::duplex(16);
        let writing = engine.write(&one, Path::new("/srv/word"), None, Box::new(reader));
        let starting = async {
            tokio::task::yield_now().await;
            engine.start(&one).await?;
            drop(writer);
            Ok::<_, Failed>(())
        };
        let (written, started) = tokio::join!(writing, starting);
        started?;
        assert!(site.running(&one).await?);
        // As a whole or not at all.
        let seen = read(engine, &one, "/srv/word").await?;
        assert!(if written.is_ok() { seen.is_empty() } else { seen == "old" }, "{seen:?} {written:?}");
        assert_eq!(engine.read_dir(&one, Path::new("/srv")).await?, ["word"]);
        site.down(&[&one]).await
    })
}

fn many() -> Result<(), Failed> {
    on_a_site(async |site| {
        let machines: Vec<_> = (1..4).map(|number| machine(&format!("m{number}"), number, &[])).collect();
        for one in &machines {
            site.engine.create(one).await?;
        }
        try_join_all((0..60).map(|number| {
            let (engine, machine) = (&*site.engine, &machines[number % 3]);
            async move { write(engine, machine, &format!("/srv/{number}"), &number.to_string()).await }
        }))
        .await?;
        for one in &machines {
            assert_eq!(site.engine.read_dir(one, Path::new("/srv")).await?.len(), 20);
        }
        assert_eq!(site.first_processes().len(), 3);
        site.down(&machines.iter().collect::<Vec<_>>()).await
    })
}

fn killed() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        engine.create(&one).await?;
        write(engine, &one, "/srv/word", "kept").await?;
        murder(site.first_processes()[0])?;
        assert_eq!(read(engine, &one, "/srv/word").await?, "kept");
        murder(site.keeper())?;
        assert_eq!(read(engine, &one, "/srv/word").await?, "kept");
        assert!(is_stopped(&site, &one).await?);
        engine.start(&one).await?;
        assert_eq!(read(engine, &one, "/srv/word").await?, "kept");
        site.down(&[&one]).await
    })
}
