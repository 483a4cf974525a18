//! Both ends of a cable are on the same network.

use super::super::node::{Link, Role};
use super::super::place::Placements;
use super::super::reference::Meaning;
use super::super::text::Text;
use super::links::link_at;
use super::words::{LINE, field_of, part_at, quoted, searched, somewhere};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// The other end of a link, if it names one.
    pub(super) const fn cable(&mut self, row: u32, part: u32, link: &Link) {
        let Some(peer) = &link.peer else { return };
        if peer.network.id != link.network.id {
            self.findings.add(Finding::new(Rule::PeerElsewhere, row, part));
        } else if let Meaning::Missing = self.all.meaning(row, peer.machine.id, None) {
            self.findings.add(Finding::new(Rule::MissingPeer, row, part));
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let part = part_at(all, finding.row, finding.part);
    let Role::Link(link) = &part.role else { return };
    let Some(peer) = &link.peer else { return };
    let machine = peer.machine.name();
    if matches!(finding.rule, Rule::MissingPeer) {
        text.str("the other end of ");
        field_of(text, all, finding.row, finding.part);
        text.str(" is at `");
        text.str(machine);
        text.str("`, which is not in the layout");
        link_at(text, all, finding);
        searched(text, all, finding.row);
        text.str(LINE);
        text.str("write `");
        text.snake(machine);
        text.str(": ");
        text.str(machine);
        text.str("`");
        somewhere(text, all, finding.row);
        return;
    }
    text.str("the two ends of a cable are on different networks");
    text.str(LINE);
    field_of(text, all, finding.row, finding.part);
    text.str(" (");
    text.at(part.at);
    text.str(") is on ");
    quoted(text, link.network.name());
    text.str(LINE);
    quoted(text, peer.field);
    text.str(" of ");
    quoted(text, machine);
    text.str(" (");
    text.at(peer.at);
    text.str(") is on ");
    quoted(text, peer.network.name());
    text.str(LINE);
    text.str("write `Link<");
    text.str(peer.network.name());
    text.str(">` here, or name a link of that machine that is on ");
    quoted(text, link.network.name());
}
