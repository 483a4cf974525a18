//! The guest that virtual machines are tested with: Debian's kernel for clouds, busybox and OpenSSH.
//!
//! It boots in seconds on an emulated processor. Its root is on the disk that it is given, so it survives a stop; it takes its
//! addresses by DHCP, lets the key in that its firmware names, and switches itself off when its button is pressed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::packages;
use crate::test::must;

/// Where its parts come from.
pub(super) const PACKAGES: &[&str] =
    &["busybox-static", "openssh-server", "openssh-client", "e2fsprogs", "cpio"];
/// The package that depends on the kernel's.
const KERNEL: &str = "linux-image-cloud-amd64";

/// Modules of the kernel, each after those that it needs.
const MODULES: &[&str] = &[
    "virtio_ring",
    "virtio",
    "virtio_pci_modern_dev",
    "virtio_pci_legacy_dev",
    "virtio_pci",
    "virtio_blk",
    "failover",
    "net_failover",
    "virtio_net",
    "evdev",
    "button",
    "virtio-rng",
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/sh\n\
    sshd:x:100:65534:sshd:/run/sshd:/bin/false\n\
    nobody:x:65534:65534:nobody:/nonexistent:/bin/sh\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// The guest's files.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) kernel: PathBuf,
    pub(crate) initrd: PathBuf,
    /// The disk that machines have layers over.
    pub(crate) image: PathBuf,
}

impl Guest {
    /// Builds it in an empty directory.
    pub(crate) fn build(dir: &Path) -> Result<Self> {
        let system = dir.join("system");
        let package = kernel_package()?;
        packages::unpack(&package, &dir.join("package"), &system)?;
        let kernel = dir.join("vmlinuz");
        fs::copy(only(&system.join("boot"), "vmlinuz-")?, &kernel)?;
        let initrd = dir.join("initrd");
        first(&dir.join("first"), &system, &initrd)?;
        let image = dir.join("root.img");
        root(&dir.join("root"), &image)?;
        fs::remove_dir_all(&system)?;
        Ok(Self { kernel, initrd, image })
    }
}

/// The package of the kernel that the other one stands for.
fn kernel_package() -> Result<String> {
    let output = Command::new("apt-cache").args(["depends", "--important", KERNEL]).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let name = text.lines().find_map(|line| line.trim().strip_prefix("Depends: "));
    name.map(str::to_owned).with_context(|| format!("apt knows no kernel for `{KERNEL}`"))
}

/// The file in a directory whose name begins like this.
fn only(dir: &Path, prefix: &str) -> Result<PathBuf> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            return Ok(entry.path());
        }
    }
    bail!("there is no `{prefix}…` in `{}`", dir.display())
}

/// What the kernel begins with: a shell, and what it needs to find the disk.
fn first(dir: &Path, system: &Path, initrd: &Path) -> Result<()> {
    for below in ["bin", "dev", "modules", "root"] {
        fs::create_dir_all(dir.join(below))?;
    }
    fs::copy("/bin/busybox", dir.join("bin/busybox"))?;
    program(&dir.join("init"), include_str!("guest/init"))?;
    let modules = found(&system.join("lib/modules"))?;
    for (number, name) in MODULES.iter().enumerate() {
        let file = modules
            .iter()
            .find(|path| path.file_name().is_some_and(|file| file == format!("{name}.ko").as_str()));
        let file = file.with_context(|| format!("the kernel has no module `{name}`"))?;
        fs::copy(file, dir.join(format!("modules/{number:02}-{name}.ko")))?;
    }
    // The names are ours, and the program is always the same.
    let pack = "cd \"$1\" && find . | cpio --quiet -o -H newc -R 0:0 | gzip -9 >\"$2\"";
    must(Command::new("sh").args(["-c", pack, "sh"]).arg(dir).arg(initrd))
}

/// All files below a directory.
fn found(dir: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut left) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot read `{}`", dir.display()))? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => left.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(files)
}

/// The disk with the system.
fn root(dir: &Path, image: &Path) -> Result<()> {
    for below in [
        "bin",
        "dev",
        "etc/acpi/PWRF",
        "etc/ssh",
        "home",
        "proc",
        "root",
        "run",
        "sbin",
        "srv",
        "sys",
        "tmp",
        "usr/bin",
        "usr/lib",
        "usr/sbin",
        "var/lib",
        "var/log",
    ] {
        fs::create_dir_all(dir.join(below))?;
    }
    for (below, mode) in [("root", 0o700), ("tmp", 0o1777)] {
        fs::set_permissions(dir.join(below), Permissions::from_mode(mode))?;
    }
    let busybox = Path::new("/bin/busybox");
    fs::copy(busybox, dir.join("bin/busybox"))?;
    let list = Command::new(busybox).arg("--list").stdout(Stdio::piped()).output()?;
    for name in String::from_utf8_lossy(&list.stdout).lines().filter(|name| *name != "busybox") {
        symlink("busybox", dir.join("bin").join(name))?;
    }
    symlink("../bin/busybox", dir.join("sbin/init"))?;
    for program in ["usr/sbin/sshd", "usr/bin/ssh-keygen"] {
        with_libraries(&Path::new("/").join(program), &dir.join(program), dir)?;
    }
    let etc = dir.join("etc");
    for (name, text) in [
        ("passwd", PASSWD),
        ("group", GROUP),
        ("shadow", "root:*:20000:0:99999:7:::\n"),
        ("shells", "/bin/sh\n"),
        ("hosts", "127.0.0.1\tlocalhost\n"),
        ("inittab", include_str!("guest/inittab")),
        ("ssh/sshd_config", include_str!("guest/sshd_config")),
    ] {
        fs::write(etc.join(name), text)?;
    }
    program(&etc.join("rc"), include_str!("guest/rc"))?;
    program(&etc.join("udhcpc.script"), include_str!("guest/udhcpc.script"))?;
    program(&etc.join("acpi/PWRF/00000080"), "#!/bin/sh\npoweroff\n")?;
    fs::File::create(image)?.set_len(1 << 30)?;
    must(
        Command::new("/sbin/mke2fs")
            .args(["-q", "-F", "-t", "ext4", "-E", "root_owner=0:0", "-d"])
            .arg(dir)
            .arg(image),
    )
}

/// Copies a program, and the libraries that it is linked with to where it looks for them.
fn with_libraries(program: &Path, to: &Path, root: &Path) -> Result<()> {
    fs::copy(program, to).with_context(|| format!("cannot copy `{}`", program.display()))?;
    let output = Command::new("ldd").arg(program).output().context("cannot run ldd")?;
    for word in
        String::from_utf8_lossy(&output.stdout).split_whitespace().filter(|word| word.starts_with('/'))
    {
        let place = root.join(word.trim_start_matches('/'));
        fs::create_dir_all(place.parent().context("a library without a directory")?)?;
        fs::copy(word, place)?;
    }
    Ok(())
}

fn program(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o755))?)
}
