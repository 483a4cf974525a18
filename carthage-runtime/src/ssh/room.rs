//! Where the connections of one process have their sockets and settings: a directory that is gone with the process.

use std::fs::{self, DirBuilder, File};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FlockOperation, flock};

use crate::error::Error;

/// How the names of these directories begin.
const PREFIX: &str = "run.";
/// The same of those that are among other people's.
const SHARED_PREFIX: &str = "carthage-ssh.";

/// Such a directory. It is locked for as long as its process lives; one that is not locked was left behind, and is removed by
/// whoever comes next.
#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
    lock: File,
    next: AtomicU64,
}

impl Room {
    /// A new one in this directory, which is made if it is missing.
    pub(super) fn open(base: &Path) -> Result<Self, Error> {
        DirBuilder::new().recursive(true).mode(0o700).create(base).map_err(cannot_make(base))?;
        Self::among(base, PREFIX)
    }

    /// A new one in the directory for temporary files, for who writes nothing elsewhere.
    pub(super) fn open_aside() -> Result<Self, Error> {
        Self::among(&std::env::temp_dir(), SHARED_PREFIX)
    }

    fn among(base: &Path, prefix: &str) -> Result<Self, Error> {
        let cannot = || cannot_make(base);
        remove_old(base, prefix)?;
        loop {
            let path = base.join(format!("{prefix}{}", super::random()?));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(cannot()(error)),
            }
            // Until it is locked, another process may take it for one that was left, and remove it.
            let lock = File::open(&path).and_then(|lock| {
                flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
                path.metadata().map(|_| lock)
            });
            if let Ok(lock) = lock {
                return Ok(Self { path, lock, next: AtomicU64::new(1) });
            }
            if path.exists() {
                lock.map_err(cannot())?;
            }
        }
    }

    /// Has a file of another directory by this name in it, whatever its path is.
    pub(super) fn link(&self, name: &str, to: &Path) -> Result<(), Error> {
        let path = self.path.join(name);
        std::os::unix::fs::symlink(to, &path)
            .map_err(Error::host(format!("cannot make the link `{}`", path.display())))
    }

    /// The directory, in which `ssh` is started: what it is told are names in it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A name that is not yet used.
    pub(super) fn name(&self) -> String {
        format!("m{}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The path of a socket for this process: the address of a socket is short, and the state directory's path may not be.
    pub(super) fn socket(&self, name: &str) -> PathBuf {
        format!("/proc/self/fd/{}/{name}", self.lock.as_raw_fd()).into()
    }

    /// Writes a file in it, that only its owner can read.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path.join(name);
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::host(format!("cannot write `{}`", path.display())))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next process, as if this one had been killed.
        fs::remove_dir_all(&self.path).ok();
    }
}

fn cannot_make(base: &Path) -> impl FnOnce(std::io::Error) -> Error {
    Error::host(format!("cannot make a directory in `{}`", base.display()))
}

/// Removes this user's directories of processes that are gone.
fn remove_old(base: &Path, prefix: &str) -> Result<(), Error> {
    let cannot = || Error::host::<std::io::Error>(format!("cannot tidy `{}`", base.display()));
    let user = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(base).map_err(cannot())? {
        let entry = entry.map_err(cannot())?;
        // Of the entry itself: it may be a link of somebody else's.
        let is_ours = entry.metadata().is_ok_and(|meta| meta.is_dir() && meta.uid() == user);
        if !is_ours || !entry.file_name().to_string_lossy().starts_with(prefix) {
            continue;
        }
        // Another process may remove it at the same time.
        let Ok(lock) = File::open(entry.path()) else { continue };
        if flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok() {
            match fs::remove_dir_all(entry.path()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot()(error)),
                _ => {}
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_left_is_removed_and_what_one_uses_is_not() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().join("ssh");
        let used = Room::open(&base).unwrap();
        used.write("m1.conf", "text").unwrap();
        let left = base.join("run.0");
        fs::create_dir(&left).unwrap();
        fs::write(left.join("m1"), "").unwrap();
        let other = Room::open(&base).unwrap();
        assert!(!left.exists() && used.path().join("m1.conf").exists());
        assert!(used.socket("m1").as_os_str().len() < 40 && used.socket("m1.conf").exists());
        drop((used, other));
        assert_eq!(fs::read_dir(&base).unwrap().count(), 0);
    }
}
