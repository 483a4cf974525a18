//! What the host allows, before anything is made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::HELPER;
use super::cgroup::{self, Controller};
use super::keeper::{Privilege, subordinate};
use super::wire::Answer;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Survey;

/// Finds out, without changing anything.
pub(super) fn survey(state: &Path) -> Result<Survey, Error> {
    check_state(state)?;
    probe()?;
    let alone = Privilege::of_this_process() == Privilege::UserNamespace && subordinate().is_none();
    let single_user = alone.then(|| {
        "your user has no subordinate ids (`/etc/subuid`, `/etc/subgid`, `newuidmap`), so there is only root inside".to_owned()
    });
    Ok(Survey {
        single_user,
        memory_not_enforced: cgroup::unavailable(Controller::Memory),
        cpus_not_enforced: cgroup::unavailable(Controller::Cpu),
        notes: Vec::new(),
    })
}

/// Tries namespaces, in a process of its own: this one has several threads.
fn probe() -> Result<(), Error> {
    let failed = "cannot find out what the host allows";
    let output = Command::new("/proc/self/exe")
        .args([HELPER, "probe"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
        .output()
        .map_err(Error::host(failed))?;
    let answer: Answer<()> = serde_json::from_slice(&output.stdout).map_err(|error| {
        Error::host(failed)(error)
            .hint("the program must call `carthage::main!`, or `backend::helper_main` before anything else")
    })?;
    answer.map_err(Error::from)
}

/// Whether the writable layers of overlays can lie in the state directory.
fn check_state(state: &Path) -> Result<(), Error> {
    let existing = state.ancestors().find(|path| path.exists()).unwrap_or(Path::new("/"));
    let found = rustix::fs::statfs(existing).map_err(|error| {
        Error::host(format!("cannot look at `{}`", existing.display()))(std::io::Error::from(error))
    })?;
    let unfit = [
        (0x794c_7630, "an overlay, as in a container"),
        (0x6969, "NFS"),
        (0xff53_4d42, "a network share"),
        (0xfe53_4d42, "a network share"),
        (0x6573_5546, "FUSE"),
        (0x4d44, "FAT"),
        (0x2011_bab0, "exFAT"),
        (0x0102_1997, "9P"),
    ];
    // The width of the field differs between architectures; the numbers have 32 bits.
    let number = found.f_type as u32;
    match unfit.iter().find(|(magic, _)| *magic == number) {
        Some((_, name)) => Err(Error::new(
            ErrorKind::Unsupported,
            format!("the state directory `{}` is on {name}, to which an overlay cannot write", state.display()),
        )
        .hint("choose a directory on a local file system, such as ext4, xfs, btrfs or tmpfs, with `--state-dir`")),
        None => Ok(()),
    }
}

/// Whether a directory that a model names can be a root.
pub(super) fn check_root(root: Option<&Path>) -> Result<(), Error> {
    match root {
        Some(root) if !root.is_absolute() || !root.is_dir() => Err(Error::new(
            ErrorKind::Usage,
            format!("the root directory `{}` is not a directory", root.display()),
        )
        .hint("name an existing directory by its whole path")),
        _ => Ok(()),
    }
}

/// Home directories that lie elsewhere than in `/home` and `/root`, which a machine does not see at all.
pub(super) fn homes() -> Vec<PathBuf> {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of_people = passwd.lines().filter_map(|line| {
        let mut fields = line.split(':').skip(2);
        let uid: u32 = fields.next()?.parse().ok()?;
        (1000..65534).contains(&uid).then(|| fields.nth(2).map(PathBuf::from)).flatten()
    });
    let own = std::env::var_os("HOME").map(PathBuf::from);
    let system = ["/bin", "/etc", "/lib", "/nonexistent", "/opt", "/sbin", "/srv", "/tmp", "/usr", "/var"];
    let special = |path: &PathBuf| {
        path.components().count() > 1
            && path.is_absolute()
            && !path.starts_with("/home")
            && !path.starts_with("/root")
            && !system.iter().any(|system| path == Path::new(system))
    };
    of_people.chain(own).filter(special).collect()
}
