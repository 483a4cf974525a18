//! What this host lets tests do, and saying so when they cannot run.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::statfs;

/// Why this host cannot make sandboxes, found out without the program under test; `None` if it can.
pub fn unfit_for_sandboxes() -> Option<String> {
    static UNFIT: OnceLock<Option<String>> = OnceLock::new();
    UNFIT.get_or_init(unfit).clone()
}

fn unfit() -> Option<String> {
    let root = rustix::process::geteuid().is_root();
    let mut unshare = Command::new("unshare");
    if !root {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args([
        "--mount", "--net", "--uts", "--ipc", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/tmp",
    ]);
    match unshare.stdin(Stdio::null()).output() {
        Err(error) => return Some(format!("`unshare` cannot be run: {error}")),
        Ok(output) if !output.status.success() => {
            return Some(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        Ok(_) => {}
    }
    let place = std::env::temp_dir();
    let overlay = statfs(&place).is_ok_and(|found| found.f_type == 0x794c_7630);
    overlay.then(|| {
        format!("{} is on an overlay; set TMPDIR to a directory on a real disk or a tmpfs", place.display())
    })
}

/// Whether a test can run here. If not it says so, by the test's name and the reason; where `CARTHAGE_TEST_REQUIRE` lists
/// `sandbox`, that is a failure.
///
/// # Panics
/// In that case.
pub fn can_make_sandboxes(test: &str) -> bool {
    match unfit_for_sandboxes() {
        None => true,
        Some(why) => {
            skip(test, "sandbox", &why);
            false
        }
    }
}

/// Says that a test is skipped because the host lacks `what`.
///
/// # Panics
/// Where `CARTHAGE_TEST_REQUIRE` lists `what`.
pub fn skip(test: &str, what: &str, why: &str) {
    let required = std::env::var("CARTHAGE_TEST_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|required| required == what), "{test} cannot run: {why}");
    say_skipped(test, why);
}

/// Says that a test is skipped.
///
/// # Panics
/// When nobody listens.
pub fn say_skipped(test: &str, why: &str) {
    // Past the harness, which shows only what failing tests print; and whole, whoever else writes.
    let said =
        std::io::Write::write_all(&mut std::io::stderr(), format!("skipped: {test}: {why}\n").as_bytes());
    said.unwrap();
}
