//! The processes of a toy, which are known by their environment.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::transport::TOY;

/// What only the first process has in its environment.
pub(crate) const FIRST: &str = "TOY_FIRST";

/// Whether a toy's first process runs.
pub(crate) fn runs(directory: &Path) -> bool {
    !with(FIRST, directory).is_empty()
}

/// Asks all processes of a toy to end, and kills those that are still there after `grace`; its first process last.
pub(crate) async fn end(directory: &Path, grace: Duration) {
    let deadline = Instant::now() + grace;
    let others = || {
        let first = with(FIRST, directory);
        with(TOY, directory).into_iter().filter(move |pid| !first.contains(pid))
    };
    if !grace.is_zero() {
        signal(others(), Signal::TERM);
    }
    while others().next().is_some() {
        if Instant::now() >= deadline {
            signal(others(), Signal::KILL);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    while runs(directory) {
        signal(with(FIRST, directory), Signal::KILL);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn signal(processes: impl IntoIterator<Item = Pid>, signal: Signal) {
    for process in processes {
        // It may have ended by itself.
        kill_process(process, signal).ok();
    }
}

/// The processes that have this variable, with this value, in the environment they were started with.
fn with(name: &str, value: &Path) -> Vec<Pid> {
    let wanted = [name.as_bytes(), b"=", value.as_os_str().as_bytes()].concat();
    let has = |pid: &OsStr| {
        let environment = std::fs::read(Path::new("/proc").join(pid).join("environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| entry == wanted)
    };
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.file_name());
    let pids = entries.filter(|name| name.as_bytes().iter().all(u8::is_ascii_digit) && has(name));
    pids.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?)).collect()
}
