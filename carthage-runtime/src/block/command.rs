//! Commands that say whether they are needed.

use std::ffi::OsString;
use std::path::PathBuf;

use super::script::{self, Op, Probe};
use super::seen::Seen;
use super::{Build, Outcome, absolute};

/// A command that runs when its guard says so. It runs as who applies blocks, in `/`; its arguments can be seen by others, and
/// nothing secret belongs into them.
///
/// ```
/// use carthage::block::Command;
/// Command::new(["mkfs.ext4", "/dev/vdb"]).unless(["blkid", "/dev/vdb"]);
/// Command::new(["tar", "-xf", "/srv/app.tar", "-C", "/srv"]).creates("/srv/app/VERSION");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Command {
    argv: Vec<OsString>,
    guard: Guard,
}

#[derive(Clone)]
enum Guard {
    Unless(Vec<OsString>),
    Creates(PathBuf),
}

/// A command of which nothing says yet when it is needed.
#[derive(Clone, Debug)]
#[must_use]
pub struct Unguarded {
    argv: Vec<OsString>,
}

impl Command {
    /// Program and arguments, never through a shell. It becomes a block with [`Unguarded::unless`] or [`Unguarded::creates`].
    #[expect(clippy::new_ret_no_self, reason = "a command without a guard is no block")]
    pub fn new<A: Into<OsString>>(argv: impl IntoIterator<Item = A>) -> Unguarded {
        Unguarded { argv: argv.into_iter().map(Into::into).collect() }
    }

    fn shown(&self) -> String {
        let words: Vec<_> = self.argv.iter().map(|word| word.to_string_lossy()).collect();
        words.join(" ")
    }
}

impl Unguarded {
    /// It runs unless this command ends well. That one is run whenever somebody looks, also for a plan: it changes nothing.
    pub fn unless<A: Into<OsString>>(self, argv: impl IntoIterator<Item = A>) -> Command {
        let guard = Guard::Unless(argv.into_iter().map(Into::into).collect());
        Command { argv: self.argv, guard }
    }

    /// It runs unless there is something at this path.
    pub fn creates(self, path: impl Into<PathBuf>) -> Command {
        Command { argv: self.argv, guard: Guard::Creates(path.into()) }
    }
}

impl Build for Command {
    fn name(&self) -> String {
        self.shown()
    }

    fn verb(&self) -> &'static str {
        "runs"
    }

    fn check(&self) -> Result<(), String> {
        let is_command = |argv: &[OsString]| {
            !argv.is_empty() && argv.iter().all(|word| !word.as_encoded_bytes().contains(&0))
        };
        let guard = match &self.guard {
            Guard::Creates(path) => return absolute(path).and_then(|()| said(is_command(&self.argv))),
            Guard::Unless(argv) => is_command(argv),
        };
        said(guard && is_command(&self.argv))
    }

    fn probe(&self) -> Probe {
        let (guard, path) = match &self.guard {
            Guard::Unless(argv) => (script::command(argv), OsString::new()),
            Guard::Creates(path) => (OsString::new(), path.clone().into()),
        };
        let name = format!("{} {}", guard.display(), path.display());
        Probe::Other { kind: "guard", name, variables: vec![("guard", guard), ("path", path)] }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        match seen.told(&self.probe().key()) {
            Some(told) if told.first() == "differs" => {
                let variables = vec![("command", script::command(&self.argv))];
                Outcome::differs(format!("runs {}", self.shown()), Op::Other { kind: "run", variables })
            }
            _ => Outcome::Same,
        }
    }

    fn is_opaque(&self) -> bool {
        true
    }

    fn is_guarded(&self) -> bool {
        true
    }
}

fn said(is_command: bool) -> Result<(), String> {
    is_command.then_some(()).ok_or_else(|| "a command has a program and no NUL bytes".to_owned())
}
