//! Exit codes, and how an error is told.

use std::process::ExitCode;

use serde::Serialize;

use super::style::{Style, Tone};
use crate::error::{Error, ErrorKind};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// An error.
    Error,
    /// `plan`: there is something to do.
    Pending,
    /// Some of it failed.
    Partly,
    /// The plan that was to be kept to does not hold any more.
    Outdated,
    /// Wrong usage.
    Usage,
    /// `exec`: the command could not be run.
    NotRun,
    /// Interrupted.
    Interrupted,
    /// `exec`: the command's own.
    Command(u8),
}

impl Exit {
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Pending => 2,
            Self::Partly => 3,
            Self::Outdated => 4,
            Self::Usage => 64,
            Self::NotRun => 125,
            Self::Interrupted => 130,
            Self::Command(code) => code,
        }
    }

    /// What an error means.
    pub(super) fn of(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Usage => Self::Usage,
            ErrorKind::Outdated => Self::Outdated,
            ErrorKind::Interrupted => Self::Interrupted,
            _ => Self::Error,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// An error, taken apart for people and programs.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename = "error")]
pub(super) struct Told {
    error: String,
    causes: Vec<String>,
    next: Option<String>,
}

impl Told {
    pub(super) fn of(error: &Error) -> Self {
        let first: &(dyn std::error::Error + 'static) = error;
        let chain: Vec<_> = std::iter::successors(Some(first), |error| error.source()).collect();
        let next = chain.iter().find_map(|error| error.downcast_ref::<Error>()?.next_step());
        Self {
            error: error.to_string(),
            causes: chain.iter().skip(1).map(ToString::to_string).collect(),
            next: next.map(str::to_owned),
        }
    }

    /// `error: …`, its causes, and `next: …`.
    pub(super) fn text(&self, style: Style) -> String {
        tell(style, "error", &self.error, &self.causes, self.next.as_deref())
    }
}

/// What went wrong, why, and what to do: each begins a line, and lines that follow are indented.
pub(super) fn tell(style: Style, word: &str, what: &str, causes: &[String], next: Option<&str>) -> String {
    let indent = |text: &str| text.trim_end().replace('\n', "\n    ");
    let mut text = format!("{} {}", style.paint(Tone::Bad, format!("{word}:")), indent(what));
    for cause in causes {
        text += &format!("\n  {} {}", style.paint(Tone::Quiet, "because:"), indent(cause));
    }
    if let Some(next) = next {
        text += &format!("\n  {} {}", style.paint(Tone::Strong, "next:"), indent(next));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_causes_and_the_next_step() {
        let inner =
            Error::new(ErrorKind::Host, "no bridge").because("denied\nby policy").hint("load the module");
        let told = Told::of(&Error::new(ErrorKind::Task, "cannot start `mirror`").because(inner));
        assert_eq!(
            told.text(Style::plain()),
            "error: cannot start `mirror`\n  because: no bridge\n  because: denied\n    by policy\n  next: load the module"
        );
        assert_eq!(
            serde_json::to_string(&told).unwrap(),
            r#"{"event":"error","error":"cannot start `mirror`","causes":["no bridge","denied\nby policy"],"next":"load the module"}"#
        );
    }

    #[test]
    fn codes() {
        let of = |kind| Exit::of(&Error::new(kind, "x")).code();
        assert_eq!([ErrorKind::Usage, ErrorKind::Interrupted, ErrorKind::Locked].map(of), [64, 130, 1]);
    }
}
