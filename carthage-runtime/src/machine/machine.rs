//! A machine of the layout, whatever makes it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::engine::patience::Operation;
use super::engine::tries::Patience;
use super::engine::waiting::told;
use super::engine::{
    Aspect, Effect, Engine, Exec, Hosts, Identity, LinkSpec, Log, MachineSpec, Namespace, Presence, Running,
    ServiceSpec, ServiceStatus,
};
use super::files::{Root, Tree};
use super::guard::Users;
use super::made_from::MadeFrom;
use super::renamed::Before;
use super::start::{Needed, Prerequisite};
use crate::crash::crash_point;
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::state::{Change, Kind, Ledger, Record};

/// A user who is not root: root can be said in several ways.
pub(crate) fn not_root(user: Option<&str>) -> Option<&str> {
    user.filter(|user| !matches!(*user, "root" | "0"))
}

/// How long a machine gets to end by itself before it is killed.
pub const GRACE: Duration = Duration::from_secs(10);

/// A machine of the layout. Cheap to clone; all clones are the same machine.
///
/// Changes to one machine wait for each other; every change is written to the journal before it is begun and after it ended.
#[derive(Clone)]
pub struct Machine(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// Its root, with what it is and who makes it.
    root: Root,
    pub(super) events: Events,
    pub(super) users: tokio::sync::Mutex<Users>,
    /// Stops that a dropped guard has begun.
    pub(super) unwinding: TaskTracker,
    pub(super) ledger: Ledger,
    pub(super) patience: Patience,
    path: String,
}

/// What a machine has of the run.
#[derive(Clone)]
pub(crate) struct OfRun {
    pub(crate) ledger: Ledger,
    pub(crate) events: Events,
    pub(crate) unwinding: TaskTracker,
    pub(crate) patience: Patience,
}

impl Machine {
    pub(crate) fn new(
        spec: MachineSpec,
        made_as: Option<&str>,
        path: String,
        engine: Arc<dyn Engine>,
        run: OfRun,
    ) -> Self {
        let OfRun { ledger, events, unwinding, patience } = run;
        Self(Arc::new(Inner {
            root: Root(Tree { before: Before::of(&spec, made_as), spec, engine }),
            events,
            users: tokio::sync::Mutex::default(),
            unwinding,
            ledger,
            patience,
            path,
        }))
    }

    /// The fully qualified name, such as `worker-2.algebra`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.root.name()
    }

    /// What users call it in filters: `machine:worker-2.algebra`.
    #[must_use]
    pub fn thing(&self) -> String {
        format!("machine:{}", self.name())
    }

    /// The field that holds it in the layout, such as `algebra.workers.2`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.0.path
    }

    /// All that is known of it before it exists.
    #[must_use]
    pub fn spec(&self) -> &MachineSpec {
        &self.0.root.spec
    }

    pub(super) fn engine(&self) -> &dyn Engine {
        &*self.0.root.engine
    }

    /// Its root; whether it can be reached while the machine does not run is the implementation's to know.
    pub(crate) fn root(&self) -> &Root {
        &self.0.root
    }

    /// The name of the implementation that makes it.
    #[must_use]
    pub fn implementation(&self) -> &'static str {
        self.engine().name()
    }

    /// What must be done to it when this changes in its model.
    pub(crate) fn effect(&self, aspect: Aspect) -> Effect {
        self.engine().effect(aspect)
    }

    /// What has to be so before it starts, as its implementation wants it.
    pub(crate) fn start_dependencies(&self, collected: Vec<Prerequisite>) -> Vec<Prerequisite> {
        self.engine().start_dependencies(self.spec(), collected)
    }

    /// What its implementation says that it needs.
    pub(crate) async fn dynamic_dependencies(&self) -> Result<Vec<Needed>, Error> {
        let asked = || self.engine().dynamic_dependencies(self.spec());
        self.looked_at("what it needs", "find out what is needed by", asked).await
    }

    /// Whether it is made, started and stopped from here, and not only reached.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.engine().makes()
    }

    /// Its network interfaces; none if it shares those of another machine.
    #[must_use]
    pub fn links(&self) -> &[LinkSpec] {
        &self.spec().links
    }

    /// The hardware address of one of its links, as far as it is known.
    pub(crate) fn mac(&self, link: &LinkSpec) -> Result<Option<[u8; 6]>, Error> {
        self.engine().mac(self.spec(), link)
    }

    /// The address of its first link that has one, or of that of the machine whose links it shares.
    #[must_use]
    pub fn address(&self) -> Option<std::net::IpAddr> {
        self.spec().interfaces().iter().find_map(|link| link.address).map(|net| net.addr())
    }

    /// Whether it exists and runs, asked from the implementation now.
    ///
    /// # Errors
    /// When the implementation cannot be asked at all.
    pub async fn presence(&self) -> Result<Presence, Error> {
        self.look().await
    }

    /// Whether it runs; `None` when that cannot be told.
    ///
    /// # Errors
    /// When the implementation cannot be asked at all.
    pub async fn is_running(&self) -> Result<Option<bool>, Error> {
        Ok(self.presence().await?.running())
    }

    /// Makes it exist, stopped. No-op if it does.
    ///
    /// # Errors
    /// When the implementation cannot make it. What may be left of it then is found by the next deployment.
    pub async fn create(&self) -> Result<Identity, Error> {
        let _alone = self.0.users.lock().await;
        let intent = self.0.ledger.intend(&self.thing(), "create").await?;
        self.0.root.is_known_by_its_name();
        let made = self.within(Operation::Make, "make", || self.engine().create(self.spec())).await;
        crash_point("machine-made-unrecorded");
        // What was given up may go on where it is done.
        let is_late = made.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout);
        if is_late || made.is_err() && !matches!(self.look().await, Ok(Presence::Absent)) {
            return intent.left(made);
        }
        intent.settle(made, |identity| Change::Put(self.record(identity.clone(), String::new()))).await
    }

    /// Starts it, and waits until it takes commands, unless its model says `ssh_online = false`. No-op if it runs. It must exist,
    /// and so must its networks.
    ///
    /// # Errors
    /// When it does not come up; it is not left running then.
    pub async fn start(&self) -> Result<(), Error> {
        self.start_for_good(self.awaits_online()).await
    }

    /// Ditto, and waits until it takes commands whatever its model says.
    ///
    /// # Errors
    /// When it does not come up; it is not left running then.
    pub async fn online(&self) -> Result<(), Error> {
        self.start_for_good(true).await
    }

    async fn start_for_good(&self, online: bool) -> Result<(), Error> {
        let mut users = self.0.users.lock().await;
        self.start_locked(online).await?;
        users.keep_running();
        Ok(())
    }

    /// Whether one that is started is waited for until it takes commands, when nobody says otherwise.
    #[must_use]
    pub fn awaits_online(&self) -> bool {
        self.spec().login.as_ref().and_then(|login| login.online).unwrap_or(true)
    }

    pub(super) async fn start_locked(&self, online: bool) -> Result<(), Error> {
        let intent = self.0.ledger.intend(&self.thing(), "start").await?;
        let start = || match online {
            true => self.engine().start(self.known()),
            false => self.engine().boot(self.known()),
        };
        let started = self.within(Operation::Start, "start", start).await;
        crash_point("machine-started-unsettled");
        intent.settle_later(started).await
    }

    /// Stops it with everything that runs in it: asks first, kills after `grace`. No-op if it does not run.
    ///
    /// # Errors
    /// When something of it still runs.
    pub async fn stop(&self, grace: Duration) -> Result<(), Error> {
        let _alone = self.0.users.lock().await;
        self.stop_locked(grace).await
    }

    pub(super) async fn stop_locked(&self, grace: Duration) -> Result<(), Error> {
        let intent = self.0.ledger.intend(&self.thing(), "stop").await?;
        let stop = || self.engine().stop(self.known(), grace);
        let patience = self.0.patience.and_grace(grace);
        let stopped = self.by(&patience, Operation::Change, "stop", stop).await;
        crash_point("machine-stopped-unsettled");
        intent.settle_later(stopped).await
    }

    /// Stops it and removes it with everything that belongs to it. No-op if it does not exist.
    ///
    /// # Errors
    /// When something of it is left.
    pub async fn destroy(&self) -> Result<(), Error> {
        let _alone = self.0.users.lock().await;
        let intent = self.0.ledger.intend(&self.thing(), "destroy").await?;
        let remove = || async {
            self.engine().stop(self.known(), GRACE).await?;
            crash_point("machine-stopped");
            self.engine().remove(self.known()).await
        };
        let patience = self.0.patience.and_grace(GRACE);
        let gone = self.by(&patience, Operation::Change, "remove", remove).await;
        crash_point("machine-removed-unrecorded");
        intent.settle(gone, |()| Change::Remove).await
    }

    /// The same machine as it was deployed, whatever the layout has become since.
    pub(crate) fn made_from(&self, record: Option<&Record>) -> Self {
        let Some(made) = record.and_then(MadeFrom::of) else { return self.clone() };
        let Inner { root, events, unwinding, ledger, patience, path, .. } = &*self.0;
        let engine = root.engine.clone();
        let (ledger, events, unwinding) = (ledger.clone(), events.clone(), unwinding.clone());
        let made_as = self.known().name.clone();
        let spec = MachineSpec { name: self.name().to_owned(), ..made.spec };
        let run = OfRun { ledger, events, unwinding, patience: patience.clone() };
        Self::new(spec, Some(&made_as), path.clone(), engine, run)
    }

    /// Waits for what the implementation says of it, and tells of that if it takes a while.
    pub(super) async fn looked_at<T, F: Future<Output = Result<T, Error>>>(
        &self,
        what: &str,
        verb: &str,
        ask: impl Fn() -> F,
    ) -> Result<T, Error> {
        let look = || told(&self.0.events, || self.thing(), || what.to_owned(), ask());
        self.within(Operation::Look, verb, look).await
    }

    /// Has the implementation do something with it, for no longer than the limit, and again if it fails and the user wants that.
    pub(super) async fn within<T, F: Future<Output = Result<T, Error>>>(
        &self,
        operation: Operation,
        verb: &str,
        ask: impl FnMut() -> F,
    ) -> Result<T, Error> {
        self.by(&self.0.patience, operation, verb, ask).await
    }

    async fn by<T, F: Future<Output = Result<T, Error>>>(
        &self,
        patience: &Patience,
        operation: Operation,
        verb: &str,
        ask: impl FnMut() -> F,
    ) -> Result<T, Error> {
        patience.done((operation, verb), (&|| self.thing(), self.name()), &self.0.events, ask).await
    }

    /// Makes what has changed in its model true of it, while it runs.
    pub(crate) async fn update(&self) -> Result<(), Error> {
        let _alone = self.0.users.lock().await;
        let intent = self.0.ledger.intend(&self.thing(), "update").await?;
        let updated = self.within(Operation::Change, "update", || self.engine().update(self.known())).await;
        crash_point("machine-updated-unsettled");
        intent.settle_later(updated).await
    }

    /// Gives it the names that it can reach, while it runs, and writes down what it is now, with their hash, and
    /// what it needs.
    pub(crate) async fn introduce(
        &self,
        identity: Identity,
        hosts: &Hosts,
        hash: String,
        needs: Vec<String>,
    ) -> Result<(), Error> {
        // One that nobody waits for may take no commands at all.
        if self.awaits_online() {
            let told = || self.engine().set_hosts(self.known(), hosts);
            self.within(Operation::Change, "tell its neighbours to", told).await?;
            crash_point("machine-told");
        }
        self.0.ledger.put_record(Record { needs, ..self.record(identity, hash) }).await
    }

    /// What the store says of it once it exists.
    fn record(&self, identity: Identity, hosts: String) -> Record {
        Record {
            kind: Kind::Machine,
            name: self.name().to_owned(),
            path: self.0.path.clone(),
            implementation: self.implementation().to_owned(),
            identity,
            spec: MadeFrom::kept_of(self.known(), &hosts),
            needs: Vec::new(),
            run: self.0.ledger.run(),
            at: crate::state::now(),
        }
    }

    /// Starts a command whose streams are the caller's to handle; [`command`](Self::command) is for all other uses.
    ///
    /// # Errors
    /// When it cannot be run.
    pub async fn exec(&self, mut exec: Exec) -> Result<Running, Error> {
        self.fill_in_user(&mut exec);
        self.engine().exec(self.known(), exec).await
    }

    /// Starts a service that belongs to the machine, in place of one of the same name.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub async fn start_service(&self, service: &ServiceSpec) -> Result<(), Error> {
        let mut service = service.clone();
        self.fill_in_user(&mut service.exec);
        self.engine().start_service(self.known(), &service).await
    }

    /// Who says nothing runs as the machine's user.
    fn fill_in_user(&self, exec: &mut Exec) {
        exec.user = exec.user.take().or_else(|| self.spec().runas_user.clone());
    }

    /// Ends a service and forgets it.
    ///
    /// # Errors
    /// When the machine cannot be reached.
    pub async fn remove_service(&self, service: &str) -> Result<(), Error> {
        self.engine().remove_service(self.known(), service).await
    }

    /// What a service has written since it was first started, of both streams.
    ///
    /// # Errors
    /// When there is no such service, or its log cannot be read.
    pub async fn service_log(&self, service: &str) -> crate::Result<Vec<u8>> {
        let services = self.services().await?;
        let log = services.into_iter().find(|status| status.name == service).and_then(|status| status.log);
        match log {
            Some(Log::Inside(path)) => self.read(path).await,
            Some(Log::Here(path)) => {
                let failed = Error::host(format!("cannot read the log `{}`", path.display()));
                Ok(tokio::fs::read(&path).await.map_err(failed)?)
            }
            None => {
                let what = format!("there is no service `{service}` in `{}`", self.name());
                Err(Error::new(ErrorKind::NotFound, what).hint("`status` lists them").into())
            }
        }
    }

    /// Its services, running or not.
    ///
    /// # Errors
    /// When the machine cannot be asked.
    pub async fn services(&self) -> Result<Vec<ServiceStatus>, Error> {
        self.engine().services(self.known()).await
    }

    /// Where its network is, while it runs.
    pub(crate) async fn namespace(&self) -> Result<Namespace, Error> {
        self.engine().namespace(self.known()).await
    }
}

impl Deref for Machine {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0.root
    }
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Machine").field(&self.name()).finish()
    }
}
