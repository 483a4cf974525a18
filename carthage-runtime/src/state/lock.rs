//! One run at a time per layout.
//!
//! The lock is the kernel's, on the open file, so that it ends with the process that holds it, however it dies. The file tells
//! who that is. It is an `fcntl` lock of the open file description rather than `flock`, because that kind can be asked for
//! without being taken: who only looks never gets into the way of a run that begins.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use serde::{Deserialize, Serialize};

use super::dirs::{Dirs, unusable};
use crate::error::{Error, ErrorKind};

/// Who holds a layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// Its user.
    pub user: String,
    /// The host it runs on, which matters for a state directory on a shared file system.
    pub host: String,
    /// The command line's command, such as `deploy`.
    pub command: String,
    /// Seconds since 1970, when it began.
    pub since: u64,
}

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Signed {
    /// The version of the file; the first ones did not say it. A newer one is read as far as it says what is known here: who holds
    /// the lock is the kernel's to tell.
    #[serde(default = "first")]
    version: u32,
    #[serde(flatten)]
    holder: Holder,
}

fn first() -> u32 {
    1
}

impl Holder {
    fn this_process(command: &str) -> Self {
        let uid = nix::unistd::geteuid();
        let name = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
        Self {
            pid: std::process::id(),
            user: name.unwrap_or_else(|| uid.to_string()),
            host: nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            command: command.into(),
            since: now(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, user, host, command, since } = self;
        let began = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(*since));
        let ago = humantime::format_duration(Duration::from_secs(now().saturating_sub(*since)));
        write!(f, "`{command}` of {user} on {host}, process {pid}, since {began} ({ago} ago)")
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Who holds the layout, as far as it has told; `None` when nobody does. Touches nothing.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn holder(dirs: &Dirs) -> Result<Option<Option<Holder>>, Error> {
    let path = dirs.state().join(FILE);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&path)(error)),
    };
    Ok(is_held(&file, &path)?.then(|| read(&mut file)))
}

/// How long a lock may be held by nobody who says so, before it counts as held.
const NAMELESS: Duration = Duration::from_secs(2);

/// The file's name in the state directory.
pub(super) const FILE: &str = "lock";

/// The lock, held until this is dropped or the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    /// Takes the lock of a layout whose state directory exists.
    pub(super) fn take(dirs: &Dirs, command: &str) -> Result<Self, Error> {
        let path = dirs.state().join(FILE);
        let deadline = Instant::now() + NAMELESS;
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(unusable(&path))?;
            match fcntl(&file, FcntlArg::F_OFD_SETLK(&whole(libc::F_WRLCK))) {
                Ok(_) => {}
                Err(Errno::EAGAIN | Errno::EACCES) => match read(&mut file) {
                    // A child that a process had just forked when it let go has the file open until it becomes a program.
                    None if Instant::now() < deadline => {
                        std::thread::sleep(Duration::from_millis(10));
                        continue;
                    }
                    holder => return Err(held(dirs, holder)),
                },
                Err(error) => return Err(unusable(&path)(error.into())),
            }
            // The previous holder may have removed the file between our opening and locking it.
            let ours = file.metadata().map_err(unusable(&path))?;
            if !std::fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (ours.dev(), ours.ino())) {
                continue;
            }
            let lock = Self { file, path };
            lock.sign(command).map_err(unusable(&lock.path))?;
            return Ok(lock);
        }
    }

    fn sign(&self, command: &str) -> std::io::Result<()> {
        let signed = Signed { version: first(), holder: Holder::this_process(command) };
        let text = serde_json::to_string(&signed)?;
        let mut file = &self.file;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())
    }

    /// Removes the file with the lock, when the layout is forgotten.
    pub(super) fn remove(&self) -> Result<(), Error> {
        std::fs::remove_file(&self.path).map_err(unusable(&self.path))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A name left behind would only be shown if another process were caught between taking the lock and signing it.
        if let Err(error) = self.file.set_len(0) {
            tracing::debug!(%error, path = %self.path.display(), "cannot empty the lock file");
        }
    }
}

fn whole(kind: i32) -> libc::flock {
    // `l_pid` must be 0 for locks of open file descriptions; length 0 is "to the end, however far that is".
    libc::flock {
        l_type: kind as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

fn is_held(file: &File, path: &Path) -> Result<bool, Error> {
    let mut lock = whole(libc::F_WRLCK);
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut lock)).map_err(|error| unusable(path)(error.into()))?;
    Ok(i32::from(lock.l_type) != libc::F_UNLCK)
}

/// What the holder has written so far: it may be caught while writing.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok().map(|Signed { holder, .. }| holder)
}

fn held(dirs: &Dirs, by: Option<Holder>) -> Error {
    let by = by.map_or_else(|| "a process that is just starting".to_owned(), |holder| holder.to_string());
    Error::new(ErrorKind::Locked, format!("another run holds layout `{}`: {by}", dirs.layout())).hint(
        "wait until it has ended (`--wait`), or end it; what it did is kept, and the next run carries on from there",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dirs() -> (tempfile::TempDir, Dirs) {
        let base = tempfile::tempdir().unwrap();
        let dirs = Dirs::find("lab", Some(base.path())).unwrap();
        dirs.make().unwrap();
        (base, dirs)
    }

    #[test]
    fn one_at_a_time_and_who() {
        let (_base, dirs) = dirs();
        assert_eq!(holder(&dirs).unwrap(), None);
        let lock = Lock::take(&dirs, "deploy").unwrap();
        let who = holder(&dirs).unwrap().unwrap().unwrap();
        assert_eq!((who.pid, who.command.as_str()), (std::process::id(), "deploy"));
        let error = Lock::take(&dirs, "destroy").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(error.to_string().contains("`deploy`"), "{error}");
        drop(lock);
        assert_eq!(holder(&dirs).unwrap(), None);
        Lock::take(&dirs, "destroy").unwrap();
    }

    #[test]
    fn half_written_and_removed() {
        let (_base, dirs) = dirs();
        let lock = Lock::take(&dirs, "deploy").unwrap();
        std::fs::write(dirs.state().join(FILE), "{\"pid\": 4").unwrap();
        assert_eq!(holder(&dirs).unwrap(), Some(None));
        assert!(Lock::take(&dirs, "x").unwrap_err().to_string().contains("just starting"));
        lock.remove().unwrap();
        Lock::take(&dirs, "deploy").unwrap().remove().unwrap();
        assert!(!dirs.state().join(FILE).exists());
    }
}
