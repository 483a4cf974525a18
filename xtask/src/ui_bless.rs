//! `cargo xtask ui-bless`: takes over what the compiler says.

use anyhow::Result;

/// Runs the compile-fail tests so that they write what they see.
pub(crate) fn run() -> Result<()> {
    let mut cargo = crate::test::cargo("test");
    cargo.args(["--package", "carthage-tests", "--test", "ui"]).env("TRYBUILD", "overwrite");
    crate::test::must(&mut cargo)?;
    crate::test::must(
        std::process::Command::new("git").args(["diff", "--stat", "--", "tests"]).current_dir(crate::root()),
    )
}
