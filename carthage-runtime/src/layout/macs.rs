//! Hardware addresses of links: a link keeps the one that it had.

use std::collections::{BTreeMap, BTreeSet};

use crate::network::mac_address;

/// The hardware addresses of a layout's links.
pub(crate) struct Macs {
    layout: String,
    /// By machine and interface.
    kept: BTreeMap<String, [u8; 6]>,
    taken: BTreeSet<[u8; 6]>,
}

impl Macs {
    /// Of the layout of this name, in which links had these.
    pub(crate) fn new(layout: &str, kept: BTreeMap<String, [u8; 6]>) -> Self {
        let taken = kept.values().copied().collect();
        Self { layout: layout.to_owned(), kept, taken }
    }

    /// The same for a layout in which links name these themselves: nobody else gets one of them, whoever had it.
    pub(super) fn besides(&self, named: impl IntoIterator<Item = [u8; 6]>) -> Self {
        let named: BTreeSet<_> = named.into_iter().collect();
        let kept = self.kept.iter().filter(|(_, mac)| !named.contains(*mac));
        let kept = kept.map(|(who, mac)| (who.clone(), *mac)).collect();
        let taken = self.taken.union(&named).copied().collect();
        Self { layout: self.layout.clone(), kept, taken }
    }

    /// Of a link that names none: the one that it had, or a new one, always the same for the same link. That of one that was
    /// renamed since is not given to who has its name now.
    pub(super) fn of(&self, who: &str) -> [u8; 6] {
        if let Some(kept) = self.kept.get(who) {
            return *kept;
        }
        let first = mac_address(&self.layout, who);
        let others = (2u32..).map(|n| mac_address(&self.layout, &format!("{who}#{n}")));
        std::iter::once(first).chain(others).find(|mac| !self.taken.contains(mac)).unwrap_or(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_machine_keeps_its_own_and_its_old_name_gets_another() {
        let none = Macs::new("lab", BTreeMap::new());
        let mac = none.of("mirror/eth0");
        assert_eq!(mac, mac_address("lab", "mirror/eth0"));
        let renamed = Macs::new("lab", [("web/eth0".to_owned(), mac)].into());
        assert_eq!(renamed.of("web/eth0"), mac);
        let other = renamed.of("mirror/eth0");
        assert_ne!(other, mac);
        assert_eq!(renamed.of("mirror/eth0"), other);
        // Somebody else says now that it is his.
        let given_away = renamed.besides([mac]);
        assert!(![mac, other].contains(&given_away.of("web/eth0")));
    }
}
