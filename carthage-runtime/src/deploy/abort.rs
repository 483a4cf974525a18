//! Giving up a run: what was begun is abandoned, and what surrounds it is left.

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Gives up what runs. Unlike [`Options::stop`](super::Options::stop), it does not wait for what was begun to be finished; it waits only until what
/// surrounds that is left: hosts of the user's own, and machines that were started for something.
///
/// ```no_run
/// # async fn look(deployment: &carthage::deploy::Deployment, abort: carthage::deploy::Abort) -> carthage::Result<()> {
/// use carthage::deploy::Selection;
///
/// let all = Selection::all();
/// let (report, ()) = tokio::join!(deployment.deploy(&all), async {
///     abort.give_up();
///     abort.is_over().await;
/// });
/// assert!(!report?.interrupted.is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Abort {
    given_up: CancellationToken,
    runs: TaskTracker,
}

impl Abort {
    /// Gives up what runs, and whatever is to run later: it is interrupted.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Waits until nothing runs any more that can be given up.
    pub async fn is_over(&self) {
        self.runs.close();
        self.runs.wait().await;
        self.runs.reopen();
    }

    /// Does the work unless it is given up, and then what has to be done either way.
    pub(super) async fn unless<T>(
        &self,
        work: impl Future<Output = T>,
        finally: impl Future<Output = ()>,
    ) -> Option<T> {
        let _runs = self.runs.token();
        // Dropped here, what it holds begins to unwind.
        let done = self.given_up.run_until_cancelled(work).await;
        finally.await;
        done
    }
}
