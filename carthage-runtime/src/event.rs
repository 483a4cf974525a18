//! What the library tells while it works; the command line renders it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::reason::{Reason, told};
use crate::step::{Action, causes};

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
///
/// A line of `--json`, and of the log of a run, is one of them; the first line says of which version they are. What they tell is all
/// that there is to tell: the progress on a terminal, the log and the [`Report`](crate::deploy::Report) are made of nothing else.
///
/// ```
/// use carthage::deploy::{Action, Reason, Report};
/// use carthage::event::Event;
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let lines = r#"{"event":"begun","thing":"network:lab","action":"create","why":"it does not exist","reason":{"kind":"missing"}}
/// {"event":"done","thing":"network:lab","action":"create","took_ms":12}"#;
/// let mut report = Report::default();
/// for line in lines.lines() {
///     report.add(&serde_json::from_str::<Event>(line)?);
/// }
/// assert_eq!((report.done[0].action, &report.done[0].why), (Action::Create, &Reason::Missing));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Event {
    /// Work begins on this many things.
    Started {
        /// The run's number.
        run: u64,
        /// How many things are looked at.
        steps: usize,
    },
    /// A step begins.
    Begun {
        /// What it acts on.
        thing: String,
        /// What is done.
        action: Action,
        /// Why.
        #[serde(flatten, with = "told")]
        why: Reason,
        /// Whether a program does it by hand, perhaps within a step of the run: its report has nothing of that.
        #[serde(default, skip_serializing_if = "is_not")]
        by_hand: bool,
    },
    /// A step ended well.
    Done {
        /// What it acted on.
        thing: String,
        /// What was done.
        action: Action,
        /// How long it took.
        #[serde(rename = "took_ms", with = "milliseconds")]
        took: Duration,
        /// As when it began.
        #[serde(default, skip_serializing_if = "is_not")]
        by_hand: bool,
    },
    /// A step failed.
    Failed {
        /// What it acted on.
        thing: String,
        /// What was tried.
        action: Action,
        /// The causes, the outermost first. In JSON, `error` has all of them in one text as well.
        #[serde(flatten, with = "causes")]
        causes: Vec<String>,
        /// What the user can do.
        hint: Option<String>,
        /// As when it began.
        #[serde(default, skip_serializing_if = "is_not")]
        by_hand: bool,
    },
    /// A step was not tried, because of another.
    Skipped {
        /// What it would have acted on.
        thing: String,
        /// What would have been done.
        action: Action,
        /// Why not.
        #[serde(flatten, with = "told")]
        why: Reason,
        /// Whether a task itself has said that there is nothing to do: with that, all is well.
        #[serde(default, skip_serializing_if = "is_not")]
        by_itself: bool,
        /// Whether a program does it by hand.
        #[serde(default, skip_serializing_if = "is_not")]
        by_hand: bool,
    },
    /// Something was not done, or not to its end, because the run was to stop.
    Interrupted {
        /// What.
        thing: String,
        /// What was being done, if it had begun.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        action: Option<Action>,
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
    /// Something is waited for that takes a while: what an implementation says of a thing, what a check says of a task. It is told
    /// after a second, and once more after ten.
    Waiting {
        /// About what.
        thing: String,
        /// What is waited for.
        what: String,
        /// For how long already.
        #[serde(rename = "waited_ms", with = "milliseconds")]
        waited: Duration,
    },
    /// It is waited for no more, however that ended.
    Waited {
        /// About what.
        thing: String,
        /// What was waited for.
        what: String,
    },
    /// Something the user should know, that stops nothing.
    Warning {
        /// What it is about.
        thing: String,
        /// The text.
        text: String,
    },
    /// The work has come to its end, however that is. Of a run that is killed nobody tells it.
    Ended {
        /// How many things needed nothing.
        unchanged: usize,
        /// How long it took.
        #[serde(rename = "took_ms", with = "milliseconds")]
        took: Duration,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_not(flag: &bool) -> bool {
    !flag
}

/// A span of time as programs read it.
pub(crate) mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
