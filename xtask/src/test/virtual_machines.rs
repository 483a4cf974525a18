//! What needs libvirt's library: built apart from the rest, and run where virtual machines can be reached.

use std::fs;

use anyhow::{Context, Result};

use super::engines::Engines;
use super::ground::Ground;
use super::tally::Tally;
use super::{build, narrow};

/// The packages, with the features that they need for it.
const PACKAGES: &[&str] = &[
    "--package=carthage-conformance",
    "--package=carthage-runtime",
    "--package=mixed",
    "--features=carthage-conformance/libvirt,carthage-runtime/libvirt,mixed/vm",
];
/// Their tests.
const TESTS: &[&str] = &["--test=vm", "--test=mixed"];

/// Builds and runs them.
pub(super) fn run(engines: &Engines, ground: &Ground, tally: &mut Tally) -> Result<()> {
    tally.section("with libvirt");
    for test in build::tests_of(&[PACKAGES, TESTS].concat())?.iter().filter(|binary| binary.is_test) {
        println!("\n{} with libvirt", test.path.display());
        tally.begin(&test.name);
        tally.watch(&test.name, |once| {
            let mut command = engines.libvirt.inside(&test.path);
            command.arg("--show-output").current_dir(crate::root());
            narrow(&mut command, once);
            ground.prepare(&mut command);
            engines.tell(&mut command);
            Ok(command)
        });
    }
    tally.section("");
    // What was found out of this host's processors, and locks of the engines of containers, are kept for the user on purpose.
    let kept = ground.cache().join("carthage");
    fs::remove_dir_all(kept.join("kvm")).context("no machine asked whether KVM works here")?;
    fs::remove_dir_all(kept.join("engines")).context("no container was made by an engine")?;
    // With anything else in it, it is a trace.
    fs::remove_dir(&kept).ok();
    Ok(())
}
