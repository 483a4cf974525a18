//! Taking away, stopping and starting: never more than is selected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, stream};

use super::Action;
use super::chosen::Chosen;
use super::plan::cannot_be_told;
use super::policy::Question;
use super::progress::{Progress, Undone};
use super::things::Thing;
use super::{Deployment, Plan, Report, Selection, Skip, Step};
use crate::error::{Error, ErrorKind};
use crate::layout::{Generating, OldModel};
use crate::machine::engine::Presence;
use crate::machine::{Machine, Operation};
use crate::reason::Reason;
use crate::task::Stamps;

/// What exists; or may exist, for it does not answer.
type Existing = BTreeMap<usize, Option<Error>>;

impl Deployment {
    /// What destroying the selection would do, and what would stay because something that is not selected needs it. What does
    /// not say whether it is there is a step that says so.
    ///
    /// # Errors
    /// When the selection names nothing.
    pub async fn plan_destroy(&self, selection: &Selection) -> Result<Plan, Error> {
        let exist = self.existing().await;
        let chosen = self.destroyed_by(selection, &exist)?;
        let users_first = self.things.destroys.reversed().order();
        let gone = users_first.into_iter().filter(|at| chosen.among.contains(at)).map(|at| {
            let thing = &self.things.all[at];
            let (action, why) = match exist.get(&at) {
                Some(Some(silent)) => (Action::Ask, cannot_be_told(silent)),
                _ => thing.end(Reason::Asked),
            };
            Step::new(thing.name(), action, why)
        });
        let unchanged = chosen.stays.len() + chosen.kept.len();
        let gone: Vec<_> = gone.collect();
        let moves = self.moves.steps().filter(|_| !gone.is_empty());
        let (steps, notes) = (moves.chain(gone.iter().cloned()).collect(), chosen.notes().collect());
        Ok(Plan { steps, unchanged, notes, orphans: Vec::new(), stays: chosen.stays })
    }

    /// Destroys the selection, what needs a thing before the thing. When nothing is left of the layout, its state goes too.
    ///
    /// # Errors
    /// When the selection names nothing, or the state cannot be written.
    pub async fn destroy(&self, selection: &Selection) -> Result<Report, Error> {
        let Chosen { among, stays, .. } = self.destroyed_by(selection, &self.existing().await)?;
        let progress = self.progress();
        if !among.is_empty() {
            self.carry(&progress.events).await?;
        }
        let work = |_, thing, progress: Arc<Progress>| async move {
            // What did not answer before may say now that it is not there.
            match self.exists(thing).await {
                Ok(false) => Ok(()),
                _ => self.destroy_one(thing, Reason::Asked, &progress).await,
            }
        };
        self.each(&progress, &self.things.destroys.reversed(), &among, Action::Destroy, work).await;
        progress.stay(Action::Destroy, stays);
        if progress.is_complete()
            && let Err(error) = self.forget_if_empty().await
        {
            progress.tell("state", Action::Destroy, &error);
        }
        Ok(self.report(&progress))
    }

    /// Forgets a layout of which nothing exists, as after a first deployment that was called off, with what runs that were
    /// ended half-way have left behind.
    ///
    /// # Errors
    /// When its files cannot be removed.
    pub async fn forget_if_empty(&self) -> Result<(), Error> {
        if !self.ledger.view().await?.records.is_empty() {
            return Ok(());
        }
        for thing in &self.things.all {
            if self.is_there(thing).await? {
                return Ok(());
            }
        }
        for (name, engine) in self.world.engines() {
            let limits = self.options.limits;
            limits.within(Operation::Change, "remove what is left of", name, engine.clear()).await?;
        }
        self.ledger.forget().await
    }

    /// What of the selection exists and may go, and what stays.
    fn destroyed_by(&self, selection: &Selection, exist: &Existing) -> Result<Chosen, Error> {
        if selection.orphans {
            // Nobody knows what has left a layout of which it cannot be told what is in it.
            self.resolved()?;
        }
        let mut selected = self.things.selected(selection)?;
        selected.retain(|at| exist.contains_key(at));
        let mut question = Question::Destroy;
        if selection.orphans {
            selected.retain(|at| self.things.all[*at].is_old());
            question = Question::Orphan;
        }
        let kept = self.keep(&mut selected, question);
        let users = self.things.destroys.reversed();
        let (mut among, mut stays) = (BTreeSet::new(), Vec::new());
        for &at in &selected {
            let mut needed_by = users
                .closure([at])
                .into_iter()
                .filter(|user| exist.contains_key(user) && !selected.contains(user));
            match needed_by.next() {
                None => {
                    among.insert(at);
                }
                Some(user) => {
                    let why = Reason::NeededBy { thing: self.things.all[user].name() };
                    stays.push(Skip { thing: self.things.all[at].name(), why });
                }
            }
        }
        Ok(Chosen::destroyed(among, stays, kept))
    }

    /// What exists, recorded or not. One dead host keeps nobody from destroying what is on others.
    async fn existing(&self) -> Existing {
        let looks =
            self.things.all.iter().enumerate().map(async |(at, thing)| match self.exists(thing).await {
                Ok(exists) => exists.then_some((at, None)),
                Err(silent) => Some((at, Some(silent))),
            });
        stream::iter(looks)
            .buffered(self.options.parallel.max(1))
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    /// Whether a thing exists, recorded or not.
    pub(super) async fn exists(&self, thing: &Thing) -> Result<bool, Error> {
        let is_known = self.record(thing).is_some() || self.things.former.contains_key(&thing.name());
        Ok(is_known || self.is_there(thing).await?)
    }

    async fn is_there(&self, thing: &Thing) -> Result<bool, Error> {
        let presence = match thing {
            Thing::Network(network) | Thing::OldNetwork(network) => network.presence().await?,
            Thing::Machine(_, machine) | Thing::OldMachine(machine) => machine.presence().await?,
            Thing::Model(_, Generating { dir, .. }) | Thing::OldModel(OldModel { dir: Some(dir), .. }) => {
                return dir.is_there().await;
            }
            Thing::OldModel(_) => return Ok(false),
        };
        Ok(presence != Presence::Absent)
    }

    pub(super) async fn destroy_one(
        &self,
        thing: &Thing,
        why: Reason,
        progress: &Progress,
    ) -> Result<(), Error> {
        let verdict = Some(thing.end(why));
        progress
            .step(&thing.name(), verdict, async |_| match thing {
                Thing::Network(network) | Thing::OldNetwork(network) => network.destroy().await,
                Thing::Model(_, model) => self.remove_model(thing, Some(&model.dir)).await,
                Thing::OldModel(model) => self.remove_model(thing, model.dir.as_ref()).await,
                Thing::Machine(index, machine) => {
                    remove_machine(machine, self.world.setting(*index).stamps.clone()).await
                }
                Thing::OldMachine(machine) if self.is_taken(machine.path()) => machine.destroy().await,
                Thing::OldMachine(machine) => {
                    let stamps = self.world.stamps(Path::new(&machine.path().replace('.', "/")));
                    remove_machine(machine, stamps).await
                }
            })
            .await
    }

    /// Whether a machine of the layout has its stamps where one that is no longer in it had them: it was renamed, or others
    /// have taken its place. Stamps tell whose they are, so the old ones do no harm.
    fn is_taken(&self, path: &str) -> bool {
        let below = format!("{path}.");
        self.machines().any(|machine| machine.path() == path || machine.path().starts_with(&below))
    }

    /// Starts the selected machines as they were deployed, with the machines and networks that they need. Runs no tasks; what
    /// has changed in the layout since waits for the next deployment.
    ///
    /// # Errors
    /// When the selection names nothing, or machines start after each other.
    pub async fn start(&self, selection: &Selection) -> Result<Report, Error> {
        self.ordered()?;
        let current = |at: &usize| !self.things.all[*at].is_old();
        let mut among =
            self.things.deploys.closure(self.machines_among(selection)?.into_iter().filter(current));
        among.retain(|at| !matches!(self.things.all[*at], Thing::Model(..)));
        let progress = self.progress();
        self.carry(&progress.events).await?;
        let work = |_, thing, progress: Arc<Progress>| async move { self.start_one(thing, &progress).await };
        self.each(&progress, &self.things.deploys, &among, Action::Start, work).await;
        Ok(self.report(&progress))
    }

    async fn start_one(&self, thing: &Thing, progress: &Progress) -> Result<(), Error> {
        let name = thing.name();
        let told = |error: Error| progress.tell(&name, Action::Start, &error);
        let (presence, network) = match thing {
            Thing::Model(..) | Thing::OldModel(_) => return Ok(()),
            Thing::Network(network) | Thing::OldNetwork(network) => {
                (network.presence().await.map_err(told)?, Some(network))
            }
            Thing::Machine(_, machine) | Thing::OldMachine(machine) => {
                (machine.presence().await.map_err(told)?, None)
            }
        };
        if self.record(thing).is_none() || (network.is_none() && presence == Presence::Absent) {
            let what = format!("`{name}` is not deployed");
            return Err(told(Error::new(ErrorKind::NotFound, what).hint("run `deploy` first")));
        }
        let why = match presence {
            Presence::Stranded(..) => Reason::Stranded,
            _ => Reason::NotRunning,
        };
        let verdict = (presence.running() != Some(true)).then_some((Action::Start, why));
        progress
            .step(&name, verdict, async |action| -> Result<(), Undone> {
                match (action, thing) {
                    (None, _) | (_, Thing::Model(..) | Thing::OldModel(_)) => {}
                    (_, Thing::Network(network) | Thing::OldNetwork(network)) => {
                        drop(network.create().await?)
                    }
                    (_, Thing::Machine(_, machine) | Thing::OldMachine(machine)) => {
                        if let Thing::Machine(index, machine) = thing {
                            self.may_start(*index, machine).await?;
                        }
                        let machine = machine.made_from(self.record(thing));
                        machine.start().await?;
                        let names = self.before().names.hosts(machine.spec());
                        if let Some(identity) = presence.identity() {
                            let hash = self.before().names.hash(machine.spec());
                            let needs = self.record(thing).map(|record| record.needs.clone());
                            machine
                                .introduce(identity.clone(), &names, hash, needs.unwrap_or_default())
                                .await?;
                        }
                    }
                }
                Ok(())
            })
            .await
    }

    /// Stops the selected machines, those that need another before the other. One whose links another shares that runs and is not
    /// selected goes on: the other would have no network.
    ///
    /// # Errors
    /// When the selection names nothing, or what shares the links of a selected machine cannot be looked at.
    pub async fn stop(&self, selection: &Selection) -> Result<Report, Error> {
        let (mut among, mut stays) = (self.machines_among(selection)?, Vec::new());
        for at in among.clone() {
            for other in self.things.sharing(at).filter(|other| !among.contains(other)).collect::<Vec<_>>() {
                let (Thing::Machine(_, sharing) | Thing::OldMachine(sharing)) = &self.things.all[other]
                else {
                    continue;
                };
                if sharing.is_running().await? == Some(true) {
                    let why = Reason::SharedBy { thing: sharing.thing() };
                    stays.push(Skip { thing: self.things.all[at].name(), why });
                    among.remove(&at);
                    break;
                }
            }
        }
        let work = |_, thing, progress: Arc<Progress>| async move { self.stop_one(thing, &progress).await };
        let progress = self.progress();
        self.each(&progress, &self.things.destroys.reversed(), &among, Action::Stop, work).await;
        progress.stay(Action::Stop, stays);
        Ok(self.report(&progress))
    }

    async fn stop_one(&self, thing: &Thing, progress: &Progress) -> Result<(), Error> {
        let (Thing::Machine(_, machine) | Thing::OldMachine(machine)) = thing else { return Ok(()) };
        let presence =
            machine.presence().await.map_err(|error| progress.tell(&thing.name(), Action::Stop, &error))?;
        let stops = machine.is_made() && presence.running() != Some(false);
        let verdict = stops.then_some((Action::Stop, Reason::Asked));
        progress
            .step(&thing.name(), verdict, async |action| match action {
                Some(_) => machine.stop(self.options.grace).await,
                None => Ok(()),
            })
            .await
    }

    fn machines_among(&self, selection: &Selection) -> Result<BTreeSet<usize>, Error> {
        let selected = self.things.selected(selection)?;
        let is_machine =
            |at: &usize| matches!(self.things.all[*at], Thing::Machine(..) | Thing::OldMachine(_));
        Ok(selected.into_iter().filter(is_machine).collect())
    }
}

/// Removes a machine and what its tasks left on the controller.
async fn remove_machine(machine: &Machine, stamps: Stamps) -> Result<(), Error> {
    machine.destroy().await?;
    super::blocking(move || stamps.clear()).await
}
