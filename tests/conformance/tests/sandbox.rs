//! The conformance suite, on sandboxes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use carthage::backend::Sandbox;
use carthage::prelude::*;
use carthage_conformance::footprint::Footprint;
use carthage_conformance::linked::{Other, Rooted, Sharing, Side, Stranger, Wire};
use carthage_conformance::{Subject, Victim, host};
use rustix::process::{Pid, Signal, kill_process};

/// In sandboxes.
#[layout(name = "life", domain = "life.test", implementation = Sandbox)]
struct InSandbox {
    wire: Wire,
    side: Side,
    one: Rooted,
    other: Other,
    stranger: Stranger,
    sharing: Sharing,
}

impl Subject for InSandbox {
    type Implementation = Sandbox;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    fn unfit() -> Option<String> {
        host::unfit_for_sandboxes()
    }

    async fn kill(victim: Victim) -> Result<()> {
        Ok(kill_process(first_process(victim).await?, Signal::KILL)?)
    }

    async fn remove(victim: Victim) -> Result<()> {
        let files = files_of(&victim.state.join("sandbox"), &victim.machine).ok_or("it has no files")?;
        let script = "chmod -R u+rwx \"$1\" && rm -rf \"$1\"";
        let removed =
            tokio::process::Command::new("sh").args(["-c", script, "sh"]).arg(files).status().await?;
        if removed.success() { Ok(()) } else { Err(format!("its files cannot be removed: {removed}").into()) }
    }

    async fn alter(victim: Victim) -> Result<Option<()>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let process = first_process(victim).await?;
        let groups = std::fs::read_to_string(format!("/proc/{}/cgroup", process.as_raw_nonzero()))?;
        let group = |mount: &str, mark: &str| {
            let mut paths = groups.lines().filter_map(|line| line.split_once(mark));
            paths.next().map(|(_, path)| Path::new(mount).join(path.trim_start_matches('/')))
        };
        let first =
            group("/sys/fs/cgroup/memory", ":memory:").map(|group| group.join("memory.limit_in_bytes"));
        let second = group("/sys/fs/cgroup", "0::").map(|group| group.join("memory.max"));
        let limit = [first, second];
        let limit = limit.iter().flatten().find(|file| file.exists()).ok_or("its memory has no limit")?;
        std::fs::write(limit, (256 << 20).to_string())?;
        Ok(Some(()))
    }
}

/// Its first process is called as the machine.
async fn first_process(victim: Victim) -> Result<Pid> {
    let name = victim.machine.split('.').next().unwrap_or_default().to_owned();
    Ok(tokio::task::spawn_blocking(move || Footprint::of(&victim.state).process(&name)).await?)
}

/// The directory of this name, at whatever depth.
fn files_of(below: &Path, machine: &str) -> Option<PathBuf> {
    let entries: Vec<_> = std::fs::read_dir(below).ok()?.flatten().map(|entry| entry.path()).collect();
    let named = entries.iter().find(|path| path.file_name().is_some_and(|name| name == machine));
    named
        .cloned()
        .or_else(|| entries.iter().filter(|path| path.is_dir()).find_map(|path| files_of(path, machine)))
}

fn main() -> ExitCode {
    carthage_conformance::main::<InSandbox>()
}
