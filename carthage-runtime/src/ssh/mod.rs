//! Machines that are reached by ssh: one connection for each, with keys that are verified.
//!
//! `ssh` itself connects. This process starts one **master** per machine (`ssh -M`), by settings of its own, and sends all
//! sessions through it. The master is a child that ends with this process, however that ends; its socket is in a directory
//! that the next process removes if this one could not.
//!
//! ```text
//! state/ssh/key, key.pub       the layout's key
//! state/ssh/known_hosts/NAME   the key that the machine NAME has shown, where the model lets it be learned
//! state/ssh/run.*/             sockets and settings of one process
//! ```
//!
//! Who only looks writes nothing there: the sockets are in the directory for temporary files, a key that is learned is for that process,
//! and no key is made.
//!
//! What is honoured of the user's own: the agent, for a key that the model names; and for a jump host that is given as a text
//! everything, as `ssh -J` would. `~/.ssh/config` says nothing about machines of a layout.

mod connection;
mod dial;
mod files;
mod key;
mod known;
mod launch;
mod master;
mod remote;
mod room;
mod sessions;
mod settings;
mod sftp;
mod streams;
mod sys;
mod terminal;
mod trouble;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

pub use connection::{Connection, Look, Patience};
pub use key::layout_key;
pub use remote::Remote;
pub use terminal::on_terminal;

use crate::error::{Error, ErrorKind};
use crate::machine::engine::{LoginSpec, MachineSpec, Namespace, Site};
use crate::state::Files;
use known::Known;
use launch::Launcher;
use room::Room;

/// For a look at what must be there already.
pub const SHORT: Patience = Patience { limit: Duration::from_secs(5), may_let_in_later: false };
/// For a machine that is in use.
pub const USUAL: Patience = Patience { limit: Duration::from_secs(60), may_let_in_later: false };

/// The connections of one implementation on one site. Cheap to clone. Making one touches nothing.
#[derive(Clone, Debug)]
pub struct Ssh(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    site: Site,
    base: Files,
    known: Known,
    ground: Mutex<Option<Arc<Ground>>>,
    /// By the machine's name, and the namespace where the way begins.
    connections: Mutex<BTreeMap<(String, Option<String>), Connection>>,
}

/// What connections need of this process, once there are some.
#[derive(Debug)]
struct Ground {
    launcher: Launcher,
    room: Room,
}

impl Ssh {
    /// On this site.
    #[must_use]
    pub fn new(site: Site) -> Self {
        let base = site.files(key::DIRECTORY);
        let known = Known::new(&base, site.looks);
        Self(Arc::new(Inner { site, base, known, ground: Mutex::default(), connections: Mutex::default() }))
    }

    /// The connection to a machine, made when it is first used. One that was made by another login is ended.
    #[must_use]
    pub fn connection(&self, machine: &str, login: &LoginSpec) -> Connection {
        self.keep(machine, login.clone(), login.origin.clone(), 0)
    }

    fn keep(&self, machine: &str, login: LoginSpec, origin: Option<String>, hops: usize) -> Connection {
        let key = (machine.to_owned(), origin.clone());
        let mut all = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(&key).filter(|found| *found.login() == login) {
            Some(found) => found.clone(),
            None => {
                let new = Connection::new(Arc::downgrade(&self.0), machine, login, origin, hops);
                all.insert(key, new.clone());
                new
            }
        }
    }

    /// The connection to a machine of the layout that others are reached through. It begins where its own model says, else
    /// where theirs does.
    async fn jump(&self, machine: &str, origin: Option<&str>, hops: usize) -> Result<Connection, Error> {
        let spec = self.0.site.neighbours.spec(machine).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("there is no machine `{machine}` to go through"))
        })?;
        let login = login(&spec);
        let origin = login.origin.clone().or_else(|| origin.map(str::to_owned));
        Ok(self.keep(machine, login, origin, hops))
    }

    /// Ends the connections to a machine and forgets the key that it has shown.
    ///
    /// # Errors
    /// When the file of the key cannot be removed.
    pub fn forget(&self, machine: &str) -> Result<(), Error> {
        self.disconnect(machine);
        self.0.known.forget(machine)
    }

    /// Has the next use of a machine make a connection of its own: it was, or is about to be, switched off.
    pub fn disconnect(&self, machine: &str) {
        let mut all = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(name, _), _| name != machine);
    }

    /// Ends all connections; they are made again when they are needed.
    pub fn let_go(&self) {
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.0.ground.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Ends everything, and removes the layout's key and all keys of hosts.
    ///
    /// # Errors
    /// When they cannot be removed.
    pub fn clear(&self) -> Result<(), Error> {
        self.let_go();
        self.0.base.clear()
    }

    fn known(&self) -> &Known {
        &self.0.known
    }

    /// The public half of the layout's key; none, if there is none and nothing is to be written.
    async fn layout_key(&self) -> Result<Option<String>, Error> {
        let Site { storage, state, layout, looks, .. } = &self.0.site;
        match looks {
            true => key::existing_key(state),
            false => layout_key(storage, state, layout).await.map(Some),
        }
    }

    async fn namespace(&self, machine: &str) -> Result<Namespace, Error> {
        self.0.site.neighbours.namespace(machine).await
    }

    fn ground(&self) -> Result<Arc<Ground>, Error> {
        let mut ground = self.0.ground.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ground) = &*ground {
            return Ok(Arc::clone(ground));
        }
        let room = if self.0.site.looks { Room::open_aside() } else { Room::open(self.0.base.dir()) }?;
        room.link(
            settings::ROOM_KEY,
            &std::path::absolute(key::path(&self.0.site.state))
                .map_err(Error::host("there is no working directory"))?,
        )?;
        let new = Arc::new(Ground { launcher: Launcher::new()?, room });
        *ground = Some(Arc::clone(&new));
        Ok(new)
    }
}

/// Whether there is a client of ssh on this host.
///
/// # Errors
/// When there is none, with what to install.
pub async fn check_client() -> Result<(), Error> {
    let asked = tokio::process::Command::new("ssh").arg("-V").output().await;
    match asked {
        Ok(answer) if answer.status.success() => Ok(()),
        Ok(answer) => Err(Error::new(ErrorKind::Unsupported, "`ssh` does not work here")
            .because(String::from_utf8_lossy(&answer.stderr).trim().to_owned())),
        Err(error) => Err(Error::new(ErrorKind::Unsupported, "`ssh` cannot be run here")
            .because(error)
            .hint("install the client of OpenSSH")),
    }
}

/// The connections, as one of them holds them: it does not keep them from being ended.
type Held = Weak<Inner>;

/// A number that nobody else has.
pub(crate) fn random() -> Result<String, Error> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(Error::host("the system has no randomness"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// How a machine is reached, as its model says, at the address of its first link if it names none.
fn login(spec: &MachineSpec) -> LoginSpec {
    let mut login = spec.login.clone().unwrap_or_default();
    let linked = || spec.links.iter().find_map(|link| link.address).map(|net| net.addr().to_string());
    login.address = login.address.or_else(linked);
    login
}
