//! What a process does that a case has started: it opens the deployment and is told one thing to do.

use std::process::ExitCode;
use std::sync::OnceLock;

use carthage::BoxError;
use carthage::deploy::{Access, Deployment, Options, Report, Selection, Step};
use carthage::machine::GRACE;
use carthage::machine::engine::{Exec, ServiceSpec, ServiceState};

use crate::roots::{RootMarks, TreeMarks};
use crate::subject::{Subject, facts};

/// The first argument of such a process.
pub(crate) const ARGUMENT: &str = "__conformance";
/// The variable with the word that a service of the case has among its arguments, so that who asks for it has not.
pub(crate) const MARK: &str = "CONFORMANCE_MARK";

static OPTIONS: OnceLock<Options> = OnceLock::new();

/// Has the process begin nothing new, and finish what it does.
pub(crate) fn stop() {
    OPTIONS.get().unwrap().stop.cancel();
}

/// Does what it was told, if this is one; `None` in every other process.
#[expect(clippy::print_stderr, reason = "what the test reads")]
pub(crate) fn main<S: Subject>() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != ARGUMENT {
        return None;
    }
    let (state, verb) = (arguments.next()?, arguments.next()?);
    let rest: Vec<String> = arguments.collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    Some(match runtime.block_on(obey::<S>(state, &verb, rest)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(3),
        Err(error) => {
            eprintln!("{error:?}");
            ExitCode::from(1)
        }
    })
}

/// Whether all of it could be done.
#[expect(clippy::print_stdout, reason = "what the test reads")]
async fn obey<S: Subject>(state: String, verb: &str, rest: Vec<String>) -> Result<bool, BoxError> {
    // One after another, so that a process that is to kill itself is always at the same place.
    let options = Options { state_dir: Some(state.into()), parallel: 1, ..Options::default() };
    let options = OPTIONS.get_or_init(|| options).clone();
    let access = if matches!(verb, "deploy" | "destroy" | "stop" | "halt" | "apply" | "run") {
        Access::Change
    } else {
        Access::Look
    };
    let (deployment, _) = Deployment::open::<S>(access, options).await?;
    let selection = || {
        let include = rest.iter().map(|pattern| pattern.parse()).collect::<Result<_, _>>()?;
        Ok::<_, BoxError>(Selection { include, ..Selection::all() })
    };
    match verb {
        "look" => {
            let machine = deployment.machine(&rest[0])?;
            let runs = machine.is_running().await?;
            println!("{runs:?}");
            if runs == Some(true) && rest.len() > 1 {
                println!("{}", machine.run(&rest[1..]).await?.text());
            }
            Ok(true)
        }
        "marks" => {
            let machine = deployment.machine(&rest[0])?;
            println!("{:?}", machine.is_running().await?);
            let ran = crate::marks::place(machine).await?.join("ran");
            println!("{}", machine.run(["cat".into(), ran.into_os_string()]).await?.text());
            Ok(true)
        }
        "services" => {
            for service in deployment.machine(&rest[0])?.services().await? {
                println!("{} {}", service.name, matches!(service.state, ServiceState::Running(_)));
            }
            Ok(true)
        }
        "mark" => {
            let argv = ["sleep".to_owned(), std::env::var(MARK)?].map(Into::into).into();
            let exec = Exec { argv, ..Exec::default() };
            let service = ServiceSpec { name: "mark".into(), exec };
            deployment.machine(&rest[0])?.start_service(&service).await?;
            Ok(true)
        }
        "marked" => {
            let machine = deployment.machine(&rest[0])?;
            println!("{}", crate::cases::how_many(machine, &std::env::var(MARK)?).await?);
            Ok(true)
        }
        "identity" => {
            println!("{:?}", deployment.machine(&rest[0])?.presence().await?);
            Ok(true)
        }
        "waiting" => {
            // Nobody has the word among its arguments who only asks.
            let machine = deployment.machine(&rest[0])?;
            println!("{}", crate::cases::how_many(machine, &crate::marks::waiting()).await?);
            Ok(true)
        }
        "stop" => {
            deployment.machine(&rest[0])?.stop(GRACE).await?;
            Ok(true)
        }
        "read" => {
            println!("{}", deployment.machine(&rest[0])?.read_to_string(&rest[1]).await?);
            Ok(true)
        }
        "remove" => {
            deployment.machine(&rest[0])?.remove(&rest[1]).await?;
            Ok(true)
        }
        "apply" => {
            match &*rest[1] {
                "root" => deployment.apply(&rest[0], "by-hand", &RootMarks::default()).await?,
                _ => deployment.apply(&rest[0], "by-hand", &TreeMarks::at(&rest[2])).await?,
            }
            Ok(true)
        }
        "base" => {
            println!("{}", (facts().base)(deployment.machine(&rest[0])?).await?.display());
            Ok(true)
        }
        "plan" => {
            deployment.plan(&selection()?).await?.steps.iter().for_each(tell);
            Ok(true)
        }
        "deploy" => Ok(report(&deployment.deploy(&selection()?).await?)),
        // As the command line does, which never leaves what is selected.
        "halt" => Ok(report(&deployment.stop(&selection()?).await?)),
        "run" => Ok(report(&deployment.run(&selection()?).await?)),
        "destroy" => Ok(report(&deployment.destroy(&selection()?).await?)),
        _ => Err(format!("what is `{verb}`?").into()),
    }
}

#[expect(clippy::print_stdout, reason = "what the test reads")]
fn tell(step: &Step) {
    println!("{} {}: {}", step.action.word(), step.thing, step.why);
}

#[expect(clippy::print_stderr, reason = "what the test reads")]
fn report(report: &Report) -> bool {
    report.done.iter().for_each(tell);
    for failure in &report.failed {
        eprintln!("failed: {}: {}", failure.thing, failure.causes.join(": "));
    }
    for skip in &report.skipped {
        eprintln!("skipped by it: {}: {}", skip.thing, skip.why);
    }
    for thing in &report.interrupted {
        eprintln!("not done: {thing}");
    }
    report.is_complete()
}
