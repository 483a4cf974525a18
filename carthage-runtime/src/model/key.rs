//! Keys: what a type is called by injection, references and the checks, in constants.

/// Where something stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// As `file!()` gives it.
    pub file: &'static str,
    /// As `line!()` gives it for the thing itself, not for its attribute.
    pub line: u32,
}

impl At {
    /// This place.
    #[must_use]
    pub const fn new(file: &'static str, line: u32) -> Self {
        Self { file, line }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Identifies an item (a model, a network, an injectable type) in constants, where a `TypeId` cannot be compared.
///
/// Two keys are the same when module path, name, line, column and generic arguments are.
///
/// A key may have [constraints](super::Constraint), which tell several values of one type apart; then they count as well.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub(super) name: &'static str,
    pub(super) id: u64,
    pub(super) is_abstract: bool,
    pub(super) is_role: bool,
    pub(super) constraints: &'static [super::Constraint],
}

/// Odd, and with as many ones as zeros: the golden ratio, as for Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4).
const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes a number into a hash. Each turn costs the compiler a microsecond: eight bytes are taken at a time.
pub(super) const fn mixed(hash: u64, number: u64) -> u64 {
    let mixed = (hash ^ number).wrapping_mul(PRIME);
    mixed ^ (mixed >> 32)
}

/// The hash of some bytes, continued from `hash`.
pub(super) const fn hashed(bytes: &[u8], mut hash: u64) -> u64 {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        hash = mixed(hash, u64::from_le_bytes(*word));
        rest = after;
    }
    let mut last = bytes.len() as u64;
    let mut i = 0;
    while i < rest.len() {
        last = last << 8 | rest[i] as u64;
        i += 1;
    }
    mixed(hash, last)
}

impl Key {
    /// The key of the item `name` in `module` at this place; the macros write it with `module_path!()`, `line!()` and
    /// `column!()`.
    ///
    /// ```
    /// use carthage::model::Key;
    /// const MAIL: Key = Key::new(module_path!(), "AdminMail", line!(), column!());
    /// assert_eq!(MAIL.name(), "AdminMail");
    /// assert!(MAIL.is(MAIL) && !MAIL.is(MAIL.with(3)));
    /// ```
    #[must_use]
    pub const fn new(module: &str, name: &'static str, line: u32, column: u32) -> Self {
        let hash = hashed(name.as_bytes(), hashed(module.as_bytes(), PRIME));
        let place = ((line as u64) << 32) | column as u64;
        Self { name, id: mixed(hash, place), is_abstract: false, is_role: false, constraints: &[] }
    }

    /// The key of a generic item with one more argument: a const parameter's value, or another key's [`Key::id`].
    #[must_use]
    pub const fn with(self, argument: u64) -> Self {
        Self { id: mixed(self.id, argument), ..self }
    }

    /// The key of something that is not placed itself: a layout says which of its parts it is.
    #[must_use]
    pub const fn of_abstract(mut self) -> Self {
        self.is_abstract = true;
        self
    }

    /// The key of a role: machines have it, and it is not placed itself.
    #[must_use]
    pub const fn of_role(mut self) -> Self {
        self.is_role = true;
        self
    }

    /// The item's name, as the user wrote it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Whether it is a trait's.
    pub(crate) const fn is_trait(self) -> bool {
        matches!(self.name.as_bytes(), [b'd', b'y', b'n', b' ', ..])
    }

    /// A number that stands for the key.
    #[must_use]
    pub const fn id(self) -> u64 {
        self.id
    }

    /// Whether both are the same key.
    #[must_use]
    pub const fn is(self, other: Self) -> bool {
        self.id == other.id
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.is(*other)
    }
}
impl Eq for Key {}

impl std::hash::Hash for Key {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}
