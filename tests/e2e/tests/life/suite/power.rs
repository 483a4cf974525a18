//! Starting, stopping, and being found again.

use std::time::{Duration, Instant};

use carthage::machine::GRACE;

use super::{Named, cases};
use crate::ground::Ground;

pub(super) fn cases() -> Vec<Named> {
    cases![power: found_by_a_later_process, stopped_and_started, started_while_it_stops, destroyed_and_made_again, its_files_survive]
}

async fn found_by_a_later_process(ground: Ground) -> carthage::Result<()> {
    ground.one.write("/var/lib/mark", "here").await?;
    assert_eq!(ground.later("one.life.test", &["cat", "/var/lib/mark"]).await, "Some(true)\nhere\n");
    ground.one.stop(GRACE).await?;
    assert_eq!(ground.later("one", &["true"]).await, "Some(false)\n");
    ground.one.start().await?;
    assert_eq!(ground.later("one", &["hostname"]).await, "Some(true)\none\n");
    Ok(())
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
    for _ in 0..3 {
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
    one.write("/root/slow", "trap 'sleep 1; exit' TERM; echo >/run/ready; sleep 1000 & wait").await?;
    let exec = carthage::machine::engine::Exec {
        argv: vec!["sh".into(), "/root/slow".into()],
        ..Default::default()
    };
    one.start_service(&carthage::machine::engine::ServiceSpec { name: "slow".into(), exec }).await?;
    crate::ground::until("the service is ready", || async { one.exists("/run/ready").await.unwrap() }).await;
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

async fn destroyed_and_made_again(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let identity = one.presence().await?.identity().cloned();
    one.write("/var/lib/mark", "here").await?;
    one.destroy().await?;
    assert_eq!(one.presence().await?, carthage::machine::engine::Presence::Absent);
    assert_eq!(one.is_running().await?, Some(false));
    one.destroy().await?;
    assert!(one.start().await.is_err(), "what does not exist cannot be started");
    one.create().await?;
    one.start().await?;
    assert_ne!(one.presence().await?.identity().cloned(), identity, "it is another machine");
    assert!(!one.exists("/var/lib/mark").await?);
    Ok(())
}

async fn its_files_survive(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.write("/var/lib/deep/mark", "here").await?;
    one.write("/etc/added", "there").await?;
    one.run(["rm", "/etc/passwd-"]).await.ok();
    one.run(["sh", "-c", "echo more >>/etc/profile; mkdir /opt/new; ln -s /etc/added /opt/new/link"]).await?;
    one.stop(GRACE).await?;
    one.start().await?;
    assert_eq!(one.read_to_string("/var/lib/deep/mark").await?, "here");
    assert!(one.read_to_string("/etc/profile").await?.ends_with("more\n"));
    assert_eq!(one.read_to_string("/opt/new/link").await?, "there");
    assert!(!ground.other.exists("/etc/added").await?, "it is its own");
    assert!(!std::path::Path::new("/etc/added").exists(), "and not the host's");
    Ok(())
}
