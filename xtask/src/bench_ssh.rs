//! `cargo xtask bench-ssh`: builds and runs the measurement of commands by ssh.

use anyhow::Result;

/// Runs it, built as users build.
pub(crate) fn run() -> Result<()> {
    let mut cargo = crate::test::cargo("run");
    crate::test::must(cargo.args(["--release", "--package", "carthage-e2e", "--bin", "bench-ssh"]))
}
