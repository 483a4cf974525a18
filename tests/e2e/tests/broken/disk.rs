//! A disk that is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use carthage_e2e::{host, lab};

/// A small disk, for as long as this lives.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Self {
        let disk = Self(tempfile::Builder::new().prefix("carthage-e2e-").tempdir().unwrap());
        let options = format!("size={size},mode=700");
        mount(&["-t", "tmpfs", "-o", &options, "carthage-e2e-disk"], disk.path());
        disk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn resize(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}")], self.path());
    }
}

fn mount(arguments: &[&str], at: &Path) {
    assert!(Command::new("mount").args(arguments).arg(at).status().unwrap().success());
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: when the test has failed, something may still use it.
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status().unwrap();
        assert!(unmounted.success() || std::thread::panicking());
    }
}

#[test]
fn a_full_disk() {
    if !rustix::process::geteuid().is_root() {
        return host::skip("disk::a_full_disk", "root", "only root can make a small disk");
    }
    // Before the lab, so that it goes after what was deployed on it.
    let disk = Disk::new("64k");
    let mut lab = lab!();
    lab.set("CARTHAGE_STATE_DIR", disk.path());
    // Too small for the store.
    let ended = lab.run(&["deploy", "--yes"]).code(1).says("No space left on device");
    drop(ended.says(disk.path().to_str().unwrap()).does_not_say("panicked"));
    // Too small for the programs that tasks write into the machines.
    disk.resize("4m");
    let ended = lab.run(&["deploy", "--yes", "--json"]).code(3).does_not_say("panicked");
    let failed = ended.event("report")["failed"].to_string();
    let told = failed.contains("No space left on device") && failed.contains("/usr/local/bin/testlab-page");
    assert!(told, "{failed}");
    lab.run(&["status"]).code(0);
    // With room it carries on.
    disk.resize("64m");
    lab.deploy();
    lab.run(&["plan"]).code(0);
    lab.exec("worker-1", &["test", "-s", "/var/lib/testlab/page"]);
    lab.destroy();
    assert_eq!(fs::read_dir(disk.path()).unwrap().count(), 0);
}
