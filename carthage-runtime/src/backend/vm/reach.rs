//! How a machine is reached: by ssh, with the same code as hosts that are not made from here.
//!
//! Its host key is made at the first boot of an image, so nobody can have pinned it before: unless the model pins one, the first that
//! the machine shows is learned. That is bound to the machine's identity, for what was learned is forgotten when the machine is
//! made anew or removed. On the way to the first key is only this host: the machine's network leads nowhere else.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::console::Consoles;
use super::hypervisor::Client;
use super::machines::Machine;
use super::names::Names;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{HostKey, LoginSpec, MachineSpec, Presence, Site};
use crate::ssh::{self, Patience, Remote, Ssh};

/// Our directory in a machine; the layout's number is added.
const BASE: &str = "/var/lib/carthage";
/// How long a machine may take until it lets us in: an emulated one with cloud-init takes more than a minute.
const BOOT: Patience = Patience { limit: Duration::from_secs(240), may_let_in_later: true };
/// How often it is looked whether a machine that is waited for still runs.
const WATCH: Duration = Duration::from_secs(1);

/// How the machines of a layout are reached.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    ssh: Ssh,
    base: PathBuf,
    site: Arc<Site>,
}

impl Reach {
    pub(super) fn new(site: &Site) -> Self {
        let base = Path::new(BASE).join(&site.id);
        Self { ssh: Ssh::new(site.clone()), base, site: Arc::new(site.clone()) }
    }

    /// The line that lets the layout, or the user's own key, in: what the firmware hands to the system.
    pub(super) async fn public_key(&self, machine: &MachineSpec) -> Result<Option<String>, Error> {
        match machine.login.as_ref().and_then(|login| login.key.as_ref()) {
            None => {
                let Site { storage, state, layout, .. } = &*self.site;
                ssh::layout_key(storage, state, layout).await.map(Some)
            }
            // What is not beside the user's own key has to be in the image.
            Some(key) => {
                let mut public = key.clone().into_os_string();
                public.push(".pub");
                Ok(tokio::fs::read_to_string(public).await.ok())
            }
        }
    }

    /// The machine, as it is reached while it is in use.
    pub(super) fn remote(&self, machine: &MachineSpec) -> Remote {
        let connection = self.ssh.connection(&machine.name, &login(machine));
        let patience = connection.patience(ssh::USUAL);
        Remote::new(connection, patience, self.base.clone())
    }

    /// Ends the connections to a machine that is to be switched off.
    pub(super) fn disconnect(&self, machine: &str) {
        self.ssh.disconnect(machine);
    }

    /// Ends all connections.
    pub(super) fn let_go(&self) {
        self.ssh.let_go();
    }

    /// Forgets the key that a machine has shown: the next one of its name has another.
    pub(super) fn forget(&self, machine: &str) -> Result<(), Error> {
        self.ssh.forget(machine)
    }

    /// Waits until a machine that was just started lets us in. What it wrote to its console beyond `before` is part of the error
    /// when it does not.
    pub(super) async fn online(
        &self,
        client: &Client,
        names: &Names,
        consoles: &Consoles,
        machine: &MachineSpec,
        before: u64,
    ) -> Result<Remote, Error> {
        let login = login(machine);
        if login.address.is_none() {
            let what = format!("nothing says where `{}` is", machine.name);
            return Err(Error::new(ErrorKind::Usage, what)
                .because("it has no link with an address")
                .hint("plug it into a network with a subnet, or write `ip_address = \"…\"` in its `#[machine_model(…)]`"));
        }
        // What was left of an earlier start leads to a machine that was switched off.
        self.ssh.disconnect(&machine.name);
        let connection = self.ssh.connection(&machine.name, &login);
        let patience = connection.patience(BOOT);
        let failure = tokio::select! {
            online = connection.online(patience) => match online {
                Ok(_) => return Ok(self.remote(machine)),
                Err(error) => error,
            },
            ended = ended(client, names, machine) => ended,
        };
        let console = consoles.clone();
        let name = machine.name.clone();
        let tail = tokio::task::spawn_blocking(move || console.last_lines(&name, before))
            .await
            .map_err(Error::host("the console cannot be read"))??;
        Err(with_console(failure, machine, consoles, &tail))
    }
}

/// Ends when the machine does.
async fn ended(client: &Client, names: &Names, machine: &MachineSpec) -> Error {
    let what = || Error::new(ErrorKind::Host, format!("`{}` ended while it started", machine.name));
    loop {
        tokio::time::sleep(WATCH).await;
        let (names, name) = (names.clone(), machine.name.clone());
        let presence = client.off(move |connect| match Machine::find(connect, &names, &name)? {
            Some(machine) => machine.presence(),
            None => Ok(Presence::Absent),
        });
        match presence.await {
            // It has its own links: nothing can leave it stranded.
            Ok(Presence::Running(_) | Presence::Altered(..) | Presence::Stranded(..)) => {}
            Ok(Presence::Unknown(_, why)) => return what().because(why),
            Ok(Presence::Stopped(_)) => return what().because("it has switched itself off, or crashed"),
            Ok(Presence::Absent) => return what().because("it was removed"),
            Err(error) => return error,
        }
    }
}

/// The error, whose last cause is what the machine wrote last.
fn with_console(error: Error, machine: &MachineSpec, consoles: &Consoles, tail: &str) -> Error {
    let file = consoles.file(&machine.name);
    let told = match tail {
        "" => "its serial console is empty".to_owned(),
        tail => format!("the last lines of its serial console:\n{tail}"),
    };
    let cause = std::error::Error::source(&error).map(crate::error::chain);
    let because = cause.map_or_else(|| told.clone(), |cause| format!("{cause}; {told}"));
    let hint = error.next_step().map(|hint| format!("{hint}; ")).unwrap_or_default();
    Error::new(error.kind(), error.to_string())
        .because(because)
        .hint(format!("{hint}its whole console is in `{}`", file.display()))
}

/// How a machine is reached: at the address of its first link, if its model names no other.
fn login(machine: &MachineSpec) -> LoginSpec {
    let mut login = machine.login.clone().unwrap_or_default();
    let linked = || machine.links.iter().find_map(|link| link.address).map(|net| net.addr().to_string());
    login.address = login.address.or_else(linked);
    if login.host_key == HostKey::Unknown {
        login.host_key = HostKey::Learn;
    }
    login
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::engine::LinkSpec;

    #[test]
    fn a_machine_is_at_its_first_address_and_its_key_is_learned() {
        let link = LinkSpec {
            interface: "eth0".into(),
            network: "lab".into(),
            address: "10.0.0.2/24".parse().ok(),
            mac: Some([2, 0, 0, 0, 0, 1]),
            ..LinkSpec::default()
        };
        let spec = MachineSpec { name: "m".into(), links: vec![link], ..MachineSpec::default() };
        let login = login(&spec);
        assert_eq!((login.address.as_deref(), login.host_key), (Some("10.0.0.2"), HostKey::Learn));
        let own = LoginSpec {
            address: Some("host".into()),
            host_key: HostKey::Pinned("k".into()),
            ..LoginSpec::default()
        };
        let spec = MachineSpec { login: Some(own.clone()), ..spec };
        assert_eq!(super::login(&spec), own);
    }

    #[test]
    fn an_error_ends_with_the_console() {
        let machine = MachineSpec { name: "m".into(), ..MachineSpec::default() };
        let consoles = Consoles::new(Path::new("/logs"));
        let error = Error::new(ErrorKind::Timeout, "`m` did not answer").because("no route");
        let error = with_console(error, &machine, &consoles, "one\ntwo");
        assert_eq!(
            crate::error::chain(&error),
            "`m` did not answer: no route; the last lines of its serial console:\none\ntwo"
        );
        assert!(error.next_step().unwrap().contains("/logs/console/m.log"));
    }
}
