//! A pool lies in its network's subnet, and holds enough for the links that name no address.

use super::super::node::{Cidr4, Kind, Range4, Role};
use super::super::place::{NONE, Placements};
use super::super::text::Text;
use super::words::{LINE, cidr, element, ends, model, model_at, placed_at, range, usable};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// Each network's own pool.
    pub(super) const fn pools(&mut self) {
        let mut row = 0;
        while row < self.size.rows {
            let at = &self.all.rows[row];
            if at.first
                && matches!(at.node.kind, Kind::Network)
                && let Some(rule) = wrong(at.node.addressing.v4, at.node.addressing.pool)
            {
                self.findings.add(Finding::new(rule, row as u32, NONE));
            }
            row += 1;
        }
    }

    /// Counts what each pool must give, and what fixed addresses take of it; then compares. Comes after the addresses.
    pub(super) const fn exhaustion(&mut self) {
        let mut row = 0;
        while row < self.size.rows {
            let origin = self.all.rows[row].origin as usize;
            let mut link = self.link_start[origin] as usize;
            while link < self.link_end[origin] as usize {
                let part = self.link_part[link] as usize;
                if let Role::Link(fields) = &self.all.rows[row].node.parts[part].role
                    && fields.address.is_none()
                    && self.link_network[link] != NONE
                {
                    let network = self.plugged(row as u32, link);
                    self.pool_wanted[network as usize] += 1;
                    let addressing = &self.all.rows[network as usize].node.addressing;
                    if self.original(row) && addressing.pool.is_none() && addressing.v4.is_some() {
                        let key = self.all.rows[network as usize].node.key.id();
                        let finding = Finding::new(Rule::NoPool, row as u32, part as u32);
                        self.findings.add(finding.with(network, 0).subject(key));
                    }
                }
                link += 1;
            }
            row += 1;
        }
        let mut row = 0;
        while row < self.size.rows {
            let (wanted, taken) = (self.pool_wanted[row], self.pool_taken[row]);
            let at = &self.all.rows[row];
            if wanted > 0
                && let Some(pool) = at.node.addressing.pool
                && wrong(at.node.addressing.v4, Some(pool)).is_none()
                && wanted as u64 + taken as u64 > size(pool)
            {
                let finding = Finding::new(Rule::PoolTooSmall, row as u32, NONE);
                self.findings.add(finding.with(wanted, taken).subject(1 + at.origin as u64));
            }
            row += 1;
        }
    }

    /// The network that the machine at `row` is plugged into by `link`, which has one.
    pub(super) const fn plugged(&self, row: u32, link: usize) -> u32 {
        let scope = self.link_scope[link];
        self.all.like(row, scope) + (self.link_network[link] - scope)
    }
}

/// What is wrong with a pool in itself.
const fn wrong(v4: Option<Cidr4>, pool: Option<Range4>) -> Option<Rule> {
    let Some(pool) = pool else { return None };
    let Some(subnet) = v4 else { return Some(Rule::PoolWithoutSubnet) };
    let (first, last) = (pool.first.to_bits(), pool.last.to_bits());
    let (lowest, highest) = ends(subnet);
    let (usable_first, usable_last) = usable(subnet);
    if first > last {
        Some(Rule::PoolReversed)
    } else if first < lowest || last > highest {
        Some(Rule::PoolOutside)
    } else if first < usable_first || last > usable_last {
        Some(Rule::PoolReserved)
    } else {
        None
    }
}

const fn size(pool: Range4) -> u64 {
    pool.last.to_bits() as u64 - pool.first.to_bits() as u64 + 1
}

pub(super) const fn tell(finding: &Finding, all: &'static Placements, text: &mut Text<'_>) {
    let addressing = &all.rows[finding.row as usize].node.addressing;
    let Some(pool) = addressing.pool else { return };
    if matches!(finding.rule, Rule::PoolTooSmall) {
        let (wanted, taken) = (finding.a as u64, finding.b as u64);
        text.str("the pool of ");
        element(text, all, finding.row);
        placed_at(text, all, finding.row);
        text.str(" is too small: ");
        text.number(wanted);
        text.str(if wanted == 1 {
            " link names no address, and of its "
        } else {
            " links name no address, and of its "
        });
        text.number(size(pool));
        text.str(" addresses (");
        range(text, pool);
        text.str(") ");
        text.number(size(pool) - taken);
        text.str(if size(pool) - taken == 1 { " is free" } else { " are free" });
        text.str(LINE);
        text.str("write a pool of at least ");
        text.number(wanted + taken);
        text.str(" in the `#[network(…)]` of ");
        model(text, all, finding.row);
        model_at(text, all, finding.row);
        return;
    }
    text.str("the pool ");
    range(text, pool);
    text.str(" of ");
    model(text, all, finding.row);
    model_at(text, all, finding.row);
    let Some(subnet) = addressing.v4 else {
        text.str(" is of no subnet");
        text.str(LINE);
        text.str("write `v4 = \"…/…\"` beside it");
        return;
    };
    match finding.rule {
        Rule::PoolReversed => text.str(" ends before it begins"),
        Rule::PoolOutside => {
            text.str(" is not inside its subnet ");
            cidr(text, subnet);
        }
        _ => {
            text.str(" has the network's or the broadcast address of its subnet ");
            cidr(text, subnet);
        }
    }
    text.str(LINE);
    text.str("write a part of `");
    let (first, last) = usable(subnet);
    text.address(first);
    text.str("-");
    text.address(last);
    text.str("`, the lower end first");
}
