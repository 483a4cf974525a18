//! Constraints: what tells several values of one type apart, such as the site that each is for.
//!
//! A constraint is a declared type, so a misspelt one is a name that rustc does not know:
//!
//! ```
//! use carthage::prelude::*;
//! use carthage::model::Key;
//!
//! #[constraint]
//! pub struct Site(&'static str);
//!
//! const TOKEN: Key = Key::new(module_path!(), "Token", line!(), column!());
//! const RED: Key = TOKEN.and(const { &[Site::constraint("red")] });
//! const BLUE: Key = TOKEN.and(const { &[Site::constraint("blue")] });
//! assert!(!RED.is(BLUE) && RED.plain().is(TOKEN));
//! assert_eq!(RED.to_string(), "`Token` with `Site = \"red\"`");
//! ```

use super::key::{Key, hashed};

/// A type that tells values apart: `#[constraint]` makes it one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a constraint",
    label = "this type does not tell values apart",
    note = "write `#[constraint]` on it: `#[constraint] pub struct {Self}(&'static str);`, or an enum without fields"
)]
pub trait ConstraintKind {
    /// What it is called, and what tells it from others.
    const KEY: Key;
}

/// A constraint whose values are texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a constraint of texts",
    label = "this type tells no values apart by a text",
    note = "one is declared by `#[constraint] pub struct {Self}(&'static str);`"
)]
pub trait TextConstraint: ConstraintKind {}

/// A constraint whose values are numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a constraint of numbers",
    label = "this type tells no values apart by a number",
    note = "one is declared by `#[constraint] pub struct {Self}(u32);`"
)]
pub trait NumberConstraint: ConstraintKind {
    /// The largest.
    const MAX: u64;
}

/// A kind of constraint with a value, or with any.
#[derive(Clone, Copy, Debug)]
pub struct Constraint {
    kind: &'static str,
    worth: Worth,
    kind_id: u64,
    /// Of kind and value; of the kind alone where any value will do.
    pub(super) id: u64,
    /// Of the kind with any value.
    any: u64,
}

#[derive(Clone, Copy, Debug)]
enum Worth {
    Any,
    Text(&'static str),
    Number(u64),
    /// Of an enum.
    Variant(&'static str),
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood: “Fast splittable pseudorandom number generators”): every bit of the result
/// depends on every bit of `x`, so that identities may be joined by exclusive or.
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

impl Constraint {
    /// A text, for a type that takes one.
    #[must_use]
    pub const fn of_text<K: TextConstraint>(text: &'static str) -> Self {
        Self::text(K::KEY, text)
    }

    /// A number, for a type that takes one.
    ///
    /// # Panics
    /// When the number does not fit; in a constant that is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn of_number<K: NumberConstraint>(number: u64) -> Self {
        assert!(number <= K::MAX, "the number of a constraint is larger than its type can hold");
        Self::number(K::KEY, number)
    }

    /// With any value at all: what a filter asks for.
    #[must_use]
    pub const fn any(kind: Key) -> Self {
        Self::new(kind, Worth::Any, &[], b"any")
    }

    /// With a text.
    #[must_use]
    pub const fn text(kind: Key, text: &'static str) -> Self {
        Self::new(kind, Worth::Text(text), text.as_bytes(), b"text")
    }

    /// With a number.
    #[must_use]
    pub const fn number(kind: Key, number: u64) -> Self {
        Self::new(kind, Worth::Number(number), &number.to_le_bytes(), b"number")
    }

    /// With a variant of an enum.
    #[must_use]
    pub const fn variant(kind: Key, name: &'static str) -> Self {
        Self::new(kind, Worth::Variant(name), name.as_bytes(), b"variant")
    }

    const fn new(kind: Key, worth: Worth, bytes: &[u8], sort: &[u8]) -> Self {
        let any = mix(hashed(b"any", kind.id));
        let id = mix(hashed(bytes, hashed(sort, kind.id)));
        let id = if matches!(worth, Worth::Any) { any } else { id };
        Self { kind: kind.name(), worth, kind_id: kind.id, id, any }
    }

    /// The name of its type.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// Whether both are of one kind, of whatever value.
    #[must_use]
    pub const fn same_kind(&self, other: &Self) -> bool {
        self.kind_id == other.kind_id
    }

    /// Writes it as a user does: `Site = "red"`.
    pub(super) const fn tell(&self, text: &mut super::text::Text<'_>) {
        text.str(self.kind);
        match self.worth {
            Worth::Any => return,
            _ => text.str(" = "),
        }
        match self.worth {
            Worth::Any => {}
            Worth::Text(value) => {
                text.str("\"");
                text.str(value);
                text.str("\"");
            }
            Worth::Number(number) => text.number(number),
            Worth::Variant(name) => {
                text.str(self.kind);
                text.str("::");
                text.str(name);
            }
        }
    }
}

impl std::fmt::Display for Constraint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = self.kind;
        match self.worth {
            Worth::Any => f.write_str(kind),
            Worth::Text(value) => write!(f, "{kind} = \"{value}\""),
            Worth::Number(number) => write!(f, "{kind} = {number}"),
            Worth::Variant(name) => write!(f, "{kind} = {kind}::{name}"),
        }
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Constraint {}

impl Key {
    /// More constraints than anybody can keep apart; the index of filters grows with them.
    pub const MOST_CONSTRAINTS: usize = 4;

    /// The key of the same type with these constraints, in whatever order.
    ///
    /// # Panics
    /// When one kind is there twice, there are more than [`Key::MOST_CONSTRAINTS`], or the key has some already: in a constant
    /// that is a compile error.
    #[must_use]
    #[track_caller]
    pub const fn and(self, constraints: &'static [Constraint]) -> Self {
        assert!(self.constraints.is_empty(), "constrain the plain key, by all constraints at once");
        assert!(constraints.len() <= Self::MOST_CONSTRAINTS, "a key has four constraints at most");
        let mut id = self.id;
        let mut i = 0;
        while i < constraints.len() {
            let mut before = 0;
            while before < i {
                assert!(!constraints[before].same_kind(&constraints[i]), "a constraint is given twice");
                before += 1;
            }
            id ^= constraints[i].id;
            i += 1;
        }
        Self { id, constraints, ..self }
    }

    /// What it is constrained by.
    #[must_use]
    pub const fn constraints(self) -> &'static [Constraint] {
        self.constraints
    }

    /// The key of the same type without constraints.
    #[must_use]
    pub const fn plain(self) -> Self {
        let mut id = self.id;
        let mut i = 0;
        while i < self.constraints.len() {
            id ^= self.constraints[i].id;
            i += 1;
        }
        Self { id, constraints: &[], ..self }
    }

    /// The identities of all keys that ask for no more than this one has: each of its constraints left out, with its value, or
    /// with any.
    pub(crate) fn asked_by(self) -> Vec<u64> {
        let mut ids = vec![self.plain().id];
        for constraint in self.constraints {
            let with_it = |id: &u64| [*id, id ^ constraint.id, id ^ constraint.any];
            ids = ids.iter().flat_map(with_it).collect();
        }
        ids
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.name())?;
        let mut before = " with ";
        for constraint in self.constraints {
            write!(f, "{before}`{constraint}`")?;
            before = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Key = Key::new("test", "Token", 1, 1);
    const SITE: Key = Key::new("test", "Site", 2, 1);
    const HALL: Key = Key::new("test", "Hall", 3, 1);

    fn key(constraints: &[Constraint]) -> Key {
        TOKEN.and(constraints.to_vec().leak())
    }

    #[test]
    fn keys_are_equal_by_type_and_constraints_in_whatever_order() {
        let (red, two) = (Constraint::text(SITE, "red"), Constraint::number(HALL, 2));
        assert_eq!(key(&[red, two]), key(&[two, red]));
        assert_ne!(key(&[red, two]), key(&[red]));
        assert_eq!(key(&[]), TOKEN);
        assert_eq!(key(&[red, two]).plain(), TOKEN);
        assert_eq!(key(&[two, red]).to_string(), "`Token` with `Hall = 2`, `Site = \"red\"`");
    }

    #[test]
    fn swapping_the_values_of_two_constraints_gives_another_key() {
        let of = |site, hall| key(&[Constraint::text(SITE, site), Constraint::text(HALL, hall)]);
        assert_ne!(of("red", "blue"), of("blue", "red"));
        assert_ne!(of("red", "red").id(), of("blue", "blue").id());
        assert_ne!(of("red", "red").id(), TOKEN.id());
    }

    #[test]
    fn a_text_a_number_and_a_variant_that_look_alike_differ() {
        let all = [Constraint::text(SITE, "1"), Constraint::number(SITE, 1), Constraint::variant(SITE, "1")];
        assert!(all[0] != all[1] && all[1] != all[2] && all[0] != all[2]);
    }

    #[test]
    #[should_panic(expected = "a constraint is given twice")]
    fn one_kind_is_given_once() {
        _ = key(&[Constraint::text(SITE, "red"), Constraint::text(SITE, "blue")]);
    }

    #[test]
    fn a_copy_of_a_key_loses_nothing() {
        let red = key(&[Constraint::text(SITE, "red")]);
        let copy = red;
        assert_eq!(copy, red);
        assert_eq!(copy.constraints(), red.constraints());
    }
}
