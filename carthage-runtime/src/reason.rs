//! Why something is done, or why that cannot be told: a kind for programs, a sentence for people.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// The last second that has a date: the end of the year 9999.
pub(crate) const LAST: Duration = Duration::from_secs(253_402_300_799);

/// Why a step of a plan, or of a run, is what it is. As text it is what people read: `never ran`.
///
/// In JSON it is two keys of what it is the reason of: `why` with the text, and `reason` with a `kind` and what belongs to it.
///
/// ```
/// use carthage::deploy::Reason;
///
/// let reason = Reason::RanLater { task: "index".into(), run: 7 };
/// assert_eq!(reason.to_string(), "`index` ran later, in run 7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    // Of a setup task.
    /// The user wants it.
    Forced,
    /// It has no stamp.
    NeverRan,
    /// Its stamp cannot be used.
    NoStamp {
        /// What is wrong with it.
        cause: String,
    },
    /// The process died, or the run was cancelled, in its body.
    Interrupted {
        /// In this run.
        run: u64,
    },
    /// Its body failed.
    Failed {
        /// In this run.
        run: u64,
    },
    /// Its stamp is of another machine.
    NewMachine,
    /// Another task runs before it.
    After {
        /// This one.
        task: String,
    },
    /// Another task, which comes before it, ran after it.
    RanLater {
        /// This one.
        task: String,
        /// In this run.
        run: u64,
    },
    /// Another task, which comes before it, was done after it, as its check says.
    DoneLater {
        /// This one.
        task: String,
        /// Since then, in seconds since 1970.
        at: u64,
    },
    /// It ran as another user.
    UserChanged {
        /// As whom it ran.
        before: String,
        /// As whom it would run now.
        now: String,
    },
    /// The hash of its inputs differs.
    InputsChanged,
    /// The hash of its source differs.
    SourceChanged,
    /// A `check_completed` said no.
    NotCompleted {
        /// Its name.
        check: String,
    },
    /// An invalidator said no.
    Invalid {
        /// Its name.
        check: String,
    },
    /// A building block differs.
    Differs {
        /// Which, in words.
        what: String,
    },
    /// Unknown: its building blocks are compared with a running machine.
    CannotCompare,
    /// Unknown: a check needs a running machine.
    CannotAsk {
        /// Its name.
        check: String,
    },
    /// Unknown: a check is asked again later.
    AskedAfter {
        /// Its name.
        check: String,
        /// After this task, or when this machine was changed.
        after: String,
    },
    /// Unknown: another task may run before it.
    MayRunBefore {
        /// This one.
        task: String,
    },
    /// Unknown: its inputs are not known.
    InputsUnknown {
        /// Why not.
        cause: String,
    },
    // Of a machine or a network.
    /// It does not exist.
    Missing,
    /// It was deployed, and is not there any more.
    RemovedOutside,
    /// It is there, and is not the one that was deployed.
    ReplacedOutside,
    /// It does not run.
    NotRunning,
    /// A run was ended while it made it.
    HalfMade,
    /// A run was ended before it wrote down what it had made.
    NotWrittenDown,
    /// It does not work.
    Broken,
    /// It is not in the network of the machine whose links it shares.
    Stranded,
    /// Whether it runs cannot be told.
    Silent {
        /// Why not.
        cause: String,
    },
    /// The layout wants it otherwise.
    Changed {
        /// How: a sentence for each difference.
        changes: Vec<String>,
    },
    /// Somebody else has changed it.
    AlteredOutside {
        /// How: a sentence for each difference.
        changes: Vec<String>,
    },
    /// The machine whose links it shares has, or gets, others.
    SharedLinks {
        /// That machine.
        machine: String,
        /// What becomes of it: `is made anew`.
        how: String,
    },
    // Of a machine that is only reached.
    /// It was not taken over yet.
    NotTakenOver,
    /// It was taken over, and is not known there any more.
    NotKnownThere,
    /// It is another machine than the one that was taken over.
    AnotherThere,
    /// A run was ended before it wrote down what it had taken over.
    TakeOverNotWrittenDown,
    /// It does not answer.
    NoAnswer {
        /// What it says instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<String>,
    },
    // Of whatever moves or goes.
    /// It has another name in the layout now.
    Moved {
        /// The thing, by its name before.
        from: String,
    },
    /// It is no longer in the layout.
    NotInLayout,
    /// The task that spawned the service is no longer in the layout.
    TaskGone,
    /// The user asked for it.
    Asked,
    /// It is given back, and goes on: an implementation only reaches it.
    OnlyReached {
        /// Why it is not wanted any more.
        because: Box<Reason>,
        /// The implementation.
        by: String,
    },
    // Of what is left as it is.
    /// What it needs did not succeed.
    NotReached {
        /// That thing.
        because_of: String,
    },
    /// Something needs it that is not selected.
    NeededBy {
        /// That thing.
        thing: String,
    },
    /// Something is plugged into it that is not selected.
    PluggedBy {
        /// That thing.
        thing: String,
    },
    /// Something that runs shares its links, and is not selected.
    SharedBy {
        /// That thing.
        thing: String,
    },
    /// Something needs it that a policy keeps.
    NeededByKept {
        /// That thing.
        thing: String,
    },
    /// Its policy keeps it.
    Kept {
        /// Of which question: `destroy`, `orphan`.
        question: String,
        /// The answer: `retain`, `warn`.
        answer: String,
    },
    /// The body of the task says that there is nothing to do.
    Declined {
        /// In its words.
        text: String,
    },
    /// Unknown: it does not say how it is.
    CannotTell {
        /// Why not.
        cause: String,
    },
    /// What another version of this program said.
    #[serde(skip)]
    Said {
        /// In words.
        text: String,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::Forced => "forced",
            Self::NeverRan => "never ran",
            Self::NewMachine => "the machine is new",
            Self::InputsChanged => "its inputs changed",
            Self::SourceChanged => "its source changed",
            Self::CannotCompare => {
                "cannot be told until the machine runs: then its building blocks are compared"
            }
            Self::Missing => "it does not exist",
            Self::RemovedOutside => "it was removed from outside",
            Self::ReplacedOutside => "it is not the one that was deployed",
            Self::NotRunning => "it is not running",
            Self::HalfMade => "an earlier run was ended while it made it",
            Self::NotWrittenDown => "an earlier run was ended before it wrote down what it made",
            Self::Broken => "it does not work",
            Self::Stranded => "it is not in the network that it should be in",
            Self::NotTakenOver => "it is not in the record yet",
            Self::NotKnownThere => "it is not known there any more",
            Self::AnotherThere => "it is another machine than the one that was taken over",
            Self::TakeOverNotWrittenDown => "an earlier run was ended before it wrote down what it took over",
            Self::NoAnswer { cause: None } => "it does not answer",
            Self::NotInLayout => "it is no longer in the layout",
            Self::TaskGone => "its task is no longer in the layout",
            Self::Asked => "you asked for it",
            Self::Differs { what } => what,
            Self::Said { text } | Self::Declined { text } => text,
            Self::NoStamp { cause } => return write!(f, "its stamp cannot be used: {cause}"),
            Self::Interrupted { run } => return write!(f, "was interrupted in run {run}"),
            Self::Failed { run } => return write!(f, "failed in run {run}"),
            Self::After { task } => return write!(f, "`{task}` runs before it"),
            Self::RanLater { task, run } => return write!(f, "`{task}` ran later, in run {run}"),
            Self::DoneLater { task, at } => {
                // What comes from a file may be of a time that has no date.
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(*at).min(LAST);
                return write!(f, "`{task}` was done later, at {}", humantime::format_rfc3339_seconds(at));
            }
            Self::UserChanged { before, now } => {
                return write!(f, "its user changed from {before} to {now}");
            }
            Self::NotCompleted { check } => return write!(f, "not done: `{check}` said no"),
            Self::Invalid { check } => return write!(f, "no longer valid: `{check}` said no"),
            Self::CannotAsk { check } => {
                return write!(f, "cannot be told until the machine runs: then `{check}` is asked");
            }
            Self::AskedAfter { check, after } => {
                return write!(f, "cannot be told yet: `{check}` is asked after `{after}`");
            }
            Self::MayRunBefore { task } => {
                return write!(f, "cannot be told yet: `{task}` may run before it");
            }
            Self::InputsUnknown { cause } => {
                return write!(f, "cannot be told yet: its inputs are not known: {cause}");
            }
            Self::Silent { cause } => return write!(f, "whether it runs cannot be told: {cause}"),
            Self::Changed { changes } => return f.write_str(&changes.join(", ")),
            Self::AlteredOutside { changes } => {
                return write!(f, "changed from outside: {}", changes.join(", "));
            }
            Self::SharedLinks { machine, how } => {
                return write!(f, "`{machine}`, whose links it shares, {how}");
            }
            Self::NoAnswer { cause: Some(cause) } => return write!(f, "it does not answer: {cause}"),
            Self::Moved { from } => return write!(f, "moved from `{from}`"),
            Self::OnlyReached { because, by } => return write!(f, "{because}; `{by}` only reaches it"),
            Self::NotReached { because_of } => return write!(f, "`{because_of}` did not succeed"),
            Self::NeededBy { thing } => return write!(f, "`{thing}` needs it and is not selected"),
            Self::PluggedBy { thing } => {
                return write!(f, "`{thing}` is plugged into it and is not selected");
            }
            Self::SharedBy { thing } => {
                return write!(f, "`{thing}` shares its links, runs and is not selected");
            }
            Self::NeededByKept { thing } => return write!(f, "`{thing}`, which stays, needs it"),
            Self::Kept { question, answer } => {
                let mind = if answer == "warn" { "mind that " } else { "" };
                return write!(f, "{mind}`#[policy({question} = {answer})]` keeps it");
            }
            Self::CannotTell { cause } => return write!(f, "cannot be told: {cause}"),
        };
        f.write_str(plain)
    }
}

/// For `#[serde(flatten, with = "…")]`: the text, and the kind with what belongs to it.
pub(crate) mod told {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use super::Reason;

    #[derive(Serialize)]
    struct Written<'a> {
        why: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a Reason>,
    }

    #[derive(Deserialize)]
    struct Read {
        #[serde(default)]
        why: String,
        #[serde(default)]
        reason: Value,
    }

    pub(crate) fn serialize<S: Serializer>(reason: &Reason, to: S) -> Result<S::Ok, S::Error> {
        let typed = !matches!(reason, Reason::Said { .. });
        Written { why: reason.to_string(), reason: typed.then_some(reason) }.serialize(to)
    }

    /// A kind that this program does not know is what its text says.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Reason, D::Error> {
        let Read { why, reason } = Read::deserialize(from)?;
        let known = Reason::deserialize(reason).ok();
        Ok(known.unwrap_or(Reason::Said { text: why }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Step {
        thing: String,
        #[serde(flatten, with = "told")]
        why: Reason,
    }

    #[test]
    fn programs_read_the_kind_and_people_the_text() {
        let later = Reason::RanLater { task: "index".into(), run: 7 };
        let gone = Reason::OnlyReached { because: Box::new(Reason::Asked), by: "BareMetal".into() };
        let reasons = [
            (Reason::NeverRan, json!({ "kind": "never-ran" }), "never ran"),
            (later, json!({ "kind": "ran-later", "task": "index", "run": 7 }), "`index` ran later, in run 7"),
            (Reason::NoAnswer { cause: None }, json!({ "kind": "no-answer" }), "it does not answer"),
            (
                gone,
                json!({ "kind": "only-reached", "because": { "kind": "asked" }, "by": "BareMetal" }),
                "you asked for it; `BareMetal` only reaches it",
            ),
        ];
        for (why, reason, text) in reasons {
            let step = Step { thing: "machine:m".into(), why };
            let written = serde_json::to_value(&step).unwrap();
            assert_eq!(written, json!({ "thing": "machine:m", "why": text, "reason": reason }));
            assert_eq!(serde_json::from_value::<Step>(written).unwrap(), step);
        }
    }

    #[test]
    fn what_is_newer_or_older_is_what_its_text_says() {
        for read in [
            json!({ "thing": "m", "why": "the moon is full", "reason": { "kind": "moon" } }),
            json!({ "thing": "m", "why": "the moon is full" }),
        ] {
            let step: Step = serde_json::from_value(read).unwrap();
            assert_eq!(step.why, Reason::Said { text: "the moon is full".into() });
            assert_eq!(
                serde_json::to_value(step).unwrap(),
                json!({ "thing": "m", "why": "the moon is full" })
            );
        }
    }
}
