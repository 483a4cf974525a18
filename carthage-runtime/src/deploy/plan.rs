//! What deploying would do, and why. Looks, and touches nothing.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::decide::{self, Verdict};
use super::graph::{Graph, Outcome};
use super::services::whose;
use super::things::Thing;
use super::{Action, Deployment, Plan, Selection, Step};
use crate::customize::{Inspected, Now, Walk};
use crate::error::Error;
use crate::layout::{Generating, World};
use crate::machine::engine::{LinkSpec, Presence};
use crate::machine::{Machine, MadeFrom};
use crate::network::Network;
use crate::reason::Reason;
use crate::state::Record;

impl Deployment {
    /// What deploying the selection would do: for what it names, and for what that needs. What cannot be told of one thing
    /// is a step that says so.
    ///
    /// # Errors
    /// When the selection names nothing, or the host does not allow what the layout asks for.
    pub async fn plan(&self, selection: &Selection) -> Result<Plan, Error> {
        self.resolved()?;
        let surveyed = self.survey().await?;
        let chosen = self.deployed_by(selection)?;
        let among = &chosen.among;
        self.allowed(among, &surveyed)?;
        self.can_do(&chosen).await?;
        let (looks, any) = self.looks_elsewhere();
        let mut of = self.looked(&looks, among, &Walk::plan(any)).await;
        let with_steps = of.iter().filter(|(_, steps)| !steps.is_empty()).map(|(at, _)| *at);
        let brought: Vec<_> = self.brought_in(&chosen, with_steps);
        let notes = surveyed.notes.into_iter().chain(brought).chain(chosen.notes()).collect();
        let order = self.things.deploys_in_order().order();
        let orphans = chosen.orphans.clone();
        let steps = self.moves.steps().collect();
        let mut plan = Plan { steps, notes, orphans, ..Plan::default() };
        for steps in order.into_iter().filter_map(|thing| of.remove(&thing)) {
            plan.unchanged += usize::from(steps.is_empty());
            plan.steps.extend(steps);
        }
        Ok(plan)
    }

    /// How each setup task of the selection stands: what it did last, and what deploying it would do with it now, for the same reason as
    /// [`plan`](Self::plan) gives. Nothing is touched. The models' own tasks come first, then those of machines, both in the order of
    /// the source.
    ///
    /// # Errors
    /// When the selection names nothing, or the layout could not be resolved.
    pub async fn inspect(&self, selection: &Selection) -> Result<Vec<Inspected>, Error> {
        self.resolved()?;
        let selected = self.things.selected(selection)?;
        let mut among = self.deployed_by(selection)?.among;
        among.extend(selected.iter().copied().filter(|at| !self.things.all[*at].is_old()));
        let (looks, any) = self.looks_elsewhere();
        let walk = Walk::plan(any).inspecting();
        self.looked(&looks, &among, &walk).await;
        let names = self.task_names().into_iter().enumerate();
        let position: BTreeMap<String, usize> = names.map(|(at, (_, name))| (name, at)).collect();
        let named: BTreeSet<String> = selected.iter().map(|at| self.things.all[*at].name()).collect();
        let mut inspected = walk.into_inspected();
        inspected.retain(|task| named.contains(&whose(&task.thing)));
        inspected.sort_by_key(|task| {
            let name = task.thing.strip_prefix("task:").unwrap_or(&task.thing);
            (!whose(&task.thing).starts_with("model:"), position.get(name).copied())
        });
        Ok(inspected)
    }

    /// The steps of each of these things, looked at in the order of `looks`.
    async fn looked(
        &self,
        looks: &Graph,
        among: &BTreeSet<usize>,
        walk: &Walk,
    ) -> BTreeMap<usize, Vec<Step>> {
        let look = |at: usize| async move {
            let steps = self.steps_of(at, among, walk).await;
            if let (Thing::Machine(_, machine), false) = (&self.things.all[at], steps.is_empty()) {
                walk.changes(machine.name());
            }
            Ok(steps)
        };
        let never = &CancellationToken::new();
        let looked = self.with_room(async |room| looks.execute(among, room, never, look).await).await;
        let steps = looked.into_iter().filter_map(|(at, outcome)| match outcome {
            Outcome::Done(steps) => Some((at, steps)),
            _ => None,
        });
        steps.collect()
    }

    /// The steps of one thing, and of what belongs to it. What does not answer hides nothing else.
    async fn steps_of(&self, at: usize, among: &BTreeSet<usize>, walk: &Walk) -> Vec<Step> {
        let thing = &self.things.all[at];
        let name = thing.name();
        let told = match thing {
            Thing::Network(network) => self.network_steps(thing, network).await,
            Thing::Model(index, _) => {
                let place = self.world.place(*index);
                return match place.model_tasks(None, walk) {
                    Some(tasks) => tasks.plan(&Now::Running(Generating::identity())).await,
                    None => Vec::new(),
                };
            }
            Thing::OldNetwork(_) | Thing::OldMachine(_) | Thing::OldModel(_) => {
                self.exists(thing).await.map(|exists| {
                    let gone = exists.then(|| decided(thing, thing.end(Reason::NotInLayout), Vec::new()));
                    gone.into_iter().collect()
                })
            }
            Thing::Machine(index, machine) => match machine.presence().await {
                Ok(presence) => {
                    let shared = self.planned_for_shared(machine, |owner| among.contains(&owner)).await;
                    return self.machine_steps(thing, *index, machine, &presence, shared, walk).await;
                }
                Err(error) => Err(error),
            },
        };
        told.unwrap_or_else(|error| {
            let mut steps = vec![Step::new(name, Action::Ask, cannot_be_told(&error))];
            if let Thing::Machine(index, _) = thing {
                let place = self.world.place(*index);
                let applications = self.applications(*index, &place, walk);
                steps.extend(applications.iter().flat_map(|application| application.plan_unseen()));
            }
            steps
        })
    }

    /// What must be looked at before each thing, because its tasks look at that; and whether there is anything of the kind.
    pub(super) fn looks_elsewhere(&self) -> (Graph, bool) {
        // Models are looked at before what reads from them.
        let (mut graph, mut any) = (self.things.reads.clone(), !self.things.reads.is_empty());
        let machines = self.things.all.iter().enumerate().filter_map(|(at, thing)| match thing {
            Thing::Machine(index, _) => Some((*index, at)),
            _ => None,
        });
        let things: BTreeMap<usize, usize> = machines.collect();
        for (index, thing) in &things {
            let place = self.world.place(*index);
            for need in place.placement().needs().filter(|need| need.mode.looks_elsewhere()) {
                for other in place.depended_on(need) {
                    any = true;
                    things
                        .get(&other.placement().index())
                        .into_iter()
                        .for_each(|other| graph.need(*thing, *other));
                }
            }
        }
        (graph, any)
    }

    async fn network_steps(&self, thing: &Thing, network: &Network) -> Result<Vec<Step>, Error> {
        let verdict = decide::network(self.record(thing), &network.presence().await?, network.spec());
        let subnet = network.spec().v4.map(|net| net.to_string());
        Ok(verdict.map(|verdict| decided(thing, verdict, subnet.into_iter().collect())).into_iter().collect())
    }

    async fn machine_steps(
        &self,
        thing: &Thing,
        index: usize,
        machine: &Machine,
        presence: &Presence,
        shared: Option<Action>,
        walk: &Walk,
    ) -> Vec<Step> {
        let verdict = self.verdict(thing, machine, presence, shared);
        let action = verdict.as_ref().map(|(action, _)| *action);
        let starts = action.is_some_and(Action::starts);
        let waits = self.waits_for(index).filter(|_| starts);
        let details = details(machine, &self.world).into_iter().chain(waits).collect();
        let mut steps: Vec<_> = verdict.map(|verdict| decided(thing, verdict, details)).into_iter().collect();
        let now = match (action, presence.identity()) {
            (Some(Action::Create | Action::Recreate | Action::Adopt), _) | (_, None) => Now::New,
            (Some(Action::Start | Action::Restart), Some(identity)) => Now::Stopped(identity.clone()),
            (_, Some(identity)) => Now::Running(identity.clone()),
        };
        if !matches!(now, Now::New) {
            match self.services_to_end(index, machine).await {
                Ok(services) => steps.extend(services),
                Err(error) => steps.push(Step::new(thing.name(), Action::Ask, cannot_be_told(&error))),
            }
        }
        for application in self.applications(index, &self.world.place(index), walk) {
            steps.extend(application.plan(&now).await);
        }
        steps
    }

    pub(super) fn record(&self, thing: &Thing) -> Option<&Record> {
        self.snapshot.records.get(&thing.name())
    }

    /// What would be done to the machine whose links this one shares, if that is `chosen`. What cannot be told of it is told in its
    /// own place.
    pub(super) async fn planned_for_shared(
        &self,
        machine: &Machine,
        chosen: impl Fn(usize) -> bool,
    ) -> Option<Action> {
        let shared = machine.spec().shares_links.as_ref()?;
        let mut all = self.things.all.iter().enumerate();
        let (thing, other) = all.find_map(|(at, thing)| match thing {
            Thing::Machine(_, other) if other.name() == shared.machine && chosen(at) => Some((thing, other)),
            _ => None,
        })?;
        let presence = other.presence().await.ok()?;
        Some(self.verdict(thing, other, &presence, None)?.0)
    }

    /// What a machine of the layout needs, when this is done to the one whose links it shares.
    pub(super) fn verdict(
        &self,
        thing: &Thing,
        machine: &Machine,
        presence: &Presence,
        shared: Option<Action>,
    ) -> Verdict {
        let spec = machine.spec();
        let wanted = MadeFrom::new(spec, self.names().hash(spec));
        let names = || self.before().changes(self.names(), spec);
        let effect = |aspect| machine.effect(aspect);
        let rules = decide::Rules { makes: machine.is_made(), effect: &effect, shared };
        decide::machine(rules, self.record(thing), presence, &wanted, names)
    }
}

fn decided(thing: &Thing, (action, why): (Action, Reason), details: Vec<String>) -> Step {
    Step { details, ..Step::new(thing.name(), action, why) }
}

pub(super) fn cannot_be_told(error: &Error) -> Reason {
    Reason::CannotTell { cause: crate::chain(error) }
}

fn details(machine: &Machine, world: &World) -> Vec<String> {
    let link = |link: &LinkSpec| {
        let network = world.network_called(&link.network);
        match link.address {
            Some(address) => format!("{} {address} on {network}", link.interface),
            None => format!("{} on {network}", link.interface),
        }
    };
    let shared = machine.spec().shares_links.iter();
    let shared = shared.map(|shared| format!("shares the links of {}", shared.machine));
    machine.links().iter().map(link).chain(shared).collect()
}
