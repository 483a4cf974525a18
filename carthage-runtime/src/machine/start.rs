//! What is waited for before a machine is started, besides the machines that run by then.
//!
//! ```
//! use carthage::machine::start::{StartDependency, Starting};
//! use carthage::prelude::*;
//!
//! /// Nothing starts before the license server has given one.
//! #[injectable]
//! struct License(String);
//!
//! impl StartDependency for License {
//!     async fn wait(&self, starting: &Starting) -> Result<()> {
//!         starting.tell(format!("asks `{}` for a license", self.0));
//!         // …
//!         Ok(())
//!     }
//! }
//!
//! #[machine_model]
//! struct Worker;
//!
//! #[layout(implementation = Sandbox)]
//! #[depends_on(with = License)]
//! struct Site {
//!     #[provide(License("license.example.org".to_owned()))]
//!     license: Arc<License>,
//!     worker: Worker,
//! }
//! ```

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Machine;
use crate::error::{BoxError, Error, ErrorKind, Result};
use crate::event::{Event, Events};
use crate::inject::{Injectable, Scope, Value};
use crate::model::Key;

pub use super::command_dependency::CommandDependency;
pub use super::needed::Needed;

/// Something that has to hold before a machine is started.
///
/// Several are waited for at the same time. Dropping the future gives the waiting up, as when the run is interrupted.
pub trait StartDependency: Send + Sync + 'static {
    /// Waits until it holds.
    fn wait(&self, starting: &Starting) -> impl Future<Output = Result<()>> + Send;
}

/// A machine that is about to start.
#[derive(Clone)]
pub struct Starting {
    machine: Machine,
    scope: Scope,
    events: Events,
}

impl Starting {
    pub(crate) fn new(machine: Machine, scope: Scope, events: Events) -> Self {
        Self { machine, scope, events }
    }

    /// The machine. It may not exist yet.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Its scope: whatever it can be injected with.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Tells the user how far it has come.
    pub fn tell(&self, text: impl Into<String>) {
        self.events.send(Event::Progress { thing: self.machine.thing(), text: text.into() });
    }
}

impl fmt::Debug for Starting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Starting").field(&self.machine.name()).finish()
    }
}

/// One of the things that have to be so before a machine starts.
///
/// They are collected from the machine's model and from the scopes around it. A model, and then the implementation, may hand
/// back other ones.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Prerequisite {
    /// The full name of a machine that runs by then, with its tasks done.
    pub machine: Option<String>,
    /// What is waited for then.
    pub condition: Option<Condition>,
    /// The fields that lead to the scope that says so; those of the machine, if it is its own model. Empty for the layout.
    pub declared_by: &'static str,
}

impl Prerequisite {
    /// A machine of the layout, by its full name.
    #[must_use]
    pub fn machine(name: impl Into<String>) -> Self {
        Self { machine: Some(name.into()), condition: None, declared_by: "" }
    }

    /// Something that is waited for, and what it is called in plans and errors.
    #[must_use]
    pub fn condition(about: impl Into<String>, condition: impl StartDependency) -> Self {
        Self { machine: None, condition: Some(Condition::new(about.into(), condition)), declared_by: "" }
    }

    pub(crate) const fn new(declared_by: &'static str) -> Self {
        Self { machine: None, condition: None, declared_by }
    }

    pub(crate) fn after(mut self, machine: &Machine) -> Self {
        self.machine = Some(machine.name().to_owned());
        self
    }

    pub(crate) fn when(mut self, condition: Condition) -> Self {
        self.condition = Some(condition);
        self
    }
}

/// A start dependency, whatever its type.
#[derive(Clone)]
pub struct Condition {
    about: String,
    what: What,
}

#[derive(Clone)]
enum What {
    Own(Arc<dyn Waited>),
    /// A value that this scope is provided with.
    Value(Scope, Key, OfValue),
}

impl Condition {
    fn new(about: String, what: impl StartDependency) -> Self {
        Self { about, what: What::Own(Arc::new(what)) }
    }

    /// That a command succeeds.
    pub(crate) fn command(command: CommandDependency) -> Self {
        Self::new(command.to_string(), command)
    }

    /// What the value says that `scope` is provided with under `key`.
    pub(crate) fn value(scope: &Scope, key: Key, of: OfValue) -> Self {
        let about = format!("`{}`", key.name());
        Self { about, what: What::Value(scope.clone(), key, of) }
    }

    /// What it is called.
    #[must_use]
    pub fn about(&self) -> &str {
        &self.about
    }

    /// Waits until it holds.
    pub(crate) async fn wait(&self, starting: &Starting) -> Result<(), Error> {
        let waited = async {
            match &self.what {
                What::Own(what) => what.waited(starting).await,
                What::Value(scope, key, of) => {
                    let slot = scope.find(*key).ok_or_else(|| {
                        let what = format!("nothing provides `{}` to `{}`", key.name(), scope.name());
                        Error::new(ErrorKind::Injection, what)
                    })?;
                    (of.wait)(slot.get(None).await?, starting.clone()).await
                }
            }
        };
        waited.await.map_err(|error| match error.downcast::<Error>() {
            Ok(ours) if ours.kind() == ErrorKind::Timeout => *ours,
            Ok(ours) => self.failed(*ours),
            Err(other) => self.failed(other),
        })
    }

    fn failed(&self, cause: impl Into<BoxError>) -> Error {
        Error::new(ErrorKind::Host, format!("it cannot start after {}", self.about)).because(cause)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.about).finish()
    }
}

/// [`StartDependency`] without its type.
trait Waited: Send + Sync {
    fn waited<'a>(&'a self, starting: &'a Starting) -> BoxFuture<'a, Result<()>>;
}

impl<T: StartDependency> Waited for T {
    fn waited<'a>(&'a self, starting: &'a Starting) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.wait(starting))
    }
}

/// A value that machines can wait for; what generated code asks of its type, it asks of this alone, so that rustc has one thing to
/// say of one that is none.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "no machine can wait for a `{Self}`",
    label = "this is no value with a start dependency",
    note = "it needs `#[injectable]`, and `impl StartDependency for {Self} {{ async fn wait(&self, starting: &Starting) -> \
            Result<()> {{ … }} }}`; a machine that has to run first is written without `with`"
)]
pub trait Awaited {
    const AWAITED: Key;
    const OF: OfValue;
}

#[diagnostic::do_not_recommend]
impl<T: StartDependency + Injectable> Awaited for T {
    const AWAITED: Key = T::KEY;
    const OF: OfValue = OfValue::of::<T>();
}

/// How a value is waited for whose type a constant has forgotten.
#[derive(Clone, Copy)]
pub struct OfValue {
    wait: fn(Value, Starting) -> BoxFuture<'static, Result<()>>,
}

impl OfValue {
    /// Of the type `T`.
    #[must_use]
    pub const fn of<T: StartDependency>() -> Self {
        Self { wait: wait_of::<T> }
    }
}

fn wait_of<T: StartDependency>(value: Value, starting: Starting) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        let value = value.downcast::<T>().map_err(|_| {
            Error::new(ErrorKind::Injection, format!("what is provided is not a `{}`", type_name::<T>()))
        })?;
        value.wait(&starting).await
    })
}

impl fmt::Debug for OfValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfValue")
    }
}
