//! Starting and stopping, destroying and making again.

use std::time::{Duration, Instant};

use carthage::machine::GRACE;
use carthage::machine::engine::{Exec, Presence, ServiceSpec};

use super::{Case, cases, mark};
use crate::ground::{Ground, until};

pub(super) fn cases() -> Vec<Case> {
    cases![open power: stopped_and_started [Power], started_while_it_stops [Power], its_files_survive [Power, FileTree], destroyed_and_made_again [Power]]
}

async fn stopped_and_started(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    assert_eq!(one.is_running().await?, Some(true));
    let identity = one.presence().await?.identity().cloned();
    one.start().await?;
    one.stop(GRACE).await?;
    assert_eq!(one.is_running().await?, Some(false));
    one.stop(GRACE).await?;
    assert!(one.run(["true"]).await.is_err(), "nothing runs in a stopped machine");
    for _ in 0..2 {
        one.start().await?;
        assert_eq!(one.is_running().await?, Some(true));
        one.run(["true"]).await?;
        one.stop(GRACE).await?;
    }
    assert_eq!(one.presence().await?.identity().cloned(), identity, "it is the same machine");
    // The others were not touched.
    assert_eq!(ground.other.is_running().await?, Some(true));
    Ok(())
}

async fn started_while_it_stops(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    // It takes its time to end, so that the start comes while it stops.
    let ready = ground.path("ready");
    let script = format!("trap 'sleep 1; exit' TERM; : >\"$1\"; sleep {} & wait", mark());
    let argv = ["sh", "-c", &script, "sh", &ready].map(Into::into).into();
    let exec = Exec { argv, ..Exec::default() };
    one.start_service(&ServiceSpec { name: "slow".into(), exec }).await?;
    until("the service is ready", || async { one.exists(&ready).await.unwrap() }).await;
    let begun = Instant::now();
    let (stopped, started) = tokio::join!(one.stop(GRACE), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        one.start().await
    });
    stopped?;
    started?;
    assert!(begun.elapsed() >= Duration::from_millis(900), "it was not killed: {:?}", begun.elapsed());
    assert_eq!(one.is_running().await?, Some(true));
    one.run(["true"]).await?;
    Ok(())
}

async fn its_files_survive(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let at = |below: &str| ground.path(below);
    one.write(at("deep/mark"), "here").await?;
    one.run([
        "sh",
        "-c",
        "echo more >>\"$1/log\"; mkdir \"$1/new\"; ln -s \"$1/log\" \"$1/new/link\"",
        "sh",
        &at(""),
    ])
    .await?;
    // What has been written as any program writes it is on the disk once it is synchronised.
    one.run(["sync"]).await?;
    one.stop(GRACE).await?;
    one.start().await?;
    assert_eq!(one.read_to_string(at("deep/mark")).await?, "here");
    assert_eq!(one.read_to_string(at("new/link")).await?, "more\n");
    let other = (crate::subject::facts().base)(&ground.other).await?;
    let there = other.join(ground.base.file_name().unwrap()).join("deep");
    assert!(!ground.other.exists(there).await?, "it is its own");
    Ok(())
}

async fn destroyed_and_made_again(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let identity = one.presence().await?.identity().cloned();
    let mark = ground.path("mark");
    one.run(["touch", &mark]).await?;
    one.destroy().await?;
    assert_eq!(one.presence().await?, Presence::Absent);
    assert_eq!(one.is_running().await?, Some(false));
    one.destroy().await?;
    assert!(one.start().await.is_err(), "what does not exist cannot be started");
    one.create().await?;
    one.start().await?;
    assert_ne!(one.presence().await?.identity().cloned(), identity, "it is another machine");
    assert!(one.run(["test", "-e", &mark]).await.is_err(), "it is empty");
    Ok(())
}
