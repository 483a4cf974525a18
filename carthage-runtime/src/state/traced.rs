//! A disk on which a test can cut the power: beside what it does, it writes down what it did, and what it synced.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::storage::{Disk, Open, Storage};

/// The disk, with a file of what happened to it: for each deed a line of JSON, and behind it as many bytes as its `bytes` says. Files
/// are told apart by their inode. Deeds of one process after another follow each other.
#[derive(Debug)]
pub(super) struct Traced {
    disk: Disk,
    trace: PathBuf,
    /// Deeds are in the order in which they were done.
    file: Mutex<Option<File>>,
}

impl Traced {
    pub(super) fn new(trace: PathBuf) -> Self {
        Self { disk: Disk::default(), trace, file: Mutex::new(None) }
    }

    /// Does something, and writes it down if it succeeds.
    fn does<T>(
        &self,
        deed: impl FnOnce(&Disk) -> io::Result<T>,
        told: impl FnOnce(&T) -> io::Result<(Value, Vec<u8>)>,
    ) -> io::Result<T> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = deed(&self.disk)?;
        let (mut head, bytes) = told(&answer)?;
        head["bytes"] = bytes.len().into();
        let mut text = format!("{head}\n").into_bytes();
        text.extend(bytes);
        let file = match &mut *file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().append(true).create(true).open(&self.trace)?),
        };
        file.write_all(&text)?;
        Ok(answer)
    }

    fn named(
        &self,
        deed: &str,
        paths: &[&Path],
        does: impl FnOnce(&Disk) -> io::Result<()>,
    ) -> io::Result<()> {
        self.does(does, |()| Ok((json!({ "deed": deed, "paths": paths }), Vec::new())))
    }
}

impl Storage for Traced {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        self.disk.metadata(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<OsString>> {
        self.disk.names(dir)
    }

    fn open(&self, path: &Path, how: Open) -> io::Result<File> {
        if matches!(how, Open::Read | Open::Write) {
            return self.disk.open(path, how);
        }
        let is_new = !path.exists();
        self.does(
            |disk| disk.open(path, how),
            |file| {
                let deed = if is_new { "make" } else { "open" };
                let whole = how == Open::Whole;
                let inode = file.metadata()?.ino();
                Ok((json!({ "deed": deed, "paths": [path], "inode": inode, "whole": whole }), Vec::new()))
            },
        )
    }

    fn append(&self, file: &File, bytes: &[u8]) -> io::Result<()> {
        self.does(
            |disk| disk.append(file, bytes),
            |()| {
                let end = file.metadata()?;
                let at = end.len() - bytes.len() as u64;
                Ok((json!({ "deed": "write", "inode": end.ino(), "at": at }), bytes.to_vec()))
            },
        )
    }

    fn write_at(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.does(
            |disk| disk.write_at(file, offset, bytes),
            |()| {
                let inode = file.metadata()?.ino();
                Ok((json!({ "deed": "write", "inode": inode, "at": offset }), bytes.to_vec()))
            },
        )
    }

    fn set_len(&self, file: &File, len: u64) -> io::Result<()> {
        self.does(
            |disk| disk.set_len(file, len),
            |()| Ok((json!({ "deed": "set-len", "inode": file.metadata()?.ino(), "at": len }), Vec::new())),
        )
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        self.does(
            |disk| disk.sync(file),
            |()| Ok((json!({ "deed": "sync", "inode": file.metadata()?.ino() }), Vec::new())),
        )
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.named("sync-dir", &[dir], |disk| disk.sync_dir(dir))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.named("rename", &[from, to], |disk| disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.named("remove", &[path], |disk| disk.remove(path))
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.named("make-dir", &[dir], |disk| disk.make_dir(dir))
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.named("remove", &[dir], |disk| disk.remove_dir(dir))
    }

    fn remove_tree(&self, dir: &Path) -> io::Result<()> {
        self.named("remove", &[dir], |disk| disk.remove_tree(dir))
    }
}
