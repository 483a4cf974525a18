//! How many elements a member field has: known from the source, or decided at run time.

use super::super::member::{Count, Member};
use super::super::profile::Profile;

/// What was decided about a member at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet; it is left out.
    Pending,
    /// It is left out.
    Absent,
    /// It is there.
    Present,
    /// These are there.
    Names(&'static [&'static str]),
}

/// The elements of a member field.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) count: usize,
    pub(super) label: Labels,
}

/// How the elements are called.
#[derive(Clone, Copy)]
pub(super) enum Labels {
    /// By nothing: there is at most one.
    None,
    /// By numbers from 1.
    Numbers,
    /// By these names.
    Names(&'static [&'static str]),
}

/// How one element is called.
#[derive(Clone, Copy)]
pub(super) enum Label {
    None,
    Number(usize),
    Name(&'static str),
}

impl Labels {
    /// Of the element at `index`, from 0.
    pub(super) const fn get(self, index: usize) -> Label {
        match self {
            Self::None => Label::None,
            Self::Numbers => Label::Number(index + 1),
            Self::Names(names) => Label::Name(names[index]),
        }
    }
}

/// Under what members have so many elements.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) profile: &'a Profile,
    /// What was decided of those members that are decided at run time, in pre-order; without it, each is one.
    pub(super) outcomes: Option<&'a [Outcome]>,
}

impl Terms<'_> {
    /// Of `member`; `next` counts those that are decided.
    pub(super) const fn extent(self, member: &Member, next: &mut usize) -> Extent {
        const NONE: Extent = Extent { count: 0, label: Labels::None };
        if !self.profile.has(member) {
            return NONE;
        }
        let mut extent = match member.count {
            Count::One | Count::Fleet => Extent { count: 1, label: Labels::None },
            Count::Array(count) => Extent { count, label: Labels::Numbers },
        };
        if let Some(outcomes) = self.outcomes
            && member.is_decided()
        {
            match outcomes[*next] {
                Outcome::Pending | Outcome::Absent => extent = NONE,
                Outcome::Present => {}
                Outcome::Names(names) => extent = Extent { count: names.len(), label: Labels::Names(names) },
            }
            *next += 1;
        }
        extent
    }
}
