//! Roles are taken in by machines, and nothing else is.

use super::super::node::{Kind, Node, Role};
use super::super::place::Placements;
use super::super::taken::Taken;
use super::super::text::Text;
use super::words::{LINE, also, field_of, model, part_at, quoted};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn placeable(&mut self, row: u32, part: u32, node: &Node) {
        if matches!(node.kind, Kind::Role | Kind::Image) {
            self.findings.add(Finding::new(Rule::OutOfRole, row, part));
        }
    }

    pub(super) const fn takes_in(&mut self, row: u32, part: u32, taken: &Taken) {
        let fits = match taken.node.kind {
            Kind::Image => taken.is_image,
            Kind::Role | Kind::Machine | Kind::Trait => !taken.is_image,
            _ => false,
        };
        if !fits {
            // One model in many places makes one mistake.
            let subject = self.all.rows[row as usize].node.key.id() ^ part as u64;
            self.findings.add(Finding::new(Rule::OutOfRole, row, part).subject(subject));
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    field_of(text, all, finding.row, finding.part);
    text.str(" (");
    text.at(part.at);
    let (node, hint) = match &part.role {
        Role::Member(member) => {
            text.str(") places ");
            (
                member.node,
                match member.node.kind {
                    Kind::Image => "write `#[image]` on a field of a `#[machine_model]`, and place that",
                    _ => "write `#[role]` on a field of a `#[machine_model]`, and place that",
                },
            )
        }
        Role::Taken(taken) => {
            text.str(") takes in ");
            (
                taken.node,
                match (taken.node.kind, taken.is_image) {
                    (Kind::Image, _) => "write `#[image]` on the field: its root is made from that",
                    (_, true) => {
                        "a root is made from an image; write `#[image(base = \"…\")]` on that struct"
                    }
                    _ => "a machine takes in roles and models of machines; place anything else beside it",
                },
            )
        }
        _ => return,
    };
    quoted(text, node.key.name());
    text.str(" (");
    text.at(node.at);
    text.str("), which is ");
    text.str(node.kind.about());
    if let Role::Taken(_) = part.role {
        also(text, all, finding, "and so does");
        handed(text, all, finding.row);
    }
    text.str(LINE);
    text.str(hint);
}

/// The fields around: a type parameter may have been handed down through them.
const fn handed(text: &mut Text<'_>, all: &'static Placements, row: u32) {
    text.str(LINE);
    text.str("placed:");
    let mut at = row;
    while let Some(part) = all.part(at) {
        text.str(if at == row { " " } else { ", " });
        quoted(text, part.field);
        text.str(" of ");
        at = all.rows[at as usize].parent;
        model(text, all, at);
        text.str(" (");
        text.at(part.at);
        text.str(")");
    }
}
