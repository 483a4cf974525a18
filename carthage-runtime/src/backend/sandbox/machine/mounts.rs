//! The file systems that are a machine's own: `/proc`, `/sys`, `/dev`, `/run` and `/tmp`.
//!
//! `/run` and `/tmp` are in memory: they start empty every time, as on most distributions. What is to survive a stop belongs
//! elsewhere, such as below `/var`.

use std::fs::{self, Permissions};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use nix::mount::{MsFlags, mount};

use super::root::{beneath, bind, fd_path};
use crate::error::Error;

/// Devices that a machine gets, bound from the host: even root of a user namespace cannot make device nodes.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];
/// Parts of `/proc` that change or reveal the whole host.
const READ_ONLY: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];
/// Parts of `/proc` that are covered.
const COVERED: [&str; 7] =
    ["kcore", "keys", "kmsg", "latency_stats", "timer_list", "sched_debug", "kallsyms"];

const PLAIN: MsFlags = MsFlags::MS_NOSUID.union(MsFlags::MS_NODEV);

/// Mounts them all below `root`.
pub(super) fn own_file_systems(root: BorrowedFd<'_>) -> Result<(), Error> {
    let quiet = PLAIN | MsFlags::MS_NOEXEC;
    fresh(root, "proc", "proc", quiet, "")?;
    guard_proc(root)?;
    fresh(root, "sys", "sysfs", quiet | MsFlags::MS_RDONLY, "")?;
    fresh(root, "run", "tmpfs", PLAIN, "mode=755")?;
    fresh(root, "tmp", "tmpfs", PLAIN, "mode=1777")?;
    devices(root)
}

/// Mounts a new file system, on a directory that is made if it is missing.
fn fresh(root: BorrowedFd<'_>, at: &str, kind: &str, flags: MsFlags, options: &str) -> Result<(), Error> {
    let cannot = || format!("cannot mount the machine's `/{at}`");
    let target = match beneath(root, Path::new(at)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            rustix::fs::mkdirat(root, at, rustix::fs::Mode::from_raw_mode(0o755))
                .map_err(|error| Error::host(cannot())(std::io::Error::from(error)))?;
            beneath(root, Path::new(at))
        }
        other => other,
    }
    .map_err(Error::host(cannot()))?;
    mount(Some(kind), fd_path(&target).as_str(), Some(kind), flags, Some(options)).map_err(|error| {
        let failed = Error::host(cannot())(error);
        match (error, kind) {
            (nix::errno::Errno::EPERM, "proc" | "sysfs") => failed.hint(format!(
                "parts of the host's /{at} are covered, as in a container, and the kernel then gives no new one to an \
                 ordinary user: run as root, or outside of the container"
            )),
            _ => failed,
        }
    })
}

fn guard_proc(root: BorrowedFd<'_>) -> Result<(), Error> {
    let proc = beneath(root, Path::new("proc")).map_err(Error::host("cannot open the machine's `/proc`"))?;
    let proc = fd_path(&proc);
    let flags = PLAIN | MsFlags::MS_NOEXEC | MsFlags::MS_REMOUNT | MsFlags::MS_BIND;
    for name in READ_ONLY {
        let path = Path::new(&proc).join(name);
        if path.exists() {
            let path_text = path.to_string_lossy();
            bind(&path_text, &path, MsFlags::empty())?;
            mount(None::<&str>, &path, None::<&str>, flags | MsFlags::MS_RDONLY, None::<&str>)
                .map_err(Error::host(format!("cannot protect `/proc/{name}`")))?;
        }
    }
    // The settings of the machine's own network stay its own.
    let network = beneath(root, Path::new("proc/sys")).map_err(Error::host("cannot open `/proc/sys`"))?;
    let network = Path::new(&fd_path(&network)).join("net");
    if network.exists() {
        bind(&network.to_string_lossy(), &network, MsFlags::empty())?;
        mount(None::<&str>, &network, None::<&str>, flags, None::<&str>)
            .map_err(Error::host("cannot open up `/proc/sys/net`"))?;
    }
    for name in COVERED {
        let path = Path::new(&proc).join(name);
        if path.exists() {
            bind("/dev/null", &path, MsFlags::empty())?;
        }
    }
    Ok(())
}

fn devices(root: BorrowedFd<'_>) -> Result<(), Error> {
    fresh(root, "dev", "tmpfs", MsFlags::MS_NOSUID, "mode=755,size=1m")?;
    let dev = beneath(root, Path::new("dev")).map_err(Error::host("cannot open the machine's `/dev`"))?;
    let dev = fd_path(&dev);
    let dev = Path::new(&dev);
    for name in DEVICES {
        let target = dev.join(name);
        fs::File::create(&target).map_err(Error::host(format!("cannot make `/dev/{name}`")))?;
        bind(&format!("/dev/{name}"), &target, MsFlags::empty())?;
    }
    for (name, to) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "/proc/self/fd/0"),
        ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        symlink(to, dev.join(name)).map_err(Error::host(format!("cannot make `/dev/{name}`")))?;
    }
    for name in ["pts", "shm"] {
        fs::create_dir(dev.join(name)).map_err(Error::host(format!("cannot make `/dev/{name}`")))?;
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    let options = "newinstance,ptmxmode=0666,mode=0620";
    // 5 is the group `tty`, where that group exists inside.
    let with_group = format!("{options},gid=5");
    mount(Some("devpts"), &dev.join("pts"), Some("devpts"), flags, Some(with_group.as_str()))
        .or_else(|_| mount(Some("devpts"), &dev.join("pts"), Some("devpts"), flags, Some(options)))
        .map_err(Error::host("cannot mount the machine's `/dev/pts`"))?;
    mount(Some("tmpfs"), &dev.join("shm"), Some("tmpfs"), PLAIN, Some("mode=1777"))
        .map_err(Error::host("cannot mount the machine's `/dev/shm`"))?;
    fs::set_permissions(dev, Permissions::from_mode(0o755)).map_err(Error::host("cannot set up `/dev`"))
}
