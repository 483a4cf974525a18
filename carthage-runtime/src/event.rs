//! What the library tells while it works; the command line renders it.

use std::sync::Arc;
use std::time::Duration;

/// Receives events, from several tasks at once. Must not block for long.
pub trait Sink: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event);
}

/// Where the library sends events; cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<dyn Sink>);

impl Events {
    /// Sends them to `sink`.
    pub fn new(sink: impl Sink) -> Self {
        Self(Arc::new(sink))
    }

    /// Drops them.
    #[must_use]
    pub fn none() -> Self {
        struct Nothing;
        impl Sink for Nothing {
            fn event(&self, _: &Event) {}
        }
        Self::new(Nothing)
    }

    /// Sends one.
    pub fn send(&self, event: Event) {
        tracing::debug!(?event);
        self.pass(&event);
    }

    /// Passes one on that was sent already.
    pub(crate) fn pass(&self, event: &Event) {
        self.0.event(event);
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Events")
    }
}

/// Something that happened. `thing` is a name as users write it: `machine:mirror.algebra`, `network:algebra.lab`,
/// `task:mirror.algebra/site.index`.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// A run begins that will do this many steps.
    Started {
        /// The run's number.
        run: u64,
        /// How many steps are planned.
        steps: usize,
    },
    /// A step begins.
    Begun {
        /// What it acts on.
        thing: String,
        /// What is done: `create`, `start`, `run`, `stop`, `destroy` …
        action: &'static str,
        /// Why.
        why: String,
    },
    /// A step ended well.
    Done {
        /// What it acted on.
        thing: String,
        /// What was done.
        action: &'static str,
        /// How long it took.
        #[serde(rename = "took_ms", serialize_with = "milliseconds")]
        took: Duration,
    },
    /// A step failed.
    Failed {
        /// What it acted on.
        thing: String,
        /// What was tried.
        action: &'static str,
        /// The chain of causes.
        error: String,
        /// What the user can do.
        hint: Option<String>,
    },
    /// A step was not tried, because of another.
    Skipped {
        /// What it would have acted on.
        thing: String,
        /// What would have been done.
        action: &'static str,
        /// Why not.
        why: String,
    },
    /// A command inside a machine wrote a line.
    Output {
        /// The machine.
        machine: String,
        /// What is being done there.
        thing: String,
        /// The line, without its end.
        line: String,
        /// Whether it came from standard error.
        stderr: bool,
    },
    /// How far a long step has come.
    Progress {
        /// What it acts on.
        thing: String,
        /// What is done just now, and how much of it is done.
        text: String,
    },
    /// Something the user should know, that stops nothing.
    Warning {
        /// What it is about.
        thing: String,
        /// The text.
        text: String,
    },
}

/// A span of time as programs read it.
pub(crate) fn milliseconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}
