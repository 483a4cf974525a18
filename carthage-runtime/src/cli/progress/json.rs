//! Events as JSON, one per line.

use crate::cli::output::Output;
use crate::event::{Event, Sink};

/// Writes every event.
pub(super) struct Json(Output);

impl Json {
    pub(super) fn new(out: Output) -> Self {
        Self(out)
    }
}

impl Sink for Json {
    fn event(&self, event: &Event) {
        self.0.json(event);
    }
}
