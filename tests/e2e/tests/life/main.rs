//! The life of a machine, whatever makes it: the suite knows [`carthage::Machine`] only, and every implementation has a layout
//! here for it to run on.
//!
//! Not the usual harness: the test program is also the helper that `Sandbox` starts, and the later process that finds a machine
//! again.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod ground;
mod layouts;
mod suite;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(code) = carthage::backend::helper_main(std::env::args_os()) {
        return code;
    }
    if let Some(code) = ground::later_main() {
        return code;
    }
    let trial = |(name, case): suite::Named| {
        Trial::test(format!("sandbox::{name}"), move || {
            ground::with::<layouts::InSandbox>(name, case);
            Ok(())
        })
    };
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(6);
    libtest_mimic::run(&arguments, suite::all().into_iter().map(trial).collect()).exit_code()
}
