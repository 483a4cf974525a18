//! Files of this host.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{FileKind, FileStat};

/// What went wrong, with what `verb` says, with a file of this machine.
pub(super) fn failed(machine: &str, verb: &str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let what = format!("cannot {verb} `{}` in `{machine}`", path.display());
    move |error| {
        let kind = if is_absent(&error) { ErrorKind::NotFound } else { ErrorKind::Host };
        Error::new(kind, what).because(error)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Refuses a path that would depend on where the program was started.
pub(super) fn absolute(machine: &str, verb: &str, path: &Path) -> Result<(), Error> {
    if path.is_absolute() {
        return Ok(());
    }
    let what = format!("cannot {verb} `{}` in `{machine}`", path.display());
    Err(Error::new(ErrorKind::Usage, what).because("the path is not absolute"))
}

pub(super) fn stat(path: &Path) -> io::Result<Option<FileStat>> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let kind = match meta.file_type() {
        kind if kind.is_file() => FileKind::File,
        kind if kind.is_dir() => FileKind::Directory,
        kind if kind.is_symlink() => FileKind::Symlink,
        _ => FileKind::Other,
    };
    let (mode, owner) = (meta.mode() & 0o7777, (meta.uid(), meta.gid()));
    Ok(Some(FileStat { kind, len: meta.len(), mode, owner }))
}

pub(super) fn read(path: &Path) -> io::Result<fs::File> {
    let kind = fs::metadata(path)?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() {
        return Err(io::Error::other("it is not a regular file"));
    }
    fs::File::open(path)
}

pub(super) fn read_dir(path: &Path) -> io::Result<Vec<OsString>> {
    let names = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name()));
    let mut names = names.collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

pub(super) fn make_dir(path: &Path, mode: Option<u32>) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    match mode {
        Some(mode) => fs::set_permissions(path, Permissions::from_mode(mode)),
        None => Ok(()),
    }
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if is_absent(&error) => Ok(()),
        other => other,
    }
}

/// A new file that will replace another.
pub(super) struct Replacement {
    new: NamedTempFile,
    target: PathBuf,
}

impl Replacement {
    pub(super) fn begin(path: &Path, mode: Option<u32>) -> io::Result<Self> {
        // A link stays a link; what it leads to is replaced.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let old = fs::metadata(&target).ok();
        if old.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let directory = target.parent().ok_or(io::ErrorKind::InvalidInput)?;
        DirBuilder::new().recursive(true).mode(0o755).create(directory)?;
        let new = tempfile::Builder::new().prefix(".carthage-").tempfile_in(directory)?;
        if let Some(old) = &old {
            match fchown(new.as_file(), Some(old.uid()), Some(old.gid())) {
                // Who is not root cannot give files away; then it is that one's.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                other => other?,
            }
        }
        let mode = mode.or(old.map(|old| old.mode())).unwrap_or(0o644) & 0o7777;
        new.as_file().set_permissions(Permissions::from_mode(mode))?;
        Ok(Self { new, target })
    }

    /// Another handle of the new file, to fill it by.
    pub(super) fn file(&self) -> io::Result<fs::File> {
        self.new.as_file().try_clone()
    }

    pub(super) fn keep(self) -> io::Result<()> {
        self.new.as_file().sync_all()?;
        let directory = self.target.parent().map(Path::to_owned);
        self.new.persist(&self.target).map_err(|error| error.error)?;
        match directory {
            Some(directory) => fs::File::open(directory)?.sync_all(),
            None => Ok(()),
        }
    }
}
