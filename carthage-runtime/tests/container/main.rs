//! `Container` on the engines that the tests are given, beyond what every implementation has to do.
//!
//! `cargo xtask test` starts a Docker and a Podman for it, and names them in `CARTHAGE_TEST_DOCKER` and `CARTHAGE_TEST_PODMAN`.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod files;
mod images;
mod life;
mod network;
mod support;
mod surroundings;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use support::{Docker, Podman, Test};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (name, test) in all() {
        trials.push(Trial::test(format!("docker::{name}"), move || support::run::<Docker>(name, test)));
        trials.push(Trial::test(format!("podman::{name}"), move || support::run::<Podman>(name, test)));
    }
    let mut arguments = Arguments::from_args();
    // They wait more than they work.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

macro_rules! cases {
    ($($module:ident: $($case:ident),+;)+) => {
        vec![$($((concat!(stringify!($module), "::", stringify!($case)), |site| Box::pin($module::$case(site)))),+),+]
    };
}

fn all() -> Vec<(&'static str, Test)> {
    cases! {
        life: found_again, ends_with_dignity, limits_change_in_place, terminals, a_half_made_one_is_made_anew,
            strangers_are_left_alone, removed_from_outside, no_shell, paused;
        network: several_links, names, names_change, apart, plugged_in_again, readdressed;
        surroundings: environment, mounts, ports;
        images: archives, fetched, saved_images, missing, once_for_all;
        files: while_it_is_stopped, services_of_a_stopped_one;
    }
}
