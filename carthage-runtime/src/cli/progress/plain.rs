//! A line when something begins or ends: for logs.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::{lasting, line};
use crate::cli::style::Style;
use crate::event::{Event, Sink};

/// Writes lines.
pub(super) struct Plain {
    to: Mutex<Box<dyn Write + Send>>,
    style: Style,
    quiet: bool,
}

impl Plain {
    /// `quiet` leaves out what went well.
    pub(super) fn new(to: impl Write + Send + 'static, style: Style, quiet: bool) -> Self {
        Self { to: Mutex::new(Box::new(to)), style, quiet }
    }
}

impl Sink for Plain {
    fn event(&self, event: &Event) {
        let shown = if self.quiet { lasting(event, self.style) } else { line(event, self.style) };
        let is_quiet = self.quiet && matches!(event, Event::Done { .. });
        if let Some(line) = shown.filter(|_| !is_quiet) {
            let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody reads it any more: that is no reason to stop.
            to.write_all(format!("{line}\n").as_bytes()).ok();
        }
    }
}
