//! The conformance suite, on sandboxes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use carthage::backend::Sandbox;
use carthage::prelude::*;
use carthage_conformance::footprint::Footprint;
use carthage_conformance::linked::{Other, Rooted, Sharing, Side, Stranger, Wire};
use carthage_conformance::{Subject, Victim, host};
use rustix::process::{Signal, kill_process};

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
        // Its first process is called as the machine.
        let name = victim.machine.split('.').next().unwrap_or_default().to_owned();
        let process =
            tokio::task::spawn_blocking(move || Footprint::of(&victim.state).process(&name)).await?;
        Ok(kill_process(process, Signal::KILL)?)
    }

    async fn remove(victim: Victim) -> Result<()> {
        let files = files_of(&victim.state.join("sandbox"), &victim.machine).ok_or("it has no files")?;
        let script = "chmod -R u+rwx \"$1\" && rm -rf \"$1\"";
        let removed =
            tokio::process::Command::new("sh").args(["-c", script, "sh"]).arg(files).status().await?;
        if removed.success() { Ok(()) } else { Err(format!("its files cannot be removed: {removed}").into()) }
    }
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
