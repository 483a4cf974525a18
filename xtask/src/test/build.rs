//! Building the tests once, and where their programs are.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

/// A test program, or a program that tests start.
#[derive(Debug)]
pub(super) struct Binary {
    /// The name of its target: a library's with `_`, or a file's of `tests/`.
    pub(super) name: String,
    pub(super) path: PathBuf,
    /// Whether it is a test.
    pub(super) is_test: bool,
}

/// Builds all tests of the workspace, and the programs that they start.
pub(super) fn tests() -> Result<Vec<Binary>> {
    tests_of(&["--workspace"])
}

/// Builds the tests that cargo is told of like this, and the programs that they start.
pub(super) fn tests_of(arguments: &[&str]) -> Result<Vec<Binary>> {
    let mut cargo = super::cargo("test");
    cargo.args(arguments).args(["--no-run", "--message-format=json-render-diagnostics"]);
    let mut child = cargo.stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut binaries = Vec::new();
    for line in BufReader::new(stdout).lines() {
        let message: serde_json::Value =
            serde_json::from_str(&line?).context("what cargo says is no JSON")?;
        let is_test = message.pointer("/profile/test").and_then(|test| test.as_bool()) == Some(true);
        let name = message.pointer("/target/name").and_then(|name| name.as_str());
        let path = message.get("executable").and_then(|path| path.as_str());
        if let (Some(name), Some(path)) = (name, path) {
            binaries.push(Binary { name: name.to_owned(), path: path.into(), is_test });
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("the tests cannot be built ({status})");
    }
    binaries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(binaries)
}
