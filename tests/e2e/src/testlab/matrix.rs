//! A layout of machines that are simulated: small, with something of everything that a deployment does.

use std::time::Duration;

use carthage::backend::Simulated;
use carthage::machine::start::Needed;
use carthage::prelude::*;

use super::setting;

/// Where the gateway and the workers are.
#[network(v4 = "10.63.0.0/24", pool = "10.63.0.5-10.63.0.99")]
pub struct Front;

/// Behind the gateway.
#[network(v4 = "10.64.0.0/24", pool = "10.64.0.5-10.64.0.9")]
pub struct Back;

/// Made once.
#[injectable]
pub struct Token(String);

/// Serves the others.
#[machine_model(memory_mb = 256, dynamic_dependencies = Self::needs)]
pub struct Gateway {
    /// To the workers.
    #[link(address = "10.63.0.2")]
    pub front: Link<Front>,
    /// To nobody.
    #[link]
    pub back: Link<Back>,
    /// Before it runs.
    #[customize(Base { text: setting("TESTLAB_TEXT", "hello".to_owned()) })]
    pub base: Base,
    /// When it does.
    #[customize(Serve { port: setting("TESTLAB_PORT", 8080) })]
    pub serve: Serve,
}

impl Gateway {
    /// What cannot be, if a test wants it.
    async fn needs(_: &Placed<Self>) -> Result<Vec<Needed>> {
        let worker = setting("TESTLAB_CIRCLE", false).then(|| Needed::machine("worker-1"));
        Ok(worker.into_iter().collect())
    }
}

/// Starts after the gateway.
#[machine_model(tags = ["work"])]
pub struct Worker {
    /// An address from the pool.
    #[link]
    pub front: Link<Front>,
    /// Starts first.
    #[inject]
    pub gateway: Placed<Gateway>,
    /// The same for all.
    #[inject]
    pub token: Arc<Token>,
    /// Gets it.
    #[customize(Join { at: gateway.name(), token: token.clone() })]
    pub join: Join,
}

/// What the root is given.
pub struct Base {
    /// The text of a file.
    pub text: String,
}

#[customization(container)]
impl Base {
    /// Write it.
    #[setup_task(hash = &self.text)]
    async fn motd(&self, root: &Root) -> Result<()> {
        root.write("/etc/motd", &self.text).await
    }

    /// Only after it.
    #[setup_task(after = motd)]
    async fn issue(&self, root: &Root) -> Result<()> {
        root.write("/etc/issue", "a machine").await
    }
}

/// A service.
pub struct Serve {
    /// Its port.
    pub port: u16,
}

#[customization]
impl Serve {
    /// Start it.
    #[setup_task(hash = self.port)]
    async fn start(&self, host: &Host) -> Result<()> {
        carthage::state::crash_point("task-body");
        host.spawn(["server", &self.port.to_string()]).await?;
        host.wait_for_port(self.port, Duration::from_secs(20)).await
    }

    /// Tell of it.
    #[setup_task(after = start)]
    async fn announce(&self, host: &Host) -> Result<()> {
        host.write("/srv/announced", self.port.to_string()).await?;
        carthage::state::crash_point("task-body");
        Ok(())
    }
}

/// What a worker does.
pub struct Join {
    /// Where.
    pub at: &'static str,
    /// With what.
    pub token: Arc<Token>,
}

#[customization]
impl Join {
    /// Keep what is needed for it.
    #[setup_task(hash = self.at)]
    async fn configure(&self, host: &Host) -> Result<()> {
        host.write("/etc/join", format!("{} {}", self.at, self.token.0)).await
    }

    /// Do it; the others may not be ready yet.
    #[setup_task(after = configure, timeout_seconds = 30, retries = 2)]
    async fn join(&self, host: &Host) -> Result<()> {
        host.run(["join", self.at]).await?;
        Ok(())
    }
}

/// A gateway and as many workers as the test wants.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Matrix {
    /// The same in every run.
    #[provide(persist, Token(format!("{:032x}", fastrand::u128(..))))]
    pub token: Arc<Token>,
    /// In front.
    pub front: Front,
    /// Behind.
    pub back: Back,
    /// Between.
    pub gateway: Gateway,
    /// On the one side.
    #[member(list = (1..=setting("TESTLAB_WORKERS", 2)).map(worker))]
    pub workers: Fleet<Worker>,
}

/// The same, with a model that has tasks, and a machine that takes in what they generate.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Generating {
    /// The same in every run.
    #[provide(persist, Token(format!("{:032x}", fastrand::u128(..))))]
    pub token: Arc<Token>,
    /// In front.
    pub front: Front,
    /// Behind.
    pub back: Back,
    /// Between.
    pub gateway: Gateway,
    /// On the one side.
    #[member(list = (1..=setting("TESTLAB_WORKERS", 2)).map(worker))]
    pub workers: Fleet<Worker>,
    /// Takes it in.
    pub reader: Reader,
}

#[model_tasks]
impl Generating {
    /// Render who there is.
    #[setup_task(hash = setting("TESTLAB_TEXT", "hello".to_owned()))]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        carthage::state::crash_point("model-task-body");
        let text = setting("TESTLAB_TEXT", "hello".to_owned());
        dir.write("peers", format!("{text} {}", self.gateway.name())).await?;
        carthage::state::crash_point("model-task-body");
        Ok(())
    }
}

/// Takes in what is generated.
#[machine_model]
pub struct Reader {
    /// How.
    #[customize]
    pub peers: Peers,
}

/// Who there is.
#[derive(Default)]
pub struct Peers;

#[customization]
impl Peers {
    /// Know them.
    #[setup_task]
    async fn install(&self, host: &Host, #[inject] made: &Generated<Generating>) -> Result<()> {
        host.write("/etc/peers", made.read("peers").await?).await
    }
}

/// The same, in which the gateway and its network have other names and fields.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Moved {
    /// The same in every run.
    #[provide(persist, Token(format!("{:032x}", fastrand::u128(..))))]
    pub token: Arc<Token>,
    /// In front.
    #[moved_from("front")]
    pub outside: Front,
    /// Behind.
    pub back: Back,
    /// Between.
    #[moved_from("gateway")]
    #[member(name = "portal")]
    pub portal: Gateway,
    /// On the one side.
    #[member(list = (1..=setting("TESTLAB_WORKERS", 2)).map(worker))]
    pub workers: Fleet<Worker>,
}

/// The same, with a gateway of another name.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Renamed {
    /// The same in every run.
    #[provide(persist, Token(format!("{:032x}", fastrand::u128(..))))]
    pub token: Arc<Token>,
    /// In front.
    pub front: Front,
    /// Behind.
    pub back: Back,
    /// Between.
    #[member(name = "portal")]
    pub gateway: Gateway,
}

/// The gateway, when it serves nobody any more.
#[machine_model(memory_mb = 256)]
pub struct Silent {
    /// To nobody.
    #[link(address = "10.63.0.2")]
    pub front: Link<Front>,
    /// To nobody.
    #[link]
    pub back: Link<Back>,
    /// Before it runs.
    #[customize(Base { text: setting("TESTLAB_TEXT", "hello".to_owned()) })]
    pub base: Base,
}

/// The same, without those that the gateway served.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Unserved {
    /// In front.
    pub front: Front,
    /// Behind.
    pub back: Back,
    /// Between.
    #[member(name = "gateway")]
    pub gateway: Silent,
}

/// The name of a worker; the test can have two of one name, which no layout can have.
fn worker(n: u32) -> String {
    format!("worker-{}", n.min(setting("TESTLAB_LAST_NAME", n)))
}

/// What is generated in it stays when it has left the layout.
#[enclave]
#[policy(orphan = retain)]
pub struct Archive {
    /// Goes.
    pub filed: Filed,
}

/// A machine in it.
#[machine_model]
#[policy(orphan = delete)]
pub struct Filed;

#[model_tasks]
impl Archive {
    /// Write down who is in it.
    #[setup_task]
    async fn file(&self, dir: &ModelDir) -> Result<()> {
        dir.write("who", self.filed.name()).await
    }
}

/// With an archive.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Archived {
    /// In front.
    pub front: Front,
    /// Behind.
    pub back: Back,
    /// As in the others.
    pub gateway: Gateway,
    /// What is kept.
    pub archive: Archive,
}
