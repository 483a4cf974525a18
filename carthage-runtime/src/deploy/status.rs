//! What is in the layout, and what of it exists now.

use futures_util::{StreamExt, stream};
use serde::Serialize;

use super::services::is_of;
use super::things::Thing;
use super::{Deployment, Selection, decide};
use crate::error::Error;
use crate::machine::engine::{Alteration, MachineSpec, Presence, ServiceState, ServiceStatus};
use crate::machine::{Machine, MadeFrom};
use crate::model::{Key, Kind, Node, Role, Taken};
use crate::reason::Reason;
use crate::state::Record;

/// Something in the layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// `machine:mirror.algebra`
    pub thing: String,
    /// The first line of its doc comment.
    pub about: String,
    /// The field that holds it, such as `algebra.mirror`.
    pub path: String,
    /// What makes it, if it is a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implementation: Option<String>,
    /// Addresses, or a network's subnet.
    pub addresses: Vec<String>,
    /// The full name of the machine whose links a machine shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shares_links: Option<String>,
    /// The tasks of a machine, or of a model.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<String>,
    /// The roles that a machine takes in, each once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<ListedRole>,
}

/// A role of a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedRole {
    /// Whether it is a `role`, an `image`, or another `machine`'s model.
    pub kind: &'static str,
    /// Its type.
    pub role: &'static str,
    /// The first line of its doc comment.
    pub about: &'static str,
    /// Where it is declared, as `file:line`.
    pub at: String,
    /// The fields that take it in: the first of them has it.
    pub fields: Vec<&'static str>,
    /// What the machine has from it.
    pub parts: Vec<&'static str>,
}

/// What exists now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Machines, in the order of the source, then those that are no longer in the layout.
    pub machines: Vec<MachineStatus>,
    /// Networks likewise.
    pub networks: Vec<NetworkStatus>,
    /// Models with tasks that are no longer in the layout.
    pub models: Vec<ModelStatus>,
    /// The number of the last run; 0 if there was none.
    pub run: u64,
    /// Changes that were begun and not ended, as `create machine:mirror.algebra`: their run goes on, or was ended in them.
    pub unfinished: Vec<String>,
    /// What the host does not enforce.
    pub notes: Vec<String>,
}

/// How what is there is not what is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// It was deployed, and is not there.
    Missing,
    /// It is there, and is not the one that was deployed.
    Changed,
    /// It does not say whether it is there.
    Unknown,
}

impl Drift {
    /// Of what should be as this record says.
    fn of(record: Option<&Record>, presence: &Presence, spec: &MachineSpec) -> Option<Self> {
        let record = record?;
        match presence {
            Presence::Unknown(..) => Some(Self::Unknown),
            Presence::Absent => Some(Self::Missing),
            there if there.identity() != Some(&record.identity) => Some(Self::Changed),
            there if !altered(record, there, spec).is_empty() => Some(Self::Changed),
            _ => None,
        }
    }
}

/// A machine as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MachineStatus {
    /// Its fully qualified name.
    pub name: String,
    /// What makes it.
    pub implementation: String,
    /// `running`, `stopped`, `absent`, `stranded` (it shares the links of a machine that has been started or made anew since) or
    /// `unknown`.
    pub state: &'static str,
    /// What is wrong with that, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Whether it is as it was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Whether it is in the layout.
    pub in_layout: bool,
    /// Its addresses with prefix lengths.
    pub addresses: Vec<String>,
    /// Its services.
    pub services: Vec<Service>,
}

/// A service as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The task that spawned it: `site.serve`.
    pub name: String,
    /// `running`, `ended` or `stopped`.
    pub state: &'static str,
    /// How it ended, if it did by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<String>,
    /// What is wrong with it, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Where its output is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// A network as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NetworkStatus {
    /// Its path.
    pub name: String,
    /// `running`, `stopped`, `absent` or `unknown`.
    pub state: &'static str,
    /// What is wrong with that, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Whether it is as it was deployed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// Whether it is in the layout.
    pub in_layout: bool,
    /// Its subnet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet: Option<String>,
}

/// A model that had tasks and is no longer in the layout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelStatus {
    /// The path of fields that led to it, or a machine's full name.
    pub name: String,
    /// Whether it is in the layout.
    pub in_layout: bool,
    /// Where on the controller is what its tasks have generated, as far as that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
}

impl Status {
    /// Whether something is not as it was deployed, or does not say.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        self.machines.iter().any(|machine| machine.drift.is_some())
            || self.networks.iter().any(|network| network.drift.is_some())
    }
}

impl Deployment {
    /// What is in the layout. Asks nobody.
    ///
    /// # Errors
    /// When the selection names nothing.
    pub fn list(&self, selection: &Selection) -> Result<Vec<Listed>, Error> {
        let selected = self.things.selected(selection)?;
        let tasks = self.task_names();
        let listed = selected.into_iter().filter_map(|at| match &self.things.all[at] {
            Thing::Network(network) => {
                let about = self.world.placements().iter().find(|p| p.path() == network.name())?.node().about;
                Some(Listed {
                    thing: network.thing(),
                    about: about.to_owned(),
                    path: network.name().to_owned(),
                    implementation: None,
                    addresses: network.spec().v4.iter().map(ToString::to_string).collect(),
                    shares_links: None,
                    tasks: Vec::new(),
                    roles: Vec::new(),
                })
            }
            Thing::Machine(index, machine) => Some(Listed {
                thing: machine.thing(),
                about: self.world.placement(*index).node().about.to_owned(),
                path: machine.path().to_owned(),
                implementation: Some(machine.implementation().to_owned()),
                addresses: addresses(machine),
                shares_links: shares_links(machine),
                tasks: tasks.iter().filter(|(of, _)| *of == at).map(|(_, name)| name.clone()).collect(),
                roles: roles(self.world.placement(*index).node()),
            }),
            Thing::Model(index, model) => Some(Listed {
                thing: model.thing(),
                about: self.world.placement(*index).node().about.to_owned(),
                path: self.world.placement(*index).path().to_owned(),
                implementation: None,
                addresses: Vec::new(),
                shares_links: None,
                tasks: model.tasks().map(|task| format!("{}/{task}", model.dir.name())).collect(),
                roles: Vec::new(),
            }),
            Thing::OldNetwork(_) | Thing::OldMachine(_) | Thing::OldModel(_) => None,
        });
        Ok(listed.collect())
    }

    /// What exists of the selection now, asked from the implementations. What does not answer is `unknown`, with its error as
    /// its trouble.
    ///
    /// # Errors
    /// When the selection names nothing.
    pub async fn status(&self, selection: &Selection) -> Result<Status, Error> {
        let selected = self.things.selected(selection)?;
        let unfinished =
            self.snapshot.unfinished.iter().map(|entry| format!("{} {}", entry.action, entry.thing));
        let notes = match self.survey().await {
            Ok(surveyed) => surveyed.notes,
            Err(error) => vec![crate::chain(&error)],
        };
        let mut status =
            Status { run: self.snapshot.run, unfinished: unfinished.collect(), notes, ..Status::default() };
        let things: Vec<_> = selected.into_iter().map(|at| &self.things.all[at]).collect();
        let machines = things.iter().filter_map(|thing| match thing {
            Thing::Machine(index, machine) => Some((machine, Some(*index))),
            Thing::OldMachine(machine) => Some((machine, None)),
            _ => None,
        });
        let asked = machines.map(|(machine, index)| self.machine_status(machine, index));
        status.machines = stream::iter(asked).buffered(self.options.parallel.max(1)).collect().await;
        for thing in things {
            // While the layout cannot be resolved nobody knows which models are in it.
            if let (Thing::OldModel(model), None) = (thing, &self.trouble) {
                status.models.push(ModelStatus {
                    name: model.name.clone(),
                    in_layout: false,
                    directory: model.dir.as_ref().map(|dir| dir.path().display().to_string()),
                });
            }
            if let Thing::Network(network) | Thing::OldNetwork(network) = thing {
                let (state, trouble, drift) = match network.presence().await {
                    Ok(Presence::Unknown(_, why)) => (UNKNOWN, Some(why), Some(Drift::Unknown)),
                    Ok(presence) => {
                        let drift = Drift::of(self.record(thing), &presence, &MachineSpec::default());
                        (word(&presence), drift.map(of_network), drift)
                    }
                    Err(error) => (UNKNOWN, Some(crate::chain(&error)), Some(Drift::Unknown)),
                };
                status.networks.push(NetworkStatus {
                    name: network.name().to_owned(),
                    state,
                    trouble,
                    drift,
                    in_layout: !thing.is_old(),
                    subnet: network.spec().v4.map(|net| net.to_string()),
                });
            }
        }
        Ok(status)
    }

    async fn machine_status(&self, machine: &Machine, index: Option<usize>) -> MachineStatus {
        let record = self.snapshot.records.get(&machine.thing());
        let (state, mut trouble, drift, services) = match asked(machine).await {
            Ok((presence, services)) => {
                let drift = Drift::of(record, &presence, machine.spec());
                (word(&presence), self.trouble(machine, &presence), drift, services)
            }
            Err(error) => (UNKNOWN, Some(crate::chain(&error)), Some(Drift::Unknown), Vec::new()),
        };
        let gone = index.map_or_else(|| Ok(Vec::new()), |index| self.tasks_gone(index));
        let gone = gone.unwrap_or_else(|error| {
            trouble.get_or_insert(crate::chain(&error));
            Vec::new()
        });
        MachineStatus {
            name: machine.name().to_owned(),
            implementation: machine.implementation().to_owned(),
            state,
            trouble,
            drift,
            in_layout: index.is_some(),
            addresses: addresses(machine),
            services: services.into_iter().map(|service| Service::of(service, &gone)).collect(),
        }
    }

    /// What is wrong with a machine that is there like this.
    fn trouble(&self, machine: &Machine, presence: &Presence) -> Option<String> {
        match (presence, self.snapshot.records.get(&machine.thing())) {
            (Presence::Unknown(_, why), _) => Some(why.clone()),
            (Presence::Stranded(..), _) => {
                let other = machine.spec().shares_links.as_ref()?.machine.as_str();
                Some(format!("`{other}`, whose links it shares, was stopped or made anew; `deploy` mends it"))
            }
            (Presence::Absent, Some(_)) => {
                Some("it was removed from outside; `deploy` makes it again".to_owned())
            }
            (_, Some(record)) if presence.identity() != Some(&record.identity) => {
                Some("it is not the one that was deployed; `deploy` runs its tasks again".to_owned())
            }
            (Presence::Altered(..), Some(record)) => {
                let altered = altered(record, presence, machine.spec());
                let what: Vec<_> = altered.iter().map(|one| one.what.as_str()).collect();
                (!what.is_empty()).then(|| format!("{}; `deploy` mends it", what.join(", ")))
            }
            (Presence::Stopped(_) | Presence::Running(_) | Presence::Altered(..), None) => {
                Some("it was not finished; `deploy` carries on".to_owned())
            }
            _ => None,
        }
    }
}

/// What of a machine that was deployed somebody else has changed, while the layout says the same as before.
fn altered<'a>(record: &Record, presence: &'a Presence, spec: &MachineSpec) -> Vec<&'a Alteration> {
    if presence.alterations().is_empty() {
        return Vec::new();
    }
    let changes = MadeFrom::of(record).map(|old| decide::changes(&old.spec, spec)).unwrap_or_default();
    decide::altered(presence, &changes)
}

/// What is wrong with a network that is not as it was deployed.
fn of_network(drift: Drift) -> String {
    let what = match drift {
        Drift::Missing => "it was removed from outside; `deploy` makes it again",
        Drift::Changed => "it is not the one that was deployed; `deploy` mends it",
        Drift::Unknown => "it does not say whether it is there",
    };
    what.to_owned()
}

/// Whether a machine is there, and its services if it is.
async fn asked(machine: &Machine) -> Result<(Presence, Vec<ServiceStatus>), Error> {
    let presence = machine.presence().await?;
    let services = match presence {
        Presence::Absent => Vec::new(),
        _ => machine.services().await?,
    };
    Ok((presence, services))
}

impl Service {
    fn of(status: ServiceStatus, gone: &[String]) -> Self {
        let (state, exit) = match status.state {
            ServiceState::Running(_) => ("running", None),
            ServiceState::Ended(exit) => ("ended", Some(exit.to_string())),
            ServiceState::Stopped => ("stopped", None),
        };
        let trouble = is_of(gone, &status.name).then(|| format!("{}; `deploy` ends it", Reason::TaskGone));
        Self { name: status.name, state, exit, trouble, log: status.log.map(|log| log.to_string()) }
    }
}

/// The state of what does not answer.
const UNKNOWN: &str = "unknown";

fn word(presence: &Presence) -> &'static str {
    match presence {
        Presence::Absent => "absent",
        Presence::Stopped(_) => "stopped",
        Presence::Running(_) | Presence::Altered(..) => "running",
        Presence::Stranded(..) => "stranded",
        Presence::Unknown(..) => UNKNOWN,
    }
}

pub(super) fn addresses(machine: &Machine) -> Vec<String> {
    machine.spec().interfaces().iter().filter_map(|link| link.address).map(|net| net.to_string()).collect()
}

/// Whose links a machine has, by its full name.
pub(super) fn shares_links(machine: &Machine) -> Option<String> {
    machine.spec().shares_links.as_ref().map(|shared| shared.machine.clone())
}

fn roles(machine: &'static Node) -> Vec<ListedRole> {
    let fields_of = |key: Key| {
        let parts = machine.parts.iter();
        parts.filter(move |part| matches!(&part.role, Role::Taken(other) if other.node.key == key))
    };
    let listed = |taken: &'static Taken| ListedRole {
        kind: match taken.node.kind {
            Kind::Image => "image",
            Kind::Machine => "machine",
            Kind::Trait => "trait",
            _ => "role",
        },
        role: taken.node.key.name(),
        about: taken.node.about,
        at: taken.node.at.to_string(),
        fields: fields_of(taken.node.key).map(|part| part.field).collect(),
        parts: machine.parts[taken.own()].iter().map(|part| part.field).collect(),
    };
    machine.roles().map(listed).collect()
}
