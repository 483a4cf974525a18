//! A directory as an archive, and the hash of its contents.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// What is below a directory, and on its file system, in a fixed order: paths within it, and what is there.
fn entries(root: &Path) -> io::Result<Vec<(PathBuf, Metadata)>> {
    let device = fs::metadata(root)?.dev();
    let mut all = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(inside) = open.pop() {
        let at = root.join(&inside);
        for entry in fs::read_dir(&at).map_err(named(&at))? {
            let path = inside.join(entry.map_err(named(&at))?.file_name());
            let found = fs::symlink_metadata(root.join(&path)).map_err(named(&path))?;
            // An archive holds no sockets; whoever listens makes its own.
            if found.file_type().is_socket() || found.dev() != device {
                continue;
            }
            if found.is_dir() {
                open.push(path.clone());
            }
            all.push((path, found));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(all)
}

/// Errors of the file system do not say of which path they are.
fn named(path: &Path) -> impl Fn(io::Error) -> io::Error + '_ {
    move |error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// The hash of everything that an archive of this directory would hold, but for times.
pub(super) fn hash(root: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    for (path, found) in entries(root)? {
        let mut text = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        };
        text(path.as_os_str().as_bytes());
        for number in [found.mode().into(), found.uid().into(), found.gid().into(), found.rdev()] {
            hasher.update(&u64::to_le_bytes(number));
        }
        let at = root.join(&path);
        if found.is_symlink() {
            hasher.update(fs::read_link(&at).map_err(named(&path))?.as_os_str().as_bytes());
        } else if found.is_file() {
            hasher.update(&found.len().to_le_bytes());
            hasher.update_reader(File::open(&at).map_err(named(&path))?).map_err(named(&path))?;
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// The hash of a file.
pub(super) fn file_hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Writes the directory as an archive.
pub(super) fn pack(root: &Path, into: impl Write) -> io::Result<()> {
    let mut archive = tar::Builder::new(BufWriter::with_capacity(256 * 1024, into));
    archive.follow_symlinks(false);
    for (path, _) in entries(root)? {
        archive.append_path_with_name(root.join(&path), &path).map_err(named(&path))?;
    }
    archive.into_inner()?.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn what_changes_the_contents_changes_the_hash() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir(root.join("etc")).unwrap();
        fs::write(root.join("etc/word"), "a").unwrap();
        symlink("word", root.join("etc/link")).unwrap();
        let first = hash(root).unwrap();
        assert_eq!(hash(root).unwrap(), first);
        fs::write(root.join("etc/word"), "b").unwrap();
        let second = hash(root).unwrap();
        assert_ne!(second, first);
        fs::set_permissions(root.join("etc/word"), fs::Permissions::from_mode(0o4755)).unwrap();
        let third = hash(root).unwrap();
        assert_ne!(third, second);
        fs::remove_file(root.join("etc/link")).unwrap();
        symlink("etc", root.join("etc/link")).unwrap();
        assert_ne!(hash(root).unwrap(), third);
    }

    #[test]
    fn an_archive_holds_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/b/file"), "contents").unwrap();
        symlink("/a/b", root.join("link")).unwrap();
        let mut packed = Vec::new();
        pack(&root, &mut packed).unwrap();
        let unpacked = dir.path().join("unpacked");
        tar::Archive::new(&packed[..]).unpack(&unpacked).unwrap();
        assert_eq!(hash(&root).unwrap(), hash(&unpacked).unwrap());
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let error = hash(Path::new("/nonexistent/root")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
