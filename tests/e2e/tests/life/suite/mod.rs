//! What every machine can do, whatever makes it.

mod commands;
mod files;
mod guards;
mod networks;
mod power;
mod secrets;
mod services;

use carthage::{Error, ErrorKind};

use crate::ground::Case;

/// A case and its name.
pub(crate) type Named = (&'static str, Case);

/// Lists async functions as cases, called as they are in their file.
macro_rules! cases {
    ($module:ident: $($case:ident),* $(,)?) => {
        vec![$((concat!(stringify!($module), "::", stringify!($case)), |ground| Box::pin($case(ground)))),*]
    };
}
use cases;

/// All cases.
pub(crate) fn all() -> Vec<Named> {
    [
        commands::cases(),
        files::cases(),
        guards::cases(),
        networks::cases(),
        power::cases(),
        secrets::cases(),
        services::cases(),
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

/// How many processes in the machine were started with this word among their arguments.
async fn how_many(machine: &carthage::Machine, word: &str) -> carthage::Result<usize> {
    // The word goes in by standard input, so that the one who looks is not found.
    let script = "read word; for p in /proc/[0-9]*; do tr '\\0' '\\n' <$p/cmdline 2>/dev/null | grep -Fxq -- \"$word\" && echo $p; done; true";
    let found = machine.command(["sh", "-c", script]).stdin(word).run().await?;
    Ok(found.text().lines().count())
}
