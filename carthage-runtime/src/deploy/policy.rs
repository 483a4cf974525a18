//! What a policy keeps: `#[policy(destroy = retain, orphan = warn, auto_deploy = false)]`.

use std::collections::BTreeSet;

use super::things::Thing;
use super::{Deployment, Selection, Skip};
use crate::machine::engine::{PolicySpec, Removal};
use crate::reason::Reason;

/// A question that a policy answers.
#[derive(Clone, Copy)]
pub(super) enum Question {
    /// It is destroyed.
    Destroy,
    /// It is no longer in the layout.
    Orphan,
}

impl Question {
    fn answer(self, policy: PolicySpec) -> Removal {
        match self {
            Self::Destroy => policy.destroy,
            Self::Orphan => policy.orphan,
        }
    }

    /// Why something stays, as the layout says it.
    fn why(self, answer: Removal) -> Reason {
        let question = match self {
            Self::Destroy => "destroy",
            Self::Orphan => "orphan",
        };
        let answer = if answer == Removal::Warn { "warn" } else { "retain" };
        Reason::Kept { question: question.to_owned(), answer: answer.to_owned() }
    }
}

impl Thing {
    fn policy(&self) -> PolicySpec {
        match self {
            Self::Network(network) | Self::OldNetwork(network) => network.spec().policy,
            Self::Machine(_, machine) | Self::OldMachine(machine) => machine.spec().policy,
            Self::Model(_, model) => model.policy,
            Self::OldModel(model) => model.policy,
        }
    }
}

impl Deployment {
    /// Takes out of `goes` what a policy keeps, and what that needs; answers what stays.
    pub(super) fn keep(&self, goes: &mut BTreeSet<usize>, question: Question) -> Vec<Skip> {
        let all = &self.things.all;
        let answer = |at: usize| question.answer(all[at].policy());
        let kept: BTreeSet<usize> =
            goes.iter().copied().filter(|at| answer(*at) != Removal::Delete).collect();
        if kept.is_empty() {
            return Vec::new();
        }
        let users = self.things.destroys.reversed();
        let mut stays = Vec::new();
        goes.retain(|at| {
            let why = match kept.contains(at) {
                true => Some(question.why(answer(*at))),
                false => users
                    .closure([*at])
                    .into_iter()
                    .find(|user| kept.contains(user))
                    .map(|user| Reason::NeededByKept { thing: all[user].name() }),
            };
            let goes = why.is_none();
            stays.extend(why.map(|why| Skip { thing: all[*at].name(), why }));
            goes
        });
        stays
    }

    /// What is not deployed unless it is named, or needed by what is.
    pub(super) fn waits_to_be_named(&self, selection: &Selection, at: usize) -> bool {
        selection.include.is_empty() && !self.things.all[at].policy().auto_deploy
    }
}
