//! What a scope hides, entered beside what it provides.

use super::super::node::Node;
use super::tables::{Filling, NONE, slot};

impl Filling<'_> {
    /// Entries of no field; what a scope itself provides is not hidden.
    pub(super) const fn masks(&mut self, node: &'static Node, row: usize) {
        self.rows[row].provides = true;
        let mut i = 0;
        while i < node.masks.len() {
            let key = node.masks[i].key;
            let slots = self.holds.len();
            let mut at = slot(key.id, row as u32, slots);
            let mut own = false;
            while self.holds[at] != NONE {
                let found = &self.entries[self.holds[at] as usize];
                own = own || (found.key == key.id && found.container == row as u32 && found.target == NONE);
                at = (at + 1) & (slots - 1);
            }
            if !own {
                self.enter(key, row, NONE as usize, NONE);
            }
            i += 1;
        }
    }
}
