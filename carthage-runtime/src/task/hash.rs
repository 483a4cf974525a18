//! Hashes of tasks' inputs: `#[setup_task(hash = (self.port, &self.name))]`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use crate::inject::Secret;
use crate::state::HashKey;

/// A value that can be an input of a task: when it changes, the task runs again.
///
/// The hash of a value is the same on every machine and in every version of the compiler, unlike [`std::hash::Hash`]'s, and
/// two values that mean the same hash alike: `8080u16` and `8080u64`, `"x"` and `String::from("x")`, `&x` and `x`. Tuples,
/// slices and options of inputs are inputs; for a type of your own, write
///
/// ```
/// use carthage_runtime::task::{TaskHash, TaskHasher, digest};
///
/// struct Site { port: u16, name: String }
///
/// impl TaskHash for Site {
///     fn feed(&self, hasher: &mut TaskHasher) {
///         (self.port, &self.name).feed(hasher);
///     }
/// }
/// let site = Site { port: 80, name: "a".into() };
/// assert!(digest(&site) == digest(&(80, "a")));
/// ```
///
/// Maps and sets are inputs when they have an order (`BTreeMap`, `BTreeSet`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an input of a task's hash",
    label = "expected a number, a string, a path, an address, a `Secret`, or tuples, slices and options of such",
    note = "name the fields that count, as in `hash = (self.port, &self.name)`, or implement `TaskHash` for the type"
)]
pub trait TaskHash {
    /// Feeds the value to the hasher.
    fn feed(&self, hasher: &mut TaskHasher);
}

/// Takes in the parts of a value.
pub struct TaskHasher(blake3::Hasher);

/// What comes next, so that neighbours are never taken for one another.
#[derive(Clone, Copy)]
enum Tag {
    Bool,
    Number,
    Negative,
    Float,
    Char,
    Text,
    None,
    Some,
    List,
    Address,
}

impl TaskHasher {
    fn tag(&mut self, tag: Tag) -> &mut Self {
        self.raw(&[tag as u8])
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    fn len(&mut self, len: usize) -> &mut Self {
        self.raw(&(len as u64).to_le_bytes())
    }

    /// Announces that this many parts follow, which belong together.
    pub fn list(&mut self, len: usize) {
        self.tag(Tag::List).len(len);
    }

    /// Feeds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.tag(Tag::Text).len(bytes.len()).raw(bytes);
    }
}

impl fmt::Debug for TaskHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskHasher")
    }
}

/// The hash of a task's inputs, as long as it stays in memory; [`keyed`](Self::keyed) makes it fit for a stamp.
#[derive(Clone, PartialEq, Eq)]
pub struct Digest(blake3::Hash);

impl Digest {
    /// The hash as stamps hold it: it tells nothing about the inputs, be they ever so short, without the layout's key.
    #[must_use]
    pub fn keyed(&self, key: &HashKey) -> InputHash {
        InputHash(blake3::keyed_hash(key.bytes(), self.0.as_bytes()).to_hex().to_string())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// The hash of a task's inputs, as stamps hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InputHash(String);

/// The hash of a value.
#[must_use]
pub fn digest<T: TaskHash + ?Sized>(value: &T) -> Digest {
    let mut hasher = TaskHasher(blake3::Hasher::new());
    value.feed(&mut hasher);
    Digest(hasher.0.finalize())
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl TaskHash for $type {
            #[allow(unused_comparisons, reason = "one macro for signed and unsigned ones")]
            fn feed(&self, hasher: &mut TaskHasher) {
                let tag = if *self < 0 { Tag::Negative } else { Tag::Number };
                hasher.tag(tag).raw(&(*self as i128 as u128).to_le_bytes());
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// By a borrowed form that is an input already.
macro_rules! through {
    ($([$($generics:tt)*] $type:ty => |$this:ident| $form:expr;)*) => {$(
        impl<$($generics)*> TaskHash for $type {
            fn feed(&self, hasher: &mut TaskHasher) {
                let $this = self;
                $form.feed(hasher);
            }
        }
    )*};
}

through! {
    [] String => |this| this.as_str();
    [] PathBuf => |this| this.as_path();
    [] Duration => |this| this.as_nanos();
    [] SocketAddr => |this| (this.ip(), this.port());
    [] ipnet::IpNet => |this| (this.addr(), this.prefix_len());
    [] ipnet::Ipv4Net => |this| (this.addr(), this.prefix_len());
    [] Ipv4Addr => |this| IpAddr::V4(*this);
    [] Ipv6Addr => |this| IpAddr::V6(*this);
    [T: TaskHash + ?Sized] &T => |this| **this;
    [T: TaskHash + ?Sized] &mut T => |this| **this;
    [T: TaskHash + ?Sized] Box<T> => |this| **this;
    [T: TaskHash + ?Sized] Rc<T> => |this| **this;
    [T: TaskHash + ?Sized] Arc<T> => |this| **this;
    [T: TaskHash + ToOwned + ?Sized] Cow<'_, T> => |this| **this;
    [T: TaskHash] Vec<T> => |this| this.as_slice();
    [T: TaskHash, const N: usize] [T; N] => |this| this.as_slice();
    // Safe to take in as it is, because no stamp holds anything but a keyed hash.
    [T: TaskHash + Zeroize] Secret<T> => |this| this.expose();
}

impl TaskHash for bool {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.tag(Tag::Bool).raw(&[u8::from(*self)]);
    }
}

impl TaskHash for char {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.tag(Tag::Char).raw(&u32::from(*self).to_le_bytes());
    }
}

impl TaskHash for f64 {
    fn feed(&self, hasher: &mut TaskHasher) {
        // 0.0 and -0.0 are equal and have different bits.
        hasher.tag(Tag::Float).raw(&(self + 0.0).to_bits().to_le_bytes());
    }
}

impl TaskHash for str {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.bytes(self.as_bytes());
    }
}

impl TaskHash for Path {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.bytes(self.as_os_str().as_encoded_bytes());
    }
}

impl TaskHash for IpAddr {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.tag(Tag::Address);
        match self {
            Self::V4(v4) => hasher.bytes(&v4.octets()),
            Self::V6(v6) => hasher.bytes(&v6.octets()),
        }
    }
}

impl<T: TaskHash> TaskHash for Option<T> {
    fn feed(&self, hasher: &mut TaskHasher) {
        match self {
            None => {
                hasher.tag(Tag::None);
            }
            Some(value) => value.feed(hasher.tag(Tag::Some)),
        }
    }
}

impl<T: TaskHash> TaskHash for [T] {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.list(self.len());
        self.iter().for_each(|part| part.feed(hasher));
    }
}

impl<T: TaskHash> TaskHash for BTreeSet<T> {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.list(self.len());
        self.iter().for_each(|part| part.feed(hasher));
    }
}

impl<K: TaskHash, V: TaskHash> TaskHash for BTreeMap<K, V> {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.list(self.len());
        self.iter().for_each(|part| part.feed(hasher));
    }
}

macro_rules! tuples {
    ($(($($name:ident)*))*) => {$(
        impl<$($name: TaskHash),*> TaskHash for ($($name,)*) {
            #[allow(non_snake_case, reason = "one macro for the types and their values")]
            fn feed(&self, hasher: &mut TaskHasher) {
                let ($($name,)*) = self;
                hasher.list([$(stringify!($name)),*].len() as usize);
                $($name.feed(hasher);)*
            }
        }
    )*};
}

impl TaskHash for () {
    fn feed(&self, hasher: &mut TaskHasher) {
        hasher.list(0);
    }
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike() {
        assert!(digest(&8080u16) == digest(&8080u64) && digest(&8080i32) == digest(&&8080usize));
        assert!(digest("x") == digest(&String::from("x")) && digest("x") == digest(Path::new("x")));
        assert!(digest(&[1, 2]) == digest(&vec![1u8, 2]) && digest(&(1, 2)) == digest(&[1, 2]));
        assert!(digest(&Secret::new(String::from("x"))) == digest("x"));
        assert!(digest(&0.0) == digest(&-0.0));
        let ip: IpAddr = [10, 0, 0, 1].into();
        assert!(digest(&ip) == digest(&Ipv4Addr::new(10, 0, 0, 1)));
    }

    #[test]
    fn different() {
        let all = [
            digest(&()),
            digest(&1),
            digest(&-1),
            digest(&u128::MAX),
            digest(&1.0),
            digest(&true),
            digest(&'1'),
            digest("1"),
            digest(&Some(1)),
            digest(&None::<u8>),
            digest(&[1]),
            digest(&("ab", "c")),
            digest(&("a", "bc")),
            digest(&(("a", "b"), "c")),
            digest(&("a", ("b", "c"))),
            digest(&("a", "b", "c")),
            digest(&[10, 0, 0, 1]),
            digest(&Ipv4Addr::new(10, 0, 0, 1)),
            digest(&"10.0.0.1/8".parse::<ipnet::IpNet>().unwrap()),
            digest(&BTreeMap::from([("a", 1)])),
        ];
        for (i, one) in all.iter().enumerate() {
            assert_eq!(all.iter().filter(|other| *other == one).count(), 1, "number {i}");
        }
    }

    #[test]
    fn stamps_hold_it_keyed() {
        let (a, b) = (HashKey::generate().unwrap(), HashKey::generate().unwrap());
        assert_eq!(digest("x").keyed(&a), digest("x").keyed(&a));
        assert_ne!(digest("x").keyed(&a), digest("x").keyed(&b));
        assert_eq!(format!("{:?} {:?}", digest("x"), a), "Digest HashKey");
    }

    /// What is in stamps must not change with the compiler or with this code: everybody's tasks would run again.
    #[test]
    fn the_same_for_ever() {
        let hash = digest(&(8080, "mirror", Some(true), [1u8, 2]));
        assert_eq!(&hash.0.to_hex()[..16], "6a8529d934998d7d");
    }
}
