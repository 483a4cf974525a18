//! Packages of Debian's that the tests need and the host may not have.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::test::must;

/// Whether a package is installed, in whatever version.
fn is_installed(package: &str) -> bool {
    let name = package.split('=').next().unwrap_or(package);
    let asked = Command::new("dpkg-query")
        .args(["-W", "-f", "${db:Status-Status}", name])
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// Installs what is missing of them, each of `together` in the version that its first one has.
pub(crate) fn install(packages: &[&str], together: &[&str]) -> Result<()> {
    let mut missing: Vec<_> =
        packages.iter().filter(|name| !is_installed(name)).map(ToString::to_string).collect();
    let unmatched = together.first().is_some_and(|first| !is_installed(first));
    if missing.is_empty() && !unmatched {
        return Ok(());
    }
    must(apt().args(["update", "-q"]))?;
    if let Some(first) = together.first().filter(|_| unmatched) {
        let version = candidate(first)?;
        missing.extend(together.iter().map(|name| format!("{name}={version}")));
    }
    println!("installing {}", missing.join(", "));
    must(apt().args(["install", "-q", "-y", "--no-install-recommends", "--allow-downgrades"]).args(missing))
}

/// The version of a package that would be installed.
fn candidate(package: &str) -> Result<String> {
    let output = Command::new("apt-cache").args(["policy", package]).env("LC_ALL", "C").output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.lines().find_map(|line| line.trim().strip_prefix("Candidate: "));
    version.map(str::to_owned).with_context(|| format!("apt knows no package `{package}`"))
}

/// Fetches a package without installing it, and unpacks its files.
pub(crate) fn unpack(package: &str, fetched: &Path, into: &Path) -> Result<()> {
    fs::create_dir_all(fetched)?;
    // It says that it cannot drop its rights in a directory of root's, which is no trouble.
    must(apt().args(["download", "-q", package]).current_dir(fetched).stderr(Stdio::null()))?;
    let mut files = fs::read_dir(fetched)?;
    let Some(file) = files.next().transpose()? else { bail!("apt fetched nothing for `{package}`") };
    must(Command::new("dpkg-deb").arg("-x").arg(file.path()).arg(into))
        .with_context(|| format!("cannot unpack `{package}`"))
}

/// Fetches packages, and what they depend on and is not installed, without installing any.
pub(crate) fn fetch(packages: &[&str], into: &Path) -> Result<()> {
    fs::create_dir_all(into.join("partial"))?;
    let mut cache = std::ffi::OsString::from("Dir::Cache::archives=");
    cache.push(into);
    let fetched = || {
        let mut fetch = apt();
        fetch.args(["install", "-q", "-y", "--no-install-recommends", "--download-only", "-o"]);
        must(fetch.arg(&cache).args(packages))
    };
    // The lists may be older than what there is.
    fetched().or_else(|_| must(apt().args(["update", "-q"])).and_then(|()| fetched()))
}

fn apt() -> Command {
    let mut apt = Command::new("apt-get");
    apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(Stdio::null());
    apt
}
