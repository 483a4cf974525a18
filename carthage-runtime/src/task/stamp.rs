//! Stamps: what tells how a task ended on its target the last time.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::completed::{after_1970, since_1970};
use super::decide::Since;
use super::hash::InputHash;
use crate::machine::engine::Identity;

/// The version of what is written: a line for each stamp. In the first, each was a file of its own that held the same.
const FORMAT: u64 = 2;

/// What a task left behind when it ran to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The run in which it ran.
    pub run: u64,
    /// In which order tasks ended in that run.
    pub step: u64,
    /// When it ended by the clock of the controller, but not before what was found done ahead of it; or, if it was found done
    /// itself, since when. A decision looks at it only where a check has said a time.
    pub at: SystemTime,
    /// Since when it is done, as its `check_completed` said when this was written, if that says times.
    pub said: Option<SystemTime>,
    /// The machine on which it ran.
    pub target: Identity,
    /// The hash of its inputs, if it has any.
    pub inputs: Option<InputHash>,
    /// The hash of its source.
    pub source: u64,
    /// As whom it ran; root if absent.
    pub user: Option<String>,
}

impl Stamp {
    /// Since when it is done: as its check says, if that says times, else when it ended by the clock of the controller.
    #[must_use]
    pub fn time(&self) -> SystemTime {
        self.said.unwrap_or(self.at)
    }

    /// What it is to tasks that come before or after.
    #[must_use]
    pub fn since(&self) -> Since {
        Since { run: self.run, step: self.step, at: self.at, found: self.said == Some(self.at) }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = humantime::format_rfc3339_seconds(self.time());
        write!(f, "run {}, {time}, as {}", self.run, self.user.as_deref().unwrap_or("root"))
    }
}

/// What is known of a task's last time on its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Last {
    /// There is no stamp.
    Never,
    /// There is one that cannot be used, for this reason.
    Unreadable(String),
    /// It was begun in this run, on this machine, and did not end.
    Begun(u64, Identity),
    /// It failed in this run, on this machine.
    Failed(u64, Identity),
    /// It ran to its end.
    Ran(Stamp),
}

/// A stamp as it is written.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    version: u64,
    #[serde(borrow)]
    layout: Cow<'a, str>,
    #[serde(default)]
    in_layout: bool,
    /// Absent in the first version.
    #[serde(default, borrow)]
    task: Cow<'a, str>,
    state: State,
    #[serde(default)]
    run: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    step: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    at: u64,
    #[serde(default, skip_serializing_if = "is_none")]
    nanos: u32,
    /// Seconds and nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<(u64, u32)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Cow<'a, Identity>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Cow<'a, InputHash>>,
    #[serde(default, skip_serializing_if = "is_zero")]
    source: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Cow<'a, str>>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Removed,
    Unusable,
    Begun,
    Failed,
    Ran,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde wants it")]
fn is_none(nanos: &u32) -> bool {
    *nanos == 0
}

/// What is known of a task, and whether it was the layout's and not applied by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) last: Last,
    pub(super) in_layout: bool,
}

/// That something was written of which nobody knows any more what.
pub(super) struct Damaged;

/// Adds the line that says this of a task of this layout.
pub(super) fn write(bytes: &mut Vec<u8>, layout: &str, task: &str, known: &Known) -> serde_json::Result<()> {
    let state = match &known.last {
        Last::Never => State::Removed,
        Last::Unreadable(_) => State::Unusable,
        Last::Begun(..) => State::Begun,
        Last::Failed(..) => State::Failed,
        Last::Ran(_) => State::Ran,
    };
    let mut line = Line {
        version: FORMAT,
        layout: layout.into(),
        in_layout: known.in_layout,
        task: task.into(),
        state,
        run: 0,
        step: 0,
        at: 0,
        nanos: 0,
        said: None,
        target: None,
        inputs: None,
        source: 0,
        user: None,
        why: None,
    };
    match &known.last {
        Last::Never => {}
        Last::Unreadable(why) => line.why = Some(why.into()),
        Last::Begun(run, target) | Last::Failed(run, target) => {
            (line.run, line.target) = (*run, Some(Cow::Borrowed(target)));
        }
        Last::Ran(stamp) => {
            (line.run, line.step, line.source) = (stamp.run, stamp.step, stamp.source);
            let written = |time| {
                let since = after_1970(time);
                (since.as_secs(), since.subsec_nanos())
            };
            (line.at, line.nanos) = written(stamp.at);
            line.said = stamp.said.map(written);
            line.target = Some(Cow::Borrowed(&stamp.target));
            line.inputs = stamp.inputs.as_ref().map(Cow::Borrowed);
            line.user = stamp.user.as_deref().map(Cow::Borrowed);
        }
    }
    serde_json::to_writer(&mut *bytes, &line)?;
    bytes.push(b'\n');
    Ok(())
}

/// Of which task of a layout a line tells, and what; or what a file of the first version, which has no name in it.
pub(super) fn read<'a>(text: &'a [u8], layout: &str) -> Result<(Cow<'a, str>, Known), Damaged> {
    #[derive(Deserialize)]
    struct Newer {
        version: u64,
        #[serde(default)]
        task: String,
    }
    let unusable = |why: &str| Known { last: Last::Unreadable(why.to_owned()), in_layout: false };
    let line: Line<'_> = match serde_json::from_slice(text) {
        Ok(line) => line,
        Err(_) => match serde_json::from_slice(text) {
            Ok(Newer { version, task }) if version > FORMAT => {
                return Ok((task.into(), unusable("it is of another version")));
            }
            _ => return Err(Damaged),
        },
    };
    let known = if line.version > FORMAT {
        unusable("it is of another version")
    } else if line.layout != layout {
        unusable("it is from before the layout's state was lost or destroyed")
    } else {
        let target = line.target.map(Cow::into_owned).ok_or(Damaged);
        let last = match line.state {
            State::Removed => Last::Never,
            State::Unusable => Last::Unreadable(line.why.map(Cow::into_owned).ok_or(Damaged)?),
            State::Begun => Last::Begun(line.run, target?),
            State::Failed => Last::Failed(line.run, target?),
            State::Ran => Last::Ran(Stamp {
                run: line.run,
                step: line.step,
                at: since_1970(line.at, line.nanos),
                said: line.said.map(|(seconds, nanos)| since_1970(seconds, nanos)),
                target: target?,
                inputs: line.inputs.map(Cow::into_owned),
                source: line.source,
                user: line.user.map(Cow::into_owned),
            }),
        };
        Known { last, in_layout: line.in_layout }
    };
    Ok((line.task, known))
}
