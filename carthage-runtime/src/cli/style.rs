//! Colours, where they are wanted.

use std::fmt::Display;
use std::io::IsTerminal;

use super::args::When;

/// Whether and how text is coloured on one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    on: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tone {
    Good,
    Bad,
    Change,
    Careful,
    Quiet,
    Strong,
}

impl Style {
    /// For a stream, as the user wants it.
    pub(super) fn of(when: When, stream: &impl IsTerminal) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let on = match when {
            When::Always => true,
            When::Never => false,
            When::Auto => stream.is_terminal() && !no_color && !dumb,
        };
        Self { on }
    }

    #[cfg(test)]
    pub(super) fn plain() -> Self {
        Self { on: false }
    }

    /// The text in its colour.
    pub(super) fn paint(self, tone: Tone, text: impl Display) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Change => "36",
            Tone::Careful => "33",
            Tone::Quiet => "2",
            Tone::Strong => "1",
        };
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
