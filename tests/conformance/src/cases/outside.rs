//! What happens to machines from outside: killed, removed, their names taken; and what is left when they are destroyed.

use carthage::machine::capability::Capability;

use super::controllers::is_whole;
use super::tasks::steps;
use super::{Case, cases, mark};
use crate::controller::MARK;
use crate::footprint::Footprint;
use crate::ground::{Controllers, has, until};
use crate::host;
use crate::stage::is_gone;
use crate::subject::facts;

pub(super) fn cases() -> Vec<Case> {
    cases![closed outside: killed [Power], removed, removed_while_stopped [Power], altered [Limits], a_name_is_taken, destroyed_and_nothing_else]
}

async fn killed(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    (facts().kill)(later.victims[0].clone()).await?;
    until("it is seen not to run", || async { later.done(&["look", machine]).await == ["Some(false)"] })
        .await;
    assert_eq!(later.done(&["look", &later.victims[1].machine]).await, ["Some(true)"]);
    let plan = later.done(&["plan"]).await;
    assert_eq!(plan[0], format!("start machine:{machine}: it is not running"));
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    Ok(())
}

async fn removed(later: Controllers) -> carthage::Result<()> {
    is_made_again(&later).await
}

async fn removed_while_stopped(later: Controllers) -> carthage::Result<()> {
    later.done(&["stop", &later.victims[0].machine]).await;
    is_made_again(&later).await
}

async fn is_made_again(later: &Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    (facts().remove)(later.victims[0].clone()).await?;
    let plan = later.done(&["plan"]).await;
    let why = if has(Capability::Power) { "removed from outside" } else { "it is not known there any more" };
    assert!(plan[0].ends_with(why), "{plan:?}");
    let done = later.done(&["deploy"]).await;
    for task in ["word", "wait", "serve", "last"] {
        let task = format!("run task:{machine}/marks.{task}");
        assert!(steps(&done).contains(&&*task), "{task}: {done:?}");
    }
    is_whole(later).await;
    Ok(())
}

/// What somebody has changed of a machine that runs is seen, and mended without its tasks.
async fn altered(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    if (facts().alter)(later.victims[0].clone()).await?.is_none() {
        host::say_skipped("outside::altered", "only root can change the limits of a control group");
        return Ok(());
    }
    let plan = later.done(&["plan"]).await;
    let step = format!("machine:{machine}: changed from outside: its ");
    let rest = plan.iter().skip(1);
    assert!(plan[0].contains(&step) && rest.clone().all(|step| step.starts_with("ask task:")), "{plan:?}");
    let done = later.done(&["deploy"]).await;
    assert!(steps(&done).iter().all(|step| !step.contains("task:")), "{done:?}");
    assert_eq!(later.done(&["plan"]).await, [""; 0]);
    is_whole(&later).await;
    Ok(())
}

async fn a_name_is_taken(later: Controllers) -> carthage::Result<()> {
    let machine = &later.victims[0].machine;
    let Some(usurper) = (facts().usurp)(later.victims[0].clone()).await? else {
        let why = format!("`{}` gives nothing a name that others could take", facts().implementation);
        host::say_skipped("outside::a_name_is_taken", &why);
        return Ok(());
    };
    // Whether it is an error or another name is found: what is not ours stays.
    let ended = later.run(&["deploy"]).await;
    assert!(ended.code == 0 || ended.errors.contains(machine.as_str()), "{ended:?}");
    assert!(usurper.is_untouched().await?, "deploying: {ended:?}");
    let ended = later.run(&["destroy", &format!("machine:{machine}")]).await;
    assert!(usurper.is_untouched().await?, "destroying: {ended:?}");
    usurper.remove().await?;
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    Ok(())
}

/// What is selected goes with all that is of it, and nothing else does.
async fn destroyed_and_nothing_else(later: Controllers) -> carthage::Result<()> {
    let [one, others @ ..] = &later.victims[..] else { return Err("there are no machines".into()) };
    let identities = async || {
        let mut all = Vec::new();
        for other in others {
            all.extend(later.done(&["identity", &other.machine]).await);
        }
        all
    };
    let marked = later.with(MARK, &mark());
    marked.done(&["mark", &one.machine]).await;
    until("it runs", || async { marked.done(&["marked", &one.machine]).await == ["1"] }).await;
    later.done(&["look", &one.machine, "sh", "-c", LEAVE, "sh", &left_by_others(&later).await]).await;
    let before = identities().await;
    later.done(&["destroy", &format!("machine:{}", one.machine)]).await;
    assert_eq!(identities().await, before, "they were not named");
    later.done(&["deploy"]).await;
    assert_eq!(
        marked.done(&["marked", &one.machine]).await,
        ["0"],
        "a service of the machine that was destroyed"
    );
    // A machine that was made here went with all that was in it; one that was there already has kept what is not ours.
    let kept =
        later.done(&["look", &one.machine, "sh", "-c", KEPT, "sh", &left_by_others(&later).await]).await;
    assert_eq!(kept, ["Some(true)", if has(Capability::Power) { "gone" } else { "kept" }]);
    let state = one.state.clone();
    let footprint = tokio::task::spawn_blocking(move || Footprint::of(&state)).await?;
    later.done(&["destroy"]).await;
    tokio::task::spawn_blocking(move || footprint.is_gone()).await?;
    is_gone(&one.state, later.victims.clone()).await?;
    later.done(&["deploy"]).await;
    is_whole(&later).await;
    Ok(())
}

const LEAVE: &str = "mkdir -p \"$1\" && : >\"$1/kept\"";
const KEPT: &str = "test -e \"$1/kept\" && echo kept || echo gone";

/// A directory in the first machine that the case makes, and the implementation knows nothing of.
async fn left_by_others(later: &Controllers) -> String {
    let mut base = later.done(&["base", &later.victims[0].machine]).await;
    format!("{}/outside", base.pop().unwrap_or_default())
}
