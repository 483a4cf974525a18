//! A setup task that has nothing to do this time.

use std::error::Error as StdError;
use std::fmt;

/// What the body of a setup task returns as its error when it has nothing to do this time: it has neither run nor failed. Whatever it
/// left behind when it last ran still holds, what comes after it does not run because of it, and the next deployment asks it again
/// if it still would.
///
/// ```
/// use carthage::prelude::*;
///
/// #[derive(Default)]
/// struct Join;
///
/// #[customization]
/// impl Join {
///     /// Join the cluster, if there is one.
///     #[setup_task]
///     async fn join(&self, host: &Host) -> Result<()> {
///         if !host.exists("/etc/cluster").await? {
///             return Err(SkipTask::because("there is no cluster yet").into());
///         }
///         host.run(["cluster", "join"]).await?;
///         Ok(())
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkipTask(String);

impl SkipTask {
    /// For this reason, which is shown.
    #[must_use]
    pub fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// Whether an error is one, itself or by its causes.
    pub(super) fn of<'e>(error: &'e (dyn StdError + 'static)) -> Option<&'e Self> {
        std::iter::successors(Some(error), |error: &&'e (dyn StdError + 'static)| (*error).source())
            .find_map(|error| error.downcast_ref())
    }
}

impl fmt::Display for SkipTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for SkipTask {}
