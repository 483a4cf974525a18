//! What a machine begins with, and what is said when it does not come up.

use std::time::Duration;

use carthage_runtime::ErrorKind;
use carthage_runtime::machine::engine::{Firmware, LoginSpec, Presence};

use super::support::{GRACE, Outcome, TestSite, has};

pub(crate) async fn by_uefi(site: TestSite) -> Outcome {
    let mut machine = site.machine("m");
    machine.firmware = Some(Firmware::Uefi);
    // The firmware alone needs more than the system does.
    machine.memory_mb = Some(256);
    site.up(&machine).await?;
    assert_eq!(site.sh(&machine, "[ -d /sys/firmware/efi ] && echo uefi").await?, "uefi");
    // Its variables go with it: libvirt refuses to remove a machine that would leave them behind.
    site.engine.stop(&machine, GRACE).await?;
    site.engine.remove(&machine).await?;
    assert_eq!(site.engine.find(&machine).await?, Presence::Absent);
    Ok(())
}

/// It runs, and never takes commands.
pub(crate) async fn never(site: TestSite) -> Outcome {
    let mut machine = site.machine("m");
    let boot = machine.boot.as_mut().unwrap();
    boot.arguments = "console=ttyS0 rdinit=/nothing root=/dev/nothing".into();
    machine.login = Some(LoginSpec { online_timeout: Some(Duration::from_secs(25)), ..LoginSpec::default() });
    let error = site.up(&machine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let said = carthage_runtime::chain(&error);
    has(&said, "the last lines of its serial console:")?;
    has(&said, "Kernel panic")?;
    let console = site.directory.join("logs/console/m.lab.log");
    has(error.next_step().unwrap(), console.to_str().unwrap())?;
    has(&std::fs::read_to_string(console)?, "Linux version")?;
    // It is not left running, for nobody could use it.
    assert!(matches!(site.engine.find(&machine).await?, Presence::Stopped(_)));
    Ok(())
}

/// It switches itself off: that is known long before the time is up.
pub(crate) async fn given_up_by_itself(site: TestSite) -> Outcome {
    let mut machine = site.machine("m");
    machine.image = None;
    let error = site.up(&machine).await.unwrap_err();
    let said = carthage_runtime::chain(&error);
    has(&said, "it has switched itself off")?;
    has(&said, "guest: no root disk")?;
    Ok(())
}
