//! Waiting for conditions.

use std::time::{Duration, Instant};

/// Long enough for anything that is going to happen at all on a busy host.
pub const LONG: Duration = Duration::from_secs(60);

/// Waits until `look` finds something; what it waited for is named when it does not come.
///
/// # Panics
/// When it does not come in [`LONG`].
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LONG;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "after {LONG:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
