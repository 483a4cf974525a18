//! What commands cost on a host that is reached by ssh, against the same commands over a bare session of the crate `openssh`: 100
//! times `true`, one after the other and ten at once. The server is a real one, in a sandbox; and as many hosts as are asked for are
//! taken over at once.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people")]

use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::prelude::*;
use carthage::{BareMetal, backend::Sandbox};
use carthage_conformance::footprint::Footprint;
use carthage_conformance::openssh::{self as fixture, OpenSshServer};
use futures_util::{StreamExt, TryStreamExt, stream};

/// How many commands.
const COMMANDS: usize = 100;
/// How often each way is measured; the median counts.
const ROUNDS: usize = 9;

/// What all are on.
#[network(v4 = "10.76.0.0/24")]
struct Wire;

/// Where connections begin.
#[machine_model]
struct Gate {
    #[link(address = "10.76.0.1")]
    eth0: Link<Wire>,
}

/// Hosts.
#[machine_model(name = "host")]
struct Server {
    #[link(address = "10.76.0.10-10.76.0.109")]
    eth0: Link<Wire>,
    #[customize]
    ssh: OpenSshServer,
}

/// The same, reached by ssh.
#[machine_model(name = "metal", ip_address = "10.76.0.10-10.76.0.109", ssh_origin = Gate, ssh_learn_host_key)]
#[depends_on(Server)]
struct Reached;

/// What is reached.
#[enclave(implementation = BareMetal)]
struct Metal {
    metals: [Reached; 100],
}

/// All of it.
#[layout(name = "bench", implementation = Sandbox)]
struct Bench {
    wire: Wire,
    gate: Gate,
    hosts: [Server; 100],
    metal: Metal,
}

fn main() -> ExitCode {
    if let Some(code) = carthage::backend::helper_main(std::env::args_os()) {
        return code;
    }
    if let Some(why) = fixture::unfit() {
        println!("it cannot be measured here: {why}");
        return ExitCode::FAILURE;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match runtime.block_on(measure()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error:?}");
            ExitCode::FAILURE
        }
    }
}

async fn measure() -> carthage::Result<()> {
    let dir = tempfile::Builder::new().prefix("carthage-bench-").tempdir()?;
    let options = Options { state_dir: Some(dir.path().into()), parallel: 10, ..Options::default() };
    let (deployment, _) = Deployment::open::<Bench>(Access::Change, options).await?;
    let outcome = measured(&deployment, &dir.path().join("bench")).await;
    let report = deployment.destroy(&Selection::all()).await?;
    if !report.is_complete() {
        return Err(format!("{report:#?}").into());
    }
    outcome
}

async fn deployed(deployment: &Deployment, pattern: &str) -> carthage::Result<Duration> {
    let begun = Instant::now();
    let selection = Selection { include: vec![pattern.parse()?], ..Selection::all() };
    let report = deployment.deploy(&selection).await?;
    if report.is_complete() { Ok(begun.elapsed()) } else { Err(format!("{report:#?}").into()) }
}

async fn measured(deployment: &Deployment, state: &std::path::Path) -> carthage::Result<()> {
    let hosts = deployed(deployment, "machine:host-*").await?;
    println!("100 sandboxes with an OpenSSH server: {:.1} s", hosts.as_secs_f64());
    let metal = deployed(deployment, "machine:metal-*").await?;
    println!("100 hosts taken over, 10 at a time:   {:.1} s", metal.as_secs_f64());
    let machine = deployment.machine("metal-1")?;
    machine.run(["true"]).await?;
    let (_master, session) = bare(state).await?;
    for (how, at_once) in [("one after the other", 1), ("ten at once", 10)] {
        let (mut ours, mut bare) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            let one = || async { session.command("true").status().await.map(drop) };
            stream::iter(0..COMMANDS)
                .map(|_| one())
                .buffer_unordered(at_once)
                .try_collect::<Vec<_>>()
                .await?;
            bare.push(begun.elapsed());
            let begun = Instant::now();
            let one = || async { machine.run(["true"]).await.map(drop) };
            stream::iter(0..COMMANDS)
                .map(|_| one())
                .buffer_unordered(at_once)
                .try_collect::<Vec<_>>()
                .await?;
            ours.push(begun.elapsed());
        }
        let (ours, bare) = (median(ours), median(bare));
        println!(
            "{COMMANDS} × `true`, {how}: {:.0} ms, bare {:.0} ms, ratio {:.2}",
            ours.as_secs_f64() * 1e3,
            bare.as_secs_f64() * 1e3,
            ours.as_secs_f64() / bare.as_secs_f64()
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// A session as a program makes one that knows nothing of layouts.
async fn bare(state: &std::path::Path) -> carthage::Result<(tokio::process::Child, Arc<openssh::Session>)> {
    let owned = state.to_owned();
    let gate = tokio::task::spawn_blocking(move || Footprint::of(&owned).process("gate")).await?;
    let control = state.join("ssh/bare");
    let mut command = tokio::process::Command::new("nsenter");
    command.arg(format!("--net=/proc/{}/ns/net", gate.as_raw_nonzero()));
    command.args([
        "ssh",
        "-F",
        "/dev/null",
        "-o",
        "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null",
    ]);
    command.args(["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-M", "-N", "-S"]).arg(&control);
    command
        .arg("-i")
        .arg(state.join("ssh/key"))
        .arg("root@10.76.0.10")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let master = command.spawn()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while !control.exists() {
        if Instant::now() > deadline {
            return Err("the bare session is not made".into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok((master, Arc::new(openssh::Session::resume_mux(control.into(), None))))
}
