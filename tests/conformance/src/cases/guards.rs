//! `machine_running`: a machine runs as long as somebody needs it.

use carthage::Machine;
use carthage::machine::GRACE;

use super::{Case, cases};
use crate::ground::{Ground, until};

pub(super) fn cases() -> Vec<Case> {
    cases![open guards: nested [Power], released_by_a_failure [Power], of_a_machine_that_runs, started_for_good_meanwhile [Power]]
}

async fn runs(machine: &Machine) -> bool {
    machine.is_running().await.unwrap() == Some(true)
}

async fn nested(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.stop(GRACE).await?;
    let outer = one.machine_running().await?;
    let (inner, another) =
        tokio::join!(one.machine_running().into_future(), one.machine_running().into_future());
    assert!(runs(one).await && inner.as_ref().unwrap().machine().name() == one.name());
    outer.release().await?;
    assert!(runs(one).await);
    inner?.release().await?;
    one.run(["true"]).await?;
    another?.release().await?;
    assert!(!runs(one).await);
    Ok(())
}

async fn released_by_a_failure(ground: Ground) -> carthage::Result<()> {
    async fn fails(machine: &Machine) -> carthage::Result<()> {
        let guard = machine.machine_running().await?;
        guard.machine().run(["false"]).await?;
        guard.release().await?;
        Ok(())
    }
    let one = &ground.one;
    one.stop(GRACE).await?;
    assert!(fails(one).await.is_err());
    until("it is stopped again", || async { !runs(one).await }).await;
    let panics = tokio::spawn({
        let one = one.clone();
        async move {
            let _guard = one.machine_running().await.unwrap();
            std::panic::resume_unwind(Box::new("as if it had panicked"));
        }
    });
    assert!(panics.await.unwrap_err().is_panic());
    until("it is stopped again", || async { !runs(one).await }).await;
    Ok(())
}

async fn of_a_machine_that_runs(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let guard = one.machine_running().await?;
    guard.release().await?;
    assert!(runs(one).await, "it ran before, and goes on");
    Ok(())
}

async fn started_for_good_meanwhile(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    one.stop(GRACE).await?;
    let guard = one.machine_running().await?;
    one.start().await?;
    guard.release().await?;
    assert!(runs(one).await);
    // And the other way round: stopped under the guard, it stays stopped, and releasing it is no error.
    one.stop(GRACE).await?;
    let guard = one.machine_running().await?;
    one.stop(GRACE).await?;
    guard.release().await?;
    assert!(!runs(one).await);
    Ok(())
}
