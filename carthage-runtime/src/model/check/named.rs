//! A gateway, or a bridge, that is named as a link is one machine's, on that network. Whether its address fits is asked of the
//! link. A bridge is an interface that its machine has already.

use super::super::node::LinkRef;
use super::super::place::{NONE, Placements, Row};
use super::super::reference::Meaning;
use super::super::text::Text;
use super::words::{LINE, model, model_at, placement, quoted, range, searched, somewhere};
use super::{Check, Finding, Rule};
use crate::machine::implementation::Capability;

impl Check<'_> {
    pub(super) const fn named(&mut self, row: usize, at: &Row) {
        let row = row as u32;
        let addressing = &at.node.addressing;
        if let Some(link) = &addressing.gateway_link {
            match self.stands(row, link, Rule::GatewayElsewhere, Rule::GatewayNotPlaced) {
                Err(rule) => self.findings.add(Finding::new(rule, row, NONE)),
                Ok(_) if addressing.gateway.is_none() => {
                    self.findings.add(Finding::new(Rule::GatewayNotFixed, row, NONE));
                }
                Ok(_) => {}
            }
        }
        if let Some(link) = &addressing.bridge_link {
            match self.stands(row, link, Rule::BridgeElsewhere, Rule::BridgeNotPlaced) {
                Err(rule) => self.findings.add(Finding::new(rule, row, NONE)),
                Ok(Some(machine)) => {
                    if let Some(implementation) = placement(self.all, machine).implementation()
                        && implementation.has(Capability::Power)
                    {
                        self.findings.add(Finding::new(Rule::BridgeOfMade, row, NONE).with(machine, 0));
                    }
                }
                Ok(None) => {}
            }
        }
    }

    /// The machine of a link that the network at `row` names, if it is one; or what is wrong with it.
    const fn stands(
        &self,
        row: u32,
        link: &LinkRef,
        elsewhere: Rule,
        not_placed: Rule,
    ) -> Result<Option<u32>, Rule> {
        if !self.all.answers(row, link.network.id()) {
            return Err(elsewhere);
        }
        match self.all.meaning(row, link.machine.id(), None) {
            Meaning::Missing => Err(not_placed),
            Meaning::One { target, .. } => Ok(Some(target)),
            Meaning::Several { .. } => Ok(None),
        }
    }
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let addressing = &all.rows[finding.row as usize].node.addressing;
    let (named, what, instead) = match finding.rule {
        Rule::BridgeElsewhere | Rule::BridgeNotPlaced | Rule::BridgeOfMade => {
            (&addressing.bridge_link, "bridge", "or write the bridge's name: `bridge = \"…\"`")
        }
        _ => (&addressing.gateway_link, "gateway", "or write an address: `gateway = \"…\"`"),
    };
    let Some(LinkRef { machine, field, network, address, at, .. }) = named else { return };
    text.str("the ");
    text.str(what);
    text.str(" of ");
    model(text, all, finding.row);
    model_at(text, all, finding.row);
    text.str(" is ");
    quoted(text, field);
    text.str(" of ");
    quoted(text, machine.name());
    text.str(" (");
    text.at(*at);
    match (finding.rule, address) {
        (Rule::GatewayElsewhere | Rule::BridgeElsewhere, _) => {
            text.str("), which is plugged into ");
            quoted(text, network.name());
            text.str(LINE);
            text.str("name a link that is on ");
            model(text, all, finding.row);
            text.str(", ");
            text.str(instead);
        }
        (Rule::GatewayNotPlaced | Rule::BridgeNotPlaced, _) => {
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
        (Rule::BridgeOfMade, _) => {
            text.str("), which ");
            if let Some(implementation) = placement(all, finding.a).implementation() {
                quoted(text, implementation.name);
            }
            text.str(" makes");
            text.str(LINE);
            text.str("a bridge is there before anything is made: name a link of a machine by `Local`, ");
            text.str(instead);
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
