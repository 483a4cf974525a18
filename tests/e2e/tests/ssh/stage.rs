//! The deployment on which the cases take place.

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use carthage::deploy::{Access, Deployment, Options, Report, Selection};
use carthage::layout::Placed;
use carthage::{BoxError, Machine};
use carthage_conformance::footprint::Footprint;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::runtime::Runtime;

use crate::layout::Reached;

/// What names the settings of the user, for jump hosts that are given as a text.
pub(crate) const CONFIG: &str = "CARTHAGE_SSH_CONFIG";

pub(crate) type Case = for<'a> fn(&'a mut Open) -> LocalBoxFuture<'a, carthage::Result<()>>;

/// A state directory, and what is deployed there.
pub(crate) struct Stage {
    runtime: Runtime,
    open: Option<Open>,
    dir: tempfile::TempDir,
}

/// An open deployment.
pub(crate) struct Open {
    deployment: Option<(Deployment, Placed<Reached>)>,
    base: PathBuf,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("carthage-ssh-").tempdir().unwrap();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let open = Open { deployment: None, base: dir.path().join("state") };
        Self { runtime, open: Some(open), dir }
    }

    pub(crate) fn play(&mut self, case: Case) {
        let open = self.open.as_mut().unwrap();
        let outcome = self.runtime.block_on(
            AssertUnwindSafe(async {
                open.reopen().await?;
                tokio::time::timeout(Duration::from_secs(180), case(open)).await?
            })
            .catch_unwind(),
        );
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{error:?}"),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// Destroys everything, and makes sure that nothing is left.
    pub(crate) fn close(mut self) {
        let mut open = self.open.take().unwrap();
        let state = open.state();
        let footprint = self.runtime.block_on(async {
            open.reopen().await.unwrap();
            let footprint = tokio::task::spawn_blocking(move || Footprint::of(&state)).await.unwrap();
            let report = open.deployment().destroy(&Selection::all()).await.unwrap();
            assert!(report.is_complete(), "{report:#?}");
            for step in report.done.iter().filter(|step| step.thing == "machine:pinned") {
                assert_eq!(step.action.word(), "retain");
            }
            footprint
        });
        open.deployment = None;
        footprint.is_gone();
        assert!(!open.state().exists(), "files are left");
        assert_eq!(masters(), Vec::<i32>::new(), "connections are left");
        let settings = std::env::var(CONFIG).unwrap();
        for file in [format!("{settings}.known"), settings] {
            std::fs::remove_file(file).ok();
        }
        drop(self.dir);
    }
}

impl Open {
    pub(crate) fn state(&self) -> PathBuf {
        self.base.join("reached")
    }

    pub(crate) fn deployment(&self) -> &Deployment {
        &self.deployment.as_ref().unwrap().0
    }

    /// Opens it anew, as the next run does: connections are made anew.
    pub(crate) async fn reopen(&mut self) -> carthage::Result<()> {
        self.open_for(Access::Change).await
    }

    async fn open_for(&mut self, access: Access) -> carthage::Result<()> {
        self.deployment = None;
        let options = Options { state_dir: Some(self.base.clone()), ..Options::default() };
        self.deployment = Some(Deployment::open::<Reached>(access, options).await?);
        Ok(())
    }

    /// Opens it anew, as who only looks does.
    pub(crate) async fn look(&mut self) -> carthage::Result<()> {
        self.open_for(Access::Look).await
    }

    /// Deploys these machines and what they need.
    pub(crate) async fn deploy(&self, machines: &[&str]) -> carthage::Result<Report> {
        let include =
            machines.iter().map(|name| format!("machine:{name}").parse()).collect::<Result<_, _>>()?;
        Ok(self.deployment().deploy(&Selection { include, ..Selection::all() }).await?)
    }

    /// A machine, deployed.
    pub(crate) async fn machine(&self, name: &str) -> carthage::Result<Machine> {
        let report = self.deploy(&[name]).await?;
        if !report.is_complete() {
            return Err(format!("{report:#?}").into());
        }
        self.known(name)
    }

    /// A machine, deployed or not.
    pub(crate) fn known(&self, name: &str) -> carthage::Result<Machine> {
        Ok(self.deployment().machine(name)?.clone())
    }

    /// What failed when this machine was deployed, with its causes.
    pub(crate) async fn failure(&self, name: &str) -> carthage::Result<String> {
        let report = self.deploy(&[name]).await?;
        let thing = format!("machine:{name}");
        let failed = report.failed.iter().find(|failure| failure.thing == thing);
        failed
            .map(|failure| format!("{failure:?}"))
            .ok_or_else(|| format!("it was deployed: {report:?}").into())
    }
}

/// The connections of this process: the numbers of its children called `ssh`.
pub(crate) fn masters() -> Vec<i32> {
    let me = std::process::id().to_string();
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let ours = pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.contains(" (ssh) ")
            && stat.rsplit(") ").next().unwrap().split(' ').nth(1) == Some(&me)
            && !stat.contains(" (ssh) Z ")
    });
    ours.collect()
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool, BoxError>) {
    let waiting = async {
        while !is_so().await.unwrap() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "waited in vain: {what}");
}

/// Words as a command.
pub(crate) fn words(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

/// The first two words of the public key of a host.
pub(crate) async fn host_key(host: &Machine) -> carthage::Result<String> {
    let line = host.read_to_string(Path::new("/etc/carthage-sshd/key.pub")).await?;
    Ok(line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}
