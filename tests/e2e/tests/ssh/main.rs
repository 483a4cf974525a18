//! Machines that are reached by ssh: keys of hosts, ways through other machines, connections that are lost, sessions that are
//! refused; on real OpenSSH servers in sandboxes. One deployment for all, each case after the other.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod idle;
mod keys;
mod layout;
mod lost;
mod sessions;
mod stage;
mod ways;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};

use carthage_conformance::{host, openssh};
use libtest_mimic::{Arguments, Trial};

use stage::{CONFIG, Case, Stage};

fn main() -> ExitCode {
    if let Some(code) = carthage::backend::helper_main(std::env::args_os()) {
        return code;
    }
    if std::env::var_os(CONFIG).is_none() {
        // The user's settings, for jump hosts that are given as a text, are the test's own.
        let settings = std::env::temp_dir().join(format!("carthage-ssh-settings-{}", std::process::id()));
        let mut again = Command::new(std::env::current_exe().unwrap());
        panic!("{}", again.args(std::env::args_os().skip(1)).env(CONFIG, settings).exec());
    }
    let cases: Vec<(&'static str, Case)> =
        [keys::cases(), ways::cases(), sessions::cases(), idle::cases(), lost::cases()].concat();
    let shared: Arc<Mutex<Option<Stage>>> = Arc::default();
    let trials = cases.into_iter().map(|(name, case)| {
        let shared = shared.clone();
        Trial::test(name, move || {
            if let Some(why) = openssh::unfit() {
                host::skip(name, "ssh", &why);
                return Ok(());
            }
            let mut stage = shared.lock().unwrap_or_else(PoisonError::into_inner);
            stage.get_or_insert_with(Stage::new).play(case);
            Ok(())
        })
    });
    let trials = trials.collect();
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    shared.lock().unwrap_or_else(PoisonError::into_inner).take().into_iter().for_each(Stage::close);
    conclusion.exit_code()
}
