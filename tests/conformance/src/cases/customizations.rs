//! Customizations of each kind: what works on files alone, and when it is applied.

use std::time::Duration;

use carthage::machine::capability::Capability;

use super::controllers::is_whole;
use super::tasks::steps;
use super::{Case, cases};
use crate::ground::{Controllers, Ended, has};
use crate::roots::{PLACE, RAN, ROOT_FAILS, ROOT_STOPS, ROOT_WAITS, ROOT_WORD};

pub(super) fn cases() -> Vec<Case> {
    cases![closed customizations: roots_before_the_first_start [OfflineRoot, Power], roots_of_what_is_stopped [OfflineRoot, Power], an_edit_runs_its_task_only [OfflineRoot], a_root_that_fails [OfflineRoot, Power], interrupted_in_a_root [OfflineRoot, Power], forced_on_what_is_stopped [OfflineRoot, Power], killed_in_a_root [OfflineRoot, Power], by_hand_to_a_root, by_hand_to_a_tree [FileTree]]
}

/// Which bodies of the root's tasks have run since the machine was made.
async fn ran(later: &Controllers) -> Vec<String> {
    later
        .done(&["read", &later.victims[0].machine, RAN])
        .await
        .into_iter()
        .filter(|l| !l.is_empty())
        .collect()
}

/// The position of the line that begins so.
#[track_caller]
fn at(lines: &[String], begins: &str) -> usize {
    lines.iter().position(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("{begins}: {lines:?}"))
}

/// A machine is made, its root is customized, it is started, and then it is customized.
async fn roots_before_the_first_start(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    later.done(&["destroy", &format!("machine:{machine}")]).await;
    let plan = later.done(&["plan"]).await;
    let order = [
        format!("create machine:{machine}"),
        format!("run task:{machine}/root.word: never ran"),
        format!("run task:{machine}/root.wait: never ran"),
        format!("run task:{machine}/marks.word: never ran"),
    ];
    let order = order.map(|line| at(&plan, &line));
    assert!(order.is_sorted(), "{plan:?}");
    let died = later.with("CARTHAGE_CRASH_AT", "task-ended-unstamped").run(&["deploy"]).await;
    assert_eq!(died.code, 128 + 9, "{died:?}");
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    assert_eq!(later.done(&["read", machine, PLACE]).await, ["first"]);
    let plan = later.done(&["plan"]).await;
    at(&plan, &format!("run task:{machine}/root.word: was interrupted"));
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await, ["word", "word", "wait"]);
    Ok(())
}

/// A stopped machine is asked, and what is missing is there before it is started.
async fn roots_of_what_is_stopped(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let before = ran(&later).await;
    later.done(&["stop", machine]).await;
    let plan = later.done(&["plan"]).await;
    assert!(plan.iter().all(|line| !line.contains("/root.")), "it was asked: {plan:?}");
    later.done(&["remove", machine, PLACE]).await;
    let plan = later.done(&["plan"]).await;
    let start = format!("start machine:{machine}");
    let word = format!("run task:{machine}/root.word: no longer valid: `is_there` said no");
    assert!(at(&plan, &start) < at(&plan, &word), "{plan:?}");
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    // What could not be started has its root all the same.
    let died = later.with("CARTHAGE_CRASH_AT", "machine-started-unsettled").run(&["deploy"]).await;
    assert_eq!(died.code, 128 + 9, "{died:?}");
    assert_eq!(later.done(&["read", machine, PLACE]).await, ["first"]);
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await[before.len()..], ["word"]);
    Ok(())
}

/// Also on a machine that runs, which is not stopped for it.
async fn an_edit_runs_its_task_only(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let before = ran(&later).await;
    let task = format!("run task:{machine}/root.word");
    for word in ["second", "first"] {
        let edited = later.with(ROOT_WORD, word);
        let plan = edited.done(&["plan"]).await;
        assert_eq!(steps(&plan), [&task], "{plan:?}");
        assert_eq!(edited.done(&["deploy"]).await, plan);
        assert_eq!(edited.done(&["plan"]).await, Vec::<String>::new());
        assert_eq!(later.done(&["read", machine, PLACE]).await, [word]);
    }
    assert_eq!(ran(&later).await[before.len()..], ["word", "word"]);
    Ok(())
}

/// What cannot be customized is not started.
async fn a_root_that_fails(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    later.done(&["destroy", &format!("machine:{machine}")]).await;
    let Ended { code, lines, errors } = later.with(ROOT_FAILS, "").run(&["deploy"]).await;
    assert_eq!(code, 3, "{lines:?} {errors}");
    let failed = format!("failed: task:{machine}/root.wait: ");
    assert!(errors.contains(&failed) && errors.contains("it was to fail"), "{errors}");
    let skipped = format!("skipped by it: machine:{machine}: `task:{machine}/root.wait` did not succeed");
    assert!(errors.contains(&skipped), "{errors}");
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    let plan = later.done(&["plan"]).await;
    at(&plan, &format!("run task:{machine}/root.wait: failed in run "));
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await, ["word", "wait", "wait"]);
    Ok(())
}

/// What was begun is finished, and a root that is not is not started.
async fn interrupted_in_a_root(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    later.done(&["destroy", &format!("machine:{machine}")]).await;
    let Ended { code, lines, errors } = later.with(ROOT_STOPS, "").run(&["deploy"]).await;
    assert_eq!(code, 3, "{lines:?} {errors}");
    at(&lines, &format!("run task:{machine}/root.word: never ran"));
    for thing in [format!("not done: task:{machine}/root.wait"), format!("not done: machine:{machine}")] {
        assert_eq!(errors.lines().filter(|line| **line == *thing).count(), 1, "{thing}: {errors}");
    }
    assert!(!errors.contains("failed: ") && !errors.contains("skipped by it: "), "{errors}");
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await, ["word", "wait"]);
    Ok(())
}

/// A machine need not run for what is done to its root.
async fn forced_on_what_is_stopped(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let before = ran(&later).await;
    later.done(&["stop", machine]).await;
    let task = format!("task:{machine}/root.word");
    assert_eq!(later.done(&["run", &task]).await, [format!("run {task}: forced")]);
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await[before.len()..], ["word"]);
    Ok(())
}

async fn killed_in_a_root(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    later.done(&["destroy", &format!("machine:{machine}")]).await;
    let scratch = tempfile::tempdir()?;
    let reached = scratch.path().join("reached");
    let mut waiting = later.with(ROOT_WAITS, reached.to_str().unwrap()).start(&["deploy"]);
    let waits = async {
        while !reached.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), waits).await?;
    waiting.kill().await;
    assert_eq!(later.done(&["look", machine]).await, ["Some(false)"]);
    let plan = later.done(&["plan"]).await;
    let task = format!("run task:{machine}/root.wait: was interrupted");
    assert!(at(&plan, &format!("start machine:{machine}")) < at(&plan, &task), "{plan:?}");
    assert!(plan.iter().all(|line| !line.contains("root.word")), "{plan:?}");
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    assert_eq!(ran(&later).await, ["word", "wait", "wait"]);
    Ok(())
}

async fn by_hand_to_a_root(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    if !has(Capability::OfflineRoot) {
        let Ended { code, errors, .. } = later.run(&["apply", machine, "root"]).await;
        assert!(code == 1 && errors.contains("does not declare `OfflineRoot`"), "{errors}");
        return Ok(());
    }
    let before = ran(&later).await;
    let stop = has(Capability::Power);
    if stop {
        later.done(&["stop", machine]).await;
    }
    for _ in 0..2 {
        later.done(&["apply", machine, "root"]).await;
        assert_eq!(later.done(&["look", machine]).await, [format!("{:?}", Some(!stop))]);
        assert_eq!(ran(&later).await[before.len()..], ["word", "wait"], "once");
    }
    Ok(())
}

async fn by_hand_to_a_tree(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let file = format!("{}/tree", later.done(&["base", machine]).await[0]);
    let stop = has(Capability::Power);
    if stop {
        later.done(&["stop", machine]).await;
    }
    for _ in 0..2 {
        later.done(&["apply", machine, "tree", &file]).await;
        assert_eq!(later.done(&["look", machine]).await, [format!("{:?}", Some(!stop))], "it is as it was");
    }
    later.done(&["deploy"]).await;
    assert_eq!(later.done(&["read", machine, &file]).await[0], "mark");
    assert_eq!(later.done(&["read", machine, &file]).await.concat(), "mark", "once");
    later.done(&["remove", machine, &file]).await;
    Ok(())
}
