//! The terminal that this program runs on.

use std::io::{self, IsTerminal};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::error::{Error, ErrorKind};
use crate::machine::engine::TerminalSize;

/// # Errors
/// When standard input or output is no terminal.
pub(super) fn required() -> Result<(), Error> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, "`shell` needs a terminal, and there is none here")
        .hint("run one command with `exec MACHINE -- COMMAND` instead"))
}

/// The terminal in raw mode: what is typed goes through as it is. Dropping this gives it back as it was.
pub(super) struct Raw {
    before: Termios,
}

impl Raw {
    pub(super) fn enter() -> Result<Self, Error> {
        let before = tcgetattr(io::stdin()).map_err(Error::host("cannot read the terminal's settings"))?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Drain, &raw)
            .map_err(Error::host("cannot set up the terminal"))?;
        Ok(Self { before })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Drain, &self.before) {
            tracing::debug!(%error, "cannot give the terminal back as it was");
        }
    }
}

/// Its size; a terminal that does not tell is taken for a usual one.
pub(super) fn size() -> TerminalSize {
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => {
            TerminalSize { rows: size.ws_row, columns: size.ws_col }
        }
        _ => TerminalSize { rows: 24, columns: 80 },
    }
}
