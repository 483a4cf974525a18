//! What every machine can do, whatever makes it.

mod commands;
mod controllers;
mod customizations;
mod files;
mod found;
mod guards;
mod networks;
mod outside;
mod power;
mod secrets;
mod services;
mod shared;
mod tasks;

use std::sync::atomic::{AtomicU64, Ordering};

use carthage::machine::capability::Capability;
use carthage::{Error, ErrorKind, Machine};
use futures_util::future::BoxFuture;

use crate::ground::{Controllers, Ground};

/// One thing that every implementation must do, if it can do what the case needs.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) needs: &'static [Capability],
    pub(crate) play: Play,
}

/// A case in the process that has deployed the machines and holds them open.
pub(crate) type OnOpen = fn(Ground) -> BoxFuture<'static, carthage::Result<()>>;
/// A case on deployed machines that no process holds open.
pub(crate) type OnClosed = fn(Controllers) -> BoxFuture<'static, carthage::Result<()>>;

/// What a case does.
#[derive(Clone, Copy)]
pub(crate) enum Play {
    Open(OnOpen),
    Closed(OnClosed),
}

/// Lists async functions as cases, called as they are in their file, with the capabilities that each needs.
macro_rules! cases {
    (@ $kind:ident $module:ident: $($case:ident $([$($needed:ident),*])?),* $(,)?) => {
        vec![$($crate::cases::Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            needs: &[$($(carthage::machine::capability::Capability::$needed),*)?],
            play: $crate::cases::Play::$kind(|on| Box::pin($case(on))),
        }),*]
    };
    (open $($rest:tt)+) => { cases!(@ Open $($rest)+) };
    (closed $($rest:tt)+) => { cases!(@ Closed $($rest)+) };
}
use cases;

/// All cases; those that need no controllers of their own first.
pub(crate) fn all() -> Vec<Case> {
    [
        commands::cases(),
        files::cases(),
        services::cases(),
        secrets::cases(),
        networks::cases(),
        shared::cases(),
        found::cases(),
        power::cases(),
        guards::cases(),
        tasks::cases(),
        customizations::cases(),
        controllers::cases(),
        outside::cases(),
    ]
    .concat()
}

/// The error, which must be one of the library's and of this kind, with its causes and its hint.
#[track_caller]
fn refused<T: std::fmt::Debug>(result: carthage::Result<T>, kind: ErrorKind) -> String {
    let error = result.unwrap_err();
    let ours =
        error.downcast_ref::<Error>().unwrap_or_else(|| panic!("{error:?} is no error of the library's"));
    assert_eq!(ours.kind(), kind, "{ours:?}");
    format!("{ours:?}")
}

/// A number of seconds that no other process on this host sleeps for.
fn mark() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let begin = 1_000_000_000 + u64::from(std::process::id()) % 800_000 * 1000;
    (begin + NEXT.fetch_add(1, Ordering::Relaxed) % 1000).to_string()
}

/// Prints the processes that were started with the word of standard input among their arguments.
const FIND: &str = "read word; for p in /proc/[0-9]*; do \
    tr '\\0' '\\n' <$p/cmdline 2>/dev/null | grep -Fxq -- \"$word\" && echo ${p#/proc/}; done; true";

/// How many processes in the machine were started with this word among their arguments.
pub(crate) async fn how_many(machine: &Machine, word: &str) -> carthage::Result<usize> {
    // The word goes in by standard input, so that the one who looks is not found.
    let found = machine.command(["sh", "-c", FIND]).stdin(format!("{word}\n")).run().await?;
    Ok(found.text().lines().count())
}

/// Ends the processes in the machine that were started with this word among their arguments.
async fn end(machine: &Machine, word: &str) -> carthage::Result<()> {
    let found = machine.command(["sh", "-c", FIND]).stdin(format!("{word}\n")).run().await?.text();
    machine.run(["kill"].into_iter().chain(found.lines())).await?;
    Ok(())
}
