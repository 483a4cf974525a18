//! The layout's own key, with which it logs in where the model names no other.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rustix::fs::{FlockOperation, flock};

use crate::error::{Error, ErrorKind};
use crate::state::Files;
use crate::state::storage::{Open, Storage};

/// The key's name in the directory of everything that is about ssh.
const NAME: &str = "key";

/// The directory of everything that is about ssh, in a layout's state directory.
pub(super) const DIRECTORY: &str = "ssh";

/// The public half of the layout's key, as `authorized_keys` takes it: `ssh-ed25519 AAAA… carthage LAYOUT`. The key is made
/// when it is first asked for; its private half is in a file of the state directory that only its owner can read.
///
/// # Errors
/// When it cannot be made or read.
pub async fn layout_key(storage: &Arc<dyn Storage>, state: &Path, layout: &str) -> Result<String, Error> {
    let files = Files::new(storage.clone(), state.join(DIRECTORY));
    let (storage, layout) = (storage.clone(), layout.to_owned());
    tokio::task::spawn_blocking(move || make(&*storage, &files, &layout))
        .await
        .map_err(Error::host("the thread that makes the layout's key has died"))?
}

/// The same, if there is one; none is made.
///
/// # Errors
/// When it cannot be read.
pub(super) fn existing_key(state: &Path) -> Result<Option<String>, Error> {
    let key = path(state);
    public(&key).map_err(Error::host(format!("the layout's key `{}` cannot be read", key.display())))
}

/// Where the private half of the layout's key is, if there is one.
pub(super) fn path(state: &Path) -> PathBuf {
    state.join(DIRECTORY).join(NAME)
}

fn make(storage: &dyn Storage, files: &Files, layout: &str) -> Result<String, Error> {
    let (base, key) = (files.dir(), files.path(NAME));
    let cannot = || Error::host::<io::Error>(format!("the layout's key `{}` cannot be read", key.display()));
    if let Some(public) = public(&key).map_err(cannot())? {
        return Ok(public);
    }
    let failed = || Error::host::<io::Error>(format!("the layout's key `{}` cannot be made", key.display()));
    files.make_dir()?;
    // Of several that want it at the same time, one makes it.
    let lock = fs::File::open(base).map_err(failed())?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed()(error.into()))?;
    if let Some(public) = public(&key).map_err(cannot())? {
        return Ok(public);
    }
    let scratch = tempfile::Builder::new().prefix("key.").tempdir_in(base).map_err(failed())?;
    let new = scratch.path().join(NAME);
    let made = std::process::Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C"])
        .arg(format!("carthage {layout}"))
        .arg("-f")
        .arg(&new)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output();
    let made = made.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::new(ErrorKind::Host, "`ssh-keygen` is not installed")
            .hint("install the client of OpenSSH, or name a key of your own: `ssh_key = \"…\"`"),
        _ => failed()(error),
    })?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).trim().to_owned();
        return Err(failed()(io::Error::other(format!("ssh-keygen: {said}"))));
    }
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).map_err(failed())?;
    // The public half first: the key is there when its private half is.
    for half in ["pub", ""] {
        let (new, place) = (new.with_extension(half), key.with_extension(half));
        let durable = storage.open(&new, Open::Read).and_then(|file| storage.sync(&file));
        let named = durable.and_then(|()| storage.rename(&new, &place));
        named.and_then(|()| storage.sync_dir(base)).map_err(failed())?;
    }
    public(&key).map_err(cannot())?.ok_or_else(|| failed()(io::ErrorKind::NotFound.into()))
}

/// The public half, if there is a key.
fn public(key: &Path) -> io::Result<Option<String>> {
    if !key.try_exists()? {
        return Ok(None);
    }
    let text = fs::read_to_string(key.with_extension("pub"))?;
    Ok(Some(text.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_made_once_and_only_its_owner_reads_it() {
        let state = tempfile::tempdir().unwrap();
        let storage = crate::state::storage::usual();
        let asked = (0..4).map(|_| layout_key(&storage, state.path(), "lab"));
        let all = futures_util::future::try_join_all(asked).await.unwrap();
        assert!(all[0].starts_with("ssh-ed25519 AAAA") && all[0].ends_with(" carthage lab"), "{all:?}");
        assert!(all.iter().all(|key| *key == all[0]));
        let meta = fs::metadata(state.path().join("ssh/key")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(state.path().join("ssh")).unwrap().count(), 2);
    }
}
