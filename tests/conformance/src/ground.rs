//! What a case has to work on.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carthage::Machine;
use carthage::event::{Event, Sink};
use carthage::machine::capability::Capability;
use carthage::machine::engine::ServiceStatus;

use crate::controller::ARGUMENT;
use crate::marks::SERVICE;
use crate::subject::{Victim, facts};

/// Three machines that this process has deployed and holds the lock of.
pub(crate) struct Ground {
    /// A running machine.
    pub(crate) one: Machine,
    /// Another, on its network if there are networks.
    pub(crate) other: Machine,
    /// A third, on a network of its own.
    pub(crate) stranger: Machine,
    /// A machine that shares the links of `other`, if the implementation has [`Capability::SharedLinks`].
    pub(crate) sharing: Option<Machine>,
    /// All that the library has told.
    pub(crate) told: Told,
    /// A directory on this host, empty.
    pub(crate) scratch: PathBuf,
    /// A directory in `one`, empty.
    pub(crate) base: PathBuf,
    /// Other processes.
    pub(crate) later: Controllers,
}

/// Keeps events.
#[derive(Clone, Default)]
pub(crate) struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    /// What they say.
    pub(crate) fn text(&self) -> String {
        format!("{:?}", self.0.lock().unwrap())
    }
}

impl Sink for Told {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Ground {
    /// A path in `one`, below the directory that the case may write to.
    pub(crate) fn path(&self, below: &str) -> String {
        self.base.join(below).into_os_string().into_string().unwrap()
    }
}

/// Whether the implementation declares this.
pub(crate) fn has(capability: Capability) -> bool {
    facts().has(capability)
}

/// The services of a machine, without those of its customization.
pub(crate) async fn services(machine: &Machine) -> carthage::Result<Vec<ServiceStatus>> {
    let mut services = machine.services().await?;
    services.retain(|service| !service.name.starts_with(SERVICE));
    Ok(services)
}

/// Waits until it is so.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(120), waiting).await.is_ok(), "waited in vain: {what}");
}

/// Starts processes that open the same deployment as controllers of their own.
#[derive(Clone)]
pub(crate) struct Controllers {
    /// What is given as `--state-dir`.
    state: PathBuf,
    /// The machines, as they were when the case began.
    pub(crate) victims: Vec<Victim>,
    settings: Vec<(OsString, OsString)>,
}

impl Controllers {
    pub(crate) fn new(state: &Path, victims: Vec<Victim>) -> Self {
        Self { state: state.to_owned(), victims, settings: Vec::new() }
    }

    /// With this in their environment.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut with = self.clone();
        with.settings.push((name.into(), value.into()));
        with
    }

    /// A controller that has been told this.
    pub(crate) fn start(&self, words: &[&str]) -> Started {
        let mut command = tokio::process::Command::new(std::env::current_exe().unwrap());
        command.args([ARGUMENT.as_ref(), self.state.as_os_str()]).args(words);
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Started(command.spawn().unwrap())
    }

    /// The same, until it has ended.
    pub(crate) async fn run(&self, words: &[&str]) -> Ended {
        self.start(words).ended().await
    }

    /// The same, which must succeed; answers the lines that it wrote.
    pub(crate) async fn done(&self, words: &[&str]) -> Vec<String> {
        let ended = self.run(words).await;
        assert_eq!(ended.code, 0, "{words:?}: {ended:?}");
        ended.lines
    }

    /// Whether a machine runs, and then what a command in it wrote.
    pub(crate) async fn look(&self, machine: &Machine, argv: &[&str]) -> Vec<String> {
        self.done(&[&["look", machine.name()], argv].concat()).await
    }
}

/// A controller that runs.
pub(crate) struct Started(tokio::process::Child);

impl Started {
    /// As `kill -9` does.
    pub(crate) async fn kill(&mut self) {
        self.0.kill().await.unwrap();
    }

    pub(crate) async fn ended(self) -> Ended {
        let limit = Duration::from_secs(600);
        let output = tokio::time::timeout(limit, self.0.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("it has not ended after {limit:?}")).unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ended {
            code: output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default()),
            lines: text(output.stdout).lines().map(str::to_owned).collect(),
            errors: text(output.stderr),
        }
    }
}

/// A controller that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; of one that was killed, 128 and the signal.
    pub(crate) code: i32,
    /// What it wrote to standard output.
    pub(crate) lines: Vec<String>,
    /// What it wrote to standard error.
    pub(crate) errors: String,
}
