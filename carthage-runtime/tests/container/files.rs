//! Files of a container that does not run.

use std::path::Path;

use carthage_runtime::BoxError;
use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::{Engine, Exec, FileKind, MachineSpec, ServiceSpec, ServiceState};
use tokio::io::AsyncReadExt;

use super::support::{GRACE, Outcome, TestSite, has};

async fn write(
    engine: &dyn Engine,
    machine: &MachineSpec,
    path: &str,
    mode: Option<u32>,
    text: &[u8],
) -> Outcome {
    let contents = Box::new(std::io::Cursor::new(text.to_vec()));
    Ok(engine.write(machine, Path::new(path), mode, contents).await?)
}

async fn read(engine: &dyn Engine, machine: &MachineSpec, path: &str) -> Result<Vec<u8>, BoxError> {
    let mut contents = Vec::new();
    engine.read(machine, Path::new(path)).await?.read_to_end(&mut contents).await?;
    Ok(contents)
}

pub(crate) async fn while_it_is_stopped(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &[]);
    let engine = &*site.engine;
    engine.create(&machine).await?;
    let stat = |path: &'static str| engine.stat(&machine, Path::new(path));

    // Before it ever ran.
    assert_eq!(stat("/srv/deep/er/file").await?, None);
    write(engine, &machine, "/srv/deep/er/file", None, b"one").await?;
    let found = stat("/srv/deep/er/file").await?.unwrap();
    assert_eq!((found.kind, found.len, found.mode, found.owner), (FileKind::File, 3, 0o644, (0, 0)));
    assert_eq!(stat("/srv/deep").await?.unwrap().mode, 0o755);
    write(engine, &machine, "/srv/deep/er/file", Some(0o600), b"second").await?;
    write(engine, &machine, "/srv/deep/er/file", None, b"third").await?;
    assert_eq!(stat("/srv/deep/er/file").await?.unwrap().mode, 0o600, "the mode stays");
    assert_eq!(read(engine, &machine, "/srv/deep/er/file").await?, b"third");
    engine.make_dir(&machine, Path::new("/srv/made/here"), Some(0o750)).await?;
    engine.make_dir(&machine, Path::new("/srv/made/here"), None).await?;
    assert_eq!(stat("/srv/made/here").await?.unwrap().mode, 0o750);
    assert_eq!(engine.read_dir(&machine, Path::new("/srv")).await?, ["deep", "made"]);
    assert_eq!(engine.read_dir(&machine, Path::new("/srv/made/here")).await?, [""; 0]);
    let large: Vec<u8> = (0..5_000_000_u32).map(|at| (at % 251) as u8).collect();
    write(engine, &machine, "/srv/large", None, &large).await?;
    assert!(read(engine, &machine, "/srv/large").await? == large);
    write(engine, &machine, "/srv/empty", None, b"").await?;
    assert_eq!(read(engine, &machine, "/srv/empty").await?, b"");

    // What it left when it ran.
    engine.start(&machine).await?;
    assert_eq!(site.sh_ok(&machine, "cat /srv/deep/er/file").await?, "third");
    site.sh_ok(&machine, "echo hers >/srv/hers; chown 1234 /srv/hers; ln -s ../srv/hers /etc/link; ln -s /srv/deep /way; mkfifo /srv/pipe").await?;
    engine.stop(&machine, GRACE).await?;
    assert_eq!(stat("/srv/hers").await?.unwrap().owner.0, 1234);
    assert_eq!(stat("/etc/link").await?.unwrap().kind, FileKind::Symlink);
    assert_eq!(stat("/srv/pipe").await?.unwrap().kind, FileKind::Other);
    assert_eq!(read(engine, &machine, "/etc/link").await?, b"hers\n");
    write(engine, &machine, "/etc/link", None, b"new").await?;
    assert_eq!(stat("/etc/link").await?.unwrap().kind, FileKind::Symlink, "written through the link");
    assert_eq!(stat("/srv/hers").await?.unwrap().owner.0, 1234, "the owner stays");
    write(engine, &machine, "/way/new", None, b"by the way").await?;
    assert_eq!(read(engine, &machine, "/srv/deep/new").await?, b"by the way");

    for (path, kind) in [("/srv/missing", ErrorKind::NotFound), ("/srv/deep", ErrorKind::Host)] {
        assert_eq!(engine.read(&machine, Path::new(path)).await.err().unwrap().kind(), kind);
    }
    let error = engine.read_dir(&machine, Path::new("/srv/hers")).await.unwrap_err();
    has(&format!("{error:?}"), "Not a directory")?;
    let contents = Box::new(std::io::Cursor::new(Vec::new()));
    let error = engine.write(&machine, Path::new("/srv/hers/below"), None, contents).await.unwrap_err();
    has(&format!("{error:?}").to_lowercase(), "not a directory")?;

    engine.remove_path(&machine, Path::new("/srv/deep")).await?;
    engine.remove_path(&machine, Path::new("/srv/deep")).await?;
    assert_eq!(stat("/srv/deep").await?, None);
    assert!(!site.is_running(&machine).await?);
    Ok(())
}

pub(crate) async fn services_of_a_stopped_one(site: TestSite) -> Outcome {
    let machine = site.machine("m", 2, &[]);
    let engine = &*site.engine;
    site.up(&[&machine]).await?;
    let argv = ["sh", "-c", "echo begun; exec sleep 1000"].map(Into::into).to_vec();
    let service =
        |name: &str| ServiceSpec { name: name.into(), exec: Exec { argv: argv.clone(), ..Exec::default() } };
    engine.start_service(&machine, &service("one")).await?;
    engine.start_service(&machine, &service("two")).await?;
    engine.stop(&machine, GRACE).await?;
    let services = engine.services(&machine).await?;
    let names: Vec<_> = services.iter().map(|status| status.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    assert!(services.iter().all(|status| status.state == ServiceState::Stopped), "{services:?}");
    engine.remove_service(&machine, "two").await?;
    engine.start(&machine).await?;
    let services = engine.services(&machine).await?;
    assert_eq!(services.len(), 1, "{services:?}");
    assert!(matches!(services[0].state, ServiceState::Running(_)), "{services:?}");
    Ok(())
}
