//! Members that may be absent, or many: who counts on how many, and in which profiles they are.

use super::super::login::{Address, Login};
use super::super::member::{Count, Member};
use super::super::node::{ImplementationNode, Role};
use super::super::place::{NONE, Placements, Row};
use super::super::text::Text;
use super::super::value::Mode;
use super::dependencies::wants;
use super::words::{
    LINE, also, field_of, fields, model, model_at, need, needed_by, part_at, placed_at, placement, quoted,
};
use super::{Check, Finding, Rule, near};
use crate::machine::implementation::Capability;

/// How many there are of what is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    One,
    /// This row may be absent.
    Perhaps(u32),
    /// This row stands in an array or a fleet.
    Many(u32),
}

impl Check<'_> {
    /// The names in a member's `only` are profiles of the layout; what it stands for is of its kind, and what is abstract is not
    /// placed itself.
    pub(super) const fn member(&mut self, row: u32, part: u32, member: &Member) {
        if member.node.key.is_abstract {
            self.findings.add(Finding::new(Rule::AbstractMember, row, part));
        }
        let mut i = 0;
        while i < member.is.len() {
            if member.is[i].kind as u32 != member.node.kind as u32 {
                self.findings.add(Finding::new(Rule::IsOther, row, part).item(i as u32));
            }
            i += 1;
        }
        i = 0;
        while i < member.only.len() {
            if !self.all.profile.knows(member.only[i]) {
                self.findings.add(Finding::new(Rule::UnknownProfile, row, part).item(i as u32));
            }
            i += 1;
        }
    }

    /// What is wanted is as many as its type says.
    pub(super) const fn how_many(
        &mut self,
        finding: Finding,
        mode: Mode,
        key: u64,
        (scope, target): (u32, u32),
    ) {
        let node = self.all.rows[target as usize].node;
        if node.key.id() != key && !node.has_role(key) {
            self.findings.add(finding.of(Rule::OtherPlaced).with(target, 0));
            return;
        }
        let number = number(self.all, scope, target);
        let row = match (mode, number) {
            (Mode::Placed | Mode::Generated, Number::Perhaps(row) | Number::Many(row)) => row,
            (Mode::PlacedIfThere, Number::Many(row)) => row,
            _ => return,
        };
        self.findings.add(finding.with(target, row));
    }

    /// A machine in a fleet has nothing that only one can have. One that is not in all profiles is no bound of its container's:
    /// what it asks for is looked for in what makes it in this one.
    pub(super) const fn special(&mut self, row: u32, at: &Row) {
        if at.varies && at.origin == row {
            let parts = at.node.parts;
            let mut i = 0;
            while i < parts.len() {
                if let Role::Link(link) = &parts[i].role
                    && (link.address.is_some() || link.mac.is_some())
                {
                    self.findings.add(Finding::new(Rule::FixedInFleet, row, i as u32));
                }
                i += 1;
            }
            if let Some(login) = &at.node.login
                && matches!(login.address, Some(Address::Range(_)))
            {
                self.findings.add(Finding::new(Rule::FixedInFleet, row, NONE));
            }
        }
        // What the profile makes instead of an implementation of the model's own, no bound knows either.
        let own = at.node.implementation.is_some();
        let instead = self.all.profile.maker(at.node.key).is_some();
        if at.origin != row || own != instead || !(own || at.partial) {
            return;
        }
        let Some(implementation) = placement(self.all, row).implementation() else { return };
        let mut links = false;
        let parts = at.node.parts;
        self.lacking(row, NONE, at.node.asks, implementation);
        if !matches!(at.node.login, Some(Login { address: Some(_), .. })) {
            self.lacking(row, NONE, &[Capability::Located], implementation);
        }
        let mut i = 0;
        while i < parts.len() {
            match &parts[i].role {
                Role::Link(_) if !links => {
                    links = true;
                    self.lacking(row, i as u32, &[Capability::Links], implementation);
                }
                Role::Customize(node) => self.lacking(row, i as u32, node.asks, implementation),
                Role::Taken(taken) => self.lacking(row, i as u32, taken.node.asks, implementation),
                _ => {}
            }
            i += 1;
        }
    }

    const fn lacking(&mut self, row: u32, part: u32, asked: &[Capability], of: &ImplementationNode) {
        let mut i = 0;
        while i < asked.len() {
            if !of.has(asked[i]) {
                self.findings.add(Finding::new(Rule::Lacking, row, part).with(asked[i] as u32, 0));
            }
            i += 1;
        }
    }
}

/// How many of `target`, found in `scope`, there are.
const fn number(all: &Placements, scope: u32, target: u32) -> Number {
    let mut number = Number::One;
    let mut at = target;
    while at != scope {
        let Some(part) = all.part(at) else { return number };
        let Role::Member(member) = &part.role else { return number };
        match member.count {
            Count::Array(_) | Count::Fleet => return Number::Many(at),
            Count::One if member.when || !member.only.is_empty() => number = Number::Perhaps(at),
            Count::One => {}
        }
        at = all.rows[at as usize].parent;
    }
    number
}

pub(super) const fn tell_number(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let (need, _) = need(part, finding.item);
    let wanted = need.key.name();
    fields(text, all, finding.row);
    text.str(" wants one placed ");
    quoted(text, wanted);
    let many = match all.part(finding.b) {
        Some(held) => match &held.role {
            Role::Member(member) => !matches!(member.count, Count::One),
            _ => false,
        },
        None => false,
    };
    text.str(if many { ", but there are several: " } else { ", which may be absent: " });
    fields(text, all, finding.b);
    placed_at(text, all, finding.b);
    text.str(LINE);
    needed_by(text, part, finding.item);
    also(text, all, finding, "and so does");
    text.str(LINE);
    text.str(if many { "write `Vec<Placed<" } else { "write `Option<Placed<" });
    text.str(wanted);
    text.str(if many { ">>` for all of them" } else { ">>`" });
}

pub(super) const fn tell_other(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let (need, _) = need(part, finding.item);
    fields(text, all, finding.row);
    text.str(wants(need));
    quoted(text, need.key.name());
    text.str(", which is ");
    model(text, all, finding.a);
    text.str(" here: ");
    fields(text, all, finding.a);
    placed_at(text, all, finding.a);
    text.str(LINE);
    needed_by(text, part, finding.item);
    also(text, all, finding, "and so does");
    text.str(LINE);
    let own = all.rows[finding.a as usize].node.key.name();
    if need.mode.is_of_task() {
        text.str("what stands for another has its own tasks: name one of ");
        quoted(text, own);
        return;
    }
    text.str("what stands for another is linked to and depended on, but has its own type: write `Placed<");
    text.str(own);
    text.str(">`");
}

pub(super) const fn tell_standing(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let Role::Member(member) = &part.role else { return };
    let name = member.node.key.name();
    field_of(text, all, finding.row, finding.part);
    text.str(" (");
    text.at(part.at);
    if matches!(finding.rule, Rule::AbstractMember) {
        text.str(") places ");
        quoted(text, name);
        text.str(", which is abstract: only a name for a network that a layout has (");
        text.at(member.node.at);
        text.str(")");
        text.str(LINE);
        text.str("place a network, and say that it is meant: `#[member(is = ");
        text.str(name);
        text.str(")]`");
        return;
    }
    let other = member.is[finding.item as usize];
    text.str(") is ");
    text.str(member.node.kind.about());
    text.str(", and cannot stand for ");
    quoted(text, other.key.name());
    text.str(" (");
    text.at(other.at);
    text.str("), which is ");
    text.str(other.kind.about());
    text.str(LINE);
    text.str("write `is = …` on a field that holds ");
    text.str(other.kind.about());
}

pub(super) const fn tell_profile(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let Role::Member(member) = &part.role else { return };
    let name = member.only[finding.item as usize];
    field_of(text, all, finding.row, finding.part);
    text.str(" is in profile ");
    quoted(text, name);
    text.str(" only, which ");
    model(text, all, 0);
    model_at(text, all, 0);
    text.str(" does not declare");
    text.str(LINE);
    text.str("member: ");
    text.at(part.at);
    near::tell_name(name, all.profile.among, text);
    text.str(LINE);
    let among = all.profile.among;
    let mut i = 0;
    while i < among.len() {
        text.str(if i == 0 { "it has: `" } else { "`, `" });
        text.str(among[i]);
        i += 1;
    }
    if i > 0 {
        text.str("`; ");
    }
    text.str("write `#[profile(");
    text.str(name);
    text.str(")]` below `#[layout(…)]`");
}

pub(super) const fn tell_fixed(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    fields(text, all, finding.row);
    placed_at(text, all, finding.row);
    text.str(" is in a fleet, and ");
    if finding.part == NONE {
        text.str("its model says one `ip_address` for all of them");
        model_at(text, all, finding.row);
    } else {
        let part = part_at(all, finding.row, finding.part);
        quoted(text, part.field);
        text.str(" (");
        text.at(part.at);
        text.str(") has an address that only one can have");
    }
    text.str(LINE);
    text.str("leave it out: each gets one of its network's pool");
}

pub(super) const fn tell_lacking(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let (row, at) = (finding.row, placement(all, finding.row));
    let capability = Capability::ALL[finding.a as usize];
    fields(text, all, row);
    placed_at(text, all, row);
    text.str(" asks for ");
    quoted(text, capability.name());
    text.str(", which `");
    if let Some(implementation) = at.implementation() {
        text.str(implementation.name);
    }
    text.str("` lacks");
    text.str(LINE);
    text.str("asked for by ");
    if finding.part == NONE {
        text.str("the model ");
        model(text, all, row);
        model_at(text, all, row);
    } else {
        let part = part_at(all, row, finding.part);
        text.str("field ");
        quoted(text, part.field);
        text.str(" (");
        text.at(part.at);
        text.str(")");
    }
    text.str(LINE);
    text.str("leave it out of this profile, or say in its `#[profile(…)]` what makes it: `");
    text.str(all.rows[row as usize].node.key.name());
    text.str(" = …`");
}
