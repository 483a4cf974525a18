//! `cargo xtask bench-vm`: a virtual machine deployed until it takes commands, against `virsh start` and trying ssh.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::test::engines::libvirt::Libvirt;
use crate::test::must;

/// How often each is measured.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How often each is measured; the medians are shown.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The program of the conformance suite for virtual machines; built if absent.
    #[arg(long)]
    program: Option<PathBuf>,
}

/// The machine of the suite that is deployed, with what its domain's name ends with.
const MACHINE: &str = "other.life.test";
const ADDRESS: &str = "10.71.0.2";
/// How often ssh is tried, and for how long.
const PAUSE: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(240);

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let program = match &arguments.program {
        Some(program) => program.clone(),
        None => built()?,
    };
    let dir = tempfile::Builder::new().prefix("carthage-bench-").tempdir()?;
    let libvirt = Libvirt::start(dir.path())?;
    let mut rounds = Vec::new();
    for round in 0..arguments.rounds.max(1) {
        let (deployed, bare) = measure(&libvirt, &program, &dir.path().join(format!("round-{round}")))?;
        println!("round {round}: deployed {:.2} s, bare {:.2} s", deployed.as_secs_f64(), bare.as_secs_f64());
        rounds.push((deployed, bare));
    }
    libvirt.stop()?;
    let deployed = median(rounds.iter().map(|round| round.0));
    let bare = median(rounds.iter().map(|round| round.1));
    println!("deployed {deployed:.2} s, bare {bare:.2} s, ratio {:.2} (goal: at most 1.1)", deployed / bare);
    Ok(())
}

fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<_> = times.map(|time| time.as_secs_f64()).collect();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The suite's program for virtual machines.
fn built() -> Result<PathBuf> {
    let mut cargo = crate::test::cargo("test");
    cargo.args(["--package", "carthage-conformance", "--features", "libvirt", "--test", "vm", "--no-run"]);
    let output = cargo.arg("--message-format=json-render-diagnostics").stderr(Stdio::inherit()).output()?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| {
            let is_it = message.pointer("/target/name").and_then(|name| name.as_str()) == Some("vm");
            message.get("executable").and_then(|path| path.as_str()).filter(|_| is_it).map(PathBuf::from)
        });
    found.context("the suite's program cannot be built")
}

/// Both ways, one after the other, with a machine like the other.
fn measure(libvirt: &Libvirt, program: &Path, dir: &Path) -> Result<(Duration, Duration)> {
    fs::create_dir_all(dir)?;
    let machine = format!("machine:{MACHINE}");
    let controller = |words: &[&str]| {
        let mut command = libvirt.inside(program);
        command.arg("__conformance").arg(dir.join("state")).args(words);
        command.env("XDG_CACHE_HOME", dir.with_file_name("cache")).stdout(Stdio::null());
        libvirt.tell(&mut command);
        command
    };
    // The first time, KVM is tried: that is not what is measured.
    must(&mut controller(&["deploy", &machine]))?;
    must(&mut controller(&["destroy", &machine]))?;
    let begun = Instant::now();
    must(&mut controller(&["deploy", &machine]))?;
    let deployed = begun.elapsed();

    let names = virsh(libvirt, &["list", "--name"])?;
    let name = names
        .lines()
        .find(|name| name.ends_with(MACHINE))
        .context("the machine is not there")?
        .trim()
        .to_owned();
    let described = virsh(libvirt, &["dumpxml", "--inactive", &name])?;
    let image = virsh(libvirt, &["domblklist", &name])?;
    virsh(libvirt, &["destroy", &name])?;
    let uuid = described
        .split("<uuid>")
        .nth(1)
        .and_then(|rest| rest.split("</uuid>").next())
        .context("no uuid")?
        .to_owned();
    let begun = Instant::now();
    // A copy that lies where the other one does, with a name and a number of its own.
    let (layer, bare) = (dir.join("bare.qcow2"), "bare");
    libvirt.clone_image(&layer)?;
    let source =
        described.split("<source pool=").nth(1).and_then(|rest| rest.split("/>").next()).context(image)?;
    let described = described
        .replace(&format!("<source pool={source}/>"), &format!("<source file='{}'/>", layer.display()))
        .replace("<disk type='volume'", "<disk type='file'")
        .replace(&uuid, "00000000-0000-4000-8000-000000000001")
        .replace(&format!("<name>{name}</name>"), &format!("<name>{bare}</name>"));
    let file = dir.join("bare.xml");
    fs::write(&file, described)?;
    virsh(libvirt, &["define", &file.display().to_string()])?;
    virsh(libvirt, &["start", bare])?;
    let key = dir.join("state/life/ssh/key");
    loop {
        let mut ssh = libvirt.inside("ssh");
        ssh.args([
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "-o",
            "BatchMode=yes",
        ]);
        ssh.args(["-o", "ConnectTimeout=2", "-F", "none", "-i"])
            .arg(&key)
            .arg(format!("root@{ADDRESS}"))
            .arg("true");
        if ssh.stdin(Stdio::null()).stderr(Stdio::null()).status()?.success() {
            break;
        }
        if begun.elapsed() > LIMIT {
            bail!("the bare machine does not answer");
        }
        std::thread::sleep(PAUSE);
    }
    let took = begun.elapsed();
    virsh(libvirt, &["destroy", bare])?;
    virsh(libvirt, &["undefine", bare])?;
    // All of it: the next round is another layout with the same addresses.
    must(&mut controller(&["destroy"]))?;
    Ok((deployed, took))
}

fn virsh(libvirt: &Libvirt, words: &[&str]) -> Result<String> {
    let output = Command::new("virsh").args(["-q", "-c", &libvirt.uri()]).args(words).output()?;
    if !output.status.success() {
        bail!("virsh {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
