//! Services of a system that was booted with systemd: this host's files with a layer above them, in namespaces and a control group of
//! its own, and without a network.

use std::time::{Duration, Instant};

use super::*;

/// How long it is waited for a system to boot, or to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What becomes the first process: its mounts are seen by nobody else, and end with it.
const BOOT: &str = r#"
set -e
for group in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
    [ -e "$group/cgroup.procs" ] || continue
    mkdir "$group/$2" && echo $$ >"$group/$2/cgroup.procs"
done
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/nspawn
mount -t tmpfs tmpfs "$1" && mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
etc=$1/root/etc
rm -rf "$etc"/systemd/system/*.wants "$etc/hostname"
mkdir -p "$etc/systemd/system"
ln -sf /lib/systemd/system/multi-user.target "$etc/systemd/system/default.target"
echo 0123456789abcdef0123456789abcdef >"$etc/machine-id"
printf '[Service]\nExecStart=/bin/sleep 100000\n[Install]\nWantedBy=multi-user.target\n' >"$etc/systemd/system/probe.service"
printf '[Service]\nType=oneshot\nExecStart=/bin/false\n' >"$etc/systemd/system/broken.service"
exec systemd-nspawn -q --register=no --keep-unit --private-network --console=pipe -M "$2" -D "$1/root" -b
"#;

struct Booted {
    nspawn: std::process::Child,
    name: String,
    _dir: tempfile::TempDir,
}

impl Booted {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let name = format!("carthage-{}", std::process::id());
        let mut nspawn = Command::new("unshare");
        nspawn.args(["-m", "/bin/sh", "-c", BOOT, "sh"]).arg(dir.path()).arg(&name);
        nspawn.stdin(Stdio::null()).stdout(Stdio::null());
        Self { nspawn: nspawn.spawn().unwrap(), name, _dir: dir }
    }

    /// How a shell is started in it, once it is up.
    fn shell(&self) -> Vec<String> {
        let children = format!("/proc/{0}/task/{0}/children", self.nspawn.id());
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "it did not boot");
            let first = fs::read_to_string(&children).unwrap_or_default();
            if let Some(first) = first.split_whitespace().next() {
                let words = ["nsenter", "-t", first, "-m", "-u", "-i", "-n", "-p", "-r", "/bin/sh"];
                let shell: Vec<String> = words.map(str::to_owned).into();
                let words: Vec<_> = shell.iter().map(String::as_str).collect();
                let (said, _) = run(&words, "systemctl is-system-running --wait", b"");
                if [&b"running\n"[..], b"degraded\n"].contains(&&*said) {
                    return shell;
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Booted {
    fn drop(&mut self) {
        // Then it powers off.
        Command::new("kill").arg(self.nspawn.id().to_string()).status().ok();
        self.nspawn.wait().ok();
        let deadline = Instant::now() + PATIENCE;
        for above in ["/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified"] {
            let group = Path::new(above).join(&self.name);
            // The kernel lets go of it a moment later.
            while group.exists() && Instant::now() < deadline {
                Command::new("find")
                    .arg(&group)
                    .args(["-depth", "-type", "d", "-exec", "rmdir", "{}", "+"])
                    .stderr(Stdio::null())
                    .status()
                    .ok();
            }
        }
    }
}

#[test]
fn services_of_systemd() {
    let skipped = |why: &str| println!("skipped: block::tests::systemd::services_of_systemd: {why}");
    if !rustix::process::geteuid().is_root() {
        return skipped("only root can boot a system");
    }
    if Command::new("systemd-nspawn").arg("--version").output().is_err() {
        return skipped("systemd-nspawn is not installed");
    }
    let booted = Booted::new();
    let shell = booted.shell();
    let shell: Vec<_> = shell.iter().map(String::as_str).collect();
    let whats = |changes: &[Change]| changes.iter().map(|change| change.what.clone()).collect::<Vec<_>>();
    let is = || {
        let (said, _) = run(&shell, "systemctl is-active probe; systemctl is-enabled probe", b"");
        String::from_utf8(said).unwrap()
    };
    assert_eq!(is(), "inactive\ndisabled\n");
    let wanted = [Service::named("probe").running().enabled().into()];
    assert_eq!(whats(&made(&shell, &wanted)), ["enables and starts service probe"]);
    assert_eq!(is(), "active\nenabled\n");
    assert!(made(&shell, &wanted).is_empty(), "once more, nothing differs");
    // Somebody stops it; somebody sees to it that it does not come up; it dies.
    run(&shell, "systemctl stop probe", b"");
    assert_eq!(whats(&made(&shell, &wanted)), ["starts service probe"]);
    run(&shell, "systemctl disable probe", b"");
    assert_eq!(whats(&made(&shell, &wanted)), ["enables service probe"]);
    run(&shell, "systemctl kill -s KILL probe; while systemctl -q is-active probe; do :; done", b"");
    assert_eq!(whats(&made(&shell, &wanted)), ["starts service probe"]);
    assert_eq!(is(), "active\nenabled\n");
    // What is not said stays.
    assert_eq!(whats(&made(&shell, &[Service::named("probe").stopped().into()])), ["stops service probe"]);
    assert_eq!(is(), "inactive\nenabled\n");
    let gone = [Service::named("probe").stopped().disabled().into()];
    assert_eq!(whats(&made(&shell, &gone)), ["disables service probe"]);
    assert_eq!(is(), "inactive\ndisabled\n");
    // Of one that cannot be started, and of one that is not there, systemd says why.
    for (name, why) in [("broken", "broken.service failed"), ("nowhere", "nowhere.service not found")] {
        let block: Block = Service::named(name).running().into();
        let Some(Outcome::Differs(_, ops)) = compare(&shell, &[block]).pop() else { panic!("it differs") };
        let (_, said) = run(&shell, &CHANGE, &orders(ID, &ops));
        let (done, said) = done(ID, said.as_bytes()).unwrap();
        assert!(done == 0 && said.contains(why), "{said}");
    }
}
