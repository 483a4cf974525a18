//! Shells that wait for the next command: in nobody's way, and gone when there is none.

use std::time::{Duration, Instant};

use carthage::machine::engine::Exec;
use futures_util::FutureExt;
use rustix::process::{Pid, Signal, kill_process};

use crate::stage::{Case, Open, masters, until, words};

pub(crate) fn cases() -> Vec<(&'static str, Case)> {
    vec![
        ("idle::gives_way", |open| gives_way(open).boxed_local()),
        ("idle::is_lost_with_its_connection", |open| is_lost_with_its_connection(open).boxed_local()),
        ("idle::goes_when_nothing_runs", |open| goes_when_nothing_runs(open).boxed_local()),
    ]
}

/// How many shells of ours this host has.
async fn shells(open: &Open, host: &str) -> carthage::Result<usize> {
    let count = ["sh", "-c", "pgrep -fc '[r]ead_line' || true"];
    Ok(open.known(host)?.run(count).await?.text().parse()?)
}

/// Others get a place at once, however few there are.
async fn gives_way(open: &mut Open) -> carthage::Result<()> {
    // One has no place for it, the other has no files to offer: they are read by a shell as well.
    for (name, others) in [("one", 0), ("three", 2)] {
        let machine = open.machine(name).await?;
        let mut running = Vec::new();
        for _ in 0..others {
            let argv = words(&["sleep", "1900000004"]);
            running.push(machine.exec(Exec { argv, ..Exec::default() }).await?);
        }
        let begun = Instant::now();
        for round in 0..20 {
            machine.write("/root/idle", round.to_string()).await?;
            assert_eq!(machine.run(["cat", "/root/idle"]).await?.text(), round.to_string());
            assert_eq!(machine.read_to_string("/root/idle").await?, round.to_string());
        }
        // It would wait for a second by itself.
        assert!(begun.elapsed() < Duration::from_secs(15), "{name}: {:?}", begun.elapsed());
        for mut other in running {
            other.control.signal(Signal::TERM.as_raw()).await?;
            other.control.wait().await?;
        }
    }
    Ok(())
}

async fn is_lost_with_its_connection(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    for pause in [0, 1, 4, 8, 20, 100].map(Duration::from_millis) {
        assert_eq!(machine.run(["echo", "before"]).await?.text(), "before");
        // It may be opened just now, or have waited for a while.
        tokio::time::sleep(pause).await;
        for master in masters() {
            kill_process(Pid::from_raw(master).ok_or("no process")?, Signal::KILL)?;
        }
        // Nobody has been told of it yet when the next command comes.
        while !masters().is_empty() {}
        assert_eq!(machine.run(["echo", "after"]).await?.text(), "after", "{pause:?}");
        // The other side ends it.
        open.known("plain-host")?.run(["pkill", "-9", "-f", "[s]shd: root"]).await?;
        assert_eq!(machine.run(["echo", "again"]).await?.text(), "again", "{pause:?}");
    }
    Ok(())
}

async fn goes_when_nothing_runs(open: &mut Open) -> carthage::Result<()> {
    let machine = open.machine("pinned").await?;
    let appears = async || {
        machine.run(["true"]).await?;
        Ok(shells(open, "plain-host").await? == 1)
    };
    until("one waits", appears).await;
    until("it is gone", async || Ok(shells(open, "plain-host").await? == 0)).await;
    machine.run(["true"]).await?;
    open.reopen().await?;
    until("it is gone with its connection", async || Ok(shells(open, "plain-host").await? == 0)).await;
    Ok(())
}
