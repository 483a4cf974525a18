//! Commands that change the world: each shows what it does, and reports.

use super::{plan, report};
use crate::cli::args::Select;
use crate::cli::ask;
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::deploy::{Access, Pattern, Plan, Selection};
use crate::error::{Error, ErrorKind};
use crate::layout::Layout;

/// `deploy`
pub(in crate::cli) async fn deploy<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    let selection = Selection::from(select);
    session
        .work(async {
            // The layout is held from before the plan until the end, so that what is agreed to is what happens.
            let deployment = session.open(Access::Change).await?;
            let planned = deployment.plan(&selection).await;
            let agreed = match &planned {
                Ok(plan) if plan.is_empty() => Ok(()),
                Ok(plan) => agree(session, plan, "Deploy this?").await,
                Err(_) => Ok(()),
            };
            let planned = match (planned, agreed) {
                (Ok(plan), Ok(())) => plan,
                (Err(error), _) | (_, Err(error)) => {
                    deployment.forget_if_empty().await?;
                    return Err(error);
                }
            };
            if planned.is_empty() {
                plan::show(session, &planned);
                return Ok(Exit::Done);
            }
            Ok(report::show(session, &deployment.deploy(&selection).await?))
        })
        .await
}

/// `destroy`
pub(in crate::cli) async fn destroy<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    let selection = Selection::from(select);
    if !session.was_deployed()? {
        // What the selection names is still checked.
        let plan = session.open(Access::Look).await?.plan_destroy(&selection).await?;
        plan::show(session, &plan);
        return Ok(Exit::Done);
    }
    session
        .work(async {
            let deployment = session.open(Access::Change).await?;
            let plan = deployment.plan_destroy(&selection).await?;
            if plan.is_empty() {
                plan::show(session, &plan);
                deployment.forget_if_empty().await?;
                return Ok(if plan.notes.is_empty() { Exit::Done } else { Exit::Error });
            }
            agree(session, &plan, "Destroy this, with everything in it?").await?;
            Ok(report::show(session, &deployment.destroy(&selection).await?))
        })
        .await
}

/// `start`
pub(in crate::cli) async fn start<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    session.must_be_deployed()?;
    session
        .work(async {
            let report = session.open(Access::Change).await?.start(&select.into()).await?;
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
    session
        .work(async {
            let report = session.open(Access::Change).await?.stop(&select.into()).await?;
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
    let selection = Selection { include: tasks.to_vec(), exclude: Vec::new() };
    session
        .work(async {
            let report = session.open(Access::Change).await?.run(&selection).await?;
            Ok(report::show(session, &report))
        })
        .await
}

/// Shows the plan and asks, unless told not to.
async fn agree<L: Layout>(session: &Session<'_, L>, plan: &Plan, question: &str) -> Result<(), Error> {
    plan::show(session, plan);
    if session.common.yes || ask::agrees(question, session.command, &session.stop).await? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Interrupted, "nothing was changed, as you wished"))
}
