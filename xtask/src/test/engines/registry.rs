//! A registry of images, where no other can be reached.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Where it is, to whoever is in the same network namespace.
pub(super) const ADDRESS: &str = "127.0.0.1:5000";

/// Starts it, by a command that runs it in the right place.
pub(super) fn start(dir: &Path, server: &mut Command) -> Result<Child> {
    fs::create_dir_all(dir)?;
    let settings = format!(
        "version: 0.1\nlog:\n  level: warn\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {ADDRESS}\n",
        dir.join("images").display()
    );
    let file = dir.join("settings.yml");
    fs::write(&file, settings)?;
    let log = fs::File::create(dir.join("log"))?;
    server.arg("serve").arg(file).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    server.spawn().context("cannot run a registry")
}

/// Waits until it answers, asking by a busybox that runs in the right place.
pub(super) fn wait(busybox: &mut Command, limit: Duration) -> Result<()> {
    busybox.args(["wget", "-q", "-O", "/dev/null", &format!("http://{ADDRESS}/v2/")]);
    busybox.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let deadline = Instant::now() + limit;
    while !busybox.status()?.success() {
        if Instant::now() > deadline {
            bail!("the registry at {ADDRESS} does not answer");
        }
        // Nothing tells when it begins to listen.
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
