//! Connections that are lost.

use std::time::{Duration, Instant};

use futures_util::FutureExt;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Case, Open, masters, until};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("lost::between_commands", |open| between_commands(open).boxed_local()),
        ("lost::in_a_command", |open| in_a_command(open).boxed_local()),
        ("lost::with_the_deployment", |open| with_the_deployment(open).boxed_local()),
    ]
}

async fn between_commands(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    for signal in [Signal::TERM, Signal::KILL] {
        assert_eq!(machine.run(["echo", "up"]).await?.text(), "up");
        machine.write("/root/file", "before").await?;
        let masters = masters();
        assert!(!masters.is_empty());
        for master in masters {
            kill_process(Pid::from_raw(master).ok_or("no process")?, signal)?;
        }
        machine.write("/root/file", "after").await?;
        assert_eq!(machine.run(["cat", "/root/file"]).await?.text(), "after");
    }
    // The other side ends it.
    open.known("plain-host")?.run(["sh", "-c", "kill -9 $(pgrep -f '[s]shd: root')"]).await?;
    assert_eq!(machine.run(["cat", "/root/file"]).await?.text(), "after");
    Ok(())
}

async fn in_a_command(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    let begun = Instant::now();
    let running = tokio::spawn({
        let machine = machine.clone();
        async move { machine.run(["sleep", "1900000003"]).await }
    });
    let host = open.known("plain-host")?;
    let sleeps = async || Ok(host.run(["sh", "-c", "pgrep -x sleep | wc -l"]).await?.text() != "0");
    until("it sleeps", sleeps).await;
    for master in masters() {
        kill_process(Pid::from_raw(master).ok_or("no process")?, Signal::KILL)?;
    }
    let said = format!("{:?}", running.await?.unwrap_err());
    assert!(said.contains("lost the connection to `pinned`"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    // What failed by itself is told apart.
    let said = format!("{:?}", machine.run(["false"]).await.unwrap_err());
    assert!(said.contains("failed with exit status 1"), "{said}");
    // And what ran there has ended with it.
    until("it sleeps no more", async || Ok(!sleeps().await?)).await;
    Ok(())
}

async fn with_the_deployment(open: &mut Open) -> carthage::Result<()> {
    open.machine("pinned").await?.run(["true"]).await?;
    assert!(!masters().is_empty());
    let state = open.state();
    open.reopen().await?;
    until("the connections are gone", async || Ok(masters().is_empty())).await;
    let rooms = std::fs::read_dir(state.join("ssh"))?.flatten();
    let rooms: Vec<_> =
        rooms.filter(|entry| entry.file_name().to_string_lossy().starts_with("run.")).collect();
    assert!(rooms.is_empty(), "{rooms:?}");
    Ok(())
}
