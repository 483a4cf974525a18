//! What is done with the files of a machine, from inside its root.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, FlockOperation, flock, linkat};

use super::super::message::{Commit, FileOperation, MachineAnswer};
use super::super::wire::receive;
use super::session::{Outcome, done, reply};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// Does it.
pub(super) fn serve(connection: &UnixStream, path: &Path, operation: FileOperation) {
    let path = &Path::new("/").join(path);
    let outcome = match operation {
        FileOperation::Write(mode) => return write(connection, path, mode),
        FileOperation::Stat => stat(path),
        FileOperation::Read => read(path),
        FileOperation::List => list(path),
        FileOperation::MakeDirectory(mode) => make_directory(path, mode).map(done),
        FileOperation::Remove => remove(path).map(done),
    };
    reply(connection, outcome);
}

fn stat(path: &Path) -> Outcome {
    match fs::symlink_metadata(path) {
        Ok(meta) => {
            let (mode, len, uid, gid) = (meta.mode(), meta.len(), meta.uid(), meta.gid());
            Ok((MachineAnswer::Stat { mode, len, uid, gid }, Vec::new()))
        }
        Err(error) if absent(&error) => Ok((MachineAnswer::Nothing, Vec::new())),
        Err(error) => Err(failed("look at", path, error)),
    }
}

fn read(path: &Path) -> Outcome {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let open = OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK).open(path);
    let file = open.map_err(|error| failed("read", path, error))?;
    let kind = file.metadata().map_err(|error| failed("read", path, error))?.file_type();
    if kind.is_file() {
        return Ok((MachineAnswer::Done, vec![file.into()]));
    }
    let what = match kind {
        kind if kind.is_dir() => "a directory",
        kind if kind.is_fifo() => "a pipe",
        _ => "a device",
    };
    Err(Error::new(ErrorKind::Usage, format!("cannot read `{}`: it is {what}", path.display())))
}

fn list(path: &Path) -> Outcome {
    let names = fs::read_dir(path).and_then(|entries| {
        entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<Vec<_>>>()
    });
    let mut names = names.map_err(|error| failed("list", path, error))?;
    names.sort();
    Ok((MachineAnswer::Names(names), Vec::new()))
}

fn make_directory(path: &Path, mode: Option<u32>) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(path);
    let made = made.and_then(|()| match mode {
        Some(mode) => fs::set_permissions(path, Permissions::from_mode(mode)),
        None => Ok(()),
    });
    made.map_err(|error| failed("make the directory", path, error))
}

fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if !absent(&error) => Err(failed("remove", path, error)),
        _ => Ok(()),
    }
}

/// Lets the other side fill a new file, which takes the place of the old one when it says so.
fn write(connection: &UnixStream, path: &Path, mode: Option<u32>) {
    let begun = match Replacement::begin(path, mode) {
        Ok(begun) => begun,
        Err(error) => return reply(connection, Err(failed("write", path, error))),
    };
    match begun.file.as_fd().try_clone_to_owned() {
        Ok(file) => reply(connection, Ok((MachineAnswer::Done, vec![file]))),
        Err(error) => return reply(connection, Err(failed("write", path, error))),
    }
    if let Ok(Some((Commit, _))) = receive(connection) {
        let kept = begun.keep().map_err(|error| failed("write", path, error));
        reply(connection, kept.map(done));
    }
}

/// A new file that will replace another. It has no name until it is kept, so that it is gone with this process, whatever
/// happens; where the file system cannot do that, it has one beside the other, and is removed.
struct Replacement {
    file: File,
    target: PathBuf,
    /// Its name for now, if it has one.
    temporary: Option<Temporary>,
}

/// A name for a moment, in the directory of what is replaced.
struct Temporary {
    path: PathBuf,
    /// The directory, locked: nobody else uses the name for now.
    _alone: Option<File>,
}

impl Temporary {
    /// Always the same name, so that what was left when the machine died in the middle of this is found; for one process at a time. Where
    /// it is taken by what cannot be removed, another one.
    fn beside(target: &Path) -> Self {
        let directory = target.parent().unwrap_or(Path::new("/"));
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let short: String = name.chars().take(48).collect();
        let alone = File::open(directory)
            .ok()
            .filter(|dir| flock(dir, FlockOperation::NonBlockingLockExclusive).is_ok());
        let path = directory.join(format!(".{short}.carthage"));
        if alone.is_some() {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {}
                _ => return Self { path, _alone: alone },
            }
        }
        Self { path: Self::other(&path), _alone: alone }
    }

    fn other(path: &Path) -> PathBuf {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut name = path.as_os_str().to_owned();
        name.push(format!("-{}-{:x}", std::process::id(), now.as_nanos()));
        name.into()
    }
}

impl Replacement {
    fn begin(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        // A link stays a link; what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let (Some(directory), Some(_)) = (target.parent(), target.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
        let unnamed =
            OpenOptions::new().write(true).mode(0o600).custom_flags(nix::libc::O_TMPFILE).open(directory);
        let (file, temporary) = match unnamed {
            Ok(file) => (file, None),
            Err(error) if matches!(error.raw_os_error(), Some(nix::libc::EOPNOTSUPP | nix::libc::EISDIR)) => {
                let temporary = Temporary::beside(&target);
                // Nothing that somebody else has put there meanwhile.
                let new =
                    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary.path)?;
                (new, Some(temporary))
            }
            Err(error) => return Err(error),
        };
        let replacement = Self { file, target, temporary };
        if let Some(old) = &old {
            // Root of a user namespace cannot give files to those whom the namespace does not know.
            match fchown(&replacement.file, Some(old.uid()), Some(old.gid())) {
                Err(error) if matches!(error.raw_os_error(), Some(nix::libc::EPERM | nix::libc::EINVAL)) => {}
                other => other?,
            }
        }
        let mode = mode.or(old.map(|old| old.mode())).unwrap_or(0o644) & 0o7777;
        replacement.file.set_permissions(Permissions::from_mode(mode))?;
        Ok(replacement)
    }

    fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        if self.temporary.is_none() {
            // No rename takes a file without a name, and no link replaces one: it gets a name for a moment.
            let unnamed = format!("/proc/self/fd/{}", self.file.as_raw_fd());
            let link = |path: &Path| linkat(CWD, &unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW);
            let mut temporary = Temporary::beside(&self.target);
            if let Err(error) = link(&temporary.path) {
                if error != rustix::io::Errno::EXIST {
                    return Err(error.into());
                }
                temporary.path = Temporary::other(&temporary.path);
                link(&temporary.path)?;
            }
            self.temporary = Some(temporary);
            crash_point("file-named");
        }
        if let Some(temporary) = &self.temporary {
            fs::rename(&temporary.path, &self.target)?;
        }
        self.temporary = None;
        let directory = self.target.parent().unwrap_or(Path::new("/"));
        File::open(directory)?.sync_all()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = fs::remove_file(&temporary.path);
        }
    }
}

fn absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    let kind = if absent(&error) { ErrorKind::NotFound } else { ErrorKind::Host };
    Error::new(kind, format!("cannot {what} `{}` in the machine", path.display())).because(error)
}
