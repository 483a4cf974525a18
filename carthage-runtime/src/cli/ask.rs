//! Asking before things are changed.

use std::io::{self, BufRead, IsTerminal, Write};

use tokio_util::sync::CancellationToken;

use crate::error::{Error, ErrorKind};

/// Whether the user agrees. Asks on the terminal.
///
/// # Errors
/// When there is nobody to ask, or the question is interrupted.
pub(super) async fn agrees(question: &str, command: &str, stop: &CancellationToken) -> Result<bool, Error> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let what = format!("`{command}` would change things, and there is no terminal to ask on");
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("add --yes, or set CARTHAGE_YES=1, to do it without asking"));
    }
    let mut stderr = io::stderr();
    write!(stderr, "{question} [y/N] ")
        .and_then(|()| stderr.flush())
        .map_err(Error::host("cannot ask on the terminal"))?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let answer = tokio::select! {
        answer = answer => answer,
        () = stop.cancelled() => return Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was changed")),
    };
    let answer = answer.map_err(Error::host("the thread that asks has died"))?;
    Ok(is_yes(&answer.map_err(Error::host("cannot read the answer"))?))
}

fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_yes_is_yes() {
        assert!(is_yes("y\n") && is_yes("Yes\n"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("no") && !is_yes("yep"));
    }
}
