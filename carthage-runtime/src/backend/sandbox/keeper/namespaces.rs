//! The namespaces of a keeper, and whether this host allows them.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getegid, geteuid};
use rustix::thread::{CapabilitySet, capabilities};
use serde::{Deserialize, Serialize};

use super::super::fork::{contained, in_child};
use super::super::sys;
use super::super::wire::{Answer, answer, ask, receive, send};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};

/// By what right namespaces are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Privilege {
    /// Of the host's own root.
    Root,
    /// Of root of a user namespace, which any user can make where the host allows it.
    UserNamespace,
}

impl Privilege {
    /// What this process has.
    pub(in super::super) fn of_this_process() -> Self {
        let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN | CapabilitySet::SYS_CHROOT;
        // Root of a user namespace, as in a container without privileges, has these capabilities too, but not on the host.
        let host = fs::read_to_string("/proc/self/uid_map")
            .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]));
        match capabilities(None) {
            Ok(sets) if host && geteuid().is_root() && sets.effective.contains(needed) => Self::Root,
            _ => Self::UserNamespace,
        }
    }
}

/// Ranges of subordinate ids: the first, and how many.
type Range = (u32, u32);

/// Makes the calling process the first of the layout's namespaces. `map` is run once it is in a user namespace, and
/// gives it its ids from outside.
pub(super) fn enter(privilege: Privilege, map: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    if privilege == Privilege::UserNamespace {
        unshare(CloneFlags::CLONE_NEWUSER)
            .map_err(|error| forbidden("cannot make a user namespace", error))?;
        crash_point("user-namespace-entered");
        map()?;
        crash_point("ids-mapped");
        rustix::thread::set_thread_uid(rustix::fs::Uid::ROOT)
            .and_then(|()| rustix::thread::set_thread_gid(rustix::fs::Gid::ROOT))
            .map_err(Error::host("cannot become root of the user namespace"))?;
    }
    unshare(CloneFlags::CLONE_NEWNET).map_err(|error| forbidden("cannot make a network namespace", error))?;
    crash_point("network-namespace-entered");
    // What the host mounts and unmounts later is to be seen, what is mounted here is not to get out.
    unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| {
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        })
        .map_err(|error| forbidden("cannot make a mount namespace", error))
}

/// The subordinate ranges of the current user, if they can be used.
pub(in super::super) fn subordinate() -> Option<(Range, Range)> {
    let user = nix::unistd::User::from_uid(geteuid()).ok().flatten();
    let names = [user.map(|user| user.name).unwrap_or_default(), geteuid().to_string()];
    let tools = ["newuidmap", "newgidmap"].iter().all(|tool| find_program(tool).is_some());
    let range = |file: &str| {
        let text = fs::read_to_string(file).ok()?;
        text.lines().find_map(|line| {
            let mut fields = line.trim().split(':');
            let name = fields.next()?;
            let range = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
            (names.iter().any(|known| known == name) && range.1 > 0).then_some(range)
        })
    };
    tools.then(|| Some((range("/etc/subuid")?, range("/etc/subgid")?))).flatten()
}

fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file())
}

/// Gives the process, which has just entered a user namespace, its ids: with subordinate ids a whole range of them,
/// otherwise the one.
fn map_ids(pid: Pid) -> Result<(), Error> {
    let (uid, gid) = (geteuid().to_string(), getegid().to_string());
    if let Some((uids, gids)) = subordinate() {
        for (tool, own, (first, count)) in [("newuidmap", &uid, uids), ("newgidmap", &gid, gids)] {
            let (pid, first, count) = (pid.to_string(), first.to_string(), count.to_string());
            let program = find_program(tool).unwrap_or_else(|| tool.into());
            let output = Command::new(program).args([&pid, "0", own, "1", "1", &first, &count]).output();
            let output = output.map_err(Error::host(format!("cannot run `{tool}`")))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                return Err(Error::new(ErrorKind::Host, format!("`{tool}` refused the subordinate ids"))
                    .because(said));
            }
        }
        return Ok(());
    }
    let directory = Path::new("/proc").join(pid.to_string());
    for (file, text) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {uid} 1")),
        ("gid_map", format!("0 {gid} 1")),
    ] {
        let cannot = "cannot give the user namespace its user";
        fs::write(directory.join(file), text).map_err(|error| match error.raw_os_error() {
            Some(number) => forbidden(cannot, nix::errno::Errno::from_raw(number)),
            None => Error::host(cannot)(error),
        })?;
    }
    Ok(())
}

/// Finds out, in a process that then ends, whether the host allows what machines need.
pub(in super::super) fn probe() -> Result<(), Error> {
    let privilege = Privilege::of_this_process();
    in_child(|| {
        let (asking, answering) = UnixStream::pair().map_err(Error::host("cannot make a socket"))?;
        let inside = || {
            enter(privilege, || ask_for_ids(&asking))?;
            unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)
                .map_err(|error| forbidden("cannot make namespaces", error))?;
            mount(Some("none"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>)
                .map_err(|error| forbidden("cannot mount a file system in a namespace", error))
        };
        let child = sys::fork().map_err(Error::host("cannot start a helper process"))?;
        let Some(child) = child else {
            let told = send(&asking, &answer(contained(inside)), &[]);
            sys::exit_now(i32::from(told.is_err()));
        };
        drop(asking);
        let result = give_ids(&answering, child);
        while waitpid(child, None) == Err(nix::errno::Errno::EINTR) {}
        result
    })
}

/// Sent by a process that has entered a user namespace and has no ids yet.
#[derive(Serialize, Deserialize)]
enum Asks {
    /// It wants its ids.
    Ids,
}

/// Called inside: waits until the process outside has given the ids.
pub(super) fn ask_for_ids(socket: &UnixStream) -> Result<(), Error> {
    let (given, _) =
        ask::<()>(socket, &Asks::Ids, &[]).map_err(Error::host("no process outside gave the ids"))?;
    given.map_err(Error::from)
}

/// Called outside: gives a child its ids when it asks for them, until it has told how it went.
pub(super) fn give_ids(socket: &UnixStream, child: Pid) -> Result<(), Error> {
    let gone = || Error::new(ErrorKind::Host, "a helper process ended without an answer");
    loop {
        let (message, _) = receive::<serde_json::Value>(socket).ok().flatten().ok_or_else(gone)?;
        if let Ok(Asks::Ids) = Asks::deserialize(&message) {
            send(socket, &answer(map_ids(child)), &[])
                .map_err(Error::host("cannot answer a helper process"))?;
        } else {
            return Answer::<()>::deserialize(message).map_err(|_| gone())?.map_err(Error::from);
        }
    }
}

/// Says which setting of the host forbids namespaces, and what to do.
fn forbidden(what: &str, error: nix::errno::Errno) -> Error {
    let failed = Error::new(ErrorKind::Unsupported, what).because(error);
    let value = |name: &str| {
        fs::read_to_string(Path::new("/proc/sys").join(name)).ok().map(|text| text.trim().to_owned())
    };
    let settings = [
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
        ("user/max_net_namespaces", "0", "sysctl user.max_net_namespaces=15000"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ];
    for (name, forbids, command) in settings {
        if value(name).as_deref() == Some(forbids) {
            let setting = name.replace('/', ".");
            return failed.hint(format!(
                "the host's setting `{setting}={forbids}` forbids it to ordinary users: run as root, or have root run `{command}`"
            ));
        }
    }
    match error {
        nix::errno::Errno::ENOSPC | nix::errno::Errno::EUSERS => {
            failed.hint("the host's limit of namespaces is reached: see `sysctl -a | grep user.max_`")
        }
        nix::errno::Errno::EPERM => failed.hint(
            "the host, or the container in which this runs, does not allow namespaces: run as root of the host, or give \
             the container the right to make them (`--privileged`)",
        ),
        _ => failed,
    }
}
