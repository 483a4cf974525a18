//! What a deployment takes up in the kernel: processes, namespaces, mounts, network interfaces, control groups.
//!
//! Found from the outside, by what refers to the state directory: sockets in it and who listens on them, descriptors and
//! mounts. No knowledge of an implementation goes into it, and other deployments on the host do not disturb it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_peercred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, connect, socket};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::{LONG, eventually};

/// A process, told apart from a later one of the same number by when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    began: u64,
}

/// What a deployment takes up.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// Its processes, by their names.
    pub processes: BTreeMap<Process, String>,
    parents: BTreeMap<i32, i32>,
    /// Its network interfaces, by the namespace's first process.
    pub interfaces: BTreeMap<i32, BTreeSet<String>>,
    /// Its control groups.
    pub groups: BTreeSet<PathBuf>,
    namespaces: BTreeSet<String>,
    /// When the last process began that was seen.
    taken: u64,
    state: PathBuf,
    /// Of the host, to which none may be added; those of a deployment that makes them there go with it.
    host_interfaces: BTreeSet<String>,
}

impl Footprint {
    /// Of the deployment with this state directory, once it is at rest: who asks for it, as this does by connecting to its
    /// sockets, may be served by a process for a moment.
    pub fn of(state: &Path) -> Self {
        let mut last = Self::now(state, listeners(state));
        eventually(&format!("{} is at rest", state.display()), || {
            std::thread::sleep(Duration::from_millis(20));
            let all = processes();
            let ours: BTreeSet<_> = last.processes.keys().map(|process| process.pid).collect();
            // To look at everybody is more work than to see that nobody has come or gone.
            let rests = ours.iter().all(|pid| all.contains_key(pid)) && with_children(&ours, &all) == ours;
            if !rests {
                last = Self::now(state, ours);
            }
            rests.then_some(())
        });
        last
    }

    /// Of the deployment to which these processes belong, with what they have started.
    fn now(state: &Path, mut ours: BTreeSet<i32>) -> Self {
        let all = processes();
        ours.extend(all.values().filter(|process| refers_to(process.pid, state)).map(|process| process.pid));
        ours = with_children(&ours, &all);
        ours.remove(&std::process::id().cast_signed());
        let mut found =
            Self { state: state.to_owned(), host_interfaces: interfaces(None), ..Self::default() };
        found.taken = all.values().map(|process| process.began).max().unwrap_or_default();
        // What is shared with others, as a daemon's namespaces are, stays with them.
        let others = all.values().filter(|process| !ours.contains(&process.pid));
        let shared: BTreeSet<_> =
            others.flat_map(|process| namespaces_of(&process.pid.to_string())).collect();
        let host = namespaces_of("self");
        let mut networks = BTreeSet::new();
        for process in all.values().filter(|process| ours.contains(&process.pid)) {
            found.processes.insert(Process { pid: process.pid, began: process.began }, process.name.clone());
            found.parents.insert(process.pid, process.parent);
            let own = namespaces_of(&process.pid.to_string());
            found.namespaces.extend(own.difference(&host).filter(|own| !shared.contains(*own)).cloned());
            found.groups.extend(groups_of(process.pid));
            let interfaces = interfaces(Some(process.pid));
            // An ordinary user may not read which namespace it is; its interfaces and their addresses tell as much.
            let addresses = fs::read_to_string(format!("/proc/{}/net/fib_trie", process.pid));
            let namespace = (interfaces.clone(), addresses.unwrap_or_default());
            if interfaces != found.host_interfaces && networks.insert(namespace) {
                found.interfaces.insert(process.pid, interfaces);
            }
        }
        found
    }

    /// Makes sure that nothing of it is left: waits for what the kernel is still taking down.
    ///
    /// # Panics
    /// When something stays.
    #[track_caller]
    pub fn is_gone(&self) {
        let deadline = Instant::now() + LONG;
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "after {LONG:?} there is still of {}: {left:#?}",
                self.state.display()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What is left of it.
    pub fn left(&self) -> Vec<String> {
        let all = processes();
        let mut left = Vec::new();
        let alive = |process: &Process| all.get(&process.pid).is_some_and(|now| now.began == process.began);
        left.extend(
            self.processes
                .iter()
                .filter(|(p, _)| alive(p))
                .map(|(p, name)| format!("process {} {name}", p.pid)),
        );
        if !left.is_empty() {
            // There is time for a closer look when these are gone.
            return left;
        }
        left.extend(
            all.values()
                .filter(|process| refers_to(process.pid, &self.state))
                .map(|process| format!("process {} {} uses the state directory", process.pid, process.name)),
        );
        // The kernel gives the number of a namespace that is gone to a new one: only who was there already can be in an old one.
        for process in all.values().filter(|process| process.began <= self.taken) {
            let still = namespaces_of(&process.pid.to_string());
            left.extend(
                still.intersection(&self.namespaces).map(|ns| format!("{ns} of process {}", process.pid)),
            );
        }
        left.extend(
            self.groups
                .iter()
                .filter(|group| group.exists())
                .map(|group| format!("group {}", group.display())),
        );
        let now = interfaces(None);
        if !now.is_subset(&self.host_interfaces) {
            left.push(format!("the host's interfaces were {:?} and are {now:?}", self.host_interfaces));
        }
        left
    }

    /// Kills what it knows of, when a test has failed.
    pub fn kill(&self) {
        let all = processes();
        for process in
            self.processes.keys().filter(|p| all.get(&p.pid).is_some_and(|now| now.began == p.began))
        {
            if let Some(pid) = Pid::from_raw(process.pid) {
                // It may have ended with another one.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        // A group is free a moment after its last process has ended, if at all.
        let free = |group: &PathBuf| fs::remove_dir(group).is_ok() || !group.exists();
        let deadline = Instant::now() + Duration::from_secs(2);
        while !self.groups.iter().all(free) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The process of this name; of several, the one that the others come from.
    ///
    /// # Panics
    /// When there is none, or several that have nothing to do with one another.
    #[track_caller]
    pub fn process(&self, name: &str) -> Pid {
        let named: BTreeSet<i32> =
            self.processes.iter().filter(|(_, known)| *known == name).map(|(p, _)| p.pid).collect();
        let first: Vec<i32> =
            named.iter().copied().filter(|pid| !named.contains(&self.parents[pid])).collect();
        match first[..] {
            [pid] => Pid::from_raw(pid).unwrap(),
            _ => panic!("{} processes are called `{name}`: {:?}", first.len(), self.processes),
        }
    }
}

#[derive(Debug)]
struct Seen {
    pid: i32,
    parent: i32,
    began: u64,
    name: String,
}

/// All processes that live.
fn processes() -> BTreeMap<i32, Seen> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // Some will have ended when they are looked at.
    pids.filter_map(|pid| Some((pid, seen(pid)?))).collect()
}

fn seen(pid: i32) -> Option<Seen> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(')')?;
    let name = before.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = after.split_whitespace().collect();
    let (state, parent, began) =
        (fields.first()?, fields.get(1)?.parse().ok()?, fields.get(19)?.parse().ok()?);
    // One that has ended and that nobody has asked about takes up nothing.
    (!matches!(*state, "Z" | "X")).then_some(Seen { pid, parent, began, name })
}

/// These, and what they have started: whoever has just been started may not have a socket yet, but it has a parent.
fn with_children(these: &BTreeSet<i32>, all: &BTreeMap<i32, Seen>) -> BTreeSet<i32> {
    let mut found = these.clone();
    loop {
        let children = all.values().filter(|p| found.contains(&p.parent) && !found.contains(&p.pid));
        let children: Vec<_> = children.map(|process| process.pid).collect();
        if children.is_empty() {
            return found;
        }
        found.extend(children);
    }
}

/// Who listens on the sockets below a directory.
fn listeners(directory: &Path) -> BTreeSet<i32> {
    let mut found = BTreeSet::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(directory) = todo.pop() {
        for entry in fs::read_dir(&directory).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            // A machine's own files are not looked through.
            if kind.is_dir() && !["upper", "work", "root"].iter().any(|name| entry.file_name() == *name) {
                todo.push(entry.path());
            } else if kind.is_socket() {
                found.extend(listener(&directory, &entry.path()));
            }
        }
    }
    found
}

fn listener(directory: &Path, path: &Path) -> Option<i32> {
    let handle = fs::File::open(directory).ok()?;
    // By descriptor: the path of a socket must be short.
    let short = format!("/proc/self/fd/{}/{}", handle.as_raw_fd(), path.file_name()?.to_str()?);
    let address = SocketAddrUnix::new(short).ok()?;
    [SocketType::STREAM, SocketType::SEQPACKET].into_iter().find_map(|kind| {
        let socket = socket(AddressFamily::UNIX, kind, None).ok()?;
        connect(&socket, &address).ok()?;
        Some(socket_peercred(&socket).ok()?.pid.as_raw_nonzero().get())
    })
}

/// Whether a process has something open, mounted or as its directory that is below `state`; an ordinary user cannot tell of
/// every process.
fn refers_to(pid: i32, state: &Path) -> bool {
    if pid == std::process::id().cast_signed() {
        return false;
    }
    let process = PathBuf::from(format!("/proc/{pid}"));
    let links = ["cwd", "root", "exe"].map(|name| process.join(name)).into_iter();
    let descriptors =
        fs::read_dir(process.join("fd")).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |link: PathBuf| fs::read_link(link).is_ok_and(|to| to.starts_with(state));
    let text = state.display().to_string();
    links.chain(descriptors).any(below)
        || fs::read_to_string(process.join("mountinfo")).is_ok_and(|mounts| mounts.contains(&text))
}

fn namespaces_of(process: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(format!("/proc/{process}/ns")).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(fs::read_link(entry.path()).ok()?.display().to_string())).collect()
}

/// The interfaces in the network namespace of a process.
fn interfaces(pid: Option<i32>) -> BTreeSet<String> {
    let process = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let table = fs::read_to_string(format!("/proc/{process}/net/dev")).unwrap_or_default();
    table.lines().skip(2).filter_map(|line| Some(line.split_once(':')?.0.trim().to_owned())).collect()
}

/// The control groups of a process that this one is not in.
fn groups_of(pid: i32) -> Vec<PathBuf> {
    let read = |process: &str| fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap_or_default();
    let own = read("self");
    let of_process = read(&pid.to_string());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let other = of_process.lines().filter(|line| !own.lines().any(|mine| mine == *line));
    // With those that were made above it.
    let other = other.flat_map(|line| {
        let (hierarchy, path) = line.rsplit_once(':').unwrap_or((line, ""));
        let made = |above: &&Path| {
            let above = format!("{hierarchy}:{}", above.display());
            above.len() > hierarchy.len() + 2 && !own.lines().any(|mine| mine.starts_with(&above))
        };
        let made = Path::new(path).ancestors().take_while(made);
        made.map(|above| format!("{hierarchy}:{}", above.display())).collect::<Vec<_>>()
    });
    let directory = |line: String| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        mounts.lines().find_map(|mount| {
            let (left, right) = mount.split_once(" - ")?;
            let kind = right.split(' ').next()?;
            let options = right.split(' ').next_back()?;
            let fits = match controllers {
                "" => kind == "cgroup2",
                names => {
                    kind == "cgroup" && names.split(',').all(|name| options.split(',').any(|o| o == name))
                }
            };
            fits.then(|| Path::new(left.split(' ').nth(4).unwrap_or("/")).join(path.trim_start_matches('/')))
        })
    };
    other.filter_map(directory).collect()
}
