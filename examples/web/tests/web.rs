//! The example, run as a user runs it, on the engines that the tests are given.
//!
//! Not the usual harness: the test program is also the layout after somebody has changed a word in it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../src/application.rs"]
mod application;
#[path = "../src/proxy.rs"]
mod proxy;

use std::io::Write;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::Path;
use std::process::{Command, ExitCode};

use carthage::prelude::*;
use libtest_mimic::{Arguments, Failed, Trial};

use application::Application;
use proxy::Proxy;

/// As in the example.
#[network(v4 = "10.38.0.0/24", pool = "10.38.0.10-10.38.0.19")]
struct Backend;

/// As in the example.
#[machine_model(name = "red", image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[env(GREETING = "hello from red")]
struct Red {
    #[link]
    eth0: Link<Backend>,
    #[customize]
    application: Application,
}

/// With another word.
#[machine_model(name = "blue", image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[env(GREETING = "goodbye from blue")]
struct Blue {
    #[link]
    eth0: Link<Backend>,
    #[customize]
    application: Application,
}

/// As in the example.
#[machine_model(image = "docker.io/library/busybox:1.37", memory_mb = 64)]
#[depends_on(Red)]
#[depends_on(Blue)]
#[expose(80, on = 8080)]
struct Front {
    #[link]
    eth0: Link<Backend>,
    #[customize(Proxy { servers: vec!["red".into(), "blue".into()] })]
    proxy: Proxy,
}

/// The example with one value of the environment changed.
#[layout(name = "web", domain = "web.test", implementation = Container)]
struct Changed {
    backend: Backend,
    red: Red,
    blue: Blue,
    front: Front,
}

const CHANGED: &str = "CARTHAGE_EXAMPLE_CHANGED";
const IMAGE: &str = "docker.io/library/busybox";

fn main() -> ExitCode {
    if std::env::var_os(CHANGED).is_some() {
        return carthage::cli::main::<Changed>();
    }
    let trial = |engine: &'static str, variable: &'static str| {
        Trial::test(format!("deployed_on_{engine}"), move || deployed(engine, variable))
    };
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let trials = vec![trial("docker", "CARTHAGE_TEST_DOCKER"), trial("podman", "CARTHAGE_TEST_PODMAN")];
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn deployed(engine: &str, variable: &str) -> Result<(), Failed> {
    let Ok(url) = std::env::var(variable) else {
        let why = match rustix::process::geteuid().is_root() {
            false => "only root can use the engines that are started for the tests".to_owned(),
            true => format!("no {engine} was started for the tests; `cargo xtask test` starts one"),
        };
        // Whole, whoever else writes.
        std::io::stderr().write_all(format!("skipped: deployed_on_{engine}: {why}\n").as_bytes())?;
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let client = bollard::Docker::connect_with_unix(&url, 120, bollard::API_DEFAULT_VERSION)?;
    // What a registry would have: nothing is fetched from one.
    let image = runtime.block_on(import(&client))?;
    let dir = tempfile::tempdir()?;
    let lived = AssertUnwindSafe(|| lived(&url, dir.path(), &runtime, &client));
    let outcome = std::panic::catch_unwind(lived);
    // After a failure there may be something.
    let destroyed = run(&url, dir.path(), false, &["destroy", "--yes", "--progress", "quiet"], 0);
    runtime.block_on(client.remove_image(
        &image,
        None::<bollard::query_parameters::RemoveImageOptions>,
        None,
    ))?;
    outcome.unwrap_or_else(|panic| resume_unwind(panic))?;
    destroyed.map(drop)
}

fn lived(
    url: &str,
    state: &Path,
    runtime: &tokio::runtime::Runtime,
    client: &bollard::Docker,
) -> Result<(), Failed> {
    let said = run(url, state, false, &["deploy", "--yes", "--progress", "quiet"], 0)?;
    assert!(said.contains("10 done") || said.contains("done in"), "{said}");
    let (first, second) = (get(runtime, client)?, get(runtime, client)?);
    let mut both = [first.lines().last().unwrap_or_default(), second.lines().last().unwrap_or_default()];
    both.sort_unstable();
    assert_eq!(both, ["hello from blue", "hello from red"], "it passes on to both: {first}{second}");
    run(url, state, false, &["plan"], 0)?;

    let before = containers(runtime, client)?;
    let plan = run(url, state, true, &["plan"], 2)?;
    assert!(plan.contains("1 to recreate") && plan.contains("3 things unchanged"), "{plan}");
    assert!(plan.contains("its environment changed in `GREETING`") && !plan.contains("goodbye"), "{plan}");
    run(url, state, true, &["deploy", "--yes", "--progress", "quiet"], 0)?;
    let after = containers(runtime, client)?;
    let new: Vec<_> = after.iter().filter(|container| !before.contains(container)).collect();
    assert!(matches!(new[..], [(name, _)] if name.ends_with("blue.web.test")), "{new:?}");
    let both = [get(runtime, client)?, get(runtime, client)?].concat();
    assert!(both.contains("goodbye from blue") && both.contains("hello from red"), "{both}");

    run(url, state, true, &["destroy", "--yes", "--progress", "quiet"], 0)?;
    assert_eq!(containers(runtime, client)?, []);
    assert_eq!(std::fs::read_dir(state)?.count(), 0, "its state goes, too");
    Ok(())
}

/// Runs the example, or the changed one, which has to end like this; answers what it said.
fn run(url: &str, state: &Path, changed: bool, arguments: &[&str], status: i32) -> Result<String, Failed> {
    let mut command = match changed {
        true => Command::new(std::env::current_exe()?),
        false => Command::new(env!("CARGO_BIN_EXE_web")),
    };
    if changed {
        command.env(CHANGED, "yes");
    }
    let output = command.args(arguments).env("DOCKER_HOST", url).env("CARTHAGE_STATE_DIR", state).output()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.code() == Some(status) {
        Ok(said)
    } else {
        Err(format!("{arguments:?}: {}: {said}", output.status).into())
    }
}

async fn import(client: &bollard::Docker) -> Result<String, Failed> {
    use bollard::query_parameters::{CreateImageOptionsBuilder, TagImageOptionsBuilder};
    let root = std::env::var("CARTHAGE_TEST_ROOT")?;
    let tar = Command::new("tar").args(["-C", &root, "-c", "."]).output()?.stdout;
    let options = CreateImageOptionsBuilder::new().from_src("-").build();
    let mut told = client.create_image(Some(options), Some(bollard::body_full(tar.into())), None);
    let mut id = None;
    while let Some(step) = std::future::poll_fn(|cx| {
        let stream = std::pin::Pin::new(&mut told);
        futures_util::Stream::poll_next(stream, cx)
    })
    .await
    {
        id = step?.status.filter(|status| status.starts_with("sha256:")).or(id);
    }
    let options = TagImageOptionsBuilder::new().repo(IMAGE).tag("1.37").build();
    client.tag_image(&id.ok_or("the engine does not say which")?, Some(options)).await?;
    Ok(format!("{IMAGE}:1.37"))
}

/// Names and ids of the layout's containers.
fn containers(
    runtime: &tokio::runtime::Runtime,
    client: &bollard::Docker,
) -> Result<Vec<(String, String)>, Failed> {
    let filters = [("label".to_owned(), vec!["carthage.layout=web".to_owned()])].into();
    let options =
        bollard::query_parameters::ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let all = runtime.block_on(client.list_containers(Some(options)))?;
    Ok(all.into_iter().map(|container| (container.names.unwrap().concat(), container.id.unwrap())).collect())
}

/// The page behind port 8080 of the engine's host, in whose network namespace the parents of containers are.
fn get(runtime: &tokio::runtime::Runtime, client: &bollard::Docker) -> Result<String, Failed> {
    let (_, id) = containers(runtime, client)?.pop().ok_or("there is no container")?;
    let found = runtime.block_on(
        client.inspect_container(&id, None::<bollard::query_parameters::InspectContainerOptions>),
    )?;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", found.state.unwrap().pid.unwrap()))?;
    let engine = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().to_owned();
    let script =
        "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; timeout 10 cat <&3";
    let output = Command::new("nsenter")
        .arg(format!("--net=/proc/{engine}/ns/net"))
        .args(["bash", "-c", script])
        .output()?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}
