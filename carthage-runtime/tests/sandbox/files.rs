//! Files of a machine, and its services.

use std::path::Path;

use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::{
    Engine, Exit, FileKind, HostEntry, Log, MachineSpec, Reader, ServiceSpec, ServiceState,
};
use libtest_mimic::Failed;
use tokio::io::AsyncReadExt;

use crate::support::{GRACE, Test, eventually, machine, on_a_site, shell};

pub(crate) fn tests() -> Vec<(&'static str, Test)> {
    vec![
        ("files_are_written_as_a_whole_and_read", files),
        ("a_write_that_is_given_up_leaves_nothing", given_up),
        ("services_come_back_with_the_machine", services),
        ("names_are_kept_up_to_date", names),
    ]
}

async fn read(engine: &dyn Engine, machine: &MachineSpec, path: &str) -> Result<String, Failed> {
    let mut contents = String::new();
    engine.read(machine, Path::new(path)).await?.read_to_string(&mut contents).await?;
    Ok(contents)
}

fn contents(bytes: &[u8]) -> Reader {
    Box::new(std::io::Cursor::new(bytes.to_vec()))
}

fn files() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        site.up(&[&one]).await?;
        let page = Path::new("/var/lib/lab/deep/page");
        assert_eq!(engine.stat(&one, page).await?, None);
        engine.write(&one, page, None, contents(b"first")).await?;
        let stat = engine.stat(&one, page).await?.unwrap();
        assert_eq!((stat.kind, stat.len, stat.mode, stat.owner), (FileKind::File, 5, 0o644, (0, 0)));
        engine.write(&one, page, Some(0o600), contents(b"second one")).await?;
        engine.write(&one, page, None, contents(b"third")).await?;
        assert_eq!(engine.stat(&one, page).await?.unwrap().mode, 0o600, "the old one's mode");
        assert_eq!(read(engine, &one, "/var/lib/lab/deep/page").await?, "third");

        site.sh_ok(&one, "ln -s deep/page /var/lib/lab/link; mkfifo /tmp/pipe; ln -s /etc /tmp/etc").await?;
        engine.write(&one, Path::new("/var/lib/lab/link"), None, contents(b"through")).await?;
        assert_eq!(engine.stat(&one, Path::new("/var/lib/lab/link")).await?.unwrap().kind, FileKind::Symlink);
        assert_eq!(read(engine, &one, "/var/lib/lab/deep/page").await?, "through");
        assert_eq!(engine.read_dir(&one, Path::new("/var/lib/lab")).await?, ["deep", "link"]);
        assert_eq!(
            engine.read_dir(&one, Path::new("/var/lib/lab/deep")).await?,
            ["page"],
            "nothing else is left"
        );

        for (path, kind) in
            [("/tmp/pipe", ErrorKind::Usage), ("/etc", ErrorKind::Usage), ("/none", ErrorKind::NotFound)]
        {
            let Err(refused) = engine.read(&one, Path::new(path)).await else {
                return Err(format!("{path} was read").into());
            };
            assert_eq!(refused.kind(), kind, "{refused:?}");
            assert!(refused.to_string().contains(path), "{refused:?}");
        }
        assert!(engine.write(&one, Path::new("/etc"), None, contents(b"")).await.is_err());
        engine.make_dir(&one, Path::new("/srv/a/b"), Some(0o700)).await?;
        engine.make_dir(&one, Path::new("/srv/a/b"), None).await?;
        let stat = engine.stat(&one, Path::new("/srv/a/b")).await?.unwrap();
        assert_eq!((stat.kind, stat.mode), (FileKind::Directory, 0o700));
        engine.remove_path(&one, Path::new("/tmp/etc")).await?;
        engine.remove_path(&one, Path::new("/srv/a")).await?;
        engine.remove_path(&one, Path::new("/srv/a")).await?;
        assert!(engine.stat(&one, Path::new("/etc/passwd")).await?.is_some(), "links are not followed");

        let big: Vec<u8> = (0..10_000_000_u32).map(|index| (index % 251) as u8).collect();
        engine.write(&one, Path::new("/srv/big"), None, contents(&big)).await?;
        let mut back = Vec::new();
        engine.read(&one, Path::new("/srv/big")).await?.read_to_end(&mut back).await?;
        assert!(back == big);
        assert!(read(engine, &one, "/proc/version").await?.starts_with("Linux"), "a file without a length");
        site.down(&[&one]).await
    })
}

fn given_up() -> Result<(), Failed> {
    struct Broken;
    impl tokio::io::AsyncRead for Broken {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Err(std::io::Error::other("the source is broken")))
        }
    }
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        site.up(&[&one]).await?;
        let path = Path::new("/srv/file");
        engine.write(&one, path, None, contents(b"old")).await?;
        assert!(engine.write(&one, path, None, Box::new(Broken)).await.is_err());
        assert_eq!(read(engine, &one, "/srv/file").await?, "old");
        let deadline = tokio::time::Instant::now() + GRACE;
        while engine.read_dir(&one, Path::new("/srv")).await? != ["file"] {
            assert!(tokio::time::Instant::now() < deadline, "a temporary file is left");
        }
        site.down(&[&one]).await
    })
}

fn services() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &[]));
        site.up(&[&one]).await?;
        let service = |name: &str, script: &str| ServiceSpec { name: name.into(), exec: shell(script) };
        let state = async |name: &str| -> Result<Option<ServiceState>, Failed> {
            let all = site.engine.services(&one).await?;
            Ok(all.into_iter().find(|status| status.name == name).map(|status| status.state))
        };
        engine.start_service(&one, &service("tick", "echo run; sleep 4730 & wait")).await?;
        engine.start_service(&one, &service("fails", "echo oops >&2; exit 3")).await?;
        let Some(ServiceState::Running(pid)) = state("tick").await? else {
            return Err("tick does not run".into());
        };
        assert!(site.sh_ok(&one, &format!("tr '\\0' ' ' < /proc/{pid}/cmdline")).await?.contains("4730"));
        while state("fails").await? != Some(ServiceState::Ended(Exit::Status(3))) {}

        let missing = ServiceSpec {
            name: "missing".into(),
            exec: carthage_runtime::machine::engine::Exec {
                argv: vec!["no-such".into()],
                ..Default::default()
            },
        };
        assert!(engine.start_service(&one, &missing).await.is_err());
        assert_eq!(state("missing").await?, None, "what could not be started is not on record");
        assert!(engine.start_service(&one, &service("../up", "true")).await.is_err());

        engine.stop(&one, GRACE).await?;
        assert_eq!(state("tick").await?, Some(ServiceState::Stopped));
        engine.start(&one).await?;
        assert!(matches!(state("tick").await?, Some(ServiceState::Running(_))));
        let status = engine.services(&one).await?.into_iter().find(|status| status.name == "tick").unwrap();
        let Some(Log::Here(log)) = status.log else { panic!("{status:?}") };
        eventually("the service has written to its log twice", || {
            std::fs::read_to_string(&log).is_ok_and(|text| text == "run\nrun\n")
        })?;

        engine.start_service(&one, &service("tick", "echo other; exec sleep 4731")).await?;
        let processes = site.sh_ok(&one, "ps ax").await?;
        assert!(processes.contains("sleep 4731") && !processes.contains("sleep 4730"), "{processes}");
        site.sh_ok(&one, "kill -9 $(ps ax | grep 'sleep 473[1]' | awk '{print $1}')").await?;
        while state("tick").await? != Some(ServiceState::Ended(Exit::Signal(9))) {}
        engine.remove_service(&one, "tick").await?;
        engine.remove_service(&one, "tick").await?;
        engine.remove_service(&one, "fails").await?;
        assert_eq!(engine.services(&one).await?, []);
        site.down(&[&one]).await?;
        assert!(!log.exists(), "the logs go with the machine");
        Ok(())
    })
}

fn names() -> Result<(), Failed> {
    on_a_site(async |site| {
        let (engine, one) = (&*site.engine, machine("one", 1, &["lab"]));
        site.up(&[&one]).await?;
        let two = HostEntry { address: "10.37.0.2".parse()?, names: vec!["two.lab".into(), "two".into()] };
        site.sh_ok(&one, "echo 192.0.2.7 mine >> /etc/hosts").await?;
        engine.set_hosts(&one, &vec![two.clone()].into()).await?;
        let resolve = "for name in one one.lab two two.lab mine localhost; do getent ahostsv4 $name | head -n1 | cut -d' ' -f1; done";
        let expected = "10.37.0.1\n10.37.0.1\n10.37.0.2\n10.37.0.2\n192.0.2.7\n127.0.0.1\n";
        assert_eq!(site.sh_ok(&one, resolve).await?, expected);
        engine.stop(&one, GRACE).await?;
        engine.start(&one).await?;
        assert_eq!(site.sh_ok(&one, resolve).await?, expected);
        engine.set_hosts(&one, &Vec::new().into()).await?;
        assert!(!site.sh_ok(&one, "cat /etc/hosts").await?.contains("two"));
        site.down(&[&one]).await
    })
}
