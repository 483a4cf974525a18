//! What the hosts of the implementations in use allow, and whether that is enough for the layout.

use std::collections::{BTreeMap, BTreeSet};

use super::things::Thing;
use super::{Deployment, Selection};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::Survey;
use crate::machine::{Machine, Operation, not_root, told};
use crate::model::Role;

/// What was found out.
pub(super) struct Surveyed {
    /// What the user should know.
    pub(super) notes: Vec<String>,
    /// By implementation: why its machines have only one user inside.
    alone: BTreeMap<&'static str, String>,
}

/// How many of the things that a host does not allow an error names.
const NAMED: usize = 8;

impl Deployment {
    /// What the hosts of the implementations in use allow; an error is what makes one unusable.
    pub(super) async fn survey(&self) -> Result<Surveyed, Error> {
        let (mut notes, mut alone) = (Vec::new(), BTreeMap::new());
        for (name, engine) in self.world.engines() {
            let machines: Vec<_> = self
                .machines()
                .filter(|machine| machine.implementation() == *name)
                .map(Machine::spec)
                .collect();
            let limits = self.options.limits;
            let what = || "what the host allows".to_owned();
            let survey = told(&self.options.events, || (*name).to_owned(), what, engine.survey(&machines));
            let survey = limits.within(Operation::Look, "find out about the host of", name, survey).await?;
            let Survey { single_user, memory_not_enforced, cpus_not_enforced, notes: more } = survey;
            notes.extend(more.into_iter().map(|note| format!("{name}: {note}")));
            if let Some(why) = single_user {
                notes.push(format!("{name}: machines have one user inside, commands as another fail: {why}"));
                alone.insert(*name, why);
            }
            if let Some(why) =
                memory_not_enforced.filter(|_| machines.iter().any(|spec| spec.memory_mb.is_some()))
            {
                notes.push(format!("{name}: memory_mb is not enforced: {why}"));
            }
            if let Some(why) = cpus_not_enforced.filter(|_| machines.iter().any(|spec| spec.cpus.is_some())) {
                notes.push(format!("{name}: cpus is not enforced: {why}"));
            }
        }
        Ok(Surveyed { notes, alone })
    }

    /// How many of the layout's machines the hosts allow, how many there are, and what the user should know.
    ///
    /// # Errors
    /// When the layout cannot be resolved, or an implementation cannot be used here.
    pub(crate) async fn check(&self) -> Result<(usize, usize, Vec<String>), Error> {
        self.resolved()?;
        let Surveyed { mut notes, alone } = self.survey().await?;
        let among = self.deployed_by(&Selection::all())?.among;
        let refused: Vec<_> = self.asks_for_users(&among, &alone).collect();
        let machines: BTreeSet<_> = refused.iter().map(|asks| asks.machine.name()).collect();
        let all = self.machines().count();
        notes.extend(refused.iter().map(ToString::to_string));
        Ok((all - machines.len(), all, notes))
    }

    /// That the hosts allow all that the layout says of users.
    ///
    /// # Errors
    /// When they do not, with all that asks for one.
    pub(super) fn allowed(&self, among: &BTreeSet<usize>, surveyed: &Surveyed) -> Result<(), Error> {
        let refused: Vec<_> = self.asks_for_users(among, &surveyed.alone).collect();
        let Some(first) = refused.first() else { return Ok(()) };
        let mut what: Vec<_> = refused.iter().take(NAMED).map(ToString::to_string).collect();
        what.extend(refused.len().checked_sub(NAMED + 1).map(|more| format!("{} more like this", more + 1)));
        let implementation = first.machine.implementation();
        let why = surveyed.alone.get(implementation).map_or("", String::as_str);
        let error = Error::new(ErrorKind::Unsupported, what.join("; "));
        Err(error.because(format!("machines of {implementation} have one user inside: {why}")).hint(
            "have what is missing set up, or run as root; or leave out `runas_user` and `user`: then they run as root",
        ))
    }

    /// Who, among these things, wants another user than root where there is none.
    fn asks_for_users<'a>(
        &'a self,
        among: &'a BTreeSet<usize>,
        alone: &'a BTreeMap<&'static str, String>,
    ) -> impl Iterator<Item = Asks<'a>> {
        let machines = among.iter().filter_map(|at| match &self.things.all[*at] {
            Thing::Machine(index, machine) => Some((*index, machine)),
            _ => None,
        });
        let machines = machines.filter(|(_, machine)| alone.contains_key(machine.implementation()));
        machines.flat_map(|(index, machine)| {
            let own = not_root(machine.spec().runas_user.as_deref());
            let own = own.map(|user| Asks { machine, task: None, user });
            let tasks = self.world.placement(index).node().parts.iter().flat_map(move |part| {
                let tasks = match &part.role {
                    Role::Customize(node) => node.tasks,
                    _ => &[],
                };
                tasks.iter().filter_map(move |task| {
                    let user = not_root(task.user)?;
                    Some(Asks { machine, task: Some(format!("{}.{}", part.field, task.name)), user })
                })
            });
            own.into_iter().chain(tasks)
        })
    }
}

/// A machine, or a task of it, that wants a user.
struct Asks<'a> {
    machine: &'a Machine,
    /// `site.serve`
    task: Option<String>,
    user: &'a str,
}

impl std::fmt::Display for Asks<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { machine, task, user } = self;
        match task {
            None => write!(f, "machine `{}` cannot run its commands as `{user}`", machine.name()),
            Some(task) => write!(f, "task `{}/{task}` cannot run its commands as `{user}`", machine.name()),
        }
    }
}
