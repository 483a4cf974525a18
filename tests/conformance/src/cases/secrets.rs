//! Secrets.

use std::fs;

use carthage::Secret;

use super::{Case, cases, end, how_many, mark};
use crate::ground::{Ground, until};

pub(super) fn cases() -> Vec<Case> {
    cases![open secrets: given_to_a_command]
}

async fn given_to_a_command(ground: Ground) -> carthage::Result<()> {
    let one = &ground.one;
    let hidden = format!("{:032x}", fastrand::u128(..));
    let secret = Secret::new(hidden.clone());
    let mark = mark();
    let script = format!("sleep {mark}; echo ${{#WORD}}");
    let command = one.command(["sh", "-c", &script]).secret_env("WORD", &secret);
    let running = tokio::spawn(command.run());
    until("it runs", || async { how_many(one, &mark).await.unwrap() == 1 }).await;
    for entry in fs::read_dir("/proc")?.flatten() {
        // Some will have ended when they are looked at.
        let arguments = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        assert!(!String::from_utf8_lossy(&arguments).contains(&hidden), "{:?}", entry.path());
    }
    // Nor those of the machine, where they are not also the host's.
    let inside = one.run(["sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null; true"]).await?;
    assert!(!String::from_utf8_lossy(&inside.stdout).contains(&hidden));
    end(one, &mark).await?;
    assert_eq!(running.await??.text(), "32");
    // One that fails says which command, and not what was in its environment.
    let failed = one.command(["sh", "-c", "exit 1"]).secret_env("WORD", &secret).run().await.unwrap_err();
    assert!(!format!("{failed:?}").contains(&hidden));
    assert!(!ground.told.text().contains(&hidden));
    Ok(())
}
