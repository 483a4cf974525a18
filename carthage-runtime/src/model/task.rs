//! Setup tasks that are described by hand.

use super::key::At;
use super::node::TaskNode;
use super::value::Need;

impl TaskNode {
    /// A task that needs nothing, and comes after those before it in the list.
    #[must_use]
    pub const fn new(name: &'static str, at: At) -> Self {
        Self {
            name,
            about: "",
            at,
            after: &[],
            user: None,
            timeout_seconds: None,
            retries: 0,
            source: 0,
            needs: &[],
        }
    }

    /// With a description.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// After the tasks at these positions of the list.
    #[must_use]
    pub const fn after(mut self, after: &'static [usize]) -> Self {
        self.after = after;
        self
    }

    /// For no longer than this, in seconds, each time it is tried.
    #[must_use]
    pub const fn timeout_seconds(mut self, seconds: u64) -> Self {
        self.timeout_seconds = Some(seconds);
        self
    }

    /// Tried so often again when it fails.
    #[must_use]
    pub const fn retries(mut self, retries: u64) -> Self {
        self.retries = retries;
        self
    }

    /// As this user.
    #[must_use]
    pub const fn user(mut self, user: &'static str) -> Self {
        self.user = Some(user);
        self
    }

    /// With a number that is another one when what it does is changed: the task runs again then.
    #[must_use]
    pub const fn source(mut self, source: u64) -> Self {
        self.source = source;
        self
    }

    /// With what its functions ask for.
    #[must_use]
    pub const fn needs(mut self, needs: &'static [Need]) -> Self {
        self.needs = needs;
        self
    }
}
