//! Where cases take place: three deployed machines, of which nothing is left afterwards.

use std::any::Any;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::event::Events;
use carthage::layout::Placed;
use carthage::machine::capability::Capability;
use carthage::{BoxError, Machine};
use futures_util::FutureExt;
use tokio::runtime::{Builder, Runtime};

use crate::cases::{Case, Play};
use crate::footprint::Footprint;
use crate::ground::{Controllers, Ground, Told, has, services};
use crate::subject::{Subject, Victim, facts};

/// A state directory, and what is deployed there.
pub(crate) struct Stage<S: Subject> {
    runtime: Arc<Runtime>,
    dir: tempfile::TempDir,
    told: Told,
    open: Option<(Deployment, Placed<S>)>,
}

/// How a case ended: as it should, with an error, or with a panic.
type Outcome = Result<carthage::Result<()>, Box<dyn Any + Send>>;

impl<S: Subject> Stage<S> {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("carthage-conformance-").tempdir().unwrap();
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        Self { runtime: Arc::new(runtime), dir, told: Told::default(), open: None }
    }

    /// Has a case take place on machines that are whole.
    pub(crate) fn play(&mut self, case: &Case) {
        let runtime = self.runtime.clone();
        let outcome = runtime.block_on(AssertUnwindSafe(self.played(case)).catch_unwind());
        let failed = match outcome.and_then(|outcome| outcome) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Box::new(format!("{error:?}")) as Box<dyn Any + Send>,
            Err(panic) => panic,
        };
        // Where it is shared, the next case mends it.
        if !facts().shared() {
            self.abandon();
        }
        resume_unwind(failed)
    }

    async fn played(&mut self, case: &Case) -> Outcome {
        match self.prepare(case).await {
            Err(error) => Ok(Err(error)),
            Ok(Prepared::Open(ground, play)) => {
                let outcome = AssertUnwindSafe(play(ground)).catch_unwind().await;
                match outcome {
                    Ok(Ok(())) if facts().shared() => Ok(self.tidy(case.name).await),
                    outcome => outcome,
                }
            }
            Ok(Prepared::Closed(later, play)) => AssertUnwindSafe(play(later)).catch_unwind().await,
        }
    }

    async fn prepare(&mut self, case: &Case) -> carthage::Result<Prepared> {
        let [one, other, stranger] = self.whole().await?;
        let later = Controllers::new(&self.state(), self.victims().await?);
        match case.play {
            Play::Open(play) => {
                let base = (facts().base)(&one).await?.join(below(case.name));
                one.command(["mkdir".into(), "-p".into(), base.clone().into_os_string()]).run().await?;
                let scratch = self.dir.path().join("scratch").join(below(case.name));
                std::fs::create_dir_all(&scratch)?;
                let told = self.told.clone();
                let sharing = self.sharing()?;
                Ok(Prepared::Open(Ground { one, other, stranger, sharing, told, scratch, base, later }, play))
            }
            Play::Closed(play) => {
                // Whoever is told to deploy needs the lock.
                self.open = None;
                Ok(Prepared::Closed(later, play))
            }
        }
    }

    /// Makes everything as the layout says, in this process.
    async fn whole(&mut self) -> carthage::Result<[Machine; 3]> {
        if self.open.is_none() {
            let options = Options {
                state_dir: Some(self.state()),
                events: Events::new(self.told.clone()),
                ..Options::default()
            };
            self.open = Some(Deployment::open::<S>(Access::Change, options).await?);
        }
        let (deployment, layout) = self.open.as_ref().ok_or("nothing is open")?;
        let report = deployment.deploy(&Selection::all()).await?;
        if !report.is_complete() {
            return Err(format!("the machines of the suite cannot be deployed: {report:#?}").into());
        }
        Ok(S::three(layout).map(Machine::clone))
    }

    /// The machine that shares the links of another, if there is to be one.
    fn sharing(&self) -> carthage::Result<Option<Machine>> {
        if !has(Capability::SharedLinks) {
            return Ok(None);
        }
        let (deployment, _) = self.open.as_ref().ok_or("nothing is open")?;
        Ok(Some(deployment.machine("sharing")?.clone()))
    }

    /// Takes away what a case has left in machines that others will use.
    async fn tidy(&mut self, case: &str) -> carthage::Result<()> {
        for machine in self.whole().await? {
            for service in services(&machine).await? {
                machine.remove_service(&service.name).await?;
            }
            let base = (facts().base)(&machine).await?.join(below(case));
            machine.command(["rm".into(), "-rf".into(), base.into_os_string()]).run().await?;
        }
        Ok(())
    }

    /// The machines, as far as they exist.
    async fn victims(&self) -> carthage::Result<Vec<Victim>> {
        let (_, layout) = self.open.as_ref().ok_or("nothing is open")?;
        let mut victims = Vec::new();
        for machine in S::three(layout) {
            if let Some(identity) = machine.presence().await?.identity() {
                let state = self.layout_state();
                victims.push(Victim {
                    machine: machine.name().to_owned(),
                    identity: identity.clone(),
                    state,
                });
            }
        }
        Ok(victims)
    }

    /// Takes everything away, and makes sure that nothing is left.
    ///
    /// # Panics
    /// When something is.
    pub(crate) fn close(mut self) {
        let runtime = self.runtime.clone();
        let Err(error) = runtime.block_on(self.closed()) else { return };
        self.abandon();
        panic!("{error:?}");
    }

    async fn closed(&mut self) -> carthage::Result<()> {
        let machines = self.whole().await?;
        if !has(Capability::Power) {
            // They stay, so what was written there has to be taken away.
            for machine in &machines {
                let base = (facts().base)(machine).await?;
                machine.command(["rm".into(), "-rf".into(), base.into_os_string()]).run().await?;
            }
        }
        let victims = self.victims().await?;
        let state = self.layout_state();
        let footprint = tokio::task::spawn_blocking(move || Footprint::of(&state)).await?;
        let (deployment, _) = self.open.as_ref().ok_or("nothing is open")?;
        let report = deployment.destroy(&Selection::all()).await?;
        if !report.is_complete() {
            return Err(format!("the machines of the suite cannot be destroyed: {report:#?}").into());
        }
        drop(machines);
        self.open = None;
        tokio::task::spawn_blocking(move || footprint.is_gone()).await?;
        is_gone(&self.layout_state(), victims).await
    }

    /// After a failure: what is left must not disturb others.
    fn abandon(&mut self) {
        let footprint = Footprint::of(&self.layout_state());
        let runtime = self.runtime.clone();
        // If it cannot be destroyed either, then that is because of the same failure, which is reported.
        let _ = runtime.block_on(AssertUnwindSafe(self.closed()).catch_unwind());
        self.open = None;
        footprint.kill();
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn layout_state(&self) -> PathBuf {
        self.state().join(S::NAME)
    }
}

/// What a case is given.
enum Prepared {
    Open(Ground, crate::cases::OnOpen),
    Closed(Controllers, crate::cases::OnClosed),
}

/// Makes sure that nothing is left of what was destroyed, as far as files and the implementation's own things go.
pub(crate) async fn is_gone(state: &std::path::Path, victims: Vec<Victim>) -> Result<(), BoxError> {
    let mut left = (facts().left)(victims).await?;
    left.extend(
        std::fs::read_dir(state)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| format!("file {:?}", entry.path())),
    );
    if left.is_empty() { Ok(()) } else { Err(format!("this is left: {left:#?}").into()) }
}

/// The directory of a case.
fn below(case: &str) -> String {
    case.replace("::", "-")
}
