//! What machines start after, and what they wait for: toys that are deployed, started and destroyed.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../toy/engine.rs"]
mod engine;
#[path = "../toy/processes.rs"]
mod processes;
#[path = "../toy/transport.rs"]
mod transport;

mod collected;
mod commands;
mod overrides;
mod values;

use std::sync::{Mutex, PoisonError};

use carthage::Error;
use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::event::{Event, Events, Sink};
use carthage::layout::Layout;
use carthage::machine::engine::{Engine, Site};
use carthage::machine::implementation::Implementation;
use carthage::prelude::*;
use tokio_util::sync::CancellationToken;

/// Machines out of directories and processes of this host.
#[derive(Debug)]
struct Toy;

impl Implementation for Toy {
    const NAME: &'static str = "Toy";

    async fn open(site: Site) -> Result<Arc<dyn Engine>, Error> {
        Ok(Arc::new(engine::ToyEngine::new(&site)))
    }
}

carthage::capabilities!(Toy: Power, Located, FileTree);

/// A layout, opened, and what it told.
struct Opened {
    deployment: Deployment,
    told: Arc<Told>,
    state: tempfile::TempDir,
}

#[derive(Default)]
struct Told {
    events: Mutex<Vec<Event>>,
    /// Cancelled when a command has written something.
    stop: CancellationToken,
    stops: bool,
}

impl Sink for Told {
    fn event(&self, event: &Event) {
        if self.stops && matches!(event, Event::Output { .. }) {
            self.stop.cancel();
        }
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}

async fn opened<L: Layout>(stops: bool) -> Result<Opened, Error> {
    opened_in::<L>(tempfile::tempdir().unwrap(), stops).await
}

async fn opened_in<L: Layout>(state: tempfile::TempDir, stops: bool) -> Result<Opened, Error> {
    let told = Arc::new(Told { stops, ..Told::default() });
    let options = Options {
        state_dir: Some(state.path().to_owned()),
        events: Events::new(Shared(told.clone())),
        stop: told.stop.clone(),
        ..Options::default()
    };
    let (deployment, _) = Deployment::open::<L>(Access::Change, options).await?;
    Ok(Opened { deployment, told, state })
}

struct Shared(Arc<Told>);

impl Sink for Shared {
    fn event(&self, event: &Event) {
        self.0.event(event);
    }
}

fn named(name: &str) -> Selection {
    Selection { include: vec![name.parse().unwrap()], ..Selection::all() }
}

impl Opened {
    /// The next run.
    async fn again<L: Layout>(self) -> Self {
        let Self { deployment, state, .. } = self;
        drop(deployment);
        opened_in::<L>(state, false).await.unwrap()
    }

    /// What deploying this machine takes in, besides it.
    async fn needs(&self, name: &str) -> Vec<String> {
        let plan = self.deployment.plan(&named(name)).await.unwrap();
        let mut names: Vec<_> =
            plan.steps.iter().map(|step| step.thing.trim_start_matches("machine:").to_owned()).collect();
        names.retain(|other| other != name);
        names.sort();
        names
    }

    async fn deploy(&self, name: &str) -> Report {
        self.deployment.deploy(&named(name)).await.unwrap()
    }

    fn texts(&self) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Progress { thing, text } | Event::Warning { thing, text } => {
                Some(format!("{thing}: {text}"))
            }
            _ => None,
        };
        self.told.events.lock().unwrap().iter().filter_map(text).collect()
    }

    async fn exists(&self, name: &str) -> bool {
        self.deployment.machine(name).unwrap().presence().await.unwrap().identity().is_some()
    }

    async fn destroy(&self) {
        assert!(self.deployment.destroy(&Selection::all()).await.unwrap().is_complete());
    }
}
