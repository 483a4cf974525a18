//! Whose turn it is to change an engine's images.
//!
//! Several layouts share what was imported, each under a tag of its own. Engines do not keep changes of one image apart: a tag that one
//! takes away comes back when another adds one at the same time. So those of one user take turns, by the lock of a file.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;

use super::client::Client;
use crate::error::Error;
use crate::user_cache;

/// Held until it is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Turn(#[expect(dead_code, reason = "it is locked as long as it is open")] Option<File>);

impl Turn {
    /// Waits until nobody else of this user has it. Without a cache directory there is nothing to agree by.
    ///
    /// # Errors
    /// When the file cannot be made or locked.
    pub(super) async fn take(client: &Client) -> Result<Self, Error> {
        let Some(cache) = user_cache::directory() else { return Ok(Self(None)) };
        let directory = cache.join("engines");
        let path = directory.join(format!("{}.lock", blake3::hash(client.url.as_bytes()).to_hex()));
        let lock = move || {
            let locked = || {
                user_cache::make(&directory)?;
                let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
                file.lock()?;
                Ok(Self(Some(file)))
            };
            locked().map_err(Error::host::<io::Error>(format!("cannot lock `{}`", path.display())))
        };
        tokio::task::spawn_blocking(lock).await.map_err(Error::host("cannot wait for the engine's images"))?
    }
}
