//! What tests could leave behind on the host, listed before and after.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::build::Binary;

/// How long the kernel may take to take away what ended.
const PATIENCE: Duration = Duration::from_secs(20);

/// Everything found at one time, as sentences.
#[derive(Debug)]
pub(super) struct Traces(BTreeSet<String>);

impl Traces {
    /// What is there now.
    pub(super) fn now(base: &Path, binaries: &[Binary]) -> Self {
        let mut all = BTreeSet::new();
        all.extend(processes(base, binaries));
        all.extend(mounts(base));
        all.extend(names("/sys/class/net", "network interface"));
        all.extend(names("/run/netns", "network namespace"));
        all.extend(cgroups());
        all.extend(files(base));
        Self(all)
    }

    /// What has come since; what is on its way out is given time to go.
    pub(super) fn left(&self, base: &Path, binaries: &[Binary]) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left: Vec<_> = Self::now(base, binaries).0.difference(&self.0).cloned().collect();
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Processes that run one of the tests' programs, or one that lies where tests write.
fn processes(base: &Path, binaries: &[Binary]) -> Vec<String> {
    let built: BTreeSet<_> = binaries.iter().filter_map(|binary| binary.path.parent()).collect();
    let ours = |program: &Path| {
        program.starts_with(base) || program.ancestors().skip(1).any(|above| built.contains(above))
    };
    let shown = |pid: u32| {
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
        let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
        (ours(&program) && pid != std::process::id())
            .then(|| format!("process {pid}: {}", arguments.trim_end()))
    };
    parents().into_iter().filter_map(|(pid, _)| shown(pid)).collect()
}

fn mounts(base: &Path) -> Vec<String> {
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let base = base.as_os_str().as_bytes();
    let ours = |line: &&[u8]| {
        line.windows(base.len()).any(|part| part == base) || line.windows(8).any(|part| part == b"carthage")
    };
    let line = |line: &[u8]| format!("mount: {}", String::from_utf8_lossy(line));
    mounts.split(|byte| *byte == b'\n').filter(ours).map(line).collect()
}

fn names(dir: &str, what: &str) -> Vec<String> {
    entries(Path::new(dir)).iter().map(|path| format!("{what}: {}", path.display())).collect()
}

/// Control groups of layouts, at whatever depth, in which nothing runs: what does run is found as a process, if it is ours.
fn cgroups() -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from("/sys/fs/cgroup")];
    while let Some(dir) = open.pop() {
        for entry in entries(&dir) {
            if entry.is_symlink() || !entry.is_dir() {
                continue;
            }
            let idle = || fs::read_to_string(entry.join("cgroup.procs")).is_ok_and(|list| list.is_empty());
            let of_a_machine = |path: &Path| {
                path.components().any(|part| part.as_os_str().as_bytes().starts_with(b"carthage-"))
            };
            let leaf = || entries(&entry).iter().all(|below| !below.is_dir());
            if of_a_machine(&entry) && leaf() && idle() {
                found.push(format!("control group: {}", entry.display()));
            }
            open.push(entry);
        }
    }
    found
}

/// What lies in the places of users: their temporary, state and cache directories should be empty.
fn files(base: &Path) -> Vec<String> {
    let places = entries(base).into_iter().filter(|place| place.join("tmp").is_dir());
    let inside = |place: PathBuf| {
        ["tmp", "state", "cache"].iter().flat_map(|dir| entries(&place.join(dir))).collect::<Vec<_>>()
    };
    places.flat_map(inside).map(|path| format!("file: {}", path.display())).collect()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(dir).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
    found.unwrap_or_default()
}

/// All processes with their parents.
pub(super) fn parents() -> Vec<(u32, u32)> {
    let pids =
        entries(Path::new("/proc")).into_iter().filter_map(|path| path.file_name()?.to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, fields(pid)?.1))).collect()
}

/// Whether a process runs, and is not merely waiting to be reaped.
#[cfg(test)]
pub(super) fn alive(pid: u32) -> bool {
    fields(pid).is_some_and(|(state, _)| state != "Z" && state != "X")
}

/// State and parent. The name before them is in parentheses and may contain anything.
fn fields(pid: u32) -> Option<(String, u32)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    Some((rest.next()?.to_owned(), rest.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_and_a_process_are_found() {
        let base = tempfile::tempdir().unwrap();
        let place = base.path().join("own");
        fs::create_dir_all(place.join("tmp")).unwrap();
        let before = Traces::now(base.path(), &[]);
        assert!(before.0.iter().all(|trace| !trace.starts_with("file")), "{before:?}");

        fs::write(place.join("tmp/forgotten"), "").unwrap();
        let sleep = base.path().join("sleep");
        fs::copy("/bin/sleep", &sleep).unwrap();
        let mut child = std::process::Command::new(&sleep).arg("1000").spawn().unwrap();
        let after = Traces::now(base.path(), &[]);
        let left: Vec<_> = after.0.difference(&before.0).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].contains("forgotten") && left[1].contains("sleep 1000"), "{left:?}");
    }
}
