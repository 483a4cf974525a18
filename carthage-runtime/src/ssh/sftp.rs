//! The file channel of a connection: opened when it is needed, closed when the server has too few places for it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openssh::Session;
use openssh_sftp_client::error::SftpErrorKind;
use openssh_sftp_client::{Sftp, SftpOptions};
use tokio::sync::Mutex;

use super::connection::{Connection, Live, Patience};
use crate::error::{Error, ErrorKind};

/// How long a server may take to answer that it has no files to offer.
const HELLO: Duration = Duration::from_secs(20);

/// The channel of one connection.
#[derive(Debug, Default)]
pub(super) struct Channel(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Closed,
    Open(Arc<Sftp>),
    /// The server has none.
    Missing,
}

impl Channel {
    /// Gives its place to another session, if nobody uses it now.
    pub(super) async fn yield_place(&self) {
        let Ok(mut state) = self.0.try_lock() else { return };
        if matches!(&*state, State::Open(sftp) if Arc::strong_count(sftp) == 1) {
            *state = State::Closed;
        }
    }

    /// It is lost.
    pub(super) async fn close(&self) {
        let mut state = self.0.lock().await;
        if matches!(&*state, State::Open(_)) {
            *state = State::Closed;
        }
    }

    /// The channel, and whether it was opened just now because it was not; `None` if the server has none.
    pub(super) async fn open(
        live: &Arc<Live>,
        connection: &Connection,
        patience: Patience,
    ) -> Result<Option<(Arc<Sftp>, bool)>, Error> {
        let mut state = live.sftp.0.lock().await;
        match &*state {
            State::Open(sftp) => return Ok(Some((Arc::clone(sftp), false))),
            State::Missing => return Ok(None),
            State::Closed => {}
        }
        let mut opened = connection.open(patience, &|session| Session::to_subsystem(session, "sftp")).await?;
        let child = &mut opened.child;
        let (Some(stdin), Some(stdout)) = (child.stdin().take(), child.stdout().take()) else {
            return Err(Error::new(ErrorKind::Host, "a session of ssh has no streams"));
        };
        // It ends when its last user is gone, and gives back its place then.
        tokio::spawn(opened.end_with_connection());
        let opened = tokio::time::timeout(HELLO, Sftp::new(stdin, stdout, SftpOptions::new())).await;
        match opened {
            Ok(Ok(sftp)) if sftp.support_posix_rename() => {
                let sftp = Arc::new(sftp);
                *state = State::Open(Arc::clone(&sftp));
                Ok(Some((sftp, true)))
            }
            // Without an atomic rename it is no better than the shell.
            Ok(_) | Err(_) => {
                if live.lives() {
                    *state = State::Missing;
                }
                Ok(None)
            }
        }
    }
}

/// What went wrong with a file, as an error.
pub(super) fn failed(machine: &str, verb: &str, path: &Path, error: openssh_sftp_client::Error) -> Error {
    let what = format!("cannot {verb} `{}` in `{machine}`", path.display());
    match error {
        openssh_sftp_client::Error::SftpError(SftpErrorKind::NoSuchFile, _) => {
            Error::new(ErrorKind::NotFound, what).because("No such file or directory")
        }
        openssh_sftp_client::Error::SftpError(SftpErrorKind::PermDenied, _) => {
            Error::new(ErrorKind::Host, what).because("Permission denied")
        }
        openssh_sftp_client::Error::SftpError(_, message) => {
            Error::new(ErrorKind::Host, what).because(message.get().0.to_owned())
        }
        error => Error::new(ErrorKind::Host, what).because(error),
    }
}

/// Whether nothing is there.
pub(super) fn is_absent(error: &openssh_sftp_client::Error) -> bool {
    matches!(error, openssh_sftp_client::Error::SftpError(SftpErrorKind::NoSuchFile, _))
}
