//! libvirt without systemd, in namespaces and directories of its own, and the guest for its machines.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::guest::{self, Guest};
use super::packages;

/// What has to be installed: the daemon, the library with its header files, and what documents are held against.
const PACKAGES: &[&str] = &[
    "libvirt-daemon-system",
    "libvirt-clients",
    "libvirt-dev",
    "dnsmasq-base",
    "iproute2",
    "libxml2-utils",
    "openssh-client",
    "ovmf",
    "pkg-config",
];

/// The emulator and its tools: of one version, or they conflict.
const EMULATOR: &[&str] = &["qemu-system-x86", "qemu-utils"];

/// How long the daemon may take until it answers: it tries the emulators first.
const LIMIT: Duration = Duration::from_secs(120);

/// Everything is root's, and nothing of the host's is used: there is no service manager and no logger.
const QEMU_CONF: &str = r#"user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
stdio_handler = "file"
namespaces = []
remember_owner = 0
dynamic_ownership = 0
"#;
const LIBVIRTD_CONF: &str = r#"auth_unix_ro = "none"
auth_unix_rw = "none"
"#;

/// A libvirt that runs.
#[derive(Debug)]
pub(crate) struct Libvirt {
    daemon: Child,
    dir: PathBuf,
    guest: Guest,
}

impl Libvirt {
    /// Installs what is missing of libvirt and its library. Only root can.
    pub(crate) fn install() -> Result<()> {
        packages::install(&[PACKAGES, guest::PACKAGES].concat(), EMULATOR)
    }

    /// Installs what is missing, builds the guest and starts the daemon.
    pub(crate) fn start(ground: &Path) -> Result<Self> {
        Self::install()?;
        let dir = ground.join("libvirt");
        for below in ["etc/qemu", "run", "lib", "log", "cache", "guest"] {
            fs::create_dir_all(dir.join(below))?;
        }
        fs::write(dir.join("etc/qemu.conf"), QEMU_CONF)?;
        fs::write(dir.join("etc/libvirtd.conf"), LIBVIRTD_CONF)?;
        let guest = Guest::build(&dir.join("guest")).context("the guest cannot be built")?;
        let log = fs::File::create(dir.join("libvirtd.log"))?;
        // It ends with this process, however that ends.
        let mut daemon = Command::new("setpriv");
        daemon.args(["--pdeathsig", "KILL", "unshare"]);
        // Its end is the end of all that is in there: processes, mounts, interfaces.
        daemon.args(["--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child=SIGKILL"]);
        daemon.args(["sh", "-c", include_str!("libvirt.sh"), "libvirt"]).arg(&dir);
        daemon.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let daemon = daemon.spawn().context("cannot run setpriv")?;
        let mut libvirt = Self { daemon, dir, guest };
        match libvirt.wait() {
            Ok(()) => Ok(libvirt),
            Err(error) => {
                let log = fs::read_to_string(libvirt.dir.join("libvirtd.log")).unwrap_or_default();
                libvirt.stop()?;
                Err(error.context(format!("what libvirt said:\n{log}")))
            }
        }
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.daemon.try_wait()? {
                bail!("libvirt ended: {status}");
            }
            let socket = self.dir.join("run/libvirt-sock").exists();
            if socket && self.virsh(&["version"]).is_ok_and(|status| status.success()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("libvirt does not answer after {} s", LIMIT.as_secs());
            }
            // Nothing tells when its socket is served.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn virsh(&self, words: &[&str]) -> Result<std::process::ExitStatus> {
        let mut virsh = Command::new("virsh");
        virsh.args(["-q", "-c", &self.uri()]).args(words).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(virsh.status()?)
    }

    /// Where it is, as libvirt's clients take it.
    pub(crate) fn uri(&self) -> String {
        format!("qemu+unix:///system?socket={}", self.dir.join("run/libvirt-sock").display())
    }

    /// A command that runs where the machines can be reached.
    pub(crate) fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/ns/net", self.daemon.id())).arg("--").arg(program);
        command
    }

    /// Tells a test program where it is, and what its machines boot.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("CARTHAGE_TEST_LIBVIRT", self.uri()).env("LIBVIRT_DEFAULT_URI", self.uri());
        command.env("CARTHAGE_TEST_VM_KERNEL", &self.guest.kernel);
        command.env("CARTHAGE_TEST_VM_INITRD", &self.guest.initrd);
        command.env("CARTHAGE_TEST_VM_IMAGE", &self.guest.image);
    }

    /// Makes a layer over the guest's disk.
    pub(crate) fn clone_image(&self, layer: &Path) -> Result<()> {
        let mut create = Command::new("qemu-img");
        create.args(["create", "-q", "-f", "qcow2", "-F", "raw", "-b"]).arg(&self.guest.image).arg(layer);
        crate::test::must(&mut create)
    }

    /// Ends it with everything in its namespaces.
    pub(crate) fn stop(mut self) -> Result<()> {
        // It ended by itself if it cannot be killed.
        let _ = self.daemon.kill();
        self.daemon.wait()?;
        fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove `{}`", self.dir.display()))
    }
}

impl Drop for Libvirt {
    fn drop(&mut self) {
        // After `stop` there is nothing to be killed any more.
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}
