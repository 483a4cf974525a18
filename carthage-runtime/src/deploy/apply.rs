//! Making it so: what the plan says, decided again at each thing's turn.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::chosen::Chosen;
use super::progress::{Progress, Undone, all_well};
use super::services::whose;
use super::things::Thing;
use super::{Action, decide};
use super::{Deployment, Report, Selection};
use crate::crash::crash_point;
use crate::customize::{Application, Walk, When};
use crate::error::{Error, ErrorKind};
use crate::layout::Generating;
use crate::machine::Machine;
use crate::machine::engine::{Identity, Presence};
use crate::network::Network;
use crate::reason::Reason;
use crate::state::Assignment;

impl Deployment {
    /// Deploys the selection and what it needs. What fails is in the report.
    ///
    /// # Errors
    /// When the selection names nothing, an implementation cannot be used here, or not for what the layout asks, or the state
    /// cannot be written.
    pub async fn deploy(&self, selection: &Selection) -> Result<Report, Error> {
        self.resolved()?;
        let chosen = self.deployed_by(selection)?;
        self.allowed(&chosen.among, &self.survey().await?)?;
        self.can_do(&chosen).await?;
        let Chosen { among, stays, .. } = chosen;
        crash_point("run-begun");
        let progress = self.progress();
        self.carry(&progress.events).await?;
        self.world.kept().write_to(self.ledger.clone()).await?;
        self.release_nobodys().await?;
        self.ledger.assign(self.addresses(&among)).await?;
        crash_point("addresses-assigned");
        let walk = &Walk::run(self.looks_elsewhere().1).telling(&progress.events);
        let work = |at, thing, progress| self.deploy_one(at, thing, progress, walk);
        self.each(&progress, &self.things.deploys_in_order(), &among, Action::Deploy, work).await;
        progress.stay(Action::Destroy, stays);
        self.note_needs(&among).await?;
        if progress.is_complete() {
            self.seen_to(&among).await?;
        }
        Ok(self.report(&progress))
    }

    /// What the links of these machines get. Machines are told where all others are, also those that are not made yet: what these would
    /// get is kept for them.
    fn addresses(&self, among: &BTreeSet<usize>) -> Assignments {
        let machines = self.things.all.iter().enumerate().filter_map(|(at, thing)| match thing {
            Thing::Machine(_, machine) if !self.things.waits_for_addresses(at) => Some((at, machine)),
            _ => None,
        });
        let (chosen, others): (Vec<_>, Vec<_>) = machines.partition(|(at, _)| among.contains(at));
        let chosen = assignments(chosen.into_iter().map(|(_, machine)| machine));
        let mut addresses = assignments(others.into_iter().map(|(_, machine)| machine));
        // What somebody still has is not theirs yet.
        let held = self.snapshot.assignments.iter().filter(|(link, _)| !chosen.contains_key(*link));
        let held: Vec<_> = held.map(|(_, assignment)| assignment).chain(chosen.values()).collect();
        let addressed: HashSet<_> =
            held.iter().filter_map(|one| Some((&one.network, one.address?))).collect();
        let macs: HashSet<_> = held.iter().filter_map(|one| one.mac).collect();
        addresses.retain(|link, one| {
            !self.snapshot.assignments.contains_key(link)
                && !one.address.is_some_and(|address| addressed.contains(&(&one.network, address)))
                && !one.mac.is_some_and(|mac| macs.contains(&mac))
        });
        addresses.extend(chosen);
        addresses
    }

    /// Frees the addresses of machines that neither are in the layout nor were ever made: a run was ended between the two.
    async fn release_nobodys(&self) -> Result<(), Error> {
        let machine = |thing: &Thing| match thing {
            Thing::Machine(_, machine) | Thing::OldMachine(machine) => Some(machine.name().to_owned()),
            _ => None,
        };
        let known: HashSet<_> = self.things.all.iter().filter_map(machine).collect();
        for (machine, interface) in self.snapshot.assignments.keys() {
            if !known.contains(machine) {
                self.ledger.release(machine, interface).await?;
            }
        }
        Ok(())
    }

    /// Notes that the selection, and what it needs, is as it should be: a plan found nothing to do. What earlier runs
    /// were killed in is closed.
    ///
    /// # Errors
    /// When the selection names nothing, or the state cannot be written.
    pub async fn is_settled(&self, selection: &Selection) -> Result<(), Error> {
        let among = self.deployed_by(selection)?.among;
        self.forget_tasks_gone(&among).await?;
        self.note_needs(&among).await?;
        self.note_models(&among).await?;
        self.seen_to(&among).await
    }

    async fn seen_to(&self, among: &BTreeSet<usize>) -> Result<(), Error> {
        if self.snapshot.unfinished.is_empty() {
            return Ok(());
        }
        let names: BTreeSet<_> = among.iter().map(|at| self.things.all[*at].name()).collect();
        // A task is seen to with its machine, also one that is no longer in the layout.
        self.ledger.supersede(move |thing| names.contains(&whose(thing))).await
    }

    async fn deploy_one(
        &self,
        at: usize,
        thing: &Thing,
        progress: Arc<Progress>,
        walk: &Walk,
    ) -> Result<(), Error> {
        match thing {
            Thing::Network(network) => self.deploy_network(thing, network, &progress).await,
            Thing::Machine(index, machine) => {
                let told = |error: Error| progress.tell(&thing.name(), Action::Deploy, &error);
                if self.things.waits_for_addresses(at) {
                    self.ledger.assign(assignments([machine].into_iter())).await.map_err(told)?;
                }
                let place = self.world.place(*index);
                let applications = self.applications(*index, &place, walk);
                let (roots, machines) =
                    applications.split_at(applications.partition_point(|one| one.when == When::Exists));
                let (identity, rooted) =
                    self.deploy_machine(at, thing, *index, machine, roots, &progress).await?;
                self.release_unused(machine).await.map_err(told)?;
                self.end_services(*index, machine, &progress).await?;
                if !machines.is_empty() && !machine.awaits_online() {
                    machine.online().await.map_err(told)?;
                }
                let applied = self.customize(machines, &identity).await;
                rooted.and(applied).map_err(|undone| progress.undone(&thing.name(), Action::Run, undone))
            }
            Thing::Model(index, model) => {
                let place = self.world.place(*index);
                let Some(tasks) = place.model_tasks(self.planned.get(), walk) else { return Ok(()) };
                let told = |error: Error| progress.tell(&thing.name(), Action::Run, &error);
                self.note_model(at, model).await.map_err(told)?;
                let applied = self.customize(&[tasks], &Generating::identity()).await;
                applied.map_err(|undone| progress.undone(&thing.name(), Action::Run, undone))
            }
            Thing::OldNetwork(_) | Thing::OldMachine(_) | Thing::OldModel(_) => {
                match self.exists(thing).await {
                    Ok(true) => self.destroy_one(thing, Reason::NotInLayout, &progress).await,
                    Ok(false) => Ok(()),
                    Err(error) => Err(progress.tell(&thing.name(), Action::Destroy, &error)),
                }
            }
        }
    }

    /// Applies customizations to a machine. What fails in one does not keep the others from being applied.
    async fn customize(&self, applications: &[Application<'_>], identity: &Identity) -> Result<(), Undone> {
        let mut outcome = Ok(());
        for application in applications {
            let applied = application.run(identity, |_| false, false, &self.options.stop).await?;
            outcome = outcome.and(all_well(applied));
        }
        outcome
    }

    /// Frees the addresses of links that a machine had and has no more.
    async fn release_unused(&self, machine: &Machine) -> Result<(), Error> {
        let first = (machine.name().to_owned(), String::new());
        for ((owner, interface), _) in self.snapshot.assignments.range(first..) {
            if owner != machine.name() {
                break;
            }
            if machine.links().iter().all(|link| link.interface != *interface) {
                self.ledger.release(owner, interface).await?;
            }
        }
        Ok(())
    }

    async fn deploy_network(
        &self,
        thing: &Thing,
        network: &Network,
        progress: &Progress,
    ) -> Result<(), Error> {
        let name = thing.name();
        let presence =
            network.presence().await.map_err(|error| progress.tell(&name, Action::Deploy, &error))?;
        let verdict = decide::network(self.record(thing), &presence, network.spec());
        progress
            .step(&name, verdict, async |action| match action {
                Some(_) => network.create().await.map(drop),
                None => Ok(()),
            })
            .await
    }

    /// Removes a machine and makes it again.
    async fn anew(&self, machine: &Machine) -> Result<Identity, Error> {
        // Its stamps stay: they tell of which machine they are, and so that this one is new.
        machine.destroy().await?;
        self.ledger.assign(assignments([machine].into_iter())).await?;
        machine.create().await
    }

    /// Makes a machine as the layout wants it. The customizations in `roots` are applied as soon as it exists and before it is
    /// started; it is not started unless they succeed. If it goes on running, what becomes of them is handed back.
    async fn deploy_machine(
        &self,
        at: usize,
        thing: &Thing,
        index: usize,
        machine: &Machine,
        roots: &[Application<'_>],
        progress: &Progress,
    ) -> Result<(Identity, Result<(), Undone>), Error> {
        let name = thing.name();
        let presence =
            machine.presence().await.map_err(|error| progress.tell(&name, Action::Deploy, &error))?;
        let shared = machine.spec().shares_links.as_ref();
        let shared = shared.and_then(|shared| progress.done_to(&format!("machine:{}", shared.machine)));
        let verdict = self.verdict(thing, machine, &presence, shared);
        progress
            .step(&name, verdict, async |action| -> Result<_, Undone> {
                // Before anything of it is touched: one that must not start yet stays as it is.
                if action.is_some_and(Action::starts) {
                    self.may_start(index, machine).await?;
                }
                let identity = match action {
                    Some(Action::Recreate) => self.anew(machine).await?,
                    // It is taken over by another name.
                    Some(Action::Adopt) if machine.has_other_name() => self.anew(machine).await?,
                    Some(Action::Create | Action::Adopt) => machine.create().await?,
                    Some(Action::Restart) if presence.running().is_none() || machine.has_other_name() => {
                        machine.stop(self.options.grace).await?;
                        known(machine, &presence)?
                    }
                    _ => known(machine, &presence)?,
                };
                machine.rename(self.record(thing)).await?;
                crash_point("machine-recorded");
                let mut rooted = self.customize(roots, &identity).await;
                if !matches!(action, None | Some(Action::Update)) {
                    std::mem::replace(&mut rooted, Ok(()))?;
                }
                match action {
                    None => return Ok((identity, rooted)),
                    Some(Action::Update) => machine.update().await?,
                    _ => {
                        if action == Some(Action::Restart) {
                            machine.stop(self.options.grace).await?;
                        }
                        machine.start().await?;
                        crash_point("machine-started");
                    }
                }
                let names = self.names().hosts(machine.spec());
                let (hash, needs) = (self.names().hash(machine.spec()), self.things.needs(at));
                machine.introduce(identity.clone(), &names, hash, needs).await?;
                crash_point("machine-introduced");
                Ok((identity, rooted))
            })
            .await
    }
}

/// What exists and is not made anew has an identity.
fn known(machine: &Machine, presence: &Presence) -> Result<Identity, Error> {
    presence.identity().cloned().ok_or_else(|| {
        Error::new(ErrorKind::Host, format!("`{}` vanished while it was looked at", machine.name()))
            .hint("deploy again")
    })
}

/// By machine and interface, as the store keeps them.
type Assignments = BTreeMap<(String, String), Assignment>;

/// What the links of these machines get.
fn assignments<'a>(machines: impl Iterator<Item = &'a Machine>) -> Assignments {
    let of = |machine: &'a Machine| {
        machine.links().iter().map(move |link| {
            let key = (machine.name().to_owned(), link.interface.clone());
            let address = link.address.map(|net| net.addr());
            (key, Assignment { network: link.network.clone(), address, mac: link.mac })
        })
    };
    machines.flat_map(of).collect()
}
