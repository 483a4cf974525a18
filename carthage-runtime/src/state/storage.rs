//! What state is kept on: whatever reads, writes or syncs a file of a layout's state does so through a [`Storage`].
//!
//! Of what is written, only that survives a power cut which was synced: what is in a file since [`Storage::sync`] of it, and which
//! names are in a directory since [`Storage::sync_dir`] of that. So a test can take the place of the disk and forget the rest.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind as Io, Write};
use std::ops::Bound;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use crate::crash::crash_point;

/// How a file is opened. What is made is for its owner only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// To be read; it must be there.
    Read,
    /// To be read and written; it must be there.
    Write,
    /// To be read and written; it must not be there.
    New,
    /// To be written as a whole; what was in it is gone.
    Whole,
    /// To be written on; made if it is not there.
    More,
}

/// Where files of state are. Errors are those of the operating system.
pub trait Storage: fmt::Debug + Send + Sync + 'static {
    /// All that is in a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// What the system tells of a file.
    fn metadata(&self, path: &Path) -> io::Result<Metadata>;

    /// The names in a directory, in no order.
    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>>;

    /// Opens a file; its name, if it is new, is not synced.
    fn open(&self, path: &Path, how: Open) -> io::Result<File>;

    /// Writes at the end of a file, in one piece as far as the system can.
    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()>;

    /// Writes somewhere in a file.
    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes a file so long; what is new in it is zero.
    fn set_len(&self, file: &File, len: u64) -> io::Result<()>;

    /// Makes durable what is in a file.
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Makes durable which names are in a directory.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Gives a file another name, whatever had it; or a directory, also in another one.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a directory, for its owner only, in one that is there.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it.
    fn remove_tree(&self, dir: &Path) -> io::Result<()>;
}

impl dyn Storage {
    /// Writes a file as a whole: whoever looks sees what was there before or all of it. It is written under the name `scratch` first,
    /// in the same directory; what a killed process left there is overwritten.
    ///
    /// With `durable` the same holds after a power cut, and what was there before is gone when this returns. Without, it does not wait
    /// for the disk, and after a power cut there may be either of the two, or a part of it.
    ///
    /// # Errors
    /// When it cannot be written; what was there before is still there then.
    pub fn write_whole(&self, path: &Path, scratch: &Path, bytes: &[u8], durable: bool) -> io::Result<()> {
        let file = self.open(scratch, Open::Whole)?;
        self.append(&file, bytes)?;
        if durable {
            self.sync(&file)?;
        }
        crash_point("file-unnamed");
        self.rename(scratch, path)?;
        if durable {
            self.sync_dir(directory(path))?;
        }
        crash_point("file-written");
        Ok(())
    }

    /// Makes a directory and the missing ones above it, durably; tells which, outermost first. That it exists already is no error.
    ///
    /// # Errors
    /// The directory that cannot be made, and why.
    pub fn make_dirs(&self, dir: &Path) -> Result<Vec<PathBuf>, (PathBuf, io::Error)> {
        let missing = missing(dir);
        for dir in &missing {
            let made = match self.make_dir(dir) {
                Err(error) if error.kind() != Io::AlreadyExists => Err(error),
                Err(_) if !dir.is_dir() => Err(Io::NotADirectory.into()),
                _ => self.sync_dir(directory(dir)),
            };
            made.map_err(|error| (dir.clone(), error))?;
            crash_point("directory-made");
        }
        Ok(missing)
    }
}

/// A directory and those above it, outermost first, as far as they are not there.
pub(super) fn missing(dir: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<_> =
        dir.ancestors().take_while(|dir| !dir.is_dir()).map(Path::to_path_buf).collect();
    missing.reverse();
    missing
}

/// Where a file or a directory is.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// That nothing was there is as good as that it was removed.
pub(crate) fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != Io::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// What a program keeps its state on: the [`Disk`]. With the feature `crash-points`, all that is done to it is also written to the
/// file that `CARTHAGE_STORAGE_TRACE` names, for a test that wants to know what was not synced.
#[must_use]
pub fn usual() -> Arc<dyn Storage> {
    #[cfg(feature = "crash-points")]
    if let Some(trace) = std::env::var_os("CARTHAGE_STORAGE_TRACE") {
        return Arc::new(super::traced::Traced::new(trace.into()));
    }
    Arc::new(Disk::default())
}

/// The file system.
#[derive(Debug, Default)]
pub struct Disk {
    syncs: AtomicU64,
}

impl Disk {
    /// How often something was synced through this value: each is a wait for the disk.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs.load(Ordering::Relaxed)
    }
}

impl Storage for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::metadata(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.mode(0o600);
        match how {
            Open::Read => options.read(true),
            Open::Write => options.read(true).write(true),
            Open::New => options.read(true).write(true).create_new(true),
            Open::Whole => options.write(true).create(true).truncate(true),
            Open::More => options.append(true).create(true),
        };
        options.open(path)
    }

    fn append(&self, mut file: &File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn set_len(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        file.sync_data()
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        File::open(dir)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir(dir)
    }

    fn remove_tree(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }
}

/// A file as redb uses it: its bytes go through the storage, its locks are the kernel's.
#[derive(Debug)]
pub(super) struct Pages {
    storage: Arc<dyn Storage>,
    file: File,
    // The same open file.
    locks: FileBackend,
}

impl Pages {
    pub(super) fn open(storage: &Arc<dyn Storage>, path: &Path, how: Open) -> Result<Self, redb::Error> {
        let file = storage.open(path, how).map_err(redb::Error::Io)?;
        let locks = FileBackend::new(file.try_clone().map_err(redb::Error::Io)?)?;
        Ok(Self { storage: storage.clone(), file, locks })
    }
}

impl StorageBackend for Pages {
    fn len(&self) -> io::Result<u64> {
        self.locks.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.storage.set_len(&self.file, len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.storage.sync(&self.file)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.storage.write_at(&self.file, offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.locks.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locks.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locks.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.locks.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.locks.query_lock_range(start, end)
    }
}
