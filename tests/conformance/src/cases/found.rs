//! Found again by a later process.

use carthage::machine::GRACE;

use super::{Case, cases};
use crate::ground::Ground;

pub(super) fn cases() -> Vec<Case> {
    cases![open found: by_a_later_process, stopped_by_a_later_process [Power]]
}

async fn by_a_later_process(ground: Ground) -> carthage::Result<()> {
    let mark = ground.path("mark");
    ground.one.run(["sh", "-c", "echo here >\"$1\"", "sh", &mark]).await?;
    assert_eq!(ground.later.look(&ground.one, &["cat", &mark]).await, ["Some(true)", "here"]);
    Ok(())
}

async fn stopped_by_a_later_process(ground: Ground) -> carthage::Result<()> {
    ground.one.stop(GRACE).await?;
    assert_eq!(ground.later.look(&ground.one, &["true"]).await, ["Some(false)"]);
    ground.one.start().await?;
    assert_eq!(ground.later.look(&ground.one, &["echo", "again"]).await, ["Some(true)", "again"]);
    Ok(())
}
