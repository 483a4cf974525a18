//! A machine that comes up badly is let go again, and the next who needs it has a machine that runs.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::task::TaskTracker;

use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::machine::engine::{
    Duplex, Engine, Exec, FileStat, Hosts, Identity, LoginSpec, MachineSpec, NetworkSpec, Presence, Reader,
    Running, ServiceSpec, ServiceStatus, Survey,
};
use crate::machine::{Machine, OfRun, Patience};
use crate::state::{Dirs, Ledger, Store};

/// A machine that starts, and then cannot be reached as often as `bad` says.
#[derive(Debug, Default)]
struct Unreachable {
    runs: AtomicBool,
    bad: AtomicU32,
    stops: AtomicU32,
}

#[async_trait]
impl Engine for Unreachable {
    fn name(&self) -> &'static str {
        "Unreachable"
    }

    async fn find(&self, _: &MachineSpec) -> Result<Presence, Error> {
        let identity = Identity("one".to_owned());
        Ok(match self.runs.load(Ordering::SeqCst) {
            true => Presence::Running(identity),
            false => Presence::Stopped(identity),
        })
    }

    async fn start(&self, _: &MachineSpec) -> Result<(), Error> {
        self.runs.store(true, Ordering::SeqCst);
        match self.bad.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |bad| bad.checked_sub(1)) {
            Ok(_) => Err(Error::new(ErrorKind::Timeout, "it does not answer")),
            Err(_) => Ok(()),
        }
    }

    async fn boot(&self, _: &MachineSpec) -> Result<(), Error> {
        self.runs.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn stop(&self, _: &MachineSpec, _: Duration) -> Result<(), Error> {
        self.runs.store(false, Ordering::SeqCst);
        self.stops.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn survey(&self, _: &[&MachineSpec]) -> Result<Survey, Error> {
        unreachable!()
    }
    async fn find_network(&self, _: &NetworkSpec) -> Result<Presence, Error> {
        unreachable!()
    }
    async fn create_network(&self, _: &NetworkSpec) -> Result<Identity, Error> {
        unreachable!()
    }
    async fn remove_network(&self, _: &NetworkSpec) -> Result<(), Error> {
        unreachable!()
    }
    async fn create(&self, _: &MachineSpec) -> Result<Identity, Error> {
        unreachable!()
    }
    async fn remove(&self, _: &MachineSpec) -> Result<(), Error> {
        unreachable!()
    }
    async fn clear(&self) -> Result<(), Error> {
        unreachable!()
    }
    async fn set_hosts(&self, _: &MachineSpec, _: &Hosts) -> Result<(), Error> {
        unreachable!()
    }
    async fn exec(&self, _: &MachineSpec, _: Exec) -> Result<Running, Error> {
        unreachable!()
    }
    async fn dial(&self, _: &MachineSpec, _: SocketAddr) -> Result<Option<Box<dyn Duplex>>, Error> {
        unreachable!()
    }
    async fn start_service(&self, _: &MachineSpec, _: &ServiceSpec) -> Result<(), Error> {
        unreachable!()
    }
    async fn remove_service(&self, _: &MachineSpec, _: &str) -> Result<(), Error> {
        unreachable!()
    }
    async fn services(&self, _: &MachineSpec) -> Result<Vec<ServiceStatus>, Error> {
        unreachable!()
    }
    async fn stat(&self, _: &MachineSpec, _: &Path) -> Result<Option<FileStat>, Error> {
        unreachable!()
    }
    async fn read(&self, _: &MachineSpec, _: &Path) -> Result<Reader, Error> {
        unreachable!()
    }
    async fn write(&self, _: &MachineSpec, _: &Path, _: Option<u32>, _: Reader) -> Result<(), Error> {
        unreachable!()
    }
    async fn read_dir(&self, _: &MachineSpec, _: &Path) -> Result<Vec<OsString>, Error> {
        unreachable!()
    }
    async fn make_dir(&self, _: &MachineSpec, _: &Path, _: Option<u32>) -> Result<(), Error> {
        unreachable!()
    }
    async fn remove_path(&self, _: &MachineSpec, _: &Path) -> Result<(), Error> {
        unreachable!()
    }
}

/// A machine by this engine, and what waits for the guards that were dropped.
async fn machine(engine: &Arc<Unreachable>) -> (tempfile::TempDir, Machine, TaskTracker) {
    machine_with(engine, None).await
}

/// Ditto, which is waited for by itself, or not.
async fn machine_with(
    engine: &Arc<Unreachable>,
    online: Option<bool>,
) -> (tempfile::TempDir, Machine, TaskTracker) {
    let state = tempfile::tempdir().unwrap();
    let dirs = Dirs::find("guards", Some(state.path())).unwrap();
    let ledger = Ledger::open(Store::open(&dirs, "test").unwrap()).await.unwrap();
    let unwinding = TaskTracker::new();
    let login = online.map(|online| LoginSpec { online: Some(online), ..LoginSpec::default() });
    let spec = MachineSpec { name: "one".to_owned(), login, ..MachineSpec::default() };
    let (events, patience) = (Events::none(), Patience::default());
    let run = OfRun { ledger, events, unwinding: unwinding.clone(), patience };
    let machine = Machine::new(spec, None, "one".to_owned(), engine.clone(), run);
    unwinding.close();
    (state, machine, unwinding)
}

/// W-A11: neither does the machine go on running with nobody who needs it, nor is it counted as needed.
#[tokio::test]
async fn a_machine_that_does_not_come_up_is_let_go() {
    let engine = Arc::new(Unreachable::default());
    engine.bad.store(2, Ordering::SeqCst);
    let (_state, machine, unwinding) = machine(&engine).await;
    for stops in 1..=2 {
        let error = machine.machine_running().await.unwrap_err();
        assert!(crate::chain(&error).contains("it does not answer"), "{error:?}");
        unwinding.wait().await;
        assert!(!engine.runs.load(Ordering::SeqCst));
        assert_eq!(engine.stops.load(Ordering::SeqCst), stops);
    }
    let guard = machine.machine_running().await.unwrap();
    assert!(engine.runs.load(Ordering::SeqCst));
    guard.release().await.unwrap();
    assert!(!engine.runs.load(Ordering::SeqCst), "nothing was left counted");
    assert_eq!(engine.stops.load(Ordering::SeqCst), 3);
}

/// An explicit stop is the last word, whoever holds a guard: nobody starts it again, and no guard is counted twice.
#[tokio::test]
async fn stopped_under_its_guards_it_stays_stopped() {
    let engine = Arc::new(Unreachable::default());
    let (_state, machine, unwinding) = machine(&engine).await;
    for ran_before in [false, true] {
        if ran_before {
            machine.start().await.unwrap();
        }
        let outer = machine.machine_running().await.unwrap();
        let inner = machine.machine_running().await.unwrap();
        machine.stop(Duration::ZERO).await.unwrap();
        inner.release().await.unwrap();
        assert!(!engine.runs.load(Ordering::SeqCst));
        drop(outer);
        unwinding.wait().await;
        assert!(!engine.runs.load(Ordering::SeqCst));
        let again = machine.machine_running().await.unwrap();
        assert!(engine.runs.load(Ordering::SeqCst), "who needs it next has it");
        again.release().await.unwrap();
        assert!(!engine.runs.load(Ordering::SeqCst), "and it did not run before");
    }
}

/// Whoever needs it says whether it must take commands, else its model does, else it must.
#[tokio::test]
async fn it_is_waited_for_as_who_needs_it_says() {
    let engine = Arc::new(Unreachable::default());
    engine.bad.store(u32::MAX, Ordering::SeqCst);
    for (model, asked, waits) in [
        (None, None, true),
        (None, Some(false), false),
        (Some(false), None, false),
        (Some(false), Some(true), true),
        (Some(true), Some(false), false),
    ] {
        let (_state, machine, unwinding) = machine_with(&engine, model).await;
        let running = machine.machine_running();
        let entered = match asked {
            Some(online) => running.online(online).await,
            None => running.await,
        };
        assert_eq!(entered.is_err(), waits, "{model:?}, {asked:?}");
        if let Ok(guard) = entered {
            assert!(engine.runs.load(Ordering::SeqCst));
            assert!(machine.machine_running().online(true).await.is_err(), "who comes later may need more");
            guard.release().await.unwrap();
        }
        unwinding.close();
        unwinding.wait().await;
        assert!(!engine.runs.load(Ordering::SeqCst), "and nobody needs it any more");
    }
}
