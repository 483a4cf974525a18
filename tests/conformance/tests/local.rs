//! The conformance suite, on this host.

use std::path::PathBuf;
use std::process::ExitCode;

use carthage::backend::Local;
use carthage::prelude::*;
use carthage_conformance::bare::{One, Other, Stranger};
use carthage_conformance::{Subject, Victim};

/// This host, three times.
#[layout(name = "local", domain = "local.test", implementation = Local)]
struct Here {
    one: One,
    other: Other,
    stranger: Stranger,
}

impl Subject for Here {
    type Implementation = Local;

    // They would find each other's processes.
    const AT_ONCE: usize = 1;

    fn three(&self) -> [&Machine; 3] {
        [self.one.machine(), self.other.machine(), self.stranger.machine()]
    }

    async fn base(machine: &Machine) -> Result<PathBuf> {
        Ok(ground().join(machine.name()))
    }

    fn user() -> String {
        let me = rustix::process::geteuid().as_raw().to_string();
        let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        let mine = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        let mine = mine
            .filter(|fields| fields.get(2) == Some(&me.as_str()))
            .find_map(|fields| fields.first().map(|name| (*name).to_owned()));
        mine.unwrap_or(me)
    }

    async fn remove(victim: Victim) -> Result<()> {
        Ok(tokio::fs::remove_dir_all(victim.state.join("local").join(&victim.machine)).await?)
    }
}

/// Where this run may write: the same in all processes of a run, and in no other run.
fn ground() -> PathBuf {
    let run = rustix::process::getpgrp().as_raw_nonzero();
    std::env::temp_dir().join(format!("carthage-local-{run}"))
}

fn main() -> ExitCode {
    let code = carthage_conformance::main::<Here>();
    // Whatever cases have left in it was theirs to remove, and is reported; and it need not be there.
    std::fs::remove_dir(ground()).ok();
    code
}
