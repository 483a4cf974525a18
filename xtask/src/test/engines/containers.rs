//! A Docker and a Podman, each in a network namespace of its own without a way out and with a registry there, and a tree for
//! their containers.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{packages, registry};
use crate::test::must;

const PACKAGES: &[&str] = &[
    "docker.io",
    "docker-registry",
    "podman",
    "runc",
    "conmon",
    "netavark",
    "aardvark-dns",
    "iptables",
    "iproute2",
    "busybox-static",
];

/// How long an engine may take to answer, and to end.
const LIMIT: Duration = Duration::from_secs(60);

const PASSWD: &str =
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n";

/// Installs what is missing. Only root can.
pub(crate) fn install() -> Result<()> {
    packages::install(PACKAGES, &[])
}

/// Both engines, as they run.
#[derive(Debug)]
pub(crate) struct Containers {
    dir: PathBuf,
    docker: Daemon,
    podman: Daemon,
}

impl Containers {
    /// Installs what is missing, and starts both.
    pub(crate) fn start(ground: &Path) -> Result<Self> {
        install()?;
        let dir = ground.join("engines");
        fs::create_dir_all(&dir)?;
        tree(&dir.join("root"))?;
        let docker = docker(&dir.join("docker"))?;
        let podman = podman(&dir.join("podman"))?;
        Ok(Self { dir, docker, podman })
    }

    /// Tells a test program where they are, and what their containers can be made from.
    pub(crate) fn tell(&self, command: &mut Command) {
        for (name, daemon) in [("CARTHAGE_TEST_DOCKER", &self.docker), ("CARTHAGE_TEST_PODMAN", &self.podman)]
        {
            command.env(name, format!("unix://{}", daemon.socket().display()));
        }
        command
            .env("CARTHAGE_TEST_ROOT", self.dir.join("root"))
            .env("CARTHAGE_TEST_REGISTRY", registry::ADDRESS);
    }

    /// Ends both, with everything that they have started.
    pub(crate) fn stop(self) -> Result<()> {
        // Podman's containers do not end with it.
        let mut remove = self.podman.inside("podman");
        podman_arguments(&self.dir.join("podman"), &mut remove);
        must(remove.args(["rm", "--all", "--force", "--time", "0"]).stdout(Stdio::null()))?;
        self.podman.stop()?;
        self.docker.stop()?;
        for group in ["carthage-docker", "libpod_parent"] {
            remove_groups(Path::new("/sys/fs/cgroup"), group);
        }
        fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove `{}`", self.dir.display()))
    }
}

fn docker(dir: &Path) -> Result<Daemon> {
    Daemon::start(dir, "dockerd", |command| {
        command.arg("-H").arg(format!("unix://{}", dir.join("socket").display()));
        command.args(["--group", "root", "--cgroup-parent", "/carthage-docker"]);
        for (option, file) in [("--data-root", "data"), ("--exec-root", "exec"), ("--pidfile", "pid")] {
            command.arg(option).arg(dir.join(file));
        }
    })
}

fn podman(dir: &Path) -> Result<Daemon> {
    for below in ["networks", "tmp"] {
        fs::create_dir_all(dir.join(below))?;
    }
    let settings = format!(
        "[containers]\ndefault_ulimits = [\"nofile=16384:16384\", \"nproc=32768:32768\"]\n[engine]\n\
         cgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nruntime = \"runc\"\nexit_command_delay = 10\n\
         tmp_dir = \"{dir}/tmp\"\n[network]\nnetwork_backend = \"netavark\"\nnetwork_config_dir = \"{dir}/networks\"\n",
        dir = dir.display()
    );
    fs::write(dir.join("containers.conf"), settings)?;
    // Docker trusts registries on this host by itself.
    let registries = format!("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", registry::ADDRESS);
    fs::write(dir.join("registries.conf"), registries)?;
    Daemon::start(dir, "podman", |command| {
        podman_arguments(dir, command);
        command
            .args(["system", "service", "--time=0"])
            .arg(format!("unix://{}", dir.join("socket").display()));
    })
}

fn podman_arguments(dir: &Path, command: &mut Command) {
    command.env("CONTAINERS_CONF", dir.join("containers.conf"));
    command.env("CONTAINERS_REGISTRIES_CONF", dir.join("registries.conf"));
    command.arg("--root").arg(dir.join("data")).arg("--runroot").arg(dir.join("run"));
}

/// An engine in namespaces of its own.
#[derive(Debug)]
struct Daemon {
    dir: PathBuf,
    child: Child,
    registry: Option<Child>,
}

impl Daemon {
    fn start(dir: &Path, program: &str, arguments: impl FnOnce(&mut Command)) -> Result<Self> {
        fs::create_dir_all(dir)?;
        let log = fs::File::create(dir.join("log"))?;
        let mut command = Command::new("unshare");
        command
            .args(["--net", "--mount", "sh", "-c", include_str!("containers.sh"), "engine"])
            .arg(dir)
            .arg(program);
        arguments(&mut command);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot run unshare")?;
        let mut daemon = Self { dir: dir.to_owned(), child, registry: None };
        if let Err(error) = daemon.wait().and_then(|()| daemon.serve_images()) {
            let log = fs::read_to_string(dir.join("log")).unwrap_or_default();
            daemon.stop()?;
            return Err(error.context(format!("what `{program}` said:\n{log}")));
        }
        Ok(daemon)
    }

    /// Starts a registry where the engine is.
    fn serve_images(&mut self) -> Result<()> {
        let dir = self.dir.join("registry");
        let mut server = self.inside("docker-registry");
        self.registry = Some(registry::start(&dir, &mut server)?);
        registry::wait(&mut self.inside("/bin/busybox"), LIMIT)
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("the engine in `{}` ended: {status}", self.dir.display());
            }
            if answers(&self.socket()) {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("the engine in `{}` does not answer", self.dir.display());
            }
            // Nothing tells when its socket is served.
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A command in the engine's namespaces.
    fn inside(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let pid = self.child.id();
        command
            .arg(format!("--net=/proc/{pid}/ns/net"))
            .arg(format!("--mount=/proc/{pid}/ns/mnt"))
            .arg("--")
            .arg(program);
        command
    }

    /// Ends it, and whatever else is in its namespaces: servers of names, containers that were left.
    fn stop(mut self) -> Result<()> {
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
        let own = namespace(&self.child.id().to_string());
        // It may have ended by itself.
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let deadline = Instant::now() + LIMIT;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                self.child.kill()?;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let Ok(pid) = name.parse() else { continue };
            if own.is_some() && namespace(&name) == own && namespace("self") != own {
                // It may be ending already.
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        if let Some(mut registry) = self.registry {
            // By itself, if the engine never came so far that its namespaces were known.
            let _ = registry.kill();
            registry.wait()?;
        }
        Ok(())
    }
}

/// Whether an engine answers on this socket.
fn answers(socket: &Path) -> bool {
    let ask = || {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer.contains(" 200 "))
    };
    ask().unwrap_or(false)
}

/// A root with busybox and nothing else.
fn tree(root: &Path) -> Result<()> {
    for dir in ["bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr/bin", "var/lib"] {
        fs::create_dir_all(root.join(dir))?;
    }
    fs::copy("/bin/busybox", root.join("bin/busybox"))?;
    let list = Command::new("/bin/busybox").arg("--list").output()?;
    for name in String::from_utf8_lossy(&list.stdout).lines().filter(|name| *name != "busybox") {
        symlink("busybox", root.join("bin").join(name))?;
    }
    fs::write(root.join("etc/passwd"), PASSWD)?;
    fs::write(root.join("etc/group"), GROUP)?;
    must(Command::new("chmod").arg("1777").arg(root.join("tmp")))
}

/// Removes the control groups of this name with all below, if nothing runs in them.
fn remove_groups(dir: &Path, name: &str) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_symlink() || !path.is_dir() {
            continue;
        }
        if entry.file_name() == name {
            remove_group(&path);
        } else if dir == Path::new("/sys/fs/cgroup") {
            remove_groups(&path, name);
        }
    }
}

fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir()) {
        remove_group(&entry.path());
    }
    // What is in use stays, and is found as a trace.
    let _ = fs::remove_dir(group);
}
