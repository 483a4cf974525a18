//! The commands, one file per kind of work.

mod change;
mod check;
mod exec;
mod logs;
mod look;
mod plan;
mod report;

pub(super) use change::{deploy, destroy, run, start, stop};
pub(super) use check::check;
pub(super) use exec::{exec, shell};
pub(super) use logs::logs;
pub(super) use look::{completions, list, status};
pub(super) use plan::plan;
