//! The `Sandbox` implementation, for real: namespaces, overlays and bridges on this host.
//!
//! Not the usual harness: the test program is also the helper that `Sandbox` starts. Run by root, all tests run a second
//! time as an ordinary user.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unused_extern_crates)]

mod exec;
mod faults;
mod files;
mod life;
mod network;
mod offline;
mod support;

use std::process::ExitCode;

use carthage_runtime::backend::helper_main;
use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if let Some(code) = helper_main(std::env::args_os()) {
        return code;
    }
    let mut tests: Vec<Trial> = Vec::new();
    for (module, found) in [
        ("exec", exec::tests()),
        ("faults", faults::tests()),
        ("files", files::tests()),
        ("life", life::tests()),
        ("network", network::tests()),
        ("offline", offline::tests()),
    ] {
        tests.extend(found.into_iter().map(|(name, test)| Trial::test(format!("{module}::{name}"), test)));
    }
    if support::is_root() {
        tests.push(Trial::test("all_as_an_ordinary_user", support::again_as_an_ordinary_user));
    }
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
