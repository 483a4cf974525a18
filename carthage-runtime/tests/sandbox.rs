//! The `Sandbox` implementation, for real: namespaces, overlays and bridges on this host.
//!
//! Not the usual harness: the test program is also the helper that `Sandbox` starts.

#![allow(clippy::unwrap_used, unused_extern_crates)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use carthage_runtime::backend::{Sandbox, helper_main};
use carthage_runtime::machine::engine::*;
use carthage_runtime::machine::implementation::Implementation;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::io::AsyncReadExt;

struct TestSite {
    dir: tempfile::TempDir,
    engine: Arc<dyn Engine>,
}

async fn site() -> TestSite {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let logs = dir.path().join("logs");
    let engine = Sandbox::open(Site {
        layout: "test".into(),
        id: "0123456789abcdef0123456789abcdef".into(),
        private: vec![state.clone(), logs.clone()],
        state,
        logs,
    })
    .await
    .unwrap();
    TestSite { dir, engine }
}

fn machine(name: &str, last: u8) -> MachineSpec {
    MachineSpec {
        name: format!("{name}.lab"),
        hostname: name.into(),
        memory_mb: None,
        cpus: None,
        root: None,
        links: vec![LinkSpec {
            interface: "eth0".into(),
            network: "net".into(),
            address: Some(format!("10.37.0.{last}/24").parse().unwrap()),
            mac: [2, 0, 0, 0, 0, last],
            mtu: None,
        }],
    }
}

fn network() -> NetworkSpec {
    NetworkSpec { name: "net".into(), v4: Some("10.37.0.0/24".parse().unwrap()), mtu: None }
}

async fn sh(engine: &Arc<dyn Engine>, machine: &str, script: &str) -> (Exit, String) {
    let exec = Exec { argv: ["sh", "-c", script].map(Into::into).to_vec(), ..Exec::default() };
    let mut running = engine.exec(machine, exec).await.unwrap();
    let (mut out, mut err) = (String::new(), String::new());
    let (a, b) =
        tokio::join!(running.stdout.read_to_string(&mut out), running.stderr.read_to_string(&mut err));
    a.unwrap();
    b.unwrap();
    (running.control.wait().await.unwrap(), out + &err)
}

fn life() -> Result<(), Failed> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let site = site().await;
        let engine = &site.engine;
        engine.survey().await?;
        engine.create_network(&network()).await?;
        let (one, two) = (machine("one", 1), machine("two", 2));
        for spec in [&one, &two] {
            let identity = engine.create(spec).await?;
            assert_eq!(engine.find(&spec.name).await?, Presence::Stopped(identity.clone()));
            engine.start(spec).await?;
            assert_eq!(engine.find(&spec.name).await?, Presence::Running(identity));
        }
        let (exit, out) = sh(engine, "one.lab", "hostname; ip -o -4 addr show eth0").await;
        assert!(exit.success() && out.starts_with("one\n") && out.contains("10.37.0.1/24"), "{out}");
        for spec in [&one, &two] {
            engine.stop(&spec.name, Duration::from_secs(2)).await?;
            engine.remove(&spec.name).await?;
            assert_eq!(engine.find(&spec.name).await?, Presence::Absent);
        }
        engine.remove_network("net").await?;
        assert_eq!(std::fs::read_dir(site.dir.path().join("state"))?.count(), 0);
        Ok(())
    })
}

fn main() -> ExitCode {
    if let Some(code) = helper_main(std::env::args_os()) {
        return code;
    }
    let tests = vec![Trial::test("life", life)];
    libtest_mimic::run(&Arguments::from_args(), tests).exit_code()
}
