//! Twenty containers, deployed by a layout and by a bare program over the engine's interface, which makes them with
//! their addresses and starts them, ten at a time; and a plan of the twenty with nothing to do. Medians of alternating rounds, on each engine that it is given.
//!
//! `cargo xtask with-containers cargo bench -p web` starts the engines.

#![expect(clippy::unwrap_used, reason = "a measurement ends where something is not as it must be")]
#![expect(clippy::print_stdout, reason = "its results")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bollard::Docker as Client;
use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, Ipam, IpamConfig,
    NetworkCreateRequest, NetworkingConfig,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder, StartContainerOptions,
};
use carthage::backend::container::ContainerHost;
use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::prelude::*;
use futures_util::{StreamExt, stream};

const ROUNDS: usize = 3;
const COUNT: usize = 20;
const AT_ONCE: usize = 10;

/// What all are plugged into.
#[network(v4 = "10.39.0.0/24", pool = "10.39.0.10-10.39.0.99")]
struct Wire;

/// One of twenty.
#[machine_model(root = "$CARTHAGE_TEST_ROOT")]
struct Node {
    #[link]
    eth0: Link<Wire>,
}

macro_rules! engine {
    ($engine:ident $layout:ident $name:literal $url:literal) => {
        struct $engine;

        impl ContainerHost for $engine {
            const NAME: &'static str = $name;
            const URL: &'static str = $url;
        }

        #[layout(name = "twenty", implementation = Container<$engine>)]
        struct $layout {
            wire: Wire,
            nodes: [Node; 20],
        }
    };
}

engine!(Docker OnDocker "docker" "$CARTHAGE_TEST_DOCKER");
engine!(Podman OnPodman "podman" "$CARTHAGE_TEST_PODMAN");

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        measure::<Docker, OnDocker>().await;
        measure::<Podman, OnPodman>().await;
    });
}

async fn measure<H: ContainerHost, L: carthage::layout::Layout>() {
    let Ok(url) = std::env::var(H::URL.trim_start_matches('$')) else {
        println!(
            "{}: none was started; `cargo xtask with-containers cargo bench -p web` starts one",
            H::NAME
        );
        return;
    };
    let client = Client::connect_with_unix(&url, 120, bollard::API_DEFAULT_VERSION).unwrap();
    let client = client.negotiate_version().await.unwrap();
    let (mut ours, mut bare, mut plans) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let dir = tempfile::tempdir().unwrap();
        let options =
            || Options { state_dir: Some(dir.path().join("state")), parallel: AT_ONCE, ..Options::default() };
        // The image is there already, as it is for the bare program.
        let warm = tempfile::tempdir().unwrap();
        let warm_options = Options { state_dir: Some(warm.path().join("state")), ..Options::default() };
        let (kept, _) = Deployment::open::<L>(Access::Change, warm_options).await.unwrap();
        let first = Selection { include: vec!["machine:node-1".parse().unwrap()], ..Selection::all() };
        let report = kept.deploy(&first).await.unwrap();
        assert!(report.is_complete(), "{report:?}");
        let image = image(&client).await;
        let name = "carthage-bench-image";
        let options_of_tag =
            bollard::query_parameters::TagImageOptionsBuilder::new().repo(name).tag("1").build();
        client.tag_image(&image, Some(options_of_tag)).await.unwrap();
        assert!(kept.destroy(&Selection::all()).await.unwrap().is_complete());
        drop(kept);

        let (deployment, _) = Deployment::open::<L>(Access::Change, options()).await.unwrap();
        let before = Instant::now();
        let report = deployment.deploy(&Selection::all()).await.unwrap();
        ours.push(before.elapsed());
        assert!(report.is_complete(), "{report:?}");
        drop(deployment);
        let before = Instant::now();
        let (deployment, _) = Deployment::open::<L>(Access::Look, options()).await.unwrap();
        let plan = deployment.plan(&Selection::all()).await.unwrap();
        plans.push(before.elapsed());
        assert!(plan.steps.is_empty(), "{plan:?}");
        drop(deployment);
        let (deployment, _) = Deployment::open::<L>(Access::Change, options()).await.unwrap();
        assert!(deployment.destroy(&Selection::all()).await.unwrap().is_complete());

        bare.push(by_hand(&client, &format!("{name}:1")).await);
        client
            .remove_image(&format!("{name}:1"), None::<bollard::query_parameters::RemoveImageOptions>, None)
            .await
            .unwrap();
    }
    let (ours, bare, plan) = (median(ours), median(bare), median(plans));
    println!(
        "{}: {COUNT} containers in {:.2} s, by hand in {:.2} s: {:.2} times; a plan with nothing to do in {:.3} s",
        H::NAME,
        ours.as_secs_f64(),
        bare.as_secs_f64(),
        ours.as_secs_f64() / bare.as_secs_f64(),
        plan.as_secs_f64()
    );
}

/// The image of the layout's containers.
async fn image(client: &Client) -> String {
    let filters = HashMap::from([("label".to_owned(), vec!["carthage.layout=twenty".to_owned()])]);
    let options = bollard::query_parameters::ListContainersOptionsBuilder::new().filters(&filters).build();
    client.list_containers(Some(options)).await.unwrap().pop().unwrap().image_id.unwrap()
}

/// What a person would write.
async fn by_hand(client: &Client, image: &str) -> Duration {
    let before = Instant::now();
    let config = IpamConfig { subnet: Some("10.39.0.0/24".to_owned()), ..IpamConfig::default() };
    let request = NetworkCreateRequest {
        name: "bench".to_owned(),
        internal: Some(true),
        ipam: Some(Ipam { config: Some(vec![config]), ..Ipam::default() }),
        ..NetworkCreateRequest::default()
    };
    client.create_network(request).await.unwrap();
    let make = |number: usize| async move {
        let name = format!("bench-{number}");
        let ipam_config = Some(EndpointIpamConfig {
            ipv4_address: Some(format!("10.39.0.{}", 10 + number)),
            ..EndpointIpamConfig::default()
        });
        let endpoint = EndpointSettings { ipam_config, ..EndpointSettings::default() };
        let script = "trap exit TERM; while :; do sleep 1000 & wait $!; done";
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(["/bin/sh", "-c", script].map(str::to_owned).to_vec()),
            host_config: Some(HostConfig { network_mode: Some("bench".to_owned()), ..HostConfig::default() }),
            networking_config: Some(NetworkingConfig {
                endpoints_config: Some(HashMap::from([("bench".to_owned(), endpoint)])),
            }),
            ..ContainerCreateBody::default()
        };
        let options = CreateContainerOptionsBuilder::new().name(&name).build();
        client.create_container(Some(options), body).await.unwrap();
        client.start_container(&name, None::<StartContainerOptions>).await.unwrap();
    };
    stream::iter(0..COUNT).for_each_concurrent(AT_ONCE, make).await;
    let took = before.elapsed();
    let remove = |number: usize| async move {
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        client.remove_container(&format!("bench-{number}"), Some(options)).await.unwrap();
    };
    stream::iter(0..COUNT).for_each_concurrent(AT_ONCE, remove).await;
    client.remove_network("bench").await.unwrap();
    took
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
