//! How long an implementation may take for what it is asked.

use std::future::Future;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// To look whether something exists and runs.
pub(crate) const LOOK: Duration = Duration::from_secs(5 * 60);
/// To make something: an image may have to be fetched.
pub(crate) const MAKE: Duration = Duration::from_secs(2 * 3600);
/// To start a machine, until it takes commands: a real one has firmware that takes its time.
pub(crate) const START: Duration = Duration::from_secs(3600);
/// For all else; to stop one, on top of the time that it gets to end by itself.
pub(crate) const CHANGE: Duration = Duration::from_secs(10 * 60);

/// Waits for work on something of this name, and for no longer than `limit`.
///
/// # Errors
/// Those of the work, and when it does not end in time; it is given up then.
pub(crate) async fn within<T>(
    limit: Duration,
    verb: &str,
    name: &str,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let why = format!("it was not done after {}", humantime::format_duration(limit));
        Err(Error::new(ErrorKind::Timeout, format!("cannot {verb} `{name}`"))
            .because(why)
            .hint("see what the host is doing; deploying again goes on from here"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let begun = tokio::time::Instant::now();
        let error = within(START, "start", "web", std::future::pending::<Result<(), _>>()).await.unwrap_err();
        assert_eq!(begun.elapsed().as_secs(), 3600);
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(chain(&error).contains("cannot start `web`: it was not done after 1h"), "{}", chain(&error));
    }
}
