//! What every command needs: the layout, where to write, and how to be interrupted.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use super::args::Common;
use super::ask;
use super::interrupt::interruptible;
use super::output::Output;
use super::progress::Shown;
use super::style::Style;
use crate::backend::Simulated;
use crate::deploy::{Abort, Access, AtOnce, Deployment, Options};
use crate::error::{Error, ErrorKind};
use crate::inject::Scope;
use crate::layout::Layout;
use crate::machine::implementation::Implementation;
use crate::state::Dirs;

/// One command on one layout.
pub(super) struct Session<'a, L> {
    pub(super) common: &'a Common,
    pub(super) out: Output,
    /// For standard output.
    pub(super) style: Style,
    pub(super) command: &'static str,
    /// The layout in its profile.
    pub(super) name: String,
    pub(super) stop: CancellationToken,
    abort: Abort,
    shown: Shown,
    asking: AtomicBool,
    /// What is closed at the end.
    opened: Mutex<Vec<Scope>>,
    layout: PhantomData<fn() -> L>,
}

impl<'a, L: Layout> Session<'a, L> {
    pub(super) fn new(common: &'a Common, out: Output, command: &'static str, name: String) -> Self {
        let shown = Shown::new(common, &out, &name, command);
        let style = Style::of(common.color, &io::stdout());
        Self {
            common,
            out,
            style,
            command,
            name,
            stop: CancellationToken::new(),
            abort: Abort::default(),
            shown,
            asking: AtomicBool::new(false),
            opened: Mutex::default(),
            layout: PhantomData,
        }
    }

    pub(super) async fn open(&self, access: Access) -> Result<Deployment, Error> {
        let mut defaults = Options::default();
        for bound in &self.common.parallel {
            match bound.clone() {
                AtOnce::All(number) => defaults.parallel = number,
                AtOnce::Of(implementation, number) => {
                    defaults.parallel_of.insert(implementation, number);
                }
            }
        }
        self.common.limit.iter().for_each(|limit| defaults.limits.set(*limit));
        let options = Options {
            state_dir: self.common.state_dir.clone(),
            profile: self.common.profile.clone(),
            command: self.command.to_owned(),
            wait: self.common.wait,
            events: self.shown.events(),
            stop: self.stop.clone(),
            abort: self.abort.clone(),
            retries: self.common.retries.unwrap_or(0),
            rehearsal: Arc::new(self.common.rehearsal()),
            instead: self.common.simulate.map(|_| Simulated::NODE),
            ..defaults
        };
        let deployment = Deployment::open_whatever::<L>(access, options).await?.0;
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).push(deployment.scope().clone());
        Ok(deployment)
    }

    /// Closes the values that were made for this command.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let opened = std::mem::take(&mut *self.opened.lock().unwrap_or_else(PoisonError::into_inner));
        let closed = futures_util::future::join_all(opened.iter().map(Scope::close)).await;
        closed.into_iter().collect()
    }

    pub(super) fn dirs(&self) -> Result<Dirs, Error> {
        Dirs::find(&self.name, self.common.state_dir.as_deref())
    }

    /// Whether the layout was ever deployed. Asked before anything is opened that would make its directories.
    pub(super) fn was_deployed(&self) -> Result<bool, Error> {
        Ok(self.dirs()?.state().exists())
    }

    /// # Errors
    /// When the layout was never deployed.
    pub(super) fn must_be_deployed(&self) -> Result<(), Error> {
        if self.was_deployed()? {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, format!("layout `{}` is not deployed", self.name))
            .hint("run `deploy` first; if it was deployed with --state-dir, name that directory again"))
    }

    /// Does work that can be interrupted.
    pub(super) async fn work<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let first = || {
            if !self.asking.load(Ordering::Relaxed) {
                self.shown.say("finishing what was begun; interrupt again to abort");
            }
        };
        interruptible(work, &self.stop, &self.abort, first).await
    }

    /// Whether the user agrees; with `--yes` nobody is asked.
    pub(super) async fn agreed(&self, question: &str) -> Result<bool, Error> {
        if self.common.yes {
            return Ok(true);
        }
        self.asking.store(true, Ordering::Relaxed);
        let answer = ask::agrees(question, self.command, &self.stop).await;
        self.asking.store(false, Ordering::Relaxed);
        if matches!(answer, Ok(false)) {
            self.shown.say("nothing was changed");
        }
        answer
    }

    /// Nothing more is shown of events.
    pub(super) fn quiet(&self) {
        self.shown.finish();
    }
}
