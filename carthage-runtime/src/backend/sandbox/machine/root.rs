//! A machine's root: overlays, its own file systems, and the change of root.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::compose::{Mounts, Piece, compose};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// What a root is made of.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The lower layer: `/`, or a directory that the model names.
    pub(super) base: &'a Path,
    /// A layer between, over the host's root, that hides its secrets.
    pub(super) cover: Option<&'a Path>,
    /// The machine's directory, with the writable layer.
    pub(super) directory: &'a Path,
    /// Directories of the host that must not be seen.
    pub(super) private: &'a [PathBuf],
    /// Whether the overlays are made by root of a user namespace.
    pub(super) unprivileged: bool,
}

/// Makes the root, in the mount namespace of the calling process, and changes to it.
pub(super) fn enter(plan: &Plan<'_>) -> Result<(), Error> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .map_err(Error::host("cannot detach from the host's mounts"))?;
    let root = assemble(plan)?;
    hide(plan, root.as_fd())?;
    crash_point("root-assembled");
    super::mounts::own_file_systems(root.as_fd())?;
    crash_point("file-systems-mounted");
    nix::unistd::fchdir(&root)
        .and_then(|()| nix::unistd::pivot_root(".", "."))
        .and_then(|()| umount2(".", MntFlags::MNT_DETACH))
        .and_then(|()| nix::unistd::chdir("/"))
        .map_err(Error::host("cannot change to the machine's root"))
}

/// Mounts the pieces, and answers the root.
fn assemble(plan: &Plan<'_>) -> Result<OwnedFd, Error> {
    let mounts = Mounts::read()?;
    let pieces = compose(plan.base, &mounts, plan.private)?;
    let upper = open_directory(&plan.directory.join("upper"))?;
    let point = plan.directory.join("root");
    if let [Piece::Overlay(at)] = pieces.as_slice() {
        overlay(plan, &upper, at, &open_directory(&point)?)?;
        return open_directory(&point);
    }
    bind(&fd_path(&upper), &point, MsFlags::empty())?;
    crash_point("layer-bound");
    let root = open_directory(&point)?;
    for piece in &pieces {
        place(plan, piece, &upper, &root)?;
    }
    Ok(root)
}

/// Puts one piece into the writable layer or on top of it. What the machine has there already wins.
fn place(plan: &Plan<'_>, piece: &Piece, layer: &OwnedFd, root: &OwnedFd) -> Result<(), Error> {
    let (Piece::Overlay(at) | Piece::Directory(at, _) | Piece::Link(at, _) | Piece::File(at)) = piece;
    let cannot = || format!("cannot prepare `/{}` of the machine", at.display());
    let (Some(parent), Some(name)) = (at.parent(), at.file_name()) else {
        return Err(Error::new(ErrorKind::Host, cannot()));
    };
    // The writable layer is the machine's: no link of its making may lead out of it.
    let Ok(parent) = beneath(root.as_fd(), parent) else { return Ok(()) };
    let target = Path::new(&fd_path(&parent)).join(name);
    let there = fs::symlink_metadata(&target);
    match (piece, there) {
        (Piece::Overlay(_) | Piece::Directory(..), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            let mode = match piece {
                Piece::Directory(_, mode) => *mode,
                _ => {
                    fs::metadata(plan.base.join(at)).map_or(0o755, |meta| meta.permissions().mode() & 0o7777)
                }
            };
            fs::create_dir(&target)
                .and_then(|()| fs::set_permissions(&target, fs::Permissions::from_mode(mode)))
                .map_err(Error::host(cannot()))?;
        }
        (Piece::Link(_, to), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            symlink(to, &target).map_err(Error::host(cannot()))?;
        }
        (Piece::File(_), Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            match fs::copy(plan.base.join(at), &target) {
                // What the user cannot read, the machine cannot either.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                copied => {
                    copied.map_err(Error::host(cannot()))?;
                }
            }
        }
        (_, Err(error)) => return Err(Error::host(cannot())(error)),
        (Piece::Overlay(_), Ok(meta)) if !meta.is_dir() => return Ok(()),
        _ => {}
    }
    if let Piece::Overlay(_) = piece {
        // The same directory twice: the kernel wants an overlay's two own directories on one mount, which is not the root's.
        let [upper, target] =
            [layer, root].map(|top| beneath(top.as_fd(), at).map_err(Error::host(cannot())));
        overlay(plan, &upper?, at, &target?)?;
    }
    crash_point("piece-placed");
    Ok(())
}

/// Mounts the overlay for the place `at`. Layers are named by descriptor: paths can hold what the options cannot.
fn overlay(plan: &Plan<'_>, upper: &OwnedFd, at: &Path, target: &OwnedFd) -> Result<(), Error> {
    let shown = format!("/{}", at.display());
    // One name for each place: the percent sign escapes itself and the separator.
    let name = format!("%{}", at.to_string_lossy().replace('%', "%25").replace('/', "%2f"));
    let work = plan.directory.join("work").join(name);
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&work)
        .map_err(Error::host(format!("cannot make the directory `{}`", work.display())))?;
    let work = open_directory(&work)?;
    let base = open_directory(&plan.base.join(at))?;
    let cover = match plan.cover.map(|cover| open_directory(&cover.join(at))) {
        Some(Err(error)) if error.kind() != ErrorKind::NotFound => return Err(error),
        other => other.and_then(Result::ok),
    };
    let mut options = "lowerdir=".to_owned();
    if let Some(cover) = &cover {
        options = options + &fd_path(cover) + ":";
    }
    options += &format!("{},upperdir={},workdir={}", fd_path(&base), fd_path(upper), fd_path(&work));
    options += if plan.unprivileged { ",userxattr" } else { ",redirect_dir=off,metacopy=off" };
    mount(Some("overlay"), fd_path(target).as_str(), Some("overlay"), MsFlags::MS_NODEV, Some(options.as_str()))
        .map_err(|error| {
            let failed = Error::host(format!("cannot make an overlay over `{shown}`"))(error);
            match error {
                nix::errno::Errno::EINVAL | nix::errno::Errno::EOPNOTSUPP => failed.hint(
                    "the state directory must be on a local file system that an overlay can write to, such as ext4, \
                     xfs, btrfs or tmpfs: choose another with `--state-dir`",
                ),
                nix::errno::Errno::ENODEV => failed.hint("the kernel needs its `overlay` module: `modprobe overlay`"),
                _ => failed,
            }
        })
}

/// Covers the private directories with nothing.
fn hide(plan: &Plan<'_>, root: BorrowedFd<'_>) -> Result<(), Error> {
    for private in plan.private {
        let Ok(inside) = private.strip_prefix(plan.base) else { continue };
        if inside.as_os_str().is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the root directory `{}` is private to the layout", plan.base.display()),
            ));
        }
        let target = match beneath(root, inside) {
            Ok(target) => target,
            // Not shown at all; ELOOP is how an overlay refuses to show its own writable layer.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if matches!(error.raw_os_error(), Some(nix::libc::ELOOP | nix::libc::ENOTDIR)) => {
                continue;
            }
            Err(error) => return Err(Error::host(format!("cannot hide `{}`", private.display()))(error)),
        };
        let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(
            Some("none"),
            fd_path(&target).as_str(),
            Some("tmpfs"),
            flags,
            Some("size=4k,nr_inodes=1,mode=0"),
        )
        .map_err(Error::host(format!("cannot hide `{}`", private.display())))?;
    }
    Ok(())
}

/// Binds `from` to `to`.
pub(super) fn bind(from: &str, to: &Path, more: MsFlags) -> Result<(), Error> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND | more, None::<&str>)
        .map_err(Error::host(format!("cannot bind `{}`", to.display())))
}

/// A path that leads to what the descriptor is of.
pub(super) fn fd_path(fd: &impl AsFd) -> String {
    format!("/proc/self/fd/{}", fd.as_fd().as_raw_fd())
}

/// Opens a path below `root`, as a machine with that root would see it, but through no symbolic link.
pub(super) fn beneath(root: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    Ok(openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), flags)?)
}

fn open_directory(path: &Path) -> Result<OwnedFd, Error> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|error| {
        let kind = if error == rustix::io::Errno::NOENT { ErrorKind::NotFound } else { ErrorKind::Host };
        Error::new(kind, format!("cannot open the directory `{}`", path.display()))
            .because(io::Error::from(error))
    })
}
