//! Customizations: their tasks run once, and again when there is a reason.

use super::{Case, cases};
use crate::ground::Controllers;
use crate::marks::WORD;

pub(super) fn cases() -> Vec<Case> {
    cases![closed tasks: a_second_deploy_does_nothing, an_edit_runs_its_task_only, forgotten_with_the_machine]
}

/// Which bodies of tasks have run in a machine since it was made.
pub(super) async fn ran(later: &Controllers) -> Vec<String> {
    let mut lines = later.done(&["marks", &later.victims[0].machine]).await;
    assert_eq!(lines.remove(0), "Some(true)");
    lines
}

/// The lines of these steps, without their reasons.
pub(super) fn steps(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split(": ").next().unwrap_or(line)).collect()
}

async fn a_second_deploy_does_nothing(later: Controllers) -> carthage::Result<()> {
    let before = ran(&later).await;
    assert_eq!(before.len(), 4, "{before:?}");
    assert_eq!(before[3], "last");
    assert_eq!(later.done(&["plan"]).await, Vec::<String>::new());
    assert_eq!(later.done(&["deploy"]).await, Vec::<String>::new());
    assert_eq!(ran(&later).await, before);
    Ok(())
}

async fn an_edit_runs_its_task_only(later: Controllers) -> carthage::Result<()> {
    let before = ran(&later).await;
    let task = |name: &str| format!("run task:{}/marks.{name}", later.victims[0].machine);
    for word in ["second", "first"] {
        let edited = later.with(WORD, word);
        let plan = edited.done(&["plan"]).await;
        assert_eq!(steps(&plan), [task("word"), task("serve"), task("last")], "{plan:?}");
        assert_eq!(edited.done(&["deploy"]).await, plan);
        assert_eq!(edited.done(&["plan"]).await, Vec::<String>::new());
    }
    assert_eq!(ran(&later).await[before.len()..], ["word", "serve", "last"].repeat(2));
    Ok(())
}

async fn forgotten_with_the_machine(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    later.done(&["destroy", &format!("machine:{machine}")]).await;
    let done = later.done(&["deploy"]).await;
    let tasks =
        ["word", "wait", "serve", "last"].map(|task| format!("run task:{machine}/marks.{task}: never ran"));
    for task in &tasks {
        assert!(done.contains(task), "{task}: {done:?}");
    }
    assert!(ran(&later).await.ends_with(&["word", "wait", "serve", "last"].map(str::to_owned)));
    assert_eq!(later.done(&["plan"]).await, Vec::<String>::new());
    Ok(())
}
