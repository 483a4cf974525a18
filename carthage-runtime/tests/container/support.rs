//! What the tests share: a site of its own for each, machines, commands, and the engine's own program's view.

use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bollard::Docker as Client;
use carthage_runtime::BoxError;
use carthage_runtime::backend::Container;
use carthage_runtime::backend::container::ContainerHost;
use carthage_runtime::event::{Event, Events, Sink};
use carthage_runtime::machine::engine::{
    Engine, Exec, Exit, LinkSpec, MachineSpec, NetworkSpec, Presence, Site,
};
use carthage_runtime::machine::implementation::Implementation;
use futures_util::FutureExt;
use tokio::io::AsyncReadExt;

pub(crate) type Outcome = Result<(), BoxError>;
pub(crate) type Test = fn(TestSite) -> Pin<Box<dyn Future<Output = Outcome>>>;
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// The Docker that the tests are given.
pub(crate) struct Docker;

impl ContainerHost for Docker {
    const NAME: &'static str = "docker";
    const URL: &'static str = "$CARTHAGE_TEST_DOCKER";
}

/// The Podman that the tests are given.
pub(crate) struct Podman;

impl ContainerHost for Podman {
    const NAME: &'static str = "podman";
    const URL: &'static str = "$CARTHAGE_TEST_PODMAN";
}

/// Runs a test with a site, and expects that in the end nothing of it is left.
pub(crate) fn run<H: ContainerHost>(name: &str, test: Test) -> Result<(), libtest_mimic::Failed> {
    run_on::<H>(name, test).map_err(|error| carthage_runtime::chain(&*error).into())
}

fn run_on<H: ContainerHost>(name: &str, test: Test) -> Outcome {
    let Ok(url) = std::env::var(H::URL.trim_start_matches('$')) else {
        let engine = H::NAME;
        let why = match nix::unistd::geteuid().is_root() {
            false => "only root can use the engines that are started for the tests".to_owned(),
            true => format!("no {engine} was started for the tests; `cargo xtask test` starts one"),
        };
        // Whole, whoever else writes.
        std::io::stderr().write_all(format!("skipped: {engine}::{name}: {why}\n").as_bytes())?;
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let directory = tempfile::tempdir()?;
    runtime.block_on(async {
        let id = format!("{:032x}", fastrand::u128(..));
        let told = Told::default();
        let site = Site {
            looks: false,
            layout: "test".into(),
            id: id.clone(),
            state: directory.path().join("state"),
            storage: carthage_runtime::state::storage::usual(),
            logs: directory.path().join("logs"),
            private: Vec::new(),
            neighbours: Arc::new(()),
            rehearsal: Arc::default(),
            events: Events::new(told.clone()),
        };
        let client =
            Client::connect_with_unix(&url, 120, bollard::API_DEFAULT_VERSION)?.negotiate_version().await?;
        let engine = Container::<H>::open(site).await?;
        let site = TestSite { directory: directory.path().to_owned(), id, engine, client, told, net: net() };
        let test = AssertUnwindSafe(test(site.clone())).catch_unwind();
        let outcome = tokio::time::timeout(Duration::from_secs(180), test).await;
        site.engine.clear().await?;
        site.expect_nothing_left().await?;
        outcome?.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// A number for the subnets of one test: they share an engine.
fn net() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Keeps events.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Event>>>);

impl Sink for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Told {
    /// What they say.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

/// A layout's place, with an engine on it.
#[derive(Clone)]
pub(crate) struct TestSite {
    pub(crate) directory: PathBuf,
    pub(crate) id: String,
    pub(crate) engine: Arc<dyn Engine>,
    /// The same engine, asked without us.
    pub(crate) client: Client,
    /// What the engine has told of its work.
    pub(crate) told: Told,
    net: u8,
}

/// The tree that containers of the tests are made from.
pub(crate) fn root() -> PathBuf {
    let Some(root) = std::env::var_os("CARTHAGE_TEST_ROOT") else {
        panic!("`CARTHAGE_TEST_ROOT` is set with the engines")
    };
    root.into()
}

impl TestSite {
    /// A machine with one link for each of these networks, which are `a` to `d`; its number is the last of its addresses.
    pub(crate) fn machine(&self, name: &str, number: u8, networks: &[&str]) -> MachineSpec {
        let link = |(at, network): (usize, &&str)| LinkSpec {
            interface: format!("port{at}"),
            network: (*network).to_owned(),
            address: Some(self.address(network, number).parse().unwrap()),
            mac: Some([2, 0, self.net, 0, network.as_bytes()[0], number]),
            ..LinkSpec::default()
        };
        MachineSpec {
            name: format!("{name}.lab"),
            hostname: name.to_owned(),
            root: Some(root()),
            links: networks.iter().enumerate().map(link).collect(),
            ..MachineSpec::default()
        }
    }

    pub(crate) fn address(&self, network: &str, number: u8) -> String {
        let block = 16 * (network.as_bytes()[0] - b'a');
        format!("10.{}.{}.{}/28", 90 + self.net / 250, self.net, block + number)
    }

    pub(crate) fn network(&self, name: &str) -> NetworkSpec {
        let net: ipnet::IpNet = self.address(name, 0).parse().unwrap();
        NetworkSpec {
            name: name.to_owned(),
            v4: Some(net.trunc()),
            mtu: Some(1400),
            ..NetworkSpec::default()
        }
    }

    pub(crate) fn is_docker(&self) -> bool {
        self.engine.name().ends_with("docker")
    }

    /// Networks and machines, running.
    pub(crate) async fn up(&self, machines: &[&MachineSpec]) -> Outcome {
        for link in machines.iter().flat_map(|machine| &machine.links) {
            self.engine.create_network(&self.network(&link.network)).await?;
        }
        for machine in machines {
            self.engine.create(machine).await?;
            self.engine.start(machine).await?;
        }
        Ok(())
    }

    pub(crate) async fn is_running(&self, machine: &MachineSpec) -> Result<bool, BoxError> {
        Ok(matches!(self.engine.find(machine).await?, Presence::Running(_)))
    }

    /// Runs a shell script as root of the machine; how it ended, and what it wrote.
    pub(crate) async fn sh(&self, machine: &MachineSpec, script: &str) -> Result<(Exit, String), BoxError> {
        let exec = Exec { argv: ["sh", "-c", script].map(Into::into).to_vec(), ..Exec::default() };
        let mut running = self.engine.exec(machine, exec).await?;
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        let (read, also) =
            tokio::join!(running.stdout.read_to_end(&mut output), running.stderr.read_to_end(&mut errors));
        read?;
        also?;
        output.extend(errors);
        Ok((running.control.wait().await?, String::from_utf8_lossy(&output).into_owned()))
    }

    /// The same, expected to end well.
    pub(crate) async fn sh_ok(&self, machine: &MachineSpec, script: &str) -> Result<String, BoxError> {
        let (exit, output) = self.sh(machine, script).await?;
        if exit.success() { Ok(output) } else { Err(format!("`{script}`: {exit}: {output}").into()) }
    }

    /// What the container of a machine is called.
    pub(crate) fn container(&self, machine: &MachineSpec) -> String {
        format!("carthage-{}-{}", &self.id[..8], machine.name)
    }

    async fn expect_nothing_left(&self) -> Outcome {
        let prefix = format!("carthage-{}", &self.id[..8]);
        let mut left = Vec::new();
        let filters = [("label".to_owned(), vec![format!("carthage.site={}", self.id)])].into();
        let options = bollard::query_parameters::ListContainersOptionsBuilder::new()
            .all(true)
            .filters(&filters)
            .build();
        for container in self.client.list_containers(Some(options)).await? {
            left.extend(container.names.into_iter().flatten());
        }
        left.extend(self.client.list_networks(None).await?.into_iter().filter_map(|network| network.name));
        left.retain(|name| name.contains(&prefix));
        let images = loop {
            let options = bollard::query_parameters::ListImagesOptionsBuilder::new().build();
            match self.client.list_images(Some(options)).await {
                // Podman makes no list while another test removes one of them.
                Err(failure) if failure.to_string().contains("image not known") => {}
                listed => break listed?,
            }
        };
        left.extend(
            images.into_iter().flat_map(|image| image.repo_tags).filter(|tag| tag.ends_with(&self.id)),
        );
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {left:?}").into()) }
    }
}

/// Fails unless the text has the word in it.
pub(crate) fn has(text: &str, word: &str) -> Outcome {
    if text.contains(word) { Ok(()) } else { Err(format!("no `{word}` in: {text}").into()) }
}

/// Copies the tree that containers are made from.
pub(crate) fn copy_of_root(to: &Path) -> Outcome {
    let status = std::process::Command::new("cp").arg("-a").arg(root()).arg(to).status()?;
    if status.success() { Ok(()) } else { Err("cp failed".into()) }
}
