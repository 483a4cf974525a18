//! What the tests share: a site of its own for each, machines, commands, and listings of what is on the host.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use carthage_runtime::backend::Sandbox;
use carthage_runtime::event::Events;
use carthage_runtime::machine::engine::{
    Engine, Exec, Exit, LinkSpec, MachineSpec, NetworkSpec, Presence, Site,
};
use carthage_runtime::machine::implementation::Implementation;
use libtest_mimic::Failed;
use tokio::io::AsyncReadExt;

pub(crate) type Test = fn() -> Result<(), Failed>;
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Runs a test with a site, and expects that in the end nothing of it is left.
pub(crate) fn on_a_site<F: Future<Output = Result<(), Failed>>>(
    test: impl FnOnce(TestSite) -> F,
) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let directory = tempfile::tempdir()?;
    let id = format!("{:032x}", fastrand::u128(..));
    let site = TestSite::open(&runtime, directory.path().to_owned(), id);
    runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(120), test(site.clone())).await })??;
    drop(runtime);
    site.expect_nothing_left()
}

/// A layout's place, with an engine on it.
#[derive(Clone)]
pub(crate) struct TestSite {
    pub(crate) directory: PathBuf,
    pub(crate) layout: String,
    pub(crate) id: String,
    pub(crate) engine: Arc<dyn Engine>,
}

impl TestSite {
    fn open(runtime: &tokio::runtime::Runtime, directory: PathBuf, id: String) -> Self {
        // Longer than a socket's address may be.
        let state = directory.join("s".repeat(120)).join("state, with: odd\\signs");
        let logs = directory.join("logs");
        let layout = format!("test-{}", &id[20..]);
        let site = Site {
            layout: layout.clone(),
            id: id.clone(),
            private: vec![state.clone(), logs.clone()],
            state,
            looks: false,
            storage: carthage_runtime::state::storage::usual(),
            logs,
            neighbours: Arc::new(()),
            rehearsal: Arc::default(),
            events: Events::none(),
        };
        let engine = runtime.block_on(Sandbox::open(site)).unwrap();
        Self { directory, layout, id, engine }
    }

    pub(crate) fn base(&self) -> PathBuf {
        self.directory.join("s".repeat(120)).join("state, with: odd\\signs/sandbox")
    }

    /// Networks and machines, running.
    pub(crate) async fn up(&self, machines: &[&MachineSpec]) -> Result<(), Failed> {
        let networks: BTreeSet<&String> =
            machines.iter().flat_map(|machine| &machine.links).map(|link| &link.network).collect();
        for name in networks {
            self.engine.create_network(&network(name)).await?;
        }
        for machine in machines {
            self.engine.create(machine).await?;
            self.engine.start(machine).await?;
        }
        Ok(())
    }

    pub(crate) async fn down(&self, machines: &[&MachineSpec]) -> Result<(), Failed> {
        for machine in machines {
            self.engine.stop(machine, GRACE).await?;
            self.engine.remove(machine).await?;
        }
        for link in machines.iter().flat_map(|machine| &machine.links) {
            self.engine.remove_network(&network(&link.network)).await?;
        }
        Ok(())
    }

    pub(crate) async fn running(&self, machine: &MachineSpec) -> Result<bool, Failed> {
        Ok(matches!(self.engine.find(machine).await?, Presence::Running(_)))
    }

    /// Runs a shell script as root of the machine; how it ended, and what it wrote.
    pub(crate) async fn sh(&self, machine: &MachineSpec, script: &str) -> Result<(Exit, String), Failed> {
        run(&*self.engine, machine, shell(script)).await
    }

    /// The same, expected to end well.
    pub(crate) async fn sh_ok(&self, machine: &MachineSpec, script: &str) -> Result<String, Failed> {
        let (exit, output) = self.sh(machine, script).await?;
        if exit.success() { Ok(output) } else { Err(format!("`{script}`: {exit}: {output}").into()) }
    }

    /// The host's process ids of the keeper and of the machines' first processes and their children.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let is_ours = |pid: &i32| {
            fs::read(format!("/proc/{pid}/cmdline"))
                .is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == self.layout.as_bytes()))
        };
        pids().into_iter().filter(is_ours).collect()
    }

    /// The layout's keeper: the one of its processes that no other is the parent of.
    pub(crate) fn keeper(&self) -> i32 {
        let all = self.processes();
        *all.iter().find(|pid| !all.contains(&parent(**pid))).expect("there is a keeper")
    }

    /// The first processes of the layout's machines.
    pub(crate) fn first_processes(&self) -> Vec<i32> {
        let keeper = self.keeper();
        self.processes().into_iter().filter(|pid| parent(*pid) == keeper).collect()
    }

    fn expect_nothing_left(&self) -> Result<(), Failed> {
        eventually("the layout's processes have ended", || self.processes().is_empty())?;
        if self.base().exists() {
            return Err(format!("left behind: {:?}", tree(&self.base())).into());
        }
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        if mounts.contains(self.directory.to_str().unwrap()) {
            return Err(format!("mounts are left behind: {mounts}").into());
        }
        let group = format!("carthage-{}", &self.id[..16]);
        let left: Vec<PathBuf> =
            tree(Path::new("/sys/fs/cgroup")).into_iter().filter(|path| path.ends_with(&group)).collect();
        if !left.is_empty() {
            return Err(format!("control groups are left behind: {left:?}").into());
        }
        Ok(())
    }
}

/// Waits for a condition of which nobody tells.
pub(crate) fn eventually(what: &str, condition: impl Fn() -> bool) -> Result<(), Failed> {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !condition() {
        if Instant::now() > deadline {
            return Err(format!("not within 20 s: {what}").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

pub(crate) fn shell(script: &str) -> Exec {
    Exec { argv: ["sh", "-c", script].map(Into::into).to_vec(), ..Exec::default() }
}

pub(crate) async fn run(
    engine: &dyn Engine,
    machine: &MachineSpec,
    exec: Exec,
) -> Result<(Exit, String), Failed> {
    let mut running = engine.exec(machine, exec).await?;
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (read, also) =
        tokio::join!(running.stdout.read_to_end(&mut output), running.stderr.read_to_end(&mut errors));
    read?;
    also?;
    output.extend(errors);
    Ok((running.control.wait().await?, String::from_utf8_lossy(&output).into_owned()))
}

/// A machine with one link for each of these networks; its number is the last of its addresses.
pub(crate) fn machine(name: &str, number: u8, networks: &[&str]) -> MachineSpec {
    let link = |(index, network): (usize, &&str)| LinkSpec {
        interface: format!("eth{index}"),
        network: (*network).to_owned(),
        address: Some(format!("10.37.{index}.{number}/24").parse().unwrap()),
        mac: Some([2, 0, 0, 0, u8::try_from(index).unwrap(), number]),
        ..LinkSpec::default()
    };
    MachineSpec {
        name: format!("{name}.lab"),
        hostname: name.to_owned(),
        links: networks.iter().enumerate().map(link).collect(),
        ..MachineSpec::default()
    }
}

pub(crate) fn network(name: &str) -> NetworkSpec {
    NetworkSpec {
        name: name.to_owned(),
        v4: Some("10.37.0.0/24".parse().unwrap()),
        mtu: Some(1400),
        ..NetworkSpec::default()
    }
}

pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs this program's tests again, as an ordinary user with a home of its own.
pub(crate) fn again_as_an_ordinary_user() -> Result<(), Failed> {
    const NOBODY: u32 = 65534;
    let home = tempfile::tempdir()?;
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755))?;
    let program = home.path().join("tests");
    fs::copy(std::env::current_exe()?, &program)?;
    let own = home.path().join("home");
    fs::create_dir(&own)?;
    chown(&own, Some(NOBODY), Some(NOBODY))?;
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .uid(NOBODY)
            .gid(NOBODY)
            .env("HOME", &own)
            .env("TMPDIR", &own)
            .current_dir(&own);
        command.output()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let allowed = text(&as_nobody(&["__carthage-sandbox", "probe"])?.stdout);
    if !allowed.contains("Ok") {
        println!("skipped: all_as_an_ordinary_user: this host allows no user namespaces: {allowed}");
        return Ok(());
    }
    let output = as_nobody(&[])?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{}{}", text(&output.stdout), text(&output.stderr)).into())
}

fn pids() -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

pub(crate) fn parent(pid: i32) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields.to_owned()).unwrap_or_default();
    fields.split_whitespace().nth(1).and_then(|field| field.parse().ok()).unwrap_or(0)
}

fn tree(top: &Path) -> Vec<PathBuf> {
    let mut all = vec![top.to_owned()];
    let entries = fs::read_dir(top).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        all.extend(tree(&entry.path()));
    }
    all
}
