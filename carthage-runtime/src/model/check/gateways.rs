//! A gateway that is named as a link is one machine's, on that network. Whether its address fits is asked of the link.

use super::super::node::LinkRef;
use super::super::place::{NONE, Placements, Row};
use super::super::reference::Meaning;
use super::super::text::Text;
use super::words::{LINE, model, model_at, quoted, range, searched, somewhere};
use super::{Check, Finding, Rule};

impl Check<'_> {
    pub(super) const fn gateway(&mut self, row: usize, at: &Row) {
        let Some(link) = &at.node.addressing.gateway_link else { return };
        let row = row as u32;
        let rule = if !self.all.answers(row, link.network.id()) {
            Rule::GatewayElsewhere
        } else if at.node.addressing.gateway.is_none() {
            Rule::GatewayNotFixed
        } else if let Meaning::Missing = self.all.meaning(row, link.machine.id(), None) {
            Rule::GatewayNotPlaced
        } else {
            return;
        };
        self.findings.add(Finding::new(rule, row, NONE));
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let Some(LinkRef { machine, field, network, address, at, .. }) =
        &all.rows[finding.row as usize].node.addressing.gateway_link
    else {
        return;
    };
    text.str("the gateway of ");
    model(text, all, finding.row);
    model_at(text, all, finding.row);
    text.str(" is ");
    quoted(text, field);
    text.str(" of ");
    quoted(text, machine.name());
    text.str(" (");
    text.at(*at);
    match (finding.rule, address) {
        (Rule::GatewayElsewhere, _) => {
            text.str("), which is plugged into ");
            quoted(text, network.name());
            text.str(LINE);
            text.str("name a link that is on ");
            model(text, all, finding.row);
            text.str(", or write an address: `gateway = \"…\"`");
        }
        (Rule::GatewayNotPlaced, _) => {
            text.str("), which is not in the layout");
            searched(text, all, finding.row);
            text.str(LINE);
            text.str("write `");
            text.snake(machine.name());
            text.str(": ");
            text.str(machine.name());
            text.str("`");
            somewhere(text, all, finding.row);
        }
        (_, None) => {
            text.str("), which has no fixed address");
            text.str(LINE);
            text.str("write it there: `#[link(address = \"…\")]`");
        }
        (_, Some(addresses)) => {
            text.str("), which has several addresses, ");
            range(text, *addresses);
            text.str(LINE);
            text.str("a gateway is one machine: write which, `gateway = \"");
            text.address(addresses.first.to_bits());
            text.str("\"`");
        }
    }
}
