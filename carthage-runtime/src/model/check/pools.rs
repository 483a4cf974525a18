//! A pool lies in its network's subnet, and holds enough for the links that name no address.

use super::super::addressing::{Cidr4, Range4};
use super::super::place::{NONE, Placements, Row};
use super::super::text::Text;
use super::words::{LINE, cidr, element, ends, model, model_at, placed_at, range, usable};
use super::{Check, Finding, Rule};

impl Check<'_> {
    /// A network's own pool.
    pub(super) const fn pool(&mut self, row: usize, at: &Row) {
        if let Some(rule) = wrong(at.node.addressing.v4, at.node.addressing.pool) {
            self.findings.add(Finding::new(rule, row as u32, NONE));
        }
    }

    /// Compares what the addresses counted.
    pub(super) const fn exhaustion(&mut self) {
        let mut row = 0;
        while row < self.size.rows {
            let wanted = self.pool_wanted[row];
            if wanted == 0 {
                row += 1;
                continue;
            }
            let taken = self.pool_taken[row];
            let at = &self.all.rows[row];
            if let Some(pool) = at.node.addressing.pool
                && wrong(at.node.addressing.v4, Some(pool)).is_none()
                && wanted as u64 + taken as u64 > size(pool)
            {
                let finding = Finding::new(Rule::PoolTooSmall, row as u32, NONE);
                self.findings.add(finding.with(wanted, taken).subject(1 + at.origin as u64));
            }
            row += 1;
        }
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
