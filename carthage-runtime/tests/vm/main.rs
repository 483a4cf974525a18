//! `Vm` on the libvirt that the tests are given, beyond what every implementation has to do.
//!
//! `cargo xtask test` starts one, and names it in `CARTHAGE_TEST_LIBVIRT`; what its machines boot is named in `CARTHAGE_TEST_VM_…`.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod boot;
mod disks;
mod network;
mod support;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::Test;

fn main() -> ExitCode {
    let trials = all().into_iter().map(|(name, test)| Trial::test(name, move || support::run(name, test)));
    let mut arguments = Arguments::from_args();
    // They keep a processor busy each, where they are emulated.
    arguments.test_threads.get_or_insert(2);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        vec![$($((concat!(stringify!($module), "::", stringify!($case)), |site| Box::pin($module::$case(site)))),+),+]
    };
}

fn all() -> Vec<(&'static str, Test)> {
    cases! {
        boot: by_uefi, never, given_up_by_itself;
        disks: layers, grown, kept_apart;
        network: made_anew, of_the_host;
    }
}
