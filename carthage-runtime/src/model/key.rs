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
    pub(super) constraints: &'static [super::Constraint],
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a (Fowler, Noll, Vo: <http://www.isthe.com/chongo/tech/comp/fnv/>), continued from `hash`.
pub(super) const fn fnv(bytes: &[u8], mut hash: u64) -> u64 {
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(FNV_PRIME);
        i += 1;
    }
    hash
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
        let hash = fnv(name.as_bytes(), fnv(module.as_bytes(), FNV_OFFSET));
        let place = ((line as u64) << 32) | column as u64;
        Self { name, id: fnv(&place.to_le_bytes(), hash), constraints: &[] }
    }

    /// The key of a generic item with one more argument: a const parameter's value, or another key's [`Key::id`].
    #[must_use]
    pub const fn with(self, argument: u64) -> Self {
        Self { id: fnv(&argument.to_le_bytes(), self.id), ..self }
    }

    /// The item's name, as the user wrote it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
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
