//! A copy of a database's file, in memory: whatever is done to it, the file stays as it is.

use std::fmt;
use std::io::{self, ErrorKind as Io};
use std::sync::{PoisonError, RwLock};

use redb::StorageBackend;

/// The bytes of a file.
pub(super) struct Copied(RwLock<Vec<u8>>);

impl Copied {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(RwLock::new(bytes))
    }
}

/// Where `len` bytes at an offset are, if they are among so many.
fn range(offset: u64, len: usize, of: usize) -> io::Result<std::ops::Range<usize>> {
    let begin = usize::try_from(offset).ok().filter(|begin| *begin <= of && len <= of - begin);
    begin.map(|begin| begin..begin + len).ok_or_else(|| Io::UnexpectedEof.into())
}

impl StorageBackend for Copied {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let range = range(offset, out.len(), bytes.len())?;
        out.copy_from_slice(&bytes[range]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(|_| Io::FileTooLarge)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let range = range(offset, data.len(), bytes.len())?;
        bytes[range].copy_from_slice(data);
        Ok(())
    }
}

impl fmt::Debug for Copied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Copied")
    }
}
