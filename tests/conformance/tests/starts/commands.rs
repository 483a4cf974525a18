//! Commands that have to succeed before a machine starts.

use std::time::{Duration, Instant};

use carthage::prelude::*;

use super::{Opened, Toy, named, opened};

#[machine_model]
struct Gateway;

#[machine_model]
#[depends_on(
    Gateway,
    command = ["sh", "-c", "echo try >> \"$TOY/tries\"; test \"$(wc -l < \"$TOY/tries\")\" -ge 3"],
    wait_limit_seconds = 30
)]
struct Patient;

#[machine_model]
#[depends_on(Gateway, command = ["sh", "-c", "echo no route to it >&2; exit 7"], wait_limit_seconds = 1)]
struct Hopeless;

#[machine_model]
#[depends_on(Gateway, command = ["sh", "-c", "echo trying; exit 1"], wait_limit_seconds = 3600)]
struct Endless;

#[machine_model]
#[depends_on(Hopeless)]
struct Behind;

#[layout(name = "commands", implementation = Toy)]
struct Commands {
    gateway: Gateway,
    patient: Patient,
    hopeless: Hopeless,
    behind: Behind,
    endless: Endless,
}

#[tokio::test]
async fn a_command_that_succeeds_at_the_third_try() {
    let all = opened::<Commands>(false).await.unwrap();
    let plan = all.deployment.plan(&named("patient")).await.unwrap();
    let [gateway, patient] = &plan.steps[..] else { panic!("{plan:?}") };
    assert_eq!(gateway.thing, "machine:gateway");
    let details = patient.details.join("\n");
    assert!(
        details.starts_with("waits for `sh -c ") && details.ends_with("` on `gateway`, for at most 30 s")
    );
    let begun = Instant::now();
    let report = all.deploy("patient").await;
    assert!(report.is_complete(), "{report:?}");
    assert!(begun.elapsed() >= Duration::from_secs(3), "it pauses for one second, and then for two");
    let tries = async |all: &Opened| {
        let gateway = all.deployment.machine("gateway").unwrap();
        gateway.run(["sh", "-c", "wc -l < \"$TOY/tries\""]).await.unwrap().text()
    };
    assert_eq!(tries(&all).await.trim(), "3");
    assert_eq!(all.texts(), Vec::<String>::new(), "two failures are nothing to tell of");
    // Nothing to start is nothing to wait for; what is started waits again.
    all.deploy("patient").await;
    assert_eq!(tries(&all).await.trim(), "3");
    let all = all.again::<Commands>().await;
    assert!(all.deployment.stop(&named("patient")).await.unwrap().is_complete());
    assert!(all.deployment.start(&named("patient")).await.unwrap().is_complete());
    assert_eq!(tries(&all).await.trim(), "4");
    all.destroy().await;
}

/// W-A37: what is not reached because of it says so.
#[tokio::test]
async fn a_command_that_runs_into_its_limit() {
    let all = opened::<Commands>(false).await.unwrap();
    let report = all.deploy("behind").await;
    let [failure] = &report.failed[..] else { panic!("{report:?}") };
    assert_eq!(failure.thing, "machine:hopeless");
    assert_eq!(
        failure.causes.join(": "),
        "`sh -c echo no route to it >&2; exit 7` on `gateway` had not succeeded after 1 s: it was tried 2 times; the last \
         time it failed with exit status 7: no route to it"
    );
    assert!(failure.hint.as_ref().unwrap().contains("exec gateway -- sh -c"), "{failure:?}");
    assert_eq!(report.skipped[0].thing, "machine:behind");
    assert!(!all.exists("hopeless").await, "it was not even made");
    all.destroy().await;
}

#[tokio::test]
async fn waiting_ends_when_the_run_is_to_stop() {
    let all = opened::<Commands>(true).await.unwrap();
    let begun = Instant::now();
    let report = all.deploy("endless").await;
    assert!(begun.elapsed() < Duration::from_secs(60), "it does not wait for its hour");
    assert_eq!(report.interrupted, ["machine:endless"]);
    assert!(report.failed.is_empty() && !all.exists("endless").await, "{report:?}");
    assert!(all.exists("gateway").await, "what was begun is finished");
    all.again::<Commands>().await.destroy().await;
}
