//! A layout whose models have tasks of their own, and machines that take in what these generate.

use carthage::backend::Simulated;
use carthage::customize::{OwnHost, WorkplaceOn};
use carthage::prelude::*;

use super::setting;

/// Takes in what is generated around it, and by its own model.
#[machine_model]
pub struct Node {
    /// How.
    #[customize]
    pub install: Install,
}

#[model_tasks]
impl Node {
    /// Make a key.
    #[setup_task]
    async fn key(&self, dir: &ModelDir) -> Result<()> {
        dir.write_with_mode("key", 0o600, "key").await
    }
}

/// A customization.
#[derive(Default)]
pub struct Install;

#[customization]
impl Install {
    /// Take in the hosts.
    #[setup_task]
    async fn hosts(&self, host: &Host, #[inject] made: &Generated<Inside>) -> Result<()> {
        let inside = format!("{}/hosts", made.name());
        host.copy_in(made.path_of("hosts")?, format!("/etc/{inside}")).await
    }

    /// Take in the key of the machine's own model.
    #[setup_task]
    async fn key(&self, host: &Host, #[inject] made: &Generated<Node>) -> Result<()> {
        host.write("/etc/key", made.read("key").await?).await
    }
}

/// A machine that has nothing to do with it, and a host of its own kind.
#[machine_model]
pub struct Other {
    /// Its ports.
    #[customize(Ports { vlan: setting("TESTLAB_VLAN", 20) })]
    pub ports: Ports,
}

/// What a switch is told by.
pub struct Console {
    switch: Machine,
}

impl OwnHost for Console {
    type From = Host;

    async fn open(host: &Host) -> Result<Self> {
        if setting("TESTLAB_CLOSED", false) {
            return Err("the console does not answer".into());
        }
        Ok(Self { switch: host.machine().clone() })
    }
}

impl WorkplaceOn<Simulated> for Console {}

impl Console {
    /// The VLAN of a port, if it has one.
    async fn vlan(&self, port: u16) -> Result<Option<u16>> {
        let file = format!("/vlan/{port}");
        Ok(match self.switch.exists(&file).await? {
            true => Some(self.switch.read_to_string(&file).await?.parse()?),
            false => None,
        })
    }

    async fn set_vlan(&self, port: u16, vlan: u16) -> Result<()> {
        self.switch.write(format!("/vlan/{port}"), vlan.to_string()).await
    }
}

/// A customization for it.
pub struct Ports {
    /// Of the first port.
    pub vlan: u16,
}

#[customization(host = Console)]
impl Ports {
    /// The first port is the office's.
    #[setup_task]
    async fn office(&self, console: &Console) -> Result<()> {
        console.set_vlan(1, self.vlan).await
    }

    #[invalidator(office)]
    async fn is_the_offices(&self, console: &Console) -> Result<bool> {
        Ok(console.vlan(1).await? == Some(self.vlan))
    }
}

/// Where it is generated.
#[enclave(domain = "inside")]
pub struct Inside {
    /// A value of the model's.
    #[provide(Site(setting("TESTLAB_SITE", "here".to_owned())))]
    pub site: Arc<Site>,
    /// The machine.
    pub node: Node,
}

/// What a site is called.
#[injectable]
pub struct Site(String);

#[model_tasks]
impl Inside {
    /// Render the hosts.
    #[setup_task(hash = &self.site.0)]
    async fn render(&self, dir: &ModelDir) -> Result<()> {
        if setting("TESTLAB_FAILS", false) {
            return Err("nothing can be rendered".into());
        }
        carthage::state::crash_point("model-task-body");
        let around = std::fs::read_to_string(dir.path().with_file_name("@layout").join("ca"))?;
        dir.write("hosts", format!("{} {} {around}", self.site.0, self.node.name())).await
    }

    /// Count the times.
    #[setup_task(after = render)]
    async fn count(&self, dir: &ModelDir) -> Result<()> {
        let before = match dir.exists("count").await? {
            true => dir.read_to_string("count").await?,
            false => String::new(),
        };
        dir.write("count", before + "x").await
    }

    #[invalidator(count)]
    async fn is_counted(&self, dir: &ModelDir) -> Result<bool> {
        dir.exists("count").await
    }
}

/// The whole.
#[layout(name = "testlab", implementation = Simulated)]
pub struct Testlab {
    /// With tasks.
    pub inside: Inside,
    /// Beside it.
    pub other: Other,
}

#[model_tasks]
impl Testlab {
    /// Make an authority.
    #[setup_task]
    async fn authority(&self, dir: &ModelDir) -> Result<()> {
        dir.write("ca", "authority").await
    }
}
