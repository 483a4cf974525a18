//! Controllers that are killed in the middle of their work: the next one carries on.

use carthage::machine::capability::Capability;

use super::tasks::ran;
use super::{Case, cases};
use crate::ground::{Controllers, has, until};
use crate::marks::{WAITS, WORD};

pub(super) fn cases() -> Vec<Case> {
    cases![closed controllers: killed_again_and_again, killed_in_a_task]
}

/// At which instants of a deployment a controller dies, one after the other, and whether only machines that are made come there.
const INSTANTS: [(&str, bool); 5] = [
    ("machine-made-unrecorded", false),
    ("machine-recorded", true),
    ("machine-started-unsettled", true),
    ("machine-started", true),
    ("machine-introduced", false),
];

/// Where it dies when there are tasks to do.
const IN_TASKS: [&str; 3] = ["task-unstamped", "task-ended-unstamped", "task-stamped"];

async fn killed_again_and_again(later: Controllers) -> carthage::Result<()> {
    later.done(&["destroy"]).await;
    for (instant, only_made) in INSTANTS {
        if has(Capability::Power) || !only_made {
            dies(&later, instant, "deploy").await;
        }
    }
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    for instant in IN_TASKS {
        dies(&later.with(WORD, "second"), instant, "deploy").await;
    }
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    // And in the middle of taking it away.
    dies(&later, "machine-removed-unrecorded", "destroy").await;
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    Ok(())
}

/// A controller does this, and dies at that instant.
async fn dies(later: &Controllers, instant: &str, verb: &str) {
    let ended = later.with("CARTHAGE_CRASH_AT", instant).run(&[verb]).await;
    assert_eq!(ended.code, 128 + 9, "it was to die at {instant}: {ended:?}");
}

/// All machines run, there is one service, and nothing is left to do.
pub(super) async fn is_whole(later: &Controllers) {
    for victim in &later.victims {
        assert_eq!(later.done(&["look", &victim.machine]).await, ["Some(true)"]);
    }
    let ran = ran(later).await;
    assert_eq!(ran.last().map(String::as_str), Some("last"), "{ran:?}");
    assert_eq!(later.done(&["services", &later.victims[0].machine]).await, ["marks.serve true"]);
    assert_eq!(later.done(&["plan"]).await, Vec::<String>::new());
}

async fn killed_in_a_task(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let waits = async |count: &str| {
        let counted = async || later.done(&["waiting", machine]).await == [count];
        until(&format!("{count} waits"), counted).await;
    };
    let mut waiting = later.with(WAITS, "").start(&["deploy"]);
    waits("1").await;
    waiting.kill().await;
    // What it ran goes with it, though nobody is there to end it.
    waits("0").await;
    let plan = later.done(&["plan"]).await;
    let task = format!("run task:{machine}/marks.wait: was interrupted");
    assert!(plan.iter().any(|line| line.starts_with(&task)), "{plan:?}");
    assert_eq!(later.done(&["deploy"]).await, plan);
    is_whole(&later).await;
    Ok(())
}
