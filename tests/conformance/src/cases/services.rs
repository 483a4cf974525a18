//! Services.

use std::collections::BTreeMap;

use carthage::machine::GRACE;
use carthage::machine::capability::Capability;
use carthage::machine::engine::{Exec, ServiceSpec, ServiceState};
use carthage::{ErrorKind, Machine};

use super::{Case, cases, how_many, mark, refused};
use crate::ground::{Ground, has, services, until};
use crate::subject::facts;

pub(super) fn cases() -> Vec<Case> {
    cases![open services: outlive_the_controller, come_back_with_the_machine [Power], death_is_visible, replaced_and_removed, stay_removed [Power], have_their_surroundings, what_cannot_be_started, none_in_a_stopped_machine [Power]]
}

fn service(name: &str, script: &str) -> ServiceSpec {
    let argv = ["sh", "-c", script].map(Into::into).into();
    ServiceSpec { name: name.into(), exec: Exec { argv, ..Exec::default() } }
}

async fn state(machine: &Machine, name: &str) -> Option<ServiceState> {
    services(machine)
        .await
        .unwrap()
        .into_iter()
        .find(|service| service.name == name)
        .map(|service| service.state)
}

async fn log(machine: &Machine, name: &str) -> String {
    String::from_utf8(machine.service_log(name).await.unwrap()).unwrap()
}

async fn outlive_the_controller(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let mark = mark();
    one.start_service(&service("sleeper", &format!("echo $$; exec sleep {mark}"))).await?;
    let Some(ServiceState::Running(pid)) = state(one, "sleeper").await else { panic!("it does not run") };
    until("it has become the sleeper", || async { how_many(one, &mark).await.unwrap() == 1 }).await;
    let seen = ground.later.look(one, &["cat", &format!("/proc/{pid}/cmdline")]).await;
    assert_eq!(seen, ["Some(true)".to_owned(), format!("sleep\0{mark}\0")]);
    assert_eq!(log(one, "sleeper").await, format!("{pid}\n"));
    assert_eq!(how_many(one, &mark).await?, 1);
    Ok(())
}

async fn come_back_with_the_machine(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let mark = mark();
    for name in ["b", "a"] {
        let script = format!("echo begun; echo complaint >&2; exec sleep {mark}");
        one.start_service(&service(name, &script)).await?;
    }
    let names: Vec<_> = services(one).await?.into_iter().map(|service| service.name).collect();
    assert_eq!(names, ["a", "b"]);
    for name in ["a", "b"] {
        until("it has begun", || async { log(one, name).await == "begun\ncomplaint\n" }).await;
    }
    one.stop(GRACE).await?;
    for name in ["a", "b"] {
        assert_eq!(state(one, name).await, Some(ServiceState::Stopped));
        if has(Capability::OfflineRoot) {
            assert_eq!(log(one, name).await, "begun\ncomplaint\n");
        }
    }
    one.start().await?;
    for name in ["a", "b"] {
        assert!(matches!(state(one, name).await, Some(ServiceState::Running(_))));
        until("it writes into the same log", || async {
            log(one, name).await == "begun\ncomplaint\n".repeat(2)
        })
        .await;
    }
    assert_eq!(how_many(one, &mark).await?, 2);
    Ok(())
}

async fn death_is_visible(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    for (name, script, exit) in
        [("fails", "echo why; exit 3", 3), ("killed", "kill -KILL $$", 128 + 9), ("done", "true", 0)]
    {
        one.start_service(&service(name, script)).await?;
        until("its end is told", || async {
            matches!(state(one, name).await, Some(ServiceState::Ended(ended)) if ended.code() == exit)
        })
        .await;
    }
    assert_eq!(log(one, "fails").await, "why\n");
    // What a service has started ends with it.
    let mark = mark();
    one.start_service(&service("parent", &format!("setsid sleep {mark} & exit 1"))).await?;
    until("its end is told", || async { matches!(state(one, "parent").await, Some(ServiceState::Ended(_))) })
        .await;
    until("nothing of it is left", || async { how_many(one, &mark).await.unwrap() == 0 }).await;
    Ok(())
}

async fn replaced_and_removed(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let (old, new) = (mark(), mark());
    one.start_service(&service("it", &format!("echo old; exec sleep {old}"))).await?;
    until("it wrote", || async { log(one, "it").await == "old\n" }).await;
    one.start_service(&service("it", &format!("echo new; exec sleep {new}"))).await?;
    assert_eq!(how_many(one, &old).await?, 0);
    until("the new one runs", || async { how_many(one, &new).await.unwrap() == 1 }).await;
    until("both wrote", || async { log(one, "it").await == "old\nnew\n" }).await;
    one.remove_service("it").await?;
    one.remove_service("it").await?;
    assert_eq!(how_many(one, &new).await?, 0);
    assert!(services(one).await?.is_empty());
    // One that does not want to end is ended.
    one.start_service(&service("stubborn", "trap '' TERM; while :; do sleep 0.1; done")).await?;
    one.remove_service("stubborn").await?;
    assert!(services(one).await?.is_empty());
    Ok(())
}

async fn stay_removed(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let mark = mark();
    one.start_service(&service("it", &format!("exec sleep {mark}"))).await?;
    one.remove_service("it").await?;
    one.stop(GRACE).await?;
    one.start().await?;
    assert!(services(one).await?.is_empty());
    assert_eq!(how_many(one, &mark).await?, 0);
    Ok(())
}

async fn have_their_surroundings(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let script = format!("pwd; echo \"$WORD\"; id -un; exec sleep {}", mark());
    let argv = ["sh", "-c", &script].map(Into::into).into();
    let env = BTreeMap::from([("WORD".into(), "a  b".into())]);
    let exec = Exec { argv, env, cwd: Some(ground.base.clone()), ..Exec::default() };
    one.start_service(&ServiceSpec { name: "placed".into(), exec }).await?;
    let said = format!("{}\na  b\n{}\n", ground.path("").trim_end_matches('/'), facts().user);
    until("it wrote", || async { log(one, "placed").await == said }).await;
    if has(Capability::Power) {
        one.stop(GRACE).await?;
        one.start().await?;
        until("it wrote the same again", || async { log(one, "placed").await == said.repeat(2) }).await;
    }
    Ok(())
}

async fn what_cannot_be_started(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let missing = Exec { argv: vec!["/no/such/program".into()], ..Exec::default() };
    let started = one.start_service(&ServiceSpec { name: "missing".into(), exec: missing }).await;
    let said = refused(started.map_err(Into::into), ErrorKind::Command);
    assert!(said.contains("/no/such/program"), "{said}");
    assert!(services(one).await?.is_empty(), "nothing is left of it");
    for name in ["", "a/b", "..", "a b"] {
        assert!(one.start_service(&service(name, "true")).await.is_err(), "{name:?} is no name");
    }
    Ok(())
}

async fn none_in_a_stopped_machine(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.stop(GRACE).await?;
    assert!(one.start_service(&service("late", "true")).await.is_err(), "a stopped machine starts nothing");
    one.start().await?;
    assert!(services(one).await?.is_empty());
    Ok(())
}
