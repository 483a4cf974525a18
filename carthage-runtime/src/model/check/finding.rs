//! Problems as data, and the list of them.

use super::super::place::{NONE, Placements};
use super::super::text::Text;

/// What is wrong. The words are in the files of the families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    NoImplementation,
    DuplicateName,
    LongName,
    MovedFromPlaced,
    MovedFromItself,
    MovedTwice,
    MovedInFleet,
    MovedGroup,
    DuplicateInterface,
    BadInterface,
    MissingNetwork,
    AmbiguousNetwork,
    NotOneNetwork,
    NoPool,
    PoolWithoutSubnet,
    PoolReversed,
    PoolOutside,
    PoolReserved,
    PoolTooSmall,
    AddressWithoutSubnet,
    AddressReversed,
    AddressCount,
    AddressOutside,
    AddressReserved,
    AddressOfDhcp,
    AddressOfGateway,
    DuplicateAddress,
    DuplicateMac,
    Overlap,
    MissingPeer,
    PeerElsewhere,
    NoPrivilege,
    MissingValue,
    MissingPlaced,
    AmbiguousPlaced,
    PlacedAround,
    NotOnePlaced,
    OtherPlaced,
    AbstractMember,
    GatewayElsewhere,
    GatewayNotFixed,
    GatewayNotPlaced,
    BridgeElsewhere,
    BridgeNotPlaced,
    BridgeOfMade,
    /// A member is a role, or what a machine takes in is none.
    OutOfRole,
    IsOther,
    UnknownProfile,
    FixedInFleet,
    Lacking,
    SharesOfMany,
    SharesOfAbsent,
    SharesOfOther,
    SharesOfSharing,
    SharesOfOtherMaker,
    SharesAndLinks,
    SharesAndPorts,
    StartCycle,
    Around,
    MissingAwaited,
    IgnoredNothing,
    IgnoredTwice,
    NotAround,
    ProvidedTwice,
    FromNowhere,
    FromWithout,
    ProvideCycle,
    DetourCycle,
}

/// One problem.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    /// Where: the row, its field, and what in it; [`NONE`] if it is about the whole. See [`words::need`](super::words::need)
    /// for what is wanted somewhere.
    pub(super) row: u32,
    pub(super) part: u32,
    pub(super) item: u32,
    /// What else there is to say, by rule.
    pub(super) a: u32,
    pub(super) b: u32,
    /// Findings of one rule with the same subject are one problem; 0 for none.
    pub(super) subject: u64,
    /// Some more rows with this problem, and how many there are.
    pub(super) also: [u32; Finding::ALSO],
    pub(super) also_count: u32,
}

impl Finding {
    /// How many other places are named.
    pub(super) const ALSO: usize = 3;

    pub(super) const fn new(rule: Rule, row: u32, part: u32) -> Self {
        Self { rule, row, part, item: NONE, a: 0, b: 0, subject: 0, also: [NONE; Self::ALSO], also_count: 0 }
    }

    pub(super) const fn item(mut self, item: u32) -> Self {
        self.item = item;
        self
    }

    pub(super) const fn of(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    pub(super) const fn with(mut self, a: u32, b: u32) -> Self {
        self.a = a;
        self.b = b;
        self
    }

    pub(super) const fn subject(mut self, subject: u64) -> Self {
        self.subject = subject;
        self
    }

    /// Whether it comes before `other` in the list: in the order of the source.
    const fn before(&self, other: &Self) -> bool {
        if self.row != other.row {
            return self.row < other.row;
        }
        // What is about the whole comes before what is about a field.
        let (part, other_part) = (self.part.wrapping_add(1), other.part.wrapping_add(1));
        if part != other_part {
            return part < other_part;
        }
        let (item, other_item) = (self.item.wrapping_add(1), other.item.wrapping_add(1));
        if item != other_item {
            return item < other_item;
        }
        (self.rule as u32) < (other.rule as u32)
    }

    /// One more place with the same problem.
    const fn join(&mut self, row: u32) {
        let known = self.also_count as usize;
        let last = if known == 0 {
            self.row
        } else if known <= Self::ALSO {
            self.also[known - 1]
        } else {
            NONE
        };
        if row == self.row || row == last {
            return;
        }
        if known < Self::ALSO {
            self.also[known] = row;
        }
        self.also_count += 1;
    }

    /// Says it in words.
    pub(super) const fn tell(&self, all: &'static Placements, findings: &Findings, text: &mut Text<'_>) {
        match self.rule {
            Rule::NoImplementation => super::implementations::tell(self, all, text),
            Rule::DuplicateName | Rule::LongName => super::names::tell(self, all, text),
            Rule::MovedFromPlaced
            | Rule::MovedFromItself
            | Rule::MovedTwice
            | Rule::MovedInFleet
            | Rule::MovedGroup => super::former::tell(self, all, text),
            Rule::DuplicateInterface
            | Rule::BadInterface
            | Rule::MissingNetwork
            | Rule::AmbiguousNetwork
            | Rule::NotOneNetwork
            | Rule::NoPool => super::links::tell(self, all, text),
            Rule::PoolWithoutSubnet
            | Rule::PoolReversed
            | Rule::PoolOutside
            | Rule::PoolReserved
            | Rule::PoolTooSmall => super::pools::tell(self, all, text),
            Rule::AddressWithoutSubnet
            | Rule::AddressReversed
            | Rule::AddressCount
            | Rule::AddressOutside
            | Rule::AddressReserved
            | Rule::AddressOfDhcp
            | Rule::AddressOfGateway
            | Rule::DuplicateAddress => super::addresses::tell(self, all, text),
            Rule::DuplicateMac => super::macs::tell(self, all, text),
            Rule::Overlap => super::overlaps::tell(self, all, text),
            Rule::MissingPeer | Rule::PeerElsewhere => super::cables::tell(self, all, text),
            Rule::NoPrivilege => super::users::tell(self, all, text),
            Rule::MissingValue => super::needs::tell(self, all, text),
            Rule::MissingPlaced | Rule::AmbiguousPlaced => super::dependencies::tell(self, all, text),
            Rule::PlacedAround => super::dependencies::tell_around(self, all, text),
            Rule::NotOnePlaced => super::members::tell_number(self, all, text),
            Rule::OtherPlaced => super::members::tell_other(self, all, text),
            Rule::GatewayElsewhere
            | Rule::GatewayNotFixed
            | Rule::GatewayNotPlaced
            | Rule::BridgeElsewhere
            | Rule::BridgeNotPlaced
            | Rule::BridgeOfMade => super::named::tell(self, all, text),
            Rule::OutOfRole => super::roles::tell(self, all, text),
            Rule::AbstractMember | Rule::IsOther => super::members::tell_standing(self, all, text),
            Rule::UnknownProfile => super::members::tell_profile(self, all, text),
            Rule::FixedInFleet => super::members::tell_fixed(self, all, text),
            Rule::Lacking => super::members::tell_lacking(self, all, text),
            Rule::SharesOfMany
            | Rule::SharesOfAbsent
            | Rule::SharesOfOther
            | Rule::SharesOfSharing
            | Rule::SharesOfOtherMaker
            | Rule::SharesAndLinks
            | Rule::SharesAndPorts => super::shared::tell(self, all, text),
            Rule::StartCycle => super::dependencies::tell_cycle(self, all, findings, text),
            Rule::Around
            | Rule::MissingAwaited
            | Rule::IgnoredNothing
            | Rule::IgnoredTwice
            | Rule::NotAround => super::starts::tell(self, all, text),
            Rule::FromNowhere => super::elsewhere::tell_nowhere(self, all, text),
            Rule::FromWithout => super::elsewhere::tell_without(self, all, text),
            Rule::ProvidedTwice => super::provides::tell(self, all, text),
            Rule::ProvideCycle => super::provides::tell_cycle(self, all, findings, text),
            Rule::DetourCycle => super::detours::tell(self, all, findings, text),
        }
    }
}

/// A step of a cycle: who wants, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) row: u32,
    pub(super) part: u32,
    pub(super) item: u32,
    /// The scope that says it for what is inside; [`NONE`] for who says it itself.
    pub(super) scope: u32,
}

/// The problems of one layout.
#[derive(Debug)]
pub(super) struct Findings {
    list: [Finding; Findings::MOST],
    len: usize,
    /// Whether there are more than the list holds.
    more: bool,
    steps: [Step; Findings::STEPS],
    steps_len: usize,
}

impl Findings {
    /// More problems than anybody mends at once.
    const MOST: usize = 128;
    /// Of all cycles together.
    const STEPS: usize = 512;

    pub(super) const NONE: Self = Self {
        list: [Finding::new(Rule::NoImplementation, NONE, NONE); Self::MOST],
        len: 0,
        more: false,
        steps: [Step { row: NONE, part: NONE, item: NONE, scope: NONE }; Self::STEPS],
        steps_len: 0,
    };

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are more than the list holds.
    pub(super) const fn has_more(&self) -> bool {
        self.more
    }

    pub(super) const fn get(&self, index: usize) -> &Finding {
        &self.list[index]
    }

    /// Adds a problem, or a place to a problem that is known.
    pub(super) const fn add(&mut self, finding: Finding) {
        if finding.subject != 0 {
            let mut i = 0;
            while i < self.len {
                let known = &mut self.list[i];
                if known.rule as u32 == finding.rule as u32 && known.subject == finding.subject {
                    known.join(finding.row);
                    return;
                }
                i += 1;
            }
        }
        if self.len == Self::MOST {
            self.more = true;
            return;
        }
        self.list[self.len] = finding;
        self.len += 1;
    }

    /// Keeps a step of a cycle; answers whether there was room.
    pub(super) const fn step(&mut self, step: Step) -> bool {
        if self.steps_len == Self::STEPS {
            return false;
        }
        self.steps[self.steps_len] = step;
        self.steps_len += 1;
        true
    }

    pub(super) const fn steps_len(&self) -> usize {
        self.steps_len
    }

    pub(super) const fn step_at(&self, index: usize) -> Step {
        self.steps[index]
    }

    /// Puts the problems in the order of the source.
    pub(super) const fn sort(&mut self) {
        let mut i = 1;
        while i < self.len {
            let finding = self.list[i];
            let mut to = i;
            while to > 0 && finding.before(&self.list[to - 1]) {
                self.list[to] = self.list[to - 1];
                to -= 1;
            }
            self.list[to] = finding;
            i += 1;
        }
    }

    /// Every problem, as far as there is room, without those that are told already; answers how many are new. What the first
    /// profile has not is told with the profile.
    pub(super) const fn tell(&self, all: &'static Placements, is_later: bool, text: &mut Text<'_>) -> usize {
        let before = text.len();
        let mut told = 0;
        let mut i = 0;
        while i < self.len {
            let whole = text.len();
            text.str("\n\n");
            self.list[i].tell(all, self, text);
            if text.has_before(before, whole) {
                text.truncate(whole);
                i += 1;
                continue;
            }
            if is_later {
                text.str("\n  in profile `");
                text.str(all.profile.name);
                text.str("`");
            }
            told += 1;
            // The last line must fit as well.
            text.str(LEFT_OUT);
            if text.overflowed() {
                text.truncate(whole);
                text.str(LEFT_OUT);
                return told + self.len - i - 1;
            }
            text.truncate(text.len() - LEFT_OUT.len());
            i += 1;
        }
        told
    }
}

const LEFT_OUT: &str = "\n\n… and more, shown when these are mended";
