//! One connection per machine: made when it is needed, and again when it was lost.

mod keys;

use std::sync::Arc;
use std::time::Duration;

use nix::sched::CloneFlags;
use openssh::{Child, OwningCommand, Session, Stdio};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::known;
use super::master::{Master, Trust};
use super::sessions::{Place, REFUSED, Sessions};
use super::settings::{self, By, Route};
use super::sys::Beginning;
use super::trouble::Trouble;
use super::{Held, Ssh};
use crate::error::{Error, ErrorKind};
use crate::guest::Idle;
use crate::machine::engine::{HostKey, Jump, LoginSpec};

/// How long it takes from one attempt to the next, at first and at last.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How many hosts a connection may go through.
const HOPS: usize = 8;

/// How long to try, and what for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For this long the host may not answer.
    pub limit: Duration,
    /// Whether a host that does not let us in may do so a little later, as one that is just being set up.
    pub may_let_in_later: bool,
}

/// What a look at a host shows.
#[derive(Debug)]
pub enum Look {
    /// It takes commands, and has shown this key.
    Online(String),
    /// It does not answer, for this reason.
    Silent(Error),
}

/// Why there is no connection.
enum Failure {
    /// The host does not show the key that it must.
    Key(Error),
    /// Anything else.
    Other(Error),
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Key(error) | Failure::Other(error) => error,
        }
    }
}

/// How one machine is reached. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connection(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ssh: Held,
    machine: String,
    login: LoginSpec,
    /// The machine in whose network namespace it begins.
    origin: Option<String>,
    /// How many connections go through this one, one in the other.
    hops: usize,
    live: Mutex<Option<Arc<Live>>>,
}

/// What waits on the connection would keep it.
impl Drop for Inner {
    fn drop(&mut self) {
        self.live.get_mut().take().inspect(|live| live.idle.close());
    }
}

/// A connection that was made.
#[derive(Debug)]
pub(super) struct Live {
    master: Master,
    pub(super) session: Arc<Session>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) sftp: super::sftp::Channel,
    /// The shells that wait for the next command.
    pub(super) idle: Arc<Idle>,
    /// The key that the host has shown.
    host_key: String,
    /// What it goes through lives as long.
    _jump: Option<Arc<Live>>,
}

/// How often a session is tried to be opened on a connection that seems to hold.
const ATTEMPTS: u32 = 12;

/// A session that runs.
pub(super) struct Opened {
    pub(super) child: Child<Arc<Session>>,
    place: Place,
    /// Its connection is not ended before it.
    live: Arc<Live>,
}

impl Opened {
    /// Where shells of its connection wait for the next command.
    pub(super) fn idle(&self) -> Arc<Idle> {
        Arc::clone(&self.live.idle)
    }

    /// Waits for its end, which comes with that of the connection at the latest.
    pub(super) async fn end_with_connection(self) {
        let Self { child, place, live } = self;
        drop(live);
        // How it ended is told by what used it.
        child.wait().await.ok();
        drop(place);
    }
}

/// What to open a session for.
pub(super) type Wanted<'a> = &'a (dyn Fn(Arc<Session>) -> OwningCommand<Arc<Session>> + Send + Sync);

impl Connection {
    pub(super) fn new(
        ssh: Held,
        machine: &str,
        login: LoginSpec,
        origin: Option<String>,
        hops: usize,
    ) -> Self {
        let machine = machine.to_owned();
        Self(Arc::new(Inner { ssh, machine, login, origin, hops, live: Mutex::new(None) }))
    }

    /// The machine's name.
    #[must_use]
    pub fn machine(&self) -> &str {
        &self.0.machine
    }

    /// How it is reached.
    #[must_use]
    pub fn login(&self) -> &LoginSpec {
        &self.0.login
    }

    pub(super) fn ssh(&self) -> Result<Ssh, Error> {
        self.0.ssh.upgrade().map(Ssh).ok_or_else(|| {
            Error::new(ErrorKind::Interrupted, format!("the connection to `{}` was ended", self.0.machine))
        })
    }

    /// The patience that the model asks for, or this one's.
    #[must_use]
    pub fn patience(&self, otherwise: Patience) -> Patience {
        Patience { limit: self.0.login.online_timeout.unwrap_or(otherwise.limit), ..otherwise }
    }

    /// Waits until the host takes commands; answers the key that it has shown.
    ///
    /// # Errors
    /// When it does not in time, saying what was seen last; at once when it shows another key than it must, or does not let us
    /// in.
    pub async fn online(&self, patience: Patience) -> Result<String, Error> {
        Ok(self.live(patience).await?.host_key.clone())
    }

    /// Whether the host takes commands now.
    ///
    /// # Errors
    /// When it shows another key than it must.
    pub async fn look(&self, patience: Patience) -> Result<Look, Error> {
        match self.made(patience).await {
            Ok(live) => Ok(Look::Online(live.host_key.clone())),
            Err(Failure::Key(error)) => Err(error),
            Err(Failure::Other(error)) => Ok(Look::Silent(error)),
        }
    }

    /// Where shells wait for the next command, on the connection that is used now.
    pub(super) async fn idle(&self, patience: Patience) -> Result<Arc<Idle>, Error> {
        Ok(Arc::clone(&self.live(patience).await?.idle))
    }

    /// The connection, made now if there is none.
    pub(super) async fn live(&self, patience: Patience) -> Result<Arc<Live>, Error> {
        Ok(self.made(patience).await?)
    }

    async fn made(&self, patience: Patience) -> Result<Arc<Live>, Failure> {
        let mut live = self.0.live.lock().await;
        if let Some(live) = live.as_ref().filter(|live| live.master.lives()) {
            return Ok(Arc::clone(live));
        }
        live.take().inspect(|lost| lost.idle.close());
        let made = self.connect(patience).await?;
        *live = Some(Arc::clone(&made));
        Ok(made)
    }

    /// What was lost is not used again.
    async fn lost(&self, lost: &Arc<Live>) {
        let mut live = self.0.live.lock().await;
        if live.as_ref().is_some_and(|live| Arc::ptr_eq(live, lost)) {
            live.take().inspect(|lost| lost.idle.close());
        }
    }

    async fn connect(&self, patience: Patience) -> Result<Arc<Live>, Failure> {
        let begun = Instant::now();
        let mut pause = PAUSE.0;
        loop {
            let left = patience.limit.saturating_sub(begun.elapsed());
            let trouble = match self.attempt(Patience { limit: left, ..patience }).await {
                Ok(live) => return Ok(live),
                Err(Trouble::Final(error)) => return Err(Failure::Other(error)),
                Err(Trouble::Unknown(error)) => return Err(Failure::Key(error)),
                Err(Trouble::HostKey(_)) => return Err(self.changed_key().await),
                Err(Trouble::Denied(seen)) if !patience.may_let_in_later => {
                    return Err(Failure::Other(self.denied(&seen).await));
                }
                Err(trouble) => trouble,
            };
            if begun.elapsed() + pause >= patience.limit {
                return Err(Failure::Other(match trouble {
                    Trouble::Denied(seen) => self.denied(&seen).await,
                    trouble => self.silent(begun.elapsed(), &trouble),
                }));
            }
            // Nothing tells when a host begins to listen.
            tokio::time::sleep(pause).await;
            // The longer it takes, the less a moment more matters.
            pause = (begun.elapsed() / 10).clamp(PAUSE.0, PAUSE.1);
        }
    }

    /// Tries once.
    async fn attempt(&self, patience: Patience) -> Result<Arc<Live>, Trouble> {
        let ssh = self.ssh()?;
        let ground = ssh.ground()?;
        let (jump, route) = self.route(patience).await?;
        let name = ground.room.name();
        ground.room.write(&settings::file(&name), &route.settings(&name)?)?;
        let expected = ssh.known().expected(&self.0.machine, &self.0.login.host_key)?;
        if expected.is_none() && self.0.login.host_key != HostKey::Learn {
            return Err(self.unknown_key(&ground, &name).await?);
        }
        let expected = expected.map(|expected| expected.key);
        let line = expected.as_ref().map(|key| known::line(&self.0.machine, key));
        ground.room.write(&settings::known(&name), line.as_deref().unwrap_or_default())?;
        let trust = if expected.is_some() { Trust::Known } else { Trust::First };
        let beginning = self.beginning().await?;
        let master = Master::start(&ground.launcher, &ground.room, name.clone(), beginning, trust).await?;
        let host_key = match expected {
            Some(key) => key,
            None => self.learn(&ground, &name, &ssh)?,
        };
        let session = Session::resume_mux(ground.room.socket(&name).into(), None);
        Ok(Arc::new(Live {
            master,
            session: Arc::new(session),
            sessions: Sessions::new(),
            sftp: super::sftp::Channel::default(),
            idle: Arc::default(),
            host_key,
            _jump: jump,
        }))
    }

    /// Where it leads and by what; what it goes through is connected.
    async fn route(&self, patience: Patience) -> Result<(Option<Arc<Live>>, Route), Trouble> {
        let Inner { machine, login, origin, hops, .. } = &*self.0;
        let ssh = self.ssh()?;
        let host = login.address.clone().ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("nothing says where `{machine}` is"))
                .hint("write `ip_address = \"…\"` in its `#[machine_model(…)]`")
        })?;
        if login.key.is_none() {
            ssh.layout_key().await?;
        }
        let mut route = Route {
            machine: machine.clone(),
            host,
            port: login.port.unwrap_or(22),
            user: login.user.clone().unwrap_or_else(|| "root".to_owned()),
            key: login.key.clone(),
            by: By::Directly,
        };
        let jump = match &login.jump {
            Jump::None => None,
            Jump::Host(host) => {
                route.by = By::Host(host.clone());
                None
            }
            Jump::Machine(name) => {
                if *hops >= HOPS {
                    let what = format!("`{machine}` is reached by way of more than {HOPS} machines");
                    return Err(Error::new(ErrorKind::Usage, what).into());
                }
                let jump = ssh.jump(name, origin.as_deref(), hops + 1).await?;
                // What is wrong with it is its own affair, and said of it.
                let live = Box::pin(jump.live(patience)).await?;
                route.by = By::Connection(live.master.name.clone());
                Some(live)
            }
        };
        Ok((jump, route))
    }

    /// The namespaces in which it begins.
    async fn beginning(&self) -> Result<Beginning, Trouble> {
        let Some(origin) = &self.0.origin else { return Ok(Beginning::default()) };
        let namespace = self.ssh()?.namespace(origin).await?;
        let open = |path: &std::path::Path| {
            let what =
                format!("the network of `{origin}`, where the way to `{}` begins, is gone", self.0.machine);
            std::fs::File::open(path).map(Into::into).map_err(Error::host(what))
        };
        let mut namespaces = Vec::new();
        if let Some(user) = &namespace.user {
            namespaces.push((open(user)?, CloneFlags::CLONE_NEWUSER));
        }
        namespaces.push((open(&namespace.net)?, CloneFlags::CLONE_NEWNET));
        Ok(Beginning { namespaces, terminal: false })
    }

    async fn denied(&self, seen: &str) -> Error {
        let Inner { machine, login, .. } = &*self.0;
        let user = login.user.as_deref().unwrap_or("root");
        let error = Error::new(ErrorKind::Host, format!("`{machine}` does not let `{user}` in"))
            .because(seen.to_owned());
        let ours = async { self.ssh()?.layout_key().await };
        match (&login.key, ours.await) {
            (Some(key), _) => error.hint(format!(
                "is the public half of `{}` in that user's `authorized_keys`? A key with a passphrase must be held by \
                 an agent: it is never asked for",
                key.display()
            )),
            (None, Ok(None)) => error.hint("the layout has no key yet: `deploy` makes it, and says which it is"),
            (None, Ok(Some(key))) => {
                error.hint(format!("add the layout's key to that user's `authorized_keys`: `{key}`"))
            }
            (None, Err(_)) => error,
        }
    }

    fn silent(&self, after: Duration, trouble: &Trouble) -> Error {
        let Inner { machine, login, .. } = &*self.0;
        let address = login.address.as_deref().unwrap_or("?");
        let what = format!(
            "`{machine}` ({address} port {}) did not answer for {:.1} s",
            login.port.unwrap_or(22),
            after.as_secs_f64()
        );
        Error::new(ErrorKind::Timeout, what)
            .because(format!("the last attempt: {}", trouble.seen()))
            .hint("is it switched on, and does its ssh server run? `ssh_online_timeout` gives it more time")
    }

    /// Opens a session, on a new connection if the old one was lost.
    pub(super) async fn open(&self, patience: Patience, wanted: Wanted<'_>) -> Result<Opened, Error> {
        let (mut refused_since, mut lost) = (None, 0);
        let mut pause = Duration::from_millis(5);
        loop {
            let live = self.live(patience).await?;
            let mut place = live.place().await;
            let error = match spawn(&live.sessions, Arc::clone(&live.session), wanted).await {
                Ok(child) => {
                    place.opened();
                    return Ok(Opened { child, place, live });
                }
                Err(error) => error,
            };
            drop(place);
            if is_refusal(&error) && live.master.lives() {
                let others = live.sessions.refused();
                live.idle.give_up();
                live.sftp.yield_place().await;
                let since = refused_since.get_or_insert_with(Instant::now);
                if others {
                    *since = Instant::now();
                } else if since.elapsed() > REFUSED {
                    let what = format!("the ssh server of `{}` allows no session", self.0.machine);
                    return Err(Error::new(ErrorKind::Host, what)
                        .because(error)
                        .hint("raise `MaxSessions` in its `sshd_config`"));
                }
                live.sessions.change(pause).await;
                pause = (pause * 2).min(Duration::from_millis(250));
                continue;
            }
            // The end of a master is told a little later than nobody takes sessions any more.
            lost += 1;
            if lost > ATTEMPTS {
                return Err(Error::new(ErrorKind::Host, format!("`{}` takes no sessions", self.0.machine))
                    .because(error));
            }
            if !live.lives() || lost == ATTEMPTS {
                self.lost(&live).await;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }
}

impl Live {
    /// Whether the connection holds.
    pub(super) fn lives(&self) -> bool {
        self.master.lives()
    }

    /// Waits for a place for a session. Files give theirs when nobody uses them; that they are not used any more nobody tells.
    async fn place(&self) -> Place {
        if self.sessions.are_full() {
            self.idle.give_up();
        }
        let place = self.sessions.place();
        tokio::pin!(place);
        loop {
            match tokio::time::timeout(Duration::from_millis(20), &mut place).await {
                Ok(place) => return place,
                Err(_) => {
                    self.idle.give_up();
                    self.sftp.yield_place().await;
                }
            }
        }
    }

    /// Its name in the room.
    pub(super) fn name(&self) -> &str {
        &self.master.name
    }
}

/// Opens a session, when it is its turn.
pub(super) async fn spawn(
    sessions: &Sessions,
    session: Arc<Session>,
    wanted: Wanted<'_>,
) -> Result<Child<Arc<Session>>, openssh::Error> {
    let _turn = sessions.turn().await;
    wanted(session).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().await
}

/// Whether the server does not allow another session now.
pub(super) fn is_refusal(error: &openssh::Error) -> bool {
    crate::error::chain(error).contains("Session open refused")
}
