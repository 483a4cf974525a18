//! Which known name a misspelt one may mean.

use super::super::key::Key;
use super::super::node::{Kind, Part, Role};
use super::super::place::{NONE, Placements};
use super::super::text::{Text, same};
use super::words::{LINE, element, fields, placed_at, quoted};

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

/// A field that holds what this key means, and is called nearly so.
pub(super) const fn field(all: &'static Placements, key: u64, written: &str) -> Option<&'static Part> {
    let (mut best, mut least) = (None, usize::MAX);
    let mut row = 1;
    while row < all.rows.len() {
        let at = &all.rows[row];
        if at.origin as usize == row
            && all.answers(row as u32, key)
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

/// Says which type that is placed is called nearly like `key`, which is not: a network, or something else.
pub(super) const fn tell_placed(all: &'static Placements, key: Key, networks: bool, text: &mut Text<'_>) {
    let (mut best, mut least) = (NONE, usize::MAX);
    let mut row = 1;
    while row < all.rows.len() {
        let at = &all.rows[row];
        if at.first
            && matches!(at.node.kind, Kind::Network) == networks
            && at.node.key.id() != key.id()
            && let Some(distance) = distance(key.name(), at.node.key.name())
            && distance < least
        {
            (best, least) = (row as u32, distance);
        }
        row += 1;
    }
    if best == NONE {
        return;
    }
    let name = all.rows[best as usize].node.key.name();
    text.str(LINE);
    if same(name, key.name()) {
        text.str("another type called ");
        quoted(text, name);
        text.str(" is placed: ");
        element(text, all, best);
        placed_at(text, all, best);
        return;
    }
    text.str("did you mean ");
    quoted(text, name);
    text.str(", which is placed: ");
    element(text, all, best);
    placed_at(text, all, best);
    text.str("?");
}

/// Says which value that the scopes from `from` outwards provide is called nearly like `key`, which they do not.
pub(super) const fn tell_value(all: &'static Placements, from: u32, key: Key, text: &mut Text<'_>) {
    let (mut best, mut least): (Option<(u32, &Part, Key)>, _) = (None, usize::MAX);
    let mut row = from;
    while row != NONE {
        let parts = all.rows[row as usize].node.parts;
        let mut i = 0;
        while i < parts.len() {
            if let Role::Provide(provide) = &parts[i].role
                && !provide.key.plain().is(key.plain())
                && let Some(distance) = distance(key.name(), provide.key.name())
                && distance < least
            {
                (best, least) = (Some((row, &parts[i], provide.key)), distance);
            }
            i += 1;
        }
        row = all.rows[row as usize].parent;
    }
    let Some((row, part, meant)) = best else { return };
    text.str(LINE);
    if least == 0 {
        text.str("another type called ");
        quoted(text, meant.name());
        text.str(" is provided by ");
    } else {
        text.str("did you mean ");
        quoted(text, meant.name());
        text.str(", which is provided by ");
    }
    quoted(text, part.field);
    text.str(" of ");
    fields(text, all, row);
    text.str(" (");
    text.at(part.at);
    text.str(if least == 0 { ")" } else { ")?" });
}

/// Says which of these names is nearly the one that was written: `` did you mean `full`? ``.
pub(super) const fn tell_name(written: &str, known: &[&str], text: &mut Text<'_>) {
    let (mut best, mut least) = (NONE as usize, usize::MAX);
    let mut i = 0;
    while i < known.len() {
        if let Some(distance) = distance(written, known[i])
            && distance < least
        {
            (best, least) = (i, distance);
        }
        i += 1;
    }
    if best < known.len() {
        text.str(LINE);
        text.str("did you mean ");
        quoted(text, known[best]);
        text.str("?");
    }
}

/// Says which member of `row` is nearly called as it was written.
pub(super) const fn tell_member(all: &'static Placements, row: u32, written: &str, text: &mut Text<'_>) {
    let (mut best, mut least): (Option<&Part>, _) = (None, usize::MAX);
    let mut at = row + 1;
    while at < all.rows[row as usize].end {
        if let Some(part) = all.part(at)
            && let Some(distance) = distance(written, part.field)
            && distance < least
        {
            (best, least) = (Some(part), distance);
        }
        at = all.after(at);
    }
    if let Some(part) = best {
        text.str("; did you mean ");
        quoted(text, part.field);
        text.str("?");
    }
}
