//! What the conformance suite needs of containers, whichever engine makes them: machines, and getting at them from behind.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::Docker;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody, NetworkDisconnectRequest};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions,
};
use carthage::Result;
use carthage::backend::container::ContainerHost;
use carthage::prelude::*;
use carthage_conformance::linked::{Side, Wire};
use carthage_conformance::{Marks, RootMarks, Usurper, Victim};

/// The machine that most is about.
#[machine_model(memory_mb = 512, root = "$CARTHAGE_TEST_ROOT")]
pub struct One {
    /// An address from the pool.
    #[link]
    pub eth0: Link<Wire>,
    /// What is done to it.
    #[customize]
    pub marks: Marks,
    /// What is done to its root before that.
    #[customize]
    pub root: RootMarks,
}

/// Its neighbour.
#[machine_model(root = "$CARTHAGE_TEST_ROOT")]
pub struct Other {
    /// An address and a hardware address of its own.
    #[link(address = "10.71.0.2", mac = "02:00:5e:10:00:02")]
    pub eth0: Link<Wire>,
}

/// In the network of the neighbour.
#[machine_model(root = "$CARTHAGE_TEST_ROOT", shares_links = Other)]
pub struct Sharing;

/// Apart.
#[machine_model(root = "$CARTHAGE_TEST_ROOT")]
pub struct Stranger {
    /// Another network.
    #[link]
    pub lan: Link<Side>,
}

/// Why there is no engine here, if so.
pub fn unfit<H: ContainerHost>() -> Option<String> {
    let variable = H::URL.trim_start_matches('$');
    if std::env::var_os(variable).is_some() {
        return None;
    }
    if !rustix::process::geteuid().is_root() {
        return Some("only root can use the engines that are started for the tests".to_owned());
    }
    Some(format!("no {} was started for the tests; `cargo xtask test` starts one", H::NAME))
}

/// The engine, asked without us.
async fn engine<H: ContainerHost>() -> Result<Docker> {
    let url = std::env::var(H::URL.trim_start_matches('$'))?;
    Ok(Docker::connect_with_unix(&url, 120, bollard::API_DEFAULT_VERSION)?.negotiate_version().await?)
}

/// Kills its first process.
pub async fn kill<H: ContainerHost>(victim: Victim) -> Result<()> {
    Ok(engine::<H>().await?.kill_container(&victim.identity.0, None).await?)
}

/// Removes its container.
pub async fn remove<H: ContainerHost>(victim: Victim) -> Result<()> {
    let engine = engine::<H>().await?;
    match remove_container(&engine, &victim.identity.0).await {
        // Podman removes nothing whose network others have: whoever means it, removes those, too.
        Err(error) if error.to_string().contains("dependent containers") => {
            let shares = format!("carthage.shares={}", victim.machine);
            let filters = HashMap::from([("label", vec![shares])]);
            let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
            for sharing in engine.list_containers(Some(options)).await? {
                remove_container(&engine, &sharing.id.unwrap_or_default()).await?;
            }
            Ok(remove_container(&engine, &victim.identity.0).await?)
        }
        removed => Ok(removed?),
    }
}

async fn remove_container(engine: &Docker, id: &str) -> Result<(), bollard::errors::Error> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    engine.remove_container(id, Some(options)).await
}

/// Gives it less memory; or unplugs it from its networks, where the engine does not say what limits a container has now.
pub async fn alter<H: ContainerHost>(victim: Victim) -> Result<()> {
    let (engine, id) = (engine::<H>().await?, victim.identity.0);
    if H::NAME == "docker" {
        let memory = Some(256 << 20);
        let body = ContainerUpdateBody { memory, memory_swap: memory, ..ContainerUpdateBody::default() };
        return Ok(engine.update_container(&id, body).await?);
    }
    let found = engine.inspect_container(&id, None::<InspectContainerOptions>).await?;
    let networks = found.network_settings.and_then(|settings| settings.networks).unwrap_or_default();
    for network in networks.keys() {
        let request = NetworkDisconnectRequest { container: id.clone(), force: Some(true) };
        engine.disconnect_network(network, request).await?;
    }
    Ok(())
}

/// Puts a container of nobody's in its place.
pub async fn usurp<H: ContainerHost>(victim: Victim) -> Result<Option<Box<dyn Usurper>>> {
    let engine = engine::<H>().await?;
    let was = engine.inspect_container(&victim.identity.0, None::<InspectContainerOptions>).await?;
    let name = was.name.ok_or("it has no name")?.trim_start_matches('/').to_owned();
    remove_container(&engine, &victim.identity.0).await?;
    let body = ContainerCreateBody {
        image: was.image,
        entrypoint: Some(vec!["/bin/sleep".to_owned(), "100000".to_owned()]),
        ..ContainerCreateBody::default()
    };
    let options = CreateContainerOptionsBuilder::new().name(&name).build();
    let id = engine.create_container(Some(options), body).await?.id;
    engine.start_container(&id, None::<StartContainerOptions>).await?;
    Ok(Some(Box::new(Somebody { engine: Arc::new(engine), id })))
}

/// A container of somebody else's.
struct Somebody {
    engine: Arc<Docker>,
    id: String,
}

#[async_trait::async_trait]
impl Usurper for Somebody {
    async fn is_untouched(&self) -> Result<bool> {
        let found = self.engine.inspect_container(&self.id, None::<InspectContainerOptions>).await?;
        Ok(found.state.and_then(|state| state.running) == Some(true))
    }

    async fn remove(self: Box<Self>) -> Result<()> {
        Ok(remove_container(&self.engine, &self.id).await?)
    }
}

/// Containers, networks and images with our labels and names; all that there are, for one deployment is there at a time.
pub async fn left<H: ContainerHost>() -> Result<Vec<String>> {
    let engine = engine::<H>().await?;
    let filters = [("label".to_owned(), vec!["carthage.layout=life".to_owned()])].into();
    let options =
        bollard::query_parameters::ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let mut left = Vec::new();
    for container in engine.list_containers(Some(options)).await? {
        left.push(format!("container {:?}", container.names));
    }
    let options = bollard::query_parameters::ListNetworksOptionsBuilder::new().filters(&filters).build();
    for network in engine.list_networks(Some(options)).await? {
        left.push(format!("network {:?}", network.name));
    }
    Ok(left)
}
