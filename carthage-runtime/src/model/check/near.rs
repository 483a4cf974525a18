//! Which known name a misspelt one may mean.

use super::super::node::Part;
use super::super::place::{NONE, Placements};

/// Bytes of the longest names that are compared.
const LONGEST: usize = 48;

/// How many letters two names are apart, if they are near.
const fn distance(a: &str, b: &str) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut before = [0; LONGEST + 1];
    let mut i = 0;
    while i <= b.len() {
        before[i] = i;
        i += 1;
    }
    let mut i = 1;
    while i <= a.len() {
        let mut row = [0; LONGEST + 1];
        row[0] = i;
        let mut j = 1;
        while j <= b.len() {
            let replaced = before[j - 1] + (a[i - 1] != b[j - 1]) as usize;
            let removed = before[j] + 1;
            let added = row[j - 1] + 1;
            row[j] = if replaced <= removed && replaced <= added {
                replaced
            } else if removed <= added {
                removed
            } else {
                added
            };
            j += 1;
        }
        before = row;
        i += 1;
    }
    let far = if b.len() > 5 { 3 } else { 2 };
    if before[b.len()] < far { Some(before[b.len()]) } else { None }
}

/// Whether the one name may mean the other.
pub(super) const fn is(written: &str, name: &str) -> bool {
    distance(written, name).is_some()
}

/// A field that holds the type with this key, and is called nearly so.
pub(super) const fn field(all: &'static Placements, key: u64, written: &str) -> Option<&'static Part> {
    let (mut best, mut least) = (None, usize::MAX);
    let mut row = 1;
    while row < all.rows.len() {
        let at = &all.rows[row];
        if at.origin as usize == row
            && at.node.key.id() == key
            && at.parent != NONE
            && let Some(part) = all.part(row as u32)
            && let Some(distance) = distance(written, part.field)
            && distance < least
        {
            (best, least) = (Some(part), distance);
        }
        row += 1;
    }
    best
}
