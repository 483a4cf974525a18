//! What the tests share: a site of its own for each, machines and commands.

use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use carthage_runtime::backend::Vm;
use carthage_runtime::event::Events;
use carthage_runtime::machine::engine::{
    BootSpec, Engine, Exec, LinkSpec, MachineSpec, Namespace, Neighbours, NetworkSpec, Site,
};
use carthage_runtime::machine::implementation::Implementation;
use carthage_runtime::{BoxError, Error, ErrorKind};
use futures_util::FutureExt;
use tokio::io::AsyncReadExt;
use virt::connect::Connect;

pub(crate) type Outcome = Result<(), BoxError>;
pub(crate) type Test = fn(TestSite) -> Pin<Box<dyn Future<Output = Outcome>>>;
pub(crate) const GRACE: Duration = Duration::from_secs(20);

const VARIABLE: &str = "CARTHAGE_TEST_LIBVIRT";
const LIMIT: Duration = Duration::from_secs(300);

/// Runs a test with a site, and expects that in the end nothing of it is left.
pub(crate) fn run(name: &str, test: Test) -> Result<(), libtest_mimic::Failed> {
    run_there(name, test).map_err(|error| carthage_runtime::chain(&*error).into())
}

fn run_there(name: &str, test: Test) -> Outcome {
    let (given, used) = (std::env::var_os(VARIABLE), std::env::var_os("LIBVIRT_DEFAULT_URI"));
    if given.is_none() || given != used {
        let why = "no libvirt was started for the tests; `cargo xtask test` starts one";
        // Whole, whoever else writes.
        std::io::stderr().write_all(format!("skipped: {name}: {why}\n").as_bytes())?;
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let directory = tempfile::tempdir()?;
    runtime.block_on(async {
        let id = format!("{:032x}", fastrand::u128(..));
        let neighbours = Arc::new(Known::default());
        let site = Site {
            looks: false,
            layout: "test".into(),
            id: id.clone(),
            state: directory.path().join("state"),
            storage: carthage_runtime::state::storage::usual(),
            logs: directory.path().join("logs"),
            private: Vec::new(),
            neighbours: neighbours.clone(),
            events: Events::none(),
            rehearsal: Arc::default(),
        };
        let engine = Vm::<carthage_runtime::backend::vm::Discovered>::open(site).await?;
        let site = TestSite { directory: directory.path().to_owned(), id, engine, neighbours, net: net() };
        let test = AssertUnwindSafe(test(site.clone())).catch_unwind();
        let outcome = tokio::time::timeout(LIMIT, test).await;
        site.engine.clear().await?;
        site.engine.let_go();
        site.expect_nothing_left()?;
        outcome?.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A number for the subnets of one test: they share a host.
fn net() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The machines that the engine may ask for.
#[derive(Debug, Default)]
struct Known(Mutex<Vec<MachineSpec>>);

#[async_trait]
impl Neighbours for Known {
    fn spec(&self, machine: &str) -> Option<MachineSpec> {
        self.0.lock().unwrap().iter().find(|spec| spec.name == machine).cloned()
    }

    async fn namespace(&self, machine: &str) -> Result<Namespace, Error> {
        Err(Error::new(ErrorKind::NotFound, format!("`{machine}` is this host's")))
    }
}

/// A layout's place, with an engine on it.
#[derive(Clone)]
pub(crate) struct TestSite {
    pub(crate) directory: PathBuf,
    id: String,
    pub(crate) engine: Arc<dyn Engine>,
    neighbours: Arc<Known>,
    net: u8,
}

/// A file that the machines of the tests boot from.
pub(crate) fn file(name: &str) -> PathBuf {
    std::env::var_os(format!("CARTHAGE_TEST_VM_{name}")).unwrap().into()
}

impl TestSite {
    /// A machine on the network `lan`.
    pub(crate) fn machine(&self, name: &str) -> MachineSpec {
        let boot = BootSpec {
            kernel: file("KERNEL"),
            initrd: Some(file("INITRD")),
            arguments: "console=ttyS0 quiet mitigations=off".into(),
        };
        let link = LinkSpec {
            interface: "eth0".into(),
            network: "lan".into(),
            address: format!("10.73.{}.10/24", self.net).parse().ok(),
            mac: Some([2, 0, 0, 73, self.net, 10]),
            ..LinkSpec::default()
        };
        let machine = MachineSpec {
            name: format!("{name}.lab"),
            hostname: name.to_owned(),
            memory_mb: Some(160),
            image: file("IMAGE").into_os_string().into_string().ok(),
            boot: Some(boot),
            links: vec![link],
            ..MachineSpec::default()
        };
        self.neighbours.0.lock().unwrap().push(machine.clone());
        machine
    }

    pub(crate) fn network(&self) -> NetworkSpec {
        NetworkSpec {
            name: "lan".into(),
            v4: format!("10.73.{}.0/24", self.net).parse().ok(),
            ..NetworkSpec::default()
        }
    }

    /// The network and a machine, running.
    pub(crate) async fn up(&self, machine: &MachineSpec) -> Result<(), Error> {
        self.engine.create_network(&self.network()).await?;
        self.engine.create(machine).await?;
        self.engine.start(machine).await
    }

    /// What a shell script of root of the machine writes; it has to end well.
    pub(crate) async fn sh(&self, machine: &MachineSpec, script: &str) -> Result<String, BoxError> {
        let exec = Exec { argv: ["sh", "-c", script].map(Into::into).to_vec(), ..Exec::default() };
        let mut running = self.engine.exec(machine, exec).await?;
        let (mut output, mut errors) = (String::new(), String::new());
        let (read, also) = tokio::join!(
            running.stdout.read_to_string(&mut output),
            running.stderr.read_to_string(&mut errors)
        );
        read?;
        also?;
        match running.control.wait().await? {
            exit if exit.success() => Ok(output.trim_end().to_owned()),
            exit => Err(format!("`{script}`: {exit}: {output}{errors}").into()),
        }
    }

    /// What of this site libvirt has, by name.
    pub(crate) fn libvirt_has(&self) -> Result<Vec<String>, BoxError> {
        let connect = connect()?;
        let mut names = Vec::new();
        for domain in connect.list_all_domains(0)? {
            names.push(domain.get_name()?);
        }
        for network in connect.list_all_networks(0)? {
            names.push(network.get_name()?);
        }
        for pool in connect.list_all_storage_pools(0)? {
            names.push(pool.get_name()?);
        }
        names.retain(|name| name.contains(&self.id[..8]));
        Ok(names)
    }

    fn expect_nothing_left(&self) -> Outcome {
        let left = self.libvirt_has()?;
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}").into()) }
    }
}

/// A connection besides the engine's.
pub(crate) fn connect() -> Result<Connect, BoxError> {
    Ok(Connect::open(Some(&std::env::var(VARIABLE)?))?)
}

/// Fails unless the text has the word in it.
pub(crate) fn has(text: &str, word: &str) -> Outcome {
    if text.contains(word) { Ok(()) } else { Err(format!("no `{word}` in: {text}").into()) }
}
