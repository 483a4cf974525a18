//! A line when something begins or ends: for logs.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use super::lasting;
use crate::cli::style::{Style, Tone};
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
        let line = match event {
            Event::Started { .. }
            | Event::Begun { .. }
            | Event::Output { .. }
            | Event::Progress { .. }
            | Event::Done { .. }
                if self.quiet =>
            {
                None
            }
            Event::Started { run, steps } => Some(format!("run {run}: {steps} steps")),
            Event::Begun { thing, action, why } => Some(format!("{action} {thing}: {why}")),
            Event::Output { thing, line, .. } | Event::Progress { thing, text: line } => {
                Some(format!("{} {line}", self.style.paint(Tone::Quiet, format!("{thing} |"))))
            }
            event => lasting(event, self.style),
        };
        if let Some(line) = line {
            let mut to = self.to.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody reads it any more: that is no reason to stop.
            to.write_all(format!("{line}\n").as_bytes()).ok();
        }
    }
}
