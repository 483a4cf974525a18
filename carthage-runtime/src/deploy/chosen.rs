//! What a deployment is about: what is selected, what that needs, and what stays although it is no longer in the layout.

use std::collections::BTreeSet;

use super::policy::Question;
use super::things::{Thing, Things};
use super::{Action, Deployment, Selection, Skip};
use crate::error::{Error, ErrorKind};
use crate::reason::Reason;

/// What a command is about.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub(super) among: BTreeSet<usize>,
    /// What of it is selected and in the layout; the rest is needed, or is no longer there.
    named: BTreeSet<usize>,
    /// Nothing else is brought in.
    only: bool,
    /// What was to be done and is not.
    pub(super) stays: Vec<Skip>,
    /// What a policy keeps: nothing was to be done with it.
    pub(super) kept: Vec<Skip>,
    /// What is no longer in the layout, and waits to be removed.
    pub(super) orphans: Vec<String>,
}

impl Chosen {
    /// Of a destruction.
    pub(super) fn destroyed(among: BTreeSet<usize>, stays: Vec<Skip>, kept: Vec<Skip>) -> Self {
        Self { among, stays, kept, ..Self::default() }
    }

    /// What is said of all that stays.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + '_ {
        let stays =
            self.stays.iter().chain(&self.kept).map(|skip| format!("{} stays: {}", skip.thing, skip.why));
        let orphans = self.orphans.iter().map(|thing| {
            format!("{thing} is no longer in the layout: `deploy --prune` or `destroy --orphans` removes it")
        });
        stays.chain(orphans)
    }
}

impl Deployment {
    /// What is selected and what it needs; of what is no longer in the layout, what is selected if that is to go. A network that is
    /// no longer in it stays as long as something is plugged into it that is not selected.
    pub(super) fn deployed_by(&self, selection: &Selection) -> Result<Chosen, Error> {
        let Things { all, deploys, .. } = &self.things;
        let selected = self.things.selected(selection)?;
        let named = selected.iter().copied().filter(|at| !all[*at].is_old());
        let named: BTreeSet<_> = named.filter(|at| !self.waits_to_be_named(selection, *at)).collect();
        let mut among = match selection.only {
            true => named.clone(),
            false => self.with_sharing(deploys.closure(named.iter().copied())),
        };
        let mut may_go: BTreeSet<usize> = (0..all.len()).filter(|at| all[*at].is_old()).collect();
        let kept = self.keep(&mut may_go, Question::Orphan);
        let goes: BTreeSet<_> = may_go.intersection(&selected).copied().filter(|_| selection.prune).collect();
        among.extend(&goes);
        let mut stays = Vec::new();
        for at in goes.iter().copied() {
            let why = match all[at] {
                Thing::OldNetwork(_) => |thing| Reason::PluggedBy { thing },
                Thing::OldModel(_) => |thing| Reason::NeededBy { thing },
                _ => continue,
            };
            if let Some(user) = self.things.destroys.users(at).find(|user| !among.contains(user)) {
                let why = why(all[user].name());
                stays.push(Skip { thing: all[at].name(), why });
                among.remove(&at);
            }
        }
        let orphans = may_go.difference(&goes).map(|at| all[*at].name()).collect();
        Ok(Chosen { among, named, only: selection.only, stays, kept, orphans })
    }

    /// These, and the machines that exist and share the links of any of them: they go down with it, and have to come up again.
    fn with_sharing(&self, mut among: BTreeSet<usize>) -> BTreeSet<usize> {
        loop {
            let more: Vec<_> = self.sharing_besides(&among).collect();
            if more.is_empty() {
                return among;
            }
            among.extend(self.things.deploys.closure(more));
        }
    }

    /// The machines that exist and share the links of any of these, and are not among them.
    fn sharing_besides<'a>(&'a self, among: &'a BTreeSet<usize>) -> impl Iterator<Item = usize> + 'a {
        let all = &self.things.all;
        let exist = |at: &usize| !all[*at].is_old() && self.record(&all[*at]).is_some();
        let sharing = among.iter().flat_map(|at| self.things.sharing(*at));
        sharing.filter(move |at| !among.contains(at) && exist(at))
    }

    /// What of `things` was not selected and is brought in, and why.
    pub(super) fn brought_in(&self, chosen: &Chosen, things: impl Iterator<Item = usize>) -> Vec<String> {
        let all = &self.things.all;
        let brought = things.filter(|at| !chosen.named.contains(at) && !all[*at].is_old());
        let brought: Vec<_> = brought.collect();
        if brought.is_empty() {
            return Vec::new();
        }
        let users = self.things.deploys.reversed();
        let why = |at: usize| match users.closure([at]).into_iter().find(|user| chosen.named.contains(user)) {
            Some(user) => format!("{} needs it", all[user].name()),
            None => "it shares links with what is selected".to_owned(),
        };
        brought.into_iter().map(|at| format!("also {}: {}", all[at].name(), why(at))).collect()
    }

    /// Makes sure that what was chosen can be done without the rest.
    ///
    /// # Errors
    /// When something has an address that what is no longer in the layout still has, or would be one with it to its implementation; and
    /// of a selection that brings in nothing, when something that is needed is missing, or would lose its network.
    pub(super) async fn can_do(&self, chosen: &Chosen) -> Result<(), Error> {
        let all = &self.things.all;
        if let Some((old, new)) = self.things.held_by_others(&chosen.among).next() {
            let (old, new) = (all[old].name(), all[new].name());
            let what = format!("`{new}` gets an address that `{old}` has, which is no longer in the layout");
            return Err(Error::new(ErrorKind::Usage, what)
                .hint("remove it with `--prune`, or first with `destroy --orphans`; or give the new one another address"));
        }
        if let Some((old, new)) = self.things.one_with_old(&chosen.among) {
            let (old, new) = (all[old].name(), all[new].name());
            let (_, name) = old.split_once(':').unwrap_or(("", &old));
            let what = format!(
                "`{new}` and `{old}`, which is no longer in the layout, would be one to their implementation"
            );
            return Err(Error::new(ErrorKind::Usage, what)
                .because(format!("`{old}` was renamed, and is called so there until it is destroyed"))
                .hint(format!(
                    "write `#[moved_from(\"{name}\")]` where the new one is placed, if it is the same; or call it otherwise; or first \
                     destroy the old one, with what is plugged into it"
                )));
        }
        if !chosen.only {
            return Ok(());
        }
        let mut missing = Vec::new();
        for at in self.things.deploys.closure(chosen.named.iter().copied()) {
            if chosen.named.contains(&at) {
                continue;
            }
            let presence = match &all[at] {
                Thing::Network(network) | Thing::OldNetwork(network) => network.presence().await?,
                Thing::Machine(_, machine) | Thing::OldMachine(machine) => machine.presence().await?,
                Thing::Model(_, model) if model.has_run() => continue,
                Thing::Model(..) => {
                    missing.push(format!("the tasks of {} are needed, and have not run", all[at].name()));
                    continue;
                }
                Thing::OldModel(_) => continue,
            };
            if presence.running() != Some(true) {
                missing.push(format!("{} is needed, and is not there or does not run", all[at].name()));
            }
        }
        for at in self.sharing_besides(&chosen.named) {
            let Thing::Machine(_, machine) = &all[at] else { continue };
            if let Some(Action::Create | Action::Recreate | Action::Restart) =
                self.planned_for_shared(machine, |at| chosen.named.contains(&at)).await
            {
                missing.push(format!("{} would lose its network, and is not selected", all[at].name()));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotFound, "what is selected cannot be deployed with nothing else")
            .because(missing.join("\n"))
            .hint("leave `--only` out, or select these, too"))
    }
}
