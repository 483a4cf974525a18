//! The file of a world.

use std::fs::{File, OpenOptions};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::world::{Change, Contents, World};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// How many bytes a text may have that stands in the log itself.
const SHORT: usize = 4096;

/// The changes of a world, one in each line.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    /// Open when something was written.
    file: Option<File>,
}

impl Log {
    /// Reads what has happened. A file that is mostly about what no longer exists is written anew with the first change.
    pub(super) fn open(directory: &Path) -> Result<(Self, World), Error> {
        let path = directory.join("world");
        let failed =
            |error| Error::host(format!("cannot read the simulated world in `{}`", path.display()))(error);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed(error)),
        };
        let mut world = World::default();
        // A program that was killed may have left half a line: that change was not made.
        let lines = text.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        for (number, line) in lines.enumerate() {
            let change: Change = serde_json::from_slice(line).map_err(|error| {
                let what =
                    format!("line {} of the simulated world in `{}` is damaged", number + 1, path.display());
                Error::new(ErrorKind::Corrupt, what)
                    .because(error)
                    .hint("remove the file: to a simulated world, its machines are then gone")
            })?;
            world.apply(change);
        }
        Ok((Self { path, file: None }, world))
    }

    /// Writes a change down.
    pub(super) fn write(&mut self, change: &Change, world: &World) -> Result<(), Error> {
        let failed = format!("cannot write the simulated world to `{}`", self.path.display());
        let mut line = serde_json::to_vec(change)
            .map_err(|error| Error::new(ErrorKind::Host, &*failed).because(error))?;
        line.push(b'\n');
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(begin(&self.path, world).map_err(Error::host(&*failed))?),
        };
        crash_point("world-unchanged");
        file.write_all(&line).map_err(Error::host(failed))?;
        crash_point("world-changed");
        Ok(())
    }

    /// What is in a file: itself if it is a short text, and otherwise kept beside the log, once for all files that have it.
    pub(super) fn keep(&self, bytes: Vec<u8>) -> Result<Contents, Error> {
        let bytes = match String::from_utf8(bytes) {
            Ok(text) if text.len() <= SHORT => return Ok(Contents::Text(text)),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        // The standard library's is quick in programs that are not optimised, too; nobody tries to have two files of one hash here.
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let hash = format!("{:016x}-{}", hasher.finish(), bytes.len());
        let path = self.kept(&hash);
        if !path.exists() {
            write_whole(&path, &bytes).map_err(Error::host(format!("cannot write `{}`", path.display())))?;
        }
        Ok(Contents::Kept { hash, len: bytes.len() as u64 })
    }

    /// The bytes of a file.
    pub(super) fn bytes(&self, contents: Contents) -> Result<Vec<u8>, Error> {
        match contents {
            Contents::Text(text) => Ok(text.into_bytes()),
            Contents::Kept { hash, .. } => {
                let path = self.kept(&hash);
                std::fs::read(&path).map_err(Error::host(format!("cannot read `{}`", path.display())))
            }
        }
    }

    fn kept(&self, hash: &str) -> PathBuf {
        self.path.with_file_name(hash)
    }

    /// Removes the file: there is nothing any more.
    pub(super) fn remove(&mut self) -> Result<(), Error> {
        self.file = None;
        let directory = self.path.parent().unwrap_or(&self.path);
        match std::fs::remove_dir_all(directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::host(format!("cannot remove `{}`", directory.display()))(error))
            }
            _ => Ok(()),
        }
    }
}

/// Opens the file for more, written anew with what exists.
fn begin(path: &Path, world: &World) -> io::Result<File> {
    let mut text = Vec::new();
    for change in world.changes_from_nothing() {
        serde_json::to_writer(&mut text, &change)?;
        text.push(b'\n');
    }
    write_whole(path, &text)
}

/// Writes a file as a whole; answers it, to be written on.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let new = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    std::fs::rename(&new, path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(name: &str) -> Change {
        Change::Network { name: name.into(), identity: "1".into() }
    }

    #[test]
    fn what_is_long_or_no_text_is_kept_once() {
        let directory = tempfile::tempdir().unwrap();
        let (log, _) = Log::open(directory.path()).unwrap();
        assert_eq!(log.keep(b"short".to_vec()).unwrap(), Contents::Text("short".into()));
        for bytes in [vec![0xff; 3], vec![b'x'; SHORT + 1]] {
            let kept = log.keep(bytes.clone()).unwrap();
            assert_eq!(kept, log.keep(bytes.clone()).unwrap());
            assert_eq!((kept.len(), log.bytes(kept).unwrap()), (bytes.len() as u64, bytes));
        }
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn half_a_line_was_never_written_and_damage_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let (mut log, mut world) = Log::open(directory.path()).unwrap();
        for change in [network("a"), network("b")] {
            log.write(&change, &world).unwrap();
            world.apply(change);
        }
        let path = directory.path().join("world");
        let text = std::fs::read(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 3]).unwrap();
        let (mut log, world) = Log::open(directory.path()).unwrap();
        assert_eq!(world.networks.keys().collect::<Vec<_>>(), ["a"]);
        log.write(&network("c"), &world).unwrap();
        let (_, world) = Log::open(directory.path()).unwrap();
        assert_eq!(world.networks.keys().collect::<Vec<_>>(), ["a", "c"]);
        std::fs::write(&path, "{}\n").unwrap();
        let error = Log::open(directory.path()).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
