//! How many sessions a connection has at once: as many as the server lets it have.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, SemaphorePermit};

/// How many sessions are opened at the same moment; of more, the master refuses some for want of room in its socket's queue.
const OPENING: usize = 32;
/// How long a server may refuse every session, though none of ours is open.
pub(super) const REFUSED: Duration = Duration::from_secs(15);

/// The sessions of one connection. How many the server allows (`MaxSessions`) shows only when it refuses one: from then on
/// no more are asked for than were open at once.
#[derive(Debug)]
pub(super) struct Sessions {
    count: Mutex<Count>,
    changed: Notify,
    opening: Semaphore,
}

#[derive(Debug)]
struct Count {
    /// Open, or being opened.
    taken: usize,
    /// Open.
    open: usize,
    /// The most that were open at once.
    most: usize,
    limit: usize,
}

/// A session's place; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    sessions: Arc<Sessions>,
    open: bool,
}

impl Sessions {
    pub(super) fn new() -> Arc<Self> {
        let count = Count { taken: 0, open: 0, most: 0, limit: usize::MAX };
        Arc::new(Self { count: Mutex::new(count), changed: Notify::new(), opening: Semaphore::new(OPENING) })
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) async fn place(self: &Arc<Self>) -> Place {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let mut count = self.count();
                if count.taken < count.limit {
                    count.taken += 1;
                    return Place { sessions: Arc::clone(self), open: false };
                }
            }
            changed.await;
        }
    }

    /// Whether whoever wants a place must wait.
    pub(super) fn are_full(&self) -> bool {
        let count = self.count();
        count.taken >= count.limit
    }

    /// Waits until a session may be opened now.
    pub(super) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.opening.acquire().await.ok()
    }

    /// The server has refused one. Answers whether others are open, whose end makes room.
    pub(super) fn refused(&self) -> bool {
        let mut count = self.count();
        count.limit = count.most.max(1);
        count.open > 0
    }

    /// Waits until a session has ended, or for this time: a server may take a moment longer than we to forget one.
    pub(super) async fn change(&self, at_most: Duration) {
        tokio::time::timeout(at_most, self.changed.notified()).await.ok();
    }
}

impl Place {
    /// The session is open.
    pub(super) fn opened(&mut self) {
        let mut count = self.sessions.count();
        self.open = true;
        count.open += 1;
        count.most = count.most.max(count.open);
        if count.limit != usize::MAX {
            count.limit = count.limit.max(count.most);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut count = self.sessions.count();
        count.taken -= 1;
        count.open -= usize::from(self.open);
        drop(count);
        self.sessions.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_are_asked_for_than_the_server_allows() {
        let sessions = Sessions::new();
        let mut open = Vec::new();
        for _ in 0..3 {
            let mut place = sessions.place().await;
            place.opened();
            open.push(place);
        }
        drop(sessions.place().await);
        assert!(!sessions.are_full(), "no limit is known");
        assert!(sessions.refused(), "three are open");
        let more = tokio::time::timeout(Duration::from_millis(20), sessions.place()).await;
        assert!(more.is_err(), "a fourth must wait");
        assert!(sessions.are_full());
        let waiting = tokio::spawn({
            let sessions = Arc::clone(&sessions);
            async move { sessions.place().await }
        });
        open.pop();
        let place = tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap();
        drop(place);
        assert!(!sessions.are_full());
        drop(open);
        assert!(!sessions.refused(), "none is open");
        let count = sessions.count();
        assert_eq!((count.taken, count.limit), (0, 3));
    }
}
