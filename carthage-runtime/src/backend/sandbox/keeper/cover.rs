//! The layer between the host's root and a machine's writable layer: what of the host no machine sees, and what an ordinary
//! user's machines need to own.
//!
//! It holds empty, opaque directories and whiteouts in place of secrets, and password files without hashes. For an
//! ordinary user it also holds the host's directories themselves, and the files of `/etc`: inside the user namespace
//! the host's root is nobody, and the kernel lets nobody's directories be read but not written to.
//!
//! It lies in a temporary file system that only the keeper and what it starts can see, and goes with them.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, CWD, FileType, Mode, XattrFlags, access, lsetxattr, mknodat};

use super::super::machine::OWN;
use crate::error::Error;

/// Directories that a machine has of its own, empty.
const EMPTY: [&str; 40] = [
    "etc/NetworkManager/system-connections",
    "etc/ipsec.d/private",
    "etc/letsencrypt",
    "etc/openvpn",
    "etc/pki/tls/private",
    "etc/ssl/private",
    "etc/sssd",
    "etc/swanctl/private",
    "etc/wireguard",
    "usr/local/etc/ssl/private",
    "var/backups",
    "var/cache/private",
    "var/crash",
    "var/db/sudo",
    "var/lib/NetworkManager",
    "var/lib/bluetooth",
    "var/lib/containerd",
    "var/lib/containers",
    "var/lib/docker",
    "var/lib/iwd",
    "var/lib/kubelet",
    "var/lib/libvirt",
    "var/lib/lxc",
    "var/lib/lxcfs",
    "var/lib/lxd",
    "var/lib/machines",
    "var/lib/private",
    "var/lib/samba/private",
    "var/lib/snapd",
    "var/lib/sss",
    "var/lib/systemd/coredump",
    "var/lib/tailscale",
    "var/mail",
    "var/snap",
    "var/spool/anacron",
    "var/spool/at",
    "var/spool/cron",
    "var/spool/cups",
    "var/spool/mail",
    "var/tmp",
];
/// Directories of which a machine has the tree, without the files.
const WITHOUT_FILES: [&str; 1] = ["var/log"];
/// Files that a machine has not.
const GONE: [&str; 8] = [
    "etc/shadow-",
    "etc/gshadow-",
    "etc/krb5.keytab",
    "etc/security/opasswd",
    "var/lib/random-seed",
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
    "var/lib/dbus/machine-id",
];

/// How deep an ordinary user's machines own the directories below the top ones.
const OWNED_DEPTH: [(&str, usize); 2] = [("usr", 2), ("", 8)];
/// Files of `/etc` above this size stay the host's.
const LARGEST_COPY: u64 = 1 << 20;

/// Makes the layer in an empty directory.
pub(super) fn build(layer: &Path, unprivileged: bool) -> Result<(), Error> {
    let cover = Cover { layer, unprivileged };
    cover.fill().map_err(Error::host("cannot make the layer that hides the host's secrets"))
}

struct Cover<'a> {
    layer: &'a Path,
    unprivileged: bool,
}

impl Cover<'_> {
    fn fill(&self) -> io::Result<()> {
        if self.unprivileged {
            self.own()?;
        }
        for path in EMPTY.map(Path::new) {
            self.empty(path)?;
        }
        for path in WITHOUT_FILES.map(Path::new) {
            self.without_files(path)?;
        }
        for path in GONE.map(Path::new) {
            self.gone(path)?;
        }
        for entry in fs::read_dir("/etc/ssh").into_iter().flatten().flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with("ssh_host_") {
                self.gone(&Path::new("etc/ssh").join(name))?;
            }
        }
        self.replace("etc/shadow", "etc/passwd", |name| format!("{name}:*:19000:0:99999:7:::\n"))?;
        self.replace("etc/gshadow", "etc/group", |name| format!("{name}:*::\n"))
    }

    /// The directory at this place in the layer, and those above it, with the host's permissions. `None` when the host has
    /// no such directory, or none that this user can read: that one the machine cannot read either.
    fn directory(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut at = PathBuf::new();
        for part in path {
            at.push(part);
            let (there, here) = (Path::new("/").join(&at), self.layer.join(&at));
            if fs::symlink_metadata(&here).is_ok_and(|meta| meta.is_dir()) {
                continue;
            }
            match fs::symlink_metadata(&there) {
                Ok(meta) if meta.is_dir() && readable(&there) => {
                    fs::create_dir(&here)?;
                    self.dress(&here, &meta)?;
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(self.layer.join(path)))
    }

    fn dress(&self, path: &Path, like: &Metadata) -> io::Result<()> {
        if !self.unprivileged {
            chown(path, Some(like.uid()), Some(like.gid()))?;
        }
        fs::set_permissions(path, Permissions::from_mode(like.mode() & 0o7777))
    }

    fn empty(&self, path: &Path) -> io::Result<()> {
        let Some(here) = self.directory(path)? else { return Ok(()) };
        for entry in fs::read_dir(&here)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        self.opaque(path, &here)
    }

    /// Makes a directory of the layer hide all that lies below it and is not in the layer.
    fn opaque(&self, path: &Path, here: &Path) -> io::Result<()> {
        if !self.unprivileged {
            return Ok(lsetxattr(here, "trusted.overlay.opaque", b"y", XattrFlags::empty())?);
        }
        // The attribute that a user may set is unknown to the temporary file system before Linux 6.6.
        for entry in fs::read_dir(Path::new("/").join(path))?.flatten() {
            self.gone(&path.join(entry.file_name()))?;
        }
        Ok(())
    }

    fn without_files(&self, path: &Path) -> io::Result<()> {
        let Some(here) = self.directory(path)? else { return Ok(()) };
        for entry in fs::read_dir(Path::new("/").join(path))?.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.without_files(&path.join(entry.file_name()))?;
            }
        }
        self.opaque(path, &here)
    }

    /// Has the layer say that the host has no such file; a directory that the layer has stays.
    fn gone(&self, path: &Path) -> io::Result<()> {
        let (there, here) = (Path::new("/").join(path), self.layer.join(path));
        let Some(parent) = path.parent() else { return Ok(()) };
        if fs::symlink_metadata(there).is_err() || self.directory(parent)?.is_none() {
            return Ok(());
        }
        match fs::symlink_metadata(&here) {
            Ok(meta) if meta.is_dir() => return Ok(()),
            Ok(_) => fs::remove_file(&here)?,
            Err(_) => {}
        }
        // A whiteout is a character device with the number 0:0, which anyone may make.
        Ok(mknodat(CWD, &here, FileType::CharacterDevice, Mode::empty(), 0)?)
    }

    /// A file of lines made from the names in a host's file.
    fn replace(&self, path: &str, names: &str, line: impl Fn(&str) -> String) -> io::Result<()> {
        let meta = fs::symlink_metadata(Path::new("/").join(path));
        let (Ok(meta), Ok(list)) = (meta, fs::read_to_string(Path::new("/").join(names))) else {
            return Ok(());
        };
        if self.directory(Path::new("etc"))?.is_none() {
            return Ok(());
        }
        let here = self.layer.join(path);
        let names = list.lines().filter_map(|line| line.split(':').next()).filter(|name| !name.is_empty());
        fs::write(&here, names.map(line).collect::<String>())?;
        self.dress(&here, &meta)
    }

    /// The host's directories as the machine's root's own, and copies of the files of `/etc`.
    fn own(&self) -> io::Result<()> {
        for entry in fs::read_dir("/")?.flatten() {
            let name = PathBuf::from(entry.file_name());
            let composed = !OWN.iter().any(|(own, _)| name == Path::new(own));
            if composed && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                let depth = OWNED_DEPTH.iter().find(|(top, _)| top.is_empty() || name == Path::new(top));
                self.own_below(&name, depth.map_or(0, |(_, depth)| *depth))?;
            }
        }
        Ok(())
    }

    /// The directory, and those below it on the same file system, down to this depth.
    fn own_below(&self, path: &Path, depth: usize) -> io::Result<()> {
        let there = Path::new("/").join(path);
        if self.directory(path)?.is_none() {
            // What cannot be read is of no use: without it, the machine can at least make its own.
            return self.gone(path);
        }
        let device = fs::symlink_metadata(&there)?.dev();
        // What disappears while we look is not there.
        for entry in fs::read_dir(&there)?.flatten() {
            let inside = path.join(entry.file_name());
            match entry.metadata() {
                Ok(meta) if meta.is_dir() && depth > 0 && meta.dev() == device => {
                    self.own_below(&inside, depth - 1)?;
                }
                Ok(meta) if meta.is_file() && path.starts_with("etc") => {
                    self.copy(&entry.path(), &self.layer.join(&inside), &meta)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path, meta: &Metadata) -> io::Result<()> {
        if meta.len() > LARGEST_COPY || access(from, Access::READ_OK).is_err() {
            return Ok(());
        }
        fs::write(to, fs::read(from)?)?;
        self.dress(to, meta)
    }
}

fn readable(path: &Path) -> bool {
    access(path, Access::READ_OK | Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_files_keep_their_names_and_lose_their_hashes() {
        let state = tempfile::tempdir().unwrap();
        let layer = state.path();
        if !rustix::process::geteuid().is_root() {
            println!(
                "skipped: {}::password_files_keep_their_names_and_lose_their_hashes: only root can copy the modes of /etc outside \
                 of a user namespace",
                module_path!().trim_start_matches("carthage_runtime::")
            );
            return;
        }
        build(layer, false).unwrap();
        let shadow = fs::read_to_string(layer.join("etc/shadow")).unwrap();
        assert!(shadow.lines().any(|line| line.starts_with("root:*:")), "{shadow}");
        assert!(shadow.lines().all(|line| line.split(':').nth(1) == Some("*")), "{shadow}");
        let mode = fs::metadata(layer.join("etc/shadow")).unwrap().mode();
        assert_eq!(mode & 0o7, 0, "others read it: {mode:o}");
    }
}
