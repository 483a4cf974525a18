//! What needs libvirt's library: built apart from the rest, and run where virtual machines can be reached.

use anyhow::Result;

use super::build;
use super::engines::Engines;
use super::ground::Ground;
use super::tally::Tally;

/// The tests, as arguments of cargo.
const TESTS: [&str; 10] = [
    "--package",
    "carthage-conformance",
    "--package",
    "mixed",
    "--features",
    "carthage-conformance/libvirt,mixed/vm",
    "--test",
    "vm",
    "--test",
    "mixed",
];

/// Builds and runs them.
pub(super) fn run(engines: &Engines, ground: &Ground, tally: &mut Tally) -> Result<()> {
    tally.section("with libvirt");
    for test in build::tests_of(&TESTS)?.iter().filter(|binary| binary.is_test) {
        let mut command = engines.libvirt.inside(&test.path);
        command.arg("--show-output").current_dir(crate::root());
        ground.prepare(&mut command);
        engines.tell(&mut command);
        tally.begin(&test.name);
        tally.watch(&mut command, &test.name);
    }
    tally.section("");
    Ok(())
}
