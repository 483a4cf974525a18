//! Removing trees of files that were written inside machines.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::super::message::KeeperRequest;
use super::Client;
use crate::crash::crash_point;
use crate::error::Error;

/// Removes a tree. What belongs to subordinate ids of an ordinary user is removed by the keeper, in the namespace that
/// knows them.
pub(in super::super) fn remove_tree(client: &Client, path: &Path) -> Result<(), Error> {
    match remove_in_steps(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            client.ask_started(&KeeperRequest::RemoveTree(path.into()), &[])
        }
        other => other.map_err(Error::host(format!("cannot remove `{}`", path.display()))),
    }
}

/// Like [`remove_here`], and a test can stop it after each thing in the tree's top, and after all.
fn remove_in_steps(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path);
    // A link is removed, and what it leads to stays.
    if found.as_ref().is_ok_and(fs::Metadata::is_dir) {
        for entry in fs::read_dir(path).into_iter().flatten() {
            remove_here(&entry?.path())?;
            crash_point("tree-removed-in-part");
        }
    }
    let was_there = found.is_ok();
    remove_here(path)?;
    if was_there {
        crash_point("tree-removed");
    }
    Ok(())
}

/// Removes a tree whose directories may lack the permissions that this needs: the kernel makes the working directory of an
/// overlay inaccessible, and whatever ran in a machine may have done the same.
pub(super) fn remove_here(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
        Ok(meta) if !meta.is_dir() => return tolerate(fs::remove_file(path)),
        Ok(meta) if meta.permissions().mode() & 0o700 != 0o700 => {
            tolerate(fs::set_permissions(path, Permissions::from_mode(0o700)))?;
        }
        Ok(_) => {}
    }
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_here(&entry.path())?;
        } else {
            tolerate(fs::remove_file(entry.path()))?;
        }
    }
    tolerate(fs::remove_dir(path))
}

/// Another may have removed it at the same time.
fn tolerate(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inaccessible_directories_and_links_out_of_the_tree_are_handled() {
        let root = tempfile::tempdir().unwrap();
        let (outside, tree) = (root.path().join("outside"), root.path().join("tree"));
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        fs::create_dir_all(tree.join("work/work")).unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("link")).unwrap();
        fs::set_permissions(tree.join("work"), Permissions::from_mode(0o000)).unwrap();
        remove_here(&tree).unwrap();
        assert!(!tree.exists() && outside.join("kept").exists());
        remove_here(&tree).unwrap();
    }
}
