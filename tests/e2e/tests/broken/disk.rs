//! A disk that is full.

use std::path::Path;
use std::process::Command;

use carthage_e2e::{host, lab};

/// A small disk at a directory, for as long as this lives.
struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    fn new(at: &'a Path, size: &str) -> Self {
        let options = format!("size={size},mode=700");
        mount(&["-t", "tmpfs", "-o", &options, "carthage-e2e-disk"], at);
        Self(at)
    }

    fn resize(&self, size: &str) {
        mount(&["-o", &format!("remount,size={size}")], self.0);
    }
}

fn mount(arguments: &[&str], at: &Path) {
    assert!(Command::new("mount").args(arguments).arg(at).status().unwrap().success());
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        // Lazily: when the test has failed, something may still use it.
        let unmounted = Command::new("umount").arg("-l").arg(self.0).status().unwrap();
        assert!(unmounted.success() || std::thread::panicking());
    }
}

#[test]
fn a_full_disk() {
    let mut lab = lab!();
    if !rustix::process::geteuid().is_root() {
        return host::skip("disk::a_full_disk", "root", "only root can make a small disk");
    }
    let place = lab.base().join("disk");
    std::fs::create_dir(&place).unwrap();
    let disk = Disk::new(&place, "64k");
    lab.set("CARTHAGE_STATE_DIR", &place);
    // Too small for the store.
    let ended =
        lab.run(&["deploy", "--yes"]).code(1).says("No space left on device").does_not_say("panicked");
    drop(ended.says(place.to_str().unwrap()));
    // Too small for the programs that tasks write into the machines.
    disk.resize("4m");
    let ended = lab.run(&["deploy", "--yes", "--json"]).code(3).does_not_say("panicked");
    let failed = ended.event("report")["failed"].to_string();
    assert!(
        failed.contains("No space left on device") && failed.contains("/usr/local/bin/testlab-page"),
        "{failed}"
    );
    lab.run(&["status"]).code(0);
    // With room it carries on.
    disk.resize("64m");
    lab.deploy();
    lab.run(&["plan"]).code(0);
    lab.exec("worker-1", &["test", "-s", "/var/lib/testlab/page"]);
    let footprint = carthage_e2e::footprint::Footprint::of(&place.join("testlab"));
    lab.run(&["destroy", "--yes"]).code(0);
    footprint.is_gone();
    assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
    drop(disk);
    std::fs::remove_dir(&place).unwrap();
}
