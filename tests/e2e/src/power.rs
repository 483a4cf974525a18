//! A power cut: what a disk holds afterwards of what was written to it.
//!
//! The runtime writes down what it does to its storage (`CARTHAGE_STORAGE_TRACE`). Here that is done again on a model of a disk, which
//! knows of every file what was in it when it was last synced, and of every directory which names were in it then. After a power cut
//! that much is certain; of everything since, any part may be there or not.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fastrand::Rng;
use serde_json::Value;

/// Everything that was done, in its order.
pub struct Trace(Vec<u8>);

/// What is on the disk.
pub struct Disk {
    files: Vec<File>,
    directories: Vec<Directory>,
    /// By their path, as it is now.
    places: HashMap<PathBuf, Node>,
    /// By their number.
    inodes: HashMap<u64, usize>,
}

#[derive(Clone, Copy, PartialEq)]
enum Node {
    File(usize),
    Directory(usize),
}

#[derive(Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Write>,
}

enum Write {
    Bytes(usize, Vec<u8>),
    Len(usize),
}

#[derive(Default)]
struct Directory {
    synced: BTreeMap<String, Node>,
    /// What was changed at once, since.
    since: Vec<Vec<(String, Option<Node>)>>,
}

impl Trace {
    /// What was written down in a file so far.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn read(path: &Path) -> Self {
        Self(fs::read(path).unwrap_or_default())
    }

    /// The disk after all of it; in the beginning there was `base`, and nothing in it.
    ///
    /// # Panics
    /// When something was done to what is not there.
    pub fn replay(&self, base: &Path) -> Disk {
        let mut disk = Disk {
            files: Vec::new(),
            directories: vec![Directory::default()],
            places: HashMap::from([(base.to_owned(), Node::Directory(0))]),
            inodes: HashMap::new(),
        };
        let mut rest = &self.0[..];
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let deed: Value = serde_json::from_slice(&rest[..end]).unwrap();
            // Whoever was killed may have been writing it down.
            let len = deed["bytes"].as_u64().unwrap() as usize;
            let Some((bytes, next)) = rest[end + 1..].split_at_checked(len) else { break };
            disk.does(&deed, bytes);
            rest = next;
        }
        disk
    }
}

impl Disk {
    fn does(&mut self, deed: &Value, bytes: &[u8]) {
        let path = |at: usize| PathBuf::from(deed["paths"][at].as_str().unwrap());
        let (at, inode) = (deed["at"].as_u64().unwrap_or(0) as usize, deed["inode"].as_u64().unwrap_or(0));
        match deed["deed"].as_str().unwrap() {
            "make" => {
                self.inodes.insert(inode, self.files.len());
                self.files.push(File::default());
                self.name(&path(0), Some(Node::File(self.files.len() - 1)));
            }
            "open" if deed["whole"] == true => self.file(inode).since.push(Write::Len(0)),
            "open" => {}
            "write" => self.file(inode).since.push(Write::Bytes(at, bytes.to_vec())),
            "set-len" => self.file(inode).since.push(Write::Len(at)),
            "sync" => self.file(inode).sync(),
            "sync-dir" => self.directory(&path(0)).sync(),
            "make-dir" => {
                self.directories.push(Directory::default());
                self.name(&path(0), Some(Node::Directory(self.directories.len() - 1)));
            }
            "rename" => {
                let (from, to) = (path(0), path(1));
                let node = self.places.remove(&from).unwrap();
                self.places.insert(to.clone(), node);
                let changes = vec![(name(&to), Some(node)), (name(&from), None)];
                self.directory(to.parent().unwrap()).since.push(changes);
            }
            "remove" => self.remove(&path(0)),
            other => panic!("`{other}` is not known here"),
        }
    }

    fn file(&mut self, inode: u64) -> &mut File {
        &mut self.files[self.inodes[&inode]]
    }

    fn directory(&mut self, path: &Path) -> &mut Directory {
        match self.places.get(path) {
            Some(Node::Directory(at)) => &mut self.directories[*at],
            _ => panic!("no directory `{}`", path.display()),
        }
    }

    fn name(&mut self, path: &Path, node: Option<Node>) {
        match node {
            Some(node) => self.places.insert(path.to_owned(), node),
            None => self.places.remove(path),
        };
        self.directory(path.parent().unwrap()).since.push(vec![(name(path), node)]);
    }

    fn remove(&mut self, path: &Path) {
        // What is in it goes first, and each of it by itself.
        let inside: Vec<_> =
            self.places.keys().filter(|other| other.parent() == Some(path)).cloned().collect();
        inside.iter().for_each(|path| self.remove(path));
        // The lock is not written through the storage: nobody needs it after a power cut.
        if self.places.contains_key(path) {
            self.name(path, None);
        }
    }

    /// Puts into `base` what is there after a power cut, in place of what is in it. Without `random` all that was not synced is
    /// lost, and with it some.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn lose_power(&self, base: &Path, mut random: Option<Rng>) {
        for entry in fs::read_dir(base).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
        }
        self.put(0, base, &mut random);
    }

    fn put(&self, directory: usize, at: &Path, random: &mut Option<Rng>) {
        let Directory { synced, since } = &self.directories[directory];
        let mut names = synced.clone();
        for changes in since {
            if random.as_mut().is_some_and(|random| random.bool()) {
                for (name, node) in changes {
                    match node {
                        Some(node) => names.insert(name.clone(), *node),
                        None => names.remove(name),
                    };
                }
            }
        }
        for (name, node) in names {
            let path = at.join(name);
            match node {
                Node::Directory(inside) => {
                    fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
                    self.put(inside, &path, random);
                }
                Node::File(file) => {
                    let mut options = fs::OpenOptions::new();
                    let mut file_there = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
                    std::io::Write::write_all(&mut file_there, &self.files[file].after(random)).unwrap();
                }
            }
        }
    }
}

impl File {
    fn sync(&mut self) {
        let since = std::mem::take(&mut self.since);
        since.iter().for_each(|write| write.apply(&mut self.synced, usize::MAX));
    }

    /// What is in it after a power cut: of each write since the last sync all, some blocks, or nothing.
    fn after(&self, random: &mut Option<Rng>) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        let Some(random) = random else { return bytes };
        for write in &self.since {
            match random.u8(0..4) {
                0 => {}
                1 => write.apply(&mut bytes, 512 * random.usize(0..4)),
                _ => write.apply(&mut bytes, usize::MAX),
            }
        }
        bytes
    }
}

impl Write {
    fn apply(&self, to: &mut Vec<u8>, most: usize) {
        match self {
            Self::Len(len) => to.resize(*len, 0),
            Self::Bytes(at, bytes) => {
                let bytes = &bytes[..bytes.len().min(most)];
                to.resize(to.len().max(at + bytes.len()), 0);
                to[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

impl Directory {
    fn sync(&mut self) {
        for (name, node) in self.since.drain(..).flatten() {
            match node {
                Some(node) => self.synced.insert(name, node),
                None => self.synced.remove(&name),
            };
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
