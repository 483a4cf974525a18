//! Services.

use std::collections::BTreeMap;

use carthage::machine::GRACE;
use carthage::machine::engine::{Exec, Exit, ServiceSpec, ServiceState};
use carthage::{ErrorKind, Machine};

use super::{Named, cases, how_many, refused};
use crate::ground::{Ground, until};

pub(super) fn cases() -> Vec<Named> {
    cases![services: outlive_the_controller, come_back_with_the_machine, death_is_visible, replaced_and_removed, have_their_surroundings, what_cannot_be_started]
}

fn service(name: &str, script: &str) -> ServiceSpec {
    let argv = ["sh", "-c", script].map(Into::into).into();
    ServiceSpec { name: name.into(), exec: Exec { argv, ..Exec::default() } }
}

async fn state(machine: &Machine, name: &str) -> Option<ServiceState> {
    let services = machine.services().await.unwrap();
    services.into_iter().find(|service| service.name == name).map(|service| service.state)
}

async fn log(machine: &Machine, name: &str) -> String {
    String::from_utf8(machine.service_log(name).await.unwrap()).unwrap()
}

async fn outlive_the_controller(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.start_service(&service("sleeper", "echo $$; exec sleep 6001")).await?;
    let Some(ServiceState::Running(pid)) = state(one, "sleeper").await else { panic!("it does not run") };
    let seen = ground.later("one", &["cat", &format!("/proc/{pid}/cmdline")]).await;
    assert_eq!(seen.replace('\0', " "), "Some(true)\nsleep 6001 \n");
    assert_eq!(log(one, "sleeper").await, format!("{pid}\n"));
    assert_eq!(how_many(one, "6001").await?, 1);
    Ok(())
}

async fn come_back_with_the_machine(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    for name in ["b", "a"] {
        one.start_service(&service(name, "echo begun; echo complaint >&2; exec sleep 6002")).await?;
    }
    let names: Vec<_> = one.services().await?.into_iter().map(|service| service.name).collect();
    assert_eq!(names, ["a", "b"]);
    one.stop(GRACE).await?;
    for name in ["a", "b"] {
        assert_eq!(state(one, name).await, Some(ServiceState::Stopped));
        assert_eq!(log(one, name).await, "begun\ncomplaint\n");
    }
    one.start().await?;
    for name in ["a", "b"] {
        assert!(matches!(state(one, name).await, Some(ServiceState::Running(_))));
        until("it writes into the same log", || async {
            log(one, name).await == "begun\ncomplaint\n".repeat(2)
        })
        .await;
    }
    assert_eq!(how_many(one, "6002").await?, 2);
    Ok(())
}

async fn death_is_visible(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    for (name, script, exit) in [
        ("fails", "echo why; exit 3", Exit::Status(3)),
        ("killed", "kill -KILL $$", Exit::Signal(9)),
        ("done", "true", Exit::Status(0)),
    ] {
        one.start_service(&service(name, script)).await?;
        until("its end is told", || async { state(one, name).await == Some(ServiceState::Ended(exit)) })
            .await;
    }
    assert_eq!(log(one, "fails").await, "why\n");
    // What a service has started ends with it.
    one.start_service(&service("parent", "setsid sleep 6003 & exit 1")).await?;
    until("its end is told", || async { matches!(state(one, "parent").await, Some(ServiceState::Ended(_))) })
        .await;
    assert_eq!(how_many(one, "6003").await?, 0);
    Ok(())
}

async fn replaced_and_removed(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.start_service(&service("it", "echo old; exec sleep 6004")).await?;
    one.start_service(&service("it", "echo new; exec sleep 6005")).await?;
    assert_eq!((how_many(one, "6004").await?, how_many(one, "6005").await?), (0, 1));
    until("both wrote", || async { log(one, "it").await == "old\nnew\n" }).await;
    one.remove_service("it").await?;
    one.remove_service("it").await?;
    assert_eq!(how_many(one, "6005").await?, 0);
    assert!(one.services().await?.is_empty());
    one.stop(GRACE).await?;
    one.start().await?;
    assert_eq!(how_many(one, "6005").await?, 0, "it stays removed");
    // One that does not want to end is ended.
    one.start_service(&service("stubborn", "trap '' TERM; while :; do sleep 0.1; done")).await?;
    one.remove_service("stubborn").await?;
    assert!(one.services().await?.is_empty());
    Ok(())
}

async fn have_their_surroundings(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let argv = ["sh", "-c", "pwd; echo \"$WORD\"; id -u; exec sleep 6006"].map(Into::into).into();
    let env = BTreeMap::from([("WORD".into(), "a  b".into())]);
    let exec = Exec { argv, env, cwd: Some("/srv".into()), ..Exec::default() };
    one.start_service(&ServiceSpec { name: "placed".into(), exec }).await?;
    until("it wrote", || async { log(one, "placed").await == "/srv\na  b\n0\n" }).await;
    one.stop(GRACE).await?;
    one.start().await?;
    until("it wrote the same again", || async { log(one, "placed").await == "/srv\na  b\n0\n".repeat(2) })
        .await;
    Ok(())
}

async fn what_cannot_be_started(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let missing = Exec { argv: vec!["/no/such/program".into()], ..Exec::default() };
    let started = one.start_service(&ServiceSpec { name: "missing".into(), exec: missing }).await;
    let said = refused(started.map_err(Into::into), ErrorKind::Command);
    assert!(said.contains("/no/such/program"), "{said}");
    assert!(one.services().await?.is_empty(), "nothing is left of it");
    for name in ["", "a/b", "..", "a b"] {
        assert!(one.start_service(&service(name, "true")).await.is_err(), "{name:?} is no name");
    }
    one.stop(GRACE).await?;
    assert!(one.start_service(&service("late", "true")).await.is_err(), "a stopped machine starts nothing");
    one.start().await?;
    assert!(one.services().await?.is_empty());
    Ok(())
}
