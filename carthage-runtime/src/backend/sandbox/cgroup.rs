//! Limits of memory and processor time, by control groups: version 2 where the host has it, version 1 otherwise.
//!
//! Groups are made below the topmost one that this user can write to, and only for machines that have a limit. A machine sees
//! no control group file system at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};

use crate::crash::crash_point;
use crate::error::Error;
use crate::machine::engine::{Alteration, Aspect, Effect, MachineSpec};

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

/// Where groups for a controller can be made.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    directory: PathBuf,
    version_2: bool,
}

const PERIOD_US: u64 = 100_000;

/// How long processes that end by themselves may take for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why this controller cannot be used here; `None` when it can.
pub(super) fn unavailable(controller: Controller) -> Option<String> {
    place(controller).err()
}

/// What a model wants limited: bytes, and microseconds of a period.
fn limits(spec: &MachineSpec) -> [(Controller, Option<u64>); 2] {
    [
        (Controller::Memory, spec.memory_mb.map(|mb| mb.saturating_mul(1 << 20))),
        (Controller::Cpu, spec.cpus.map(|cpus| u64::from(cpus) * PERIOD_US)),
    ]
}

/// How the limits of a machine that runs are not those of its model. What cannot be read is not there, and was told by the survey.
pub(super) fn altered(id: &str, spec: &MachineSpec) -> Vec<Alteration> {
    let limits = limits(spec).into_iter().filter_map(|(controller, limit)| Some((controller, limit?)));
    let differs = limits.filter_map(|(controller, limit)| {
        let place = place(controller).ok()?;
        let group = place.directory.join(layout_group(id)).join(&spec.name);
        let (file, wanted) = limit_of(controller, place.version_2, limit);
        let has = fs::read_to_string(group.join(file)).ok()?;
        let has = has.trim();
        let aspect = match controller {
            Controller::Memory => Aspect::Memory,
            Controller::Cpu => Aspect::Cpus,
        };
        let what = || format!("its `{file}` is {has} and not {wanted}");
        (has != wanted).then(|| Alteration { aspect, mends: Effect::Restart, what: what() })
    });
    differs.collect()
}

/// Where a limit is written, and how.
fn limit_of(controller: Controller, version_2: bool, limit: u64) -> (&'static str, String) {
    match (controller, version_2) {
        (Controller::Memory, true) => ("memory.max", limit.to_string()),
        (Controller::Memory, false) => ("memory.limit_in_bytes", limit.to_string()),
        (Controller::Cpu, true) => ("cpu.max", format!("{limit} {PERIOD_US}")),
        (Controller::Cpu, false) => ("cpu.cfs_quota_us", limit.to_string()),
    }
}

/// Puts a machine's first process into groups with the machine's limits, as far as the host allows.
pub(super) fn confine(id: &str, spec: &MachineSpec, pid: i32) -> Result<(), Error> {
    for (controller, limit) in limits(spec) {
        // What is not available was told by the survey.
        if let (Some(limit), Ok(place)) = (limit, place(controller)) {
            enter(&place, controller, id, &spec.name, limit, pid).map_err(Error::host(format!(
                "cannot limit the {} of the machine `{}`",
                controller.name(),
                spec.name
            )))?;
        }
    }
    Ok(())
}

fn enter(
    place: &Place,
    controller: Controller,
    id: &str,
    machine: &str,
    limit: u64,
    pid: i32,
) -> io::Result<()> {
    let layout = place.directory.join(layout_group(id));
    let group = layout.join(machine);
    fs::create_dir_all(&group)?;
    crash_point("group-made");
    if place.version_2 {
        for above in [&place.directory, &layout] {
            let enabled = fs::read_to_string(above.join("cgroup.subtree_control"))?;
            if !enabled.split_whitespace().any(|name| name == controller.name()) {
                fs::write(above.join("cgroup.subtree_control"), format!("+{}", controller.name()))?;
            }
        }
    }
    let set = |file: &str, value: String| fs::write(group.join(file), value);
    if (controller, place.version_2) == (Controller::Cpu, false) {
        set("cpu.cfs_period_us", PERIOD_US.to_string())?;
    }
    let (file, value) = limit_of(controller, place.version_2, limit);
    set(file, value)?;
    crash_point("group-limited");
    set("cgroup.procs", pid.to_string())?;
    crash_point("group-entered");
    Ok(())
}

/// Removes a machine's groups, and the layout's when no other machine has any.
pub(super) fn remove(id: &str, machine: &str) -> Result<(), Error> {
    for place in [Controller::Memory, Controller::Cpu].map(place).into_iter().flatten() {
        let layout = place.directory.join(layout_group(id));
        remove_group(&layout.join(machine))?;
        remove_group(&layout)?;
    }
    Ok(())
}

/// Removes the groups of all machines of a layout.
pub(super) fn clear(id: &str) -> Result<(), Error> {
    for place in [Controller::Memory, Controller::Cpu].map(place).into_iter().flatten() {
        let layout = place.directory.join(layout_group(id));
        for entry in fs::read_dir(&layout).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove_left(&entry.path())?;
            }
        }
        remove_left(&layout)?;
    }
    Ok(())
}

/// Removes a group whose processes have ended, or are about to: those of a machine whose keeper has died end by themselves.
fn remove_left(group: &Path) -> Result<(), Error> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        remove_group(group)?;
        if !group.exists() || Instant::now() > deadline {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Removes a group, if nothing is in it.
fn remove_group(group: &Path) -> Result<(), Error> {
    match fs::remove_dir(group) {
        Err(error)
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::DirectoryNotEmpty)
            // How the kernel says "not empty" of a group.
            && error.kind() != io::ErrorKind::ResourceBusy =>
        {
            Err(Error::host(format!("cannot remove the control group `{}`", group.display()))(error))
        }
        Err(_) => Ok(()),
        Ok(()) => {
            crash_point("group-removed");
            Ok(())
        }
    }
}

fn layout_group(id: &str) -> String {
    format!("carthage-{}", id.get(..16).unwrap_or(id))
}

fn place(controller: Controller) -> Result<Place, String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").map_err(|error| error.to_string())?;
    let groups = fs::read_to_string("/proc/self/cgroup").map_err(|error| error.to_string())?;
    let name = controller.name();
    let places = candidates(controller, &mounts, &groups);
    let none = || format!("the host has no control groups for `{name}`");
    let (mount, own, version_2) = places
        .into_iter()
        .find(|(mount, _, version_2)| !version_2 || offers(mount, name))
        .ok_or_else(none)?;
    let writable = |directory: &&Path| {
        ["", "cgroup.procs"].iter().all(|file| access(directory.join(file), Access::WRITE_OK).is_ok())
    };
    let start = mount.join(own.trim_start_matches('/'));
    let directory =
        start.ancestors().take_while(|directory| directory.starts_with(&mount)).filter(writable).last();
    let directory = directory
        .ok_or_else(|| format!("this user may not make control groups below `{}`", mount.display()))?;
    if version_2 {
        delegated(directory, name)?;
    }
    Ok(Place { directory: directory.to_owned(), version_2 })
}

/// Mount point, this process's own group, and whether it is version 2, of the hierarchies that may have the controller.
fn candidates(controller: Controller, mounts: &str, groups: &str) -> Vec<(PathBuf, String, bool)> {
    let own = |wanted: &str| {
        groups.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            controllers.split(',').any(|name| name == wanted).then(|| path.to_owned())
        })
    };
    let candidate = |line: &str| {
        let (left, right) = line.split_once(" - ")?;
        let (kind, options) = (right.split(' ').next()?, right.split(' ').next_back()?);
        let point = PathBuf::from(left.split(' ').nth(4)?);
        match kind {
            "cgroup2" => Some((point, own("")?, true)),
            "cgroup" if options.split(',').any(|option| option == controller.name()) => {
                Some((point, own(controller.name())?, false))
            }
            _ => None,
        }
    };
    mounts.lines().filter_map(candidate).collect()
}

fn offers(directory: &Path, controller: &str) -> bool {
    fs::read_to_string(directory.join("cgroup.controllers"))
        .is_ok_and(|list| list.split_whitespace().any(|name| name == controller))
}

/// Whether a version 2 group can hand the controller to groups below it.
fn delegated(directory: &Path, controller: &str) -> Result<(), String> {
    let shown = directory.display();
    if !offers(directory, controller) {
        return Err(format!("`{shown}` has no controller `{controller}`"));
    }
    let enabled = fs::read_to_string(directory.join("cgroup.subtree_control")).unwrap_or_default();
    // Only the root of the hierarchy may have processes of its own and groups with controllers below it.
    let top = !directory.join("cgroup.type").exists();
    let busy = fs::read_to_string(directory.join("cgroup.procs")).is_ok_and(|list| !list.is_empty());
    if enabled.split_whitespace().any(|name| name == controller) || top || !busy {
        return Ok(());
    }
    Err(format!("`{shown}` has processes of its own, so its controller `{controller}` cannot be handed on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_recognised() {
        let mounts = "\
30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
31 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
32 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        let groups = "4:memory:/a/b\n1:cpu,cpuacct:/\n0::/own";
        assert_eq!(
            candidates(Controller::Memory, mounts, groups),
            [
                ("/sys/fs/cgroup/memory".into(), "/a/b".to_owned(), false),
                ("/sys/fs/cgroup/unified".into(), "/own".to_owned(), true),
            ]
        );
        assert_eq!(candidates(Controller::Cpu, mounts, groups).len(), 2);
    }
}
