//! Of which pieces a machine's root is composed.
//!
//! An overlay shows only the one file system that its lower layer lies on, and the kernel refuses an ordinary user a lower
//! layer with mounts below it. So a directory without mounts below is one overlay, and one with mounts below becomes a
//! plain directory whose entries are composed in their turn. The writable layer is one tree that mirrors the root: a
//! machine finds its files again even when the host's mounts, and with them the pieces, have changed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A piece of a root, at a path relative to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An overlay over the directory at this place below the base.
    Overlay(PathBuf),
    /// A directory with these permission bits, of the machine's own.
    Directory(PathBuf, u32),
    /// A symbolic link as the base has it.
    Link(PathBuf, PathBuf),
    /// A file to copy from the base, if the machine has none.
    File(PathBuf),
}

/// Directories of a host's root that are the machine's own and start empty, with their permission bits.
pub(in super::super) const OWN: [(&str, u32); 12] = [
    ("boot", 0o755),
    ("dev", 0o755),
    ("home", 0o755),
    ("lost+found", 0o700),
    ("media", 0o755),
    ("mnt", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("snap", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
];

/// File systems that can be a lower layer and hold what belongs to a host's root.
const LAYERS: [&str; 12] = [
    "bcachefs", "btrfs", "erofs", "ext2", "ext3", "ext4", "f2fs", "overlay", "squashfs", "tmpfs", "xfs",
    "zfs",
];

/// Files above this size are not copied where a directory has to be composed.
const LARGEST_COPY: u64 = 1 << 20;

/// Where the host has mounts, and of what type.
#[derive(Debug, Default)]
pub(super) struct Mounts(BTreeMap<PathBuf, String>);

impl Mounts {
    /// The mounts that this process sees.
    pub(super) fn read() -> Result<Self, Error> {
        let table =
            fs::read_to_string("/proc/self/mountinfo").map_err(Error::host("cannot read the mounts"))?;
        Ok(Self::parse(&table))
    }

    fn parse(table: &str) -> Self {
        let line = |line: &str| {
            let (left, right) = line.split_once(" - ")?;
            Some((PathBuf::from(unescape(left.split(' ').nth(4)?)), right.split(' ').next()?.to_owned()))
        };
        // A later line covers an earlier one at the same place.
        Self(table.lines().filter_map(line).collect())
    }

    /// Whether something is mounted strictly below `directory`.
    fn any_below(&self, directory: &Path) -> bool {
        self.0.keys().any(|point| point != directory && point.starts_with(directory))
    }

    /// Whether what is mounted exactly here, if anything, can be shown to a machine.
    fn shows(&self, directory: &Path) -> bool {
        self.0.get(directory).is_none_or(|kind| LAYERS.contains(&kind.as_str()))
    }
}

fn unescape(field: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(field.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

/// The pieces of a root over `base`. `left_out` are directories of the host that the machine must not see.
pub(super) fn compose(base: &Path, mounts: &Mounts, left_out: &[PathBuf]) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    if base == Path::new("/") || mounts.any_below(base) {
        below(base, Path::new(""), mounts, left_out, &mut pieces)?;
    } else {
        pieces.push(Piece::Overlay(PathBuf::new()));
    }
    Ok(pieces)
}

fn below(
    base: &Path,
    at: &Path,
    mounts: &Mounts,
    left_out: &[PathBuf],
    pieces: &mut Vec<Piece>,
) -> Result<(), Error> {
    let directory = base.join(at);
    let cannot = || format!("cannot read the directory `{}`", directory.display());
    let mut entries: Vec<fs::DirEntry> =
        fs::read_dir(&directory).and_then(Iterator::collect).map_err(Error::host(cannot()))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (inside, path) = (at.join(entry.file_name()), entry.path());
        // An entry that disappears between the listing and now is not there.
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_symlink() {
            pieces.extend(fs::read_link(&path).ok().map(|target| Piece::Link(inside, target)));
        } else if !meta.is_dir() {
            // At the top lie images of disks and kernels, none of which a machine needs.
            if meta.is_file() && meta.len() <= LARGEST_COPY && !at.as_os_str().is_empty() {
                pieces.push(Piece::File(inside));
            }
        } else if let Some((_, mode)) =
            OWN.iter().find(|(own, _)| base == Path::new("/") && inside == Path::new(own))
        {
            pieces.push(Piece::Directory(inside, *mode));
        } else if left_out.contains(&path) || !mounts.shows(&path) || !readable(&path) {
            pieces.push(Piece::Directory(inside, 0o755));
        } else if mounts.any_below(&path) {
            pieces.push(Piece::Directory(inside.clone(), meta.permissions().mode() & 0o7777));
            below(base, &inside, mounts, left_out, pieces)?;
        } else {
            pieces.push(Piece::Overlay(inside));
        }
    }
    Ok(())
}

fn readable(path: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(path, Access::READ_OK | Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
22 21 0:5 / /proc rw - proc proc rw
23 21 254:1 / /var/log rw master:2 - ext4 /dev/vdb rw
24 21 0:9 / /mnt/with\\040space rw - nfs4 server:/x rw";

    #[test]
    fn mounts_are_read_with_their_types_and_odd_names() {
        let mounts = Mounts::parse(TABLE);
        assert!(mounts.any_below(Path::new("/var")) && !mounts.any_below(Path::new("/var/log")));
        assert!(mounts.shows(Path::new("/var/log")) && !mounts.shows(Path::new("/mnt/with space")));
        assert!(!mounts.any_below(Path::new("/va")), "a prefix of a name is not a directory above");
    }

    #[test]
    fn a_plain_directory_is_one_overlay_and_one_with_mounts_is_composed() {
        let root = tempfile::tempdir().unwrap();
        let base = root.path();
        fs::create_dir_all(base.join("usr/bin")).unwrap();
        fs::create_dir_all(base.join("var/log")).unwrap();
        fs::write(base.join("var/readme"), "x").unwrap();
        std::os::unix::fs::symlink("usr/bin", base.join("bin")).unwrap();
        assert_eq!(compose(base, &Mounts::default(), &[]).unwrap(), [Piece::Overlay(PathBuf::new())]);

        let mounts = Mounts(BTreeMap::from([(base.join("var/log"), "ext4".to_owned())]));
        fs::set_permissions(base.join("var"), fs::Permissions::from_mode(0o751)).unwrap();
        assert_eq!(
            compose(base, &mounts, &[base.join("usr")]).unwrap(),
            [
                Piece::Link("bin".into(), "usr/bin".into()),
                Piece::Directory("usr".into(), 0o755),
                Piece::Directory("var".into(), 0o751),
                Piece::Overlay("var/log".into()),
                Piece::File("var/readme".into()),
            ]
        );
    }
}
