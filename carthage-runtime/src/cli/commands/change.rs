//! Commands that change the world: each shows what it does, and reports.

use super::{plan, report};
use crate::cli::args::{DeployArgs, Deployed, DestroyArgs, Select};
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::deploy::{Access, Action, Deployment, Pattern, Plan, SavedPlan, Selection};
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;

/// `deploy`
pub(in crate::cli) async fn deploy<L: Layout>(
    session: &Session<'_, L>,
    args: &DeployArgs,
) -> Result<Exit, Error> {
    let saved = args.plan.as_deref().map(SavedPlan::read).transpose()?;
    let selection = match &saved {
        Some(saved) => {
            as_planned(&args.deployed, saved.selection())?;
            saved.selection().clone()
        }
        None => args.deployed.selection()?,
    };
    let planned = async |deployment: &Deployment| {
        // Before anything is said of names that another layout has.
        saved.iter().try_for_each(|saved| deployment.is_of(saved))?;
        let plan = deployment.plan(&selection).await?;
        saved.iter().try_for_each(|saved| deployment.keep_to(saved, &plan))?;
        Ok::<_, Error>(plan)
    };
    session
        .work(async {
            if !session.was_deployed()? {
                // What is wrong with the host or the layout is told before any directory is made.
                planned(&session.open(Access::Look).await?).await?;
            }
            // The layout is held from before the plan until the end, so that what is agreed to is what happens.
            let deployment = session.open(Access::Change).await?;
            let agreed = async { agreed(session, planned(&deployment).await?, "Deploy this?").await };
            let exit = match agreed.await {
                Ok(Some(true)) => return Ok(report::show(session, &deployment.deploy(&selection).await?)),
                Ok(None) => return deployment.is_settled(&selection).await.map(|()| Exit::Done),
                Ok(Some(false)) => Ok(Exit::Error),
                Err(error) => Err(error),
            };
            let forgotten = deployment.forget_if_empty().await;
            exit.and_then(|exit| forgotten.map(|()| exit))
        })
        .await
}

/// What is said besides a plan must be what the plan says: it may be a variable, said for all commands.
fn as_planned(asked: &Deployed, planned: &Selection) -> Result<(), Error> {
    let more = [("--only", asked.only && !planned.only), ("--prune", asked.prune && !planned.prune)];
    match more.iter().find(|(_, more)| *more) {
        None => Ok(()),
        Some((option, _)) => {
            Err(Error::new(ErrorKind::Usage, format!("the plan was made without `{option}`"))
                .hint(format!("leave `{option}` out, or plan again with it")))
        }
    }
}

/// `destroy`
pub(in crate::cli) async fn destroy<L: Layout>(
    session: &Session<'_, L>,
    args: &DestroyArgs,
) -> Result<Exit, Error> {
    let selection = args.selection()?;
    if !session.was_deployed()? {
        // What the selection names is still checked.
        let plan = session.open(Access::Look).await?.plan_destroy(&selection).await?;
        plan::show(session, &plan);
        let told = plan.steps.iter().all(|step| step.action != Action::Ask);
        return Ok(if told { Exit::Done } else { Exit::Error });
    }
    session
        .work(async {
            let deployment = session.open(Access::Change).await?;
            let plan = deployment.plan_destroy(&selection).await?;
            let stays = !plan.stays.is_empty();
            match agreed(session, plan, "Destroy this, with everything in it?").await? {
                Some(true) => Ok(report::show(session, &deployment.destroy(&selection).await?)),
                Some(false) => Ok(Exit::Error),
                None => {
                    deployment.forget_if_empty().await?;
                    Ok(if stays { Exit::Error } else { Exit::Done })
                }
            }
        })
        .await
}

/// `start`
pub(in crate::cli) async fn start<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    session.must_be_deployed()?;
    let selection = select.selection()?;
    session
        .work(async {
            let report = session.open(Access::Change).await?.start(&selection).await?;
            Ok(report::show(session, &report))
        })
        .await
}

/// `stop`
pub(in crate::cli) async fn stop<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    session.must_be_deployed()?;
    let selection = select.selection()?;
    session
        .work(async {
            let report = session.open(Access::Change).await?.stop(&selection).await?;
            Ok(report::show(session, &report))
        })
        .await
}

/// `run`
pub(in crate::cli) async fn run<L: Layout>(
    session: &Session<'_, L>,
    tasks: &[Pattern],
) -> Result<Exit, Error> {
    session.must_be_deployed()?;
    let selection = Selection { include: tasks.to_vec(), ..Selection::all() };
    session
        .work(async {
            let report = session.open(Access::Change).await?.run(&selection).await?;
            Ok(report::show(session, &report))
        })
        .await
}

/// Shows the plan and asks; `None` if there is nothing to agree to.
async fn agreed<L: Layout>(
    session: &Session<'_, L>,
    plan: Plan,
    question: &str,
) -> Result<Option<bool>, Error> {
    plan::show(session, &plan);
    if plan.is_empty() { Ok(None) } else { session.agreed(question).await.map(Some) }
}
