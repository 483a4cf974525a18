//! What a `check_completed` says: whether a task is done, and since when.

use std::time::{Duration, SystemTime};

use crate::reason::LAST;

/// Whether a task is done, and since when, as a function with `#[check_completed]` says it. One that cannot tell since when
/// returns a `bool` as well.
///
/// A time is that of the thing itself: when a file was written, what an image was built. A task that comes before and ran later makes
/// this one run again, and a task that comes after and ran earlier runs again because of this one.
///
/// ```
/// use carthage::prelude::*;
///
/// struct App;
///
/// #[customization]
/// impl App {
///     /// Build it.
///     #[setup_task]
///     async fn build(&self, host: &Host) -> Result<()> {
///         host.run(["make", "-C", "/srv/app"]).await?;
///         Ok(())
///     }
///
///     /// It is as old as what was built.
///     #[check_completed(build)]
///     async fn is_built(&self, host: &Host) -> Result<Completed> {
///         let modified = host.command(["stat", "-c", "%Y", "/srv/app/bin"]).output().await?;
///         if !modified.exit.success() {
///             return Ok(Completed::Not);
///         }
///         Ok(Completed::at_unix(modified.text().trim().parse()?))
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completed {
    /// It is not done.
    Not,
    /// It is done, and nobody knows since when.
    Done,
    /// It is done since then, by the clock of whoever says so.
    At(SystemTime),
}

impl Completed {
    /// It is done since so many seconds after the beginning of 1970, which is what `stat -c %Y` says of a file.
    ///
    /// ```
    /// use carthage::prelude::*;
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// assert_eq!(Completed::at_unix(60), Completed::At(UNIX_EPOCH + Duration::from_secs(60)));
    /// ```
    #[must_use]
    pub fn at_unix(seconds: u64) -> Self {
        Self::At(since_1970(seconds, 0))
    }
}

/// ```
/// use carthage::prelude::*;
///
/// assert_eq!(Completed::from(true), Completed::Done);
/// ```
impl From<bool> for Completed {
    fn from(done: bool) -> Self {
        if done { Self::Done } else { Self::Not }
    }
}

impl From<SystemTime> for Completed {
    fn from(time: SystemTime) -> Self {
        Self::At(time)
    }
}

/// Nothing that could have a time is there: it is not done.
impl From<Option<SystemTime>> for Completed {
    fn from(time: Option<SystemTime>) -> Self {
        time.map_or(Self::Not, Self::At)
    }
}

/// What a function with `#[check_completed]` may return, in a `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say whether a task is done",
    label = "a function with `#[check_completed]` returns `Result<bool>` or `Result<Completed>`",
    note = "write `Result<bool>` for done or not, or `Result<Completed>` where it is known since when: `Ok(Completed::At(time))`"
)]
pub trait SaysCompleted: Into<Completed> + Send + 'static {}

impl SaysCompleted for bool {}
impl SaysCompleted for Completed {}

/// So many seconds and nanoseconds after the beginning of 1970, but not beyond the year 9999.
pub(crate) fn since_1970(seconds: u64, nanos: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos.into())).min(LAST)
}

/// The same of a time.
pub(crate) fn after_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().min(LAST)
}

/// The time, as it can be written down: not before 1970, and not beyond the year 9999.
pub(crate) fn writable(time: SystemTime) -> SystemTime {
    SystemTime::UNIX_EPOCH + after_1970(time)
}
