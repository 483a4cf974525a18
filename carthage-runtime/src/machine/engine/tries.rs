//! Trying again what has failed.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How long it is waited before something is tried again: the first time, and at most. Each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often something was tried, and is.
#[derive(Debug)]
pub(crate) struct Tries {
    number: u64,
    retries: u64,
    pause: Duration,
}

impl Tries {
    /// The first of them; as many more may follow.
    pub(crate) fn with(retries: u64) -> Self {
        Self { number: 1, retries, pause: FIRST_PAUSE }
    }

    /// Whether this is not the first.
    pub(crate) fn is_again(&self) -> bool {
        self.number > 1
    }

    /// This one has failed: tells that, and waits for the next, if there is one. Nothing is tried again once the run is to stop.
    pub(crate) async fn once_more(
        &mut self,
        why: impl FnOnce() -> String,
        stop: &CancellationToken,
        tell: impl FnOnce(String),
    ) -> bool {
        if self.number > self.retries || stop.is_cancelled() {
            return false;
        }
        let (number, tries) = (self.number, self.retries.saturating_add(1));
        let again = humantime::format_duration(self.pause);
        tell(format!("try {number} of {tries} failed: {}; once more in {again}", why()));
        if stop.run_until_cancelled(tokio::time::sleep(self.pause)).await.is_none() {
            return false;
        }
        (self.number, self.pause) = (number + 1, (self.pause * 2).min(LONGEST_PAUSE));
        true
    }
}
