//! Making it so: what the plan says, decided again at each thing's turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::plan::NOT_IN_LAYOUT;
use super::progress::Progress;
use super::services::whose;
use super::things::Thing;
use super::{Action, decide};
use super::{Deployment, Report, Selection};
use crate::error::{Error, ErrorKind};
use crate::machine::Machine;
use crate::machine::engine::{Identity, Presence};
use crate::network::Network;
use crate::state::{Assignment, crash_point};

impl Deployment {
    /// Deploys the selection and what it needs. What fails is in the report.
    ///
    /// # Errors
    /// When the selection names nothing, an implementation cannot be used here, or not for what the layout asks, or the state
    /// cannot be written.
    pub async fn deploy(&self, selection: &Selection) -> Result<Report, Error> {
        self.resolved()?;
        let (among, stays) = self.deployed_by(selection)?;
        self.allowed(&among, &self.survey().await?)?;
        crash_point("run-begun");
        self.world.kept().write_to(self.ledger.clone()).await?;
        let machines = among.iter().filter_map(|at| match &self.things.all[*at] {
            Thing::Machine(_, machine) if !self.things.waits_for_addresses(*at) => Some(machine),
            _ => None,
        });
        self.ledger.assign(assignments(machines)).await?;
        crash_point("addresses-assigned");
        let work = |at, thing, progress| self.deploy_one(at, thing, progress);
        let mut report = self.each(&self.things.deploys_in_order(), &among, "deploy", work).await;
        report.skipped.extend(stays);
        if report.is_complete() {
            self.seen_to(&among).await?;
        }
        Ok(report)
    }

    /// Notes that the selection, and what it needs, is as it should be: a plan found nothing to do. What earlier runs
    /// were killed in is closed.
    ///
    /// # Errors
    /// When the selection names nothing, or the state cannot be written.
    pub async fn is_settled(&self, selection: &Selection) -> Result<(), Error> {
        let among = self.deployed_by(selection)?.0;
        self.forget_tasks_gone(&among).await?;
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

    async fn deploy_one(&self, at: usize, thing: &Thing, progress: Arc<Progress>) -> Result<(), Error> {
        match thing {
            Thing::Network(network) => self.deploy_network(thing, network, &progress).await,
            Thing::Machine(index, machine) => {
                let told = |error: Error| progress.tell(&thing.name(), "deploy", &error);
                if self.things.waits_for_addresses(at) {
                    self.ledger.assign(assignments([machine].into_iter())).await.map_err(told)?;
                }
                let identity = self.deploy_machine(thing, machine, &progress).await?;
                self.release_unused(machine).await.map_err(told)?;
                self.end_services(*index, machine, &progress).await?;
                let mut outcome = Ok(());
                for application in self.applications(*index, &self.world.place(*index)) {
                    let done = application.run(&identity, |_| false, false, &self.options.stop).await;
                    let done = done.map_err(|error| progress.tell(&thing.name(), "run", &error))?;
                    // What fails in one customization does not keep the others from being applied.
                    outcome = outcome.and(progress.applied(done));
                }
                outcome
            }
            Thing::OldNetwork(_) | Thing::OldMachine(_) => match self.exists(thing).await {
                Ok(true) => self.destroy_one(thing, NOT_IN_LAYOUT, &progress).await,
                Ok(false) => Ok(()),
                Err(error) => Err(progress.tell(&thing.name(), "destroy", &error)),
            },
        }
    }

    /// Frees the addresses of links that a machine had and has no more.
    async fn release_unused(&self, machine: &Machine) -> Result<(), Error> {
        for (owner, interface) in
            self.snapshot.assignments.keys().filter(|(owner, _)| owner == machine.name())
        {
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
        let presence = network.presence().await.map_err(|error| progress.tell(&name, "deploy", &error))?;
        let verdict = decide::network(self.record(thing), &presence, network.spec());
        progress
            .step(&name, verdict, async |action| match action {
                Some(_) => network.create().await.map(drop),
                None => Ok(()),
            })
            .await
    }

    async fn deploy_machine(
        &self,
        thing: &Thing,
        machine: &Machine,
        progress: &Progress,
    ) -> Result<Identity, Error> {
        let name = thing.name();
        let presence = machine.presence().await.map_err(|error| progress.tell(&name, "deploy", &error))?;
        let verdict = self.verdict(thing, machine, &presence);
        progress
            .step(&name, verdict, async |action| {
                let identity = match action {
                    Some(Action::Recreate) => {
                        self.remove_machine(machine).await?;
                        self.ledger.assign(assignments([machine].into_iter())).await?;
                        machine.create().await?
                    }
                    Some(Action::Create | Action::Adopt) => machine.create().await?,
                    Some(Action::Restart) => {
                        machine.stop(self.options.grace).await?;
                        known(machine, &presence)?
                    }
                    _ => known(machine, &presence)?,
                };
                crash_point("machine-recorded");
                if action == Some(Action::Update) {
                    machine.update().await?;
                }
                if !matches!(action, None | Some(Action::Update)) {
                    machine.start().await?;
                    crash_point("machine-started");
                }
                if action.is_some() {
                    machine.introduce(identity.clone(), &self.names.hosts(machine.spec())).await?;
                    crash_point("machine-introduced");
                }
                Ok(identity)
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

/// What the links of these machines get, as the store keeps it.
fn assignments<'a>(machines: impl Iterator<Item = &'a Machine>) -> BTreeMap<(String, String), Assignment> {
    let of = |machine: &'a Machine| {
        machine.links().iter().map(move |link| {
            let key = (machine.name().to_owned(), link.interface.clone());
            let address = link.address.map(|net| net.addr());
            (key, Assignment { network: link.network.clone(), address, mac: link.mac })
        })
    };
    machines.flat_map(of).collect()
}
