//! Hardware addresses of links: a link keeps the one that it had.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

use crate::network::mac_address;

/// The hardware addresses of a layout's links.
pub(crate) struct Macs {
    layout: String,
    /// By machine and interface.
    kept: BTreeMap<String, [u8; 6]>,
    /// The same, once somebody is new.
    taken: OnceLock<HashSet<[u8; 6]>>,
}

/// The same for a layout in which links name some themselves: nobody else gets one of them, whoever had it.
pub(super) struct Besides<'a> {
    macs: &'a Macs,
    named: BTreeSet<[u8; 6]>,
}

impl Macs {
    /// Of the layout of this name, in which links had these.
    pub(crate) fn new(layout: &str, kept: BTreeMap<String, [u8; 6]>) -> Self {
        Self { layout: layout.to_owned(), kept, taken: OnceLock::new() }
    }

    /// For a layout in which links name these themselves.
    pub(super) fn besides(&self, named: impl IntoIterator<Item = [u8; 6]>) -> Besides<'_> {
        Besides { macs: self, named: named.into_iter().collect() }
    }

    fn is_taken(&self, mac: &[u8; 6]) -> bool {
        self.taken.get_or_init(|| self.kept.values().copied().collect()).contains(mac)
    }
}

impl Besides<'_> {
    /// Of a link that names none: the one that it had, or a new one, always the same for the same link. That of one that was
    /// renamed since is not given to who has its name now.
    pub(super) fn of(&self, who: &str) -> [u8; 6] {
        let Self { macs, named } = self;
        if let Some(kept) = macs.kept.get(who).filter(|mac| !named.contains(*mac)) {
            return *kept;
        }
        let first = mac_address(&macs.layout, who);
        let others = (2u32..).map(|n| mac_address(&macs.layout, &format!("{who}#{n}")));
        let is_free = |mac: &[u8; 6]| !named.contains(mac) && !macs.is_taken(mac);
        std::iter::once(first).chain(others).find(is_free).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_machine_keeps_its_own_and_its_old_name_gets_another() {
        let none = Macs::new("lab", BTreeMap::new());
        let mac = none.besides([]).of("mirror/eth0");
        assert_eq!(mac, mac_address("lab", "mirror/eth0"));
        let known = Macs::new("lab", [("web/eth0".to_owned(), mac)].into());
        let renamed = known.besides([]);
        assert_eq!(renamed.of("web/eth0"), mac);
        let other = renamed.of("mirror/eth0");
        assert_ne!(other, mac);
        assert_eq!(renamed.of("mirror/eth0"), other);
        // Somebody else says now that it is his.
        let given_away = known.besides([mac]);
        assert!(![mac, other].contains(&given_away.of("web/eth0")));
    }
}
