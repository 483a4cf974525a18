//! Scopes: a tree that mirrors the layout. A value is looked up from the asking scope upwards; the nearest provider wins.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::happening::{Listeners, What};
use super::slot::{Closing, Making, Slot, Value};
use super::waits::{Wait, Waits};
use crate::error::{Error, ErrorKind};
use crate::model::Key;

/// A type that has an injection key: `#[injectable]` gives it one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no injection key",
    label = "this type cannot be injected or provided",
    note = "write `#[injectable]` on it; for somebody else's type, `injection_key!(pub Name: Type)`"
)]
pub trait Injectable: Send + Sync + 'static {
    /// The key.
    const KEY: Key;
}

/// The making of a value for each scope that asks. It is handed that scope, and the slot on whose behalf it asks for others.
pub type MakingEach = dyn Fn(&Scope, Slot) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync;

/// A scope. Cheap to clone.
///
/// ```
/// use std::sync::Arc;
/// use carthage::inject::Scope;
/// use carthage::model::Key;
/// const PORT: Key = Key::new(module_path!(), "Port", line!(), column!());
///
/// let outer = Scope::root("site");
/// let inner = outer.child("rack");
/// outer.provide(PORT, "`port`".into(), Box::new(|_| Box::pin(async { Ok(Arc::new(80_u16) as _) })));
/// assert!(inner.find(PORT).is_some());
/// ```
#[derive(Clone)]
pub struct Scope(pub(super) Arc<Inner>);

pub(super) struct Inner {
    name: String,
    number: usize,
    parent: Option<Scope>,
    pub(super) children: Mutex<Vec<Weak<Inner>>>,
    held: Mutex<Held>,
    pub(super) tree: Arc<Tree>,
    pub(super) closing: CancellationToken,
    pub(super) closed: tokio::sync::Mutex<bool>,
    pub(super) listeners: Listeners,
}

/// What all scopes of a tree share.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) waits: Arc<Waits>,
    scopes: AtomicUsize,
    /// Values made so far.
    pub(super) made: AtomicUsize,
    pub(super) listeners: AtomicUsize,
    /// Entries of indexes that filters have looked at.
    #[cfg(test)]
    pub(super) looked_at: AtomicUsize,
}

/// What one scope holds.
#[derive(Default)]
pub(super) struct Held {
    pub(super) by_key: HashMap<Key, Provided>,
    /// Values of providers that make one for each scope that asks, by provider.
    pub(super) own: HashMap<usize, Slot>,
    /// Values in whose place others were provided: they may be in use, and are closed with the rest.
    pub(super) replaced: Vec<Slot>,
    /// The keys in here that a filter means, by the filter's.
    pub(super) here: HashMap<u64, Vec<Key>>,
    /// The scopes in here that hold what a filter means, or are around one that does; by the order in which they were made.
    pub(super) inside: HashMap<u64, BTreeMap<usize, Weak<Inner>>>,
}

/// What stands under a key.
#[derive(Clone)]
pub(super) enum Provided {
    /// A value.
    One(Slot),
    /// One for each scope that asks.
    Each(Arc<Each>),
    /// Nothing, whatever is provided around.
    Masked,
}

pub(super) struct Each {
    key: Key,
    name: String,
    make: Box<MakingEach>,
    close: Option<Arc<Closing>>,
}

impl Scope {
    /// The top of a tree.
    #[must_use]
    pub fn root(name: impl Into<String>) -> Self {
        Self::new(name.into(), None, Arc::default(), CancellationToken::new())
    }

    /// A scope in this one.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        let Inner { tree, closing, .. } = &*self.0;
        let child = Self::new(name.into(), Some(self.clone()), tree.clone(), closing.child_token());
        let mut children = lock(&self.0.children);
        if children.len() == children.capacity() {
            // Of scopes that were made for one call, nothing is left.
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(&child.0));
        drop(children);
        child
    }

    fn new(name: String, parent: Option<Self>, tree: Arc<Tree>, closing: CancellationToken) -> Self {
        let number = tree.scopes.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner {
            name,
            number,
            parent,
            children: Mutex::default(),
            held: Mutex::default(),
            tree,
            closing,
            closed: tokio::sync::Mutex::default(),
            listeners: Listeners::default(),
        }))
    }

    /// What users call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// How many scopes of its tree were made before it.
    #[must_use]
    pub fn number(&self) -> usize {
        self.0.number
    }

    /// A slot that belongs to this tree of scopes, but is found by nobody.
    #[must_use]
    pub fn slot(&self, name: String, make: Box<Making>) -> Slot {
        Slot::new(name, None, Arc::downgrade(&self.0), self.0.tree.waits.clone(), make, None)
    }

    /// Provides a value under `key`; in place of one that this very scope provided before.
    pub fn provide(&self, key: Key, name: String, make: Box<Making>) -> Slot {
        self.provide_to_close(key, name, make, None)
    }

    /// The same for a value with which something is done when the scope is closed.
    pub fn provide_to_close(
        &self,
        key: Key,
        name: String,
        make: Box<Making>,
        close: Option<Arc<Closing>>,
    ) -> Slot {
        let home = Arc::downgrade(&self.0);
        let slot = Slot::new(name, Some(key), home, self.0.tree.waits.clone(), make, close);
        self.hold(key, Provided::One(slot.clone()));
        self.happened(Some(key), slot.name(), What::Provided);
        slot
    }

    /// Provides what another tree of scopes has made.
    pub(crate) fn provide_made(&self, key: Key, slot: Slot) -> Slot {
        self.provide_also(key, &slot);
        slot
    }

    /// Provides what `slot` holds under another key as well: made once, whichever is asked for.
    pub fn provide_also(&self, key: Key, slot: &Slot) {
        self.hold(key, Provided::One(slot.clone()));
        self.happened(Some(key), slot.name(), What::Provided);
    }

    /// Provides a value of its own to each scope that asks, whoever asks first. Each is kept with the scope that asked.
    /// This scope's own is returned.
    pub fn provide_each(
        &self,
        key: Key,
        name: String,
        make: Box<MakingEach>,
        close: Option<Arc<Closing>>,
    ) -> Slot {
        self.happened(Some(key), &name, What::Provided);
        let each = Arc::new(Each { key, name, make, close });
        self.hold(key, Provided::Each(each.clone()));
        self.own(&each)
    }

    /// Provides what `other` finds under `theirs`: made there, out of what is around it there.
    pub fn provide_from(&self, key: Key, name: String, other: &Self, theirs: Key) -> Slot {
        let other = Arc::downgrade(&other.0);
        self.provide(
            key,
            name,
            Box::new(move |me| {
                let other = other.upgrade().map(Self);
                Box::pin(async move {
                    let other = other
                        .ok_or_else(|| Error::new(ErrorKind::Injection, "the scope that makes it is gone"))?;
                    let slot = other.find(theirs).ok_or_else(|| {
                        let what = format!("nothing provides {theirs} to `{}`", other.name());
                        Error::new(ErrorKind::Injection, what)
                    })?;
                    slot.get(Some(&me)).await
                })
            }),
        )
    }

    /// Hides what scopes around provide under `key` from this one and from all inside. What this scope itself provides is not
    /// hidden.
    pub fn mask(&self, key: Key) {
        if !self.held().by_key.contains_key(&key) {
            self.hold(key, Provided::Masked);
        }
    }

    fn hold(&self, key: Key, provided: Provided) {
        let before = self.held().by_key.insert(key, provided);
        match before {
            None => self.index(key),
            Some(Provided::One(slot)) => self.held().replaced.push(slot),
            Some(Provided::Each(_) | Provided::Masked) => {}
        }
    }

    /// The nearest provider of `key`.
    #[must_use]
    pub fn find(&self, key: Key) -> Option<Slot> {
        let nearest = self.upwards().find_map(|scope| scope.held().by_key.get(&key).cloned())?;
        self.slot_of(&nearest)
    }

    /// What is provided, to this scope.
    pub(super) fn slot_of(&self, provided: &Provided) -> Option<Slot> {
        match provided {
            Provided::One(slot) => Some(slot.clone()),
            Provided::Each(each) => Some(self.own(each)),
            Provided::Masked => None,
        }
    }

    fn own(&self, each: &Arc<Each>) -> Slot {
        let mut held = self.held();
        let slot = held.own.entry(Arc::as_ptr(each).addr()).or_insert_with(|| {
            let home = Arc::downgrade(&self.0);
            let name = format!("{} for `{}`", each.name, self.name());
            let (provider, asker) = (each.clone(), home.clone());
            let make: Box<Making> = Box::new(move |me| match asker.upgrade() {
                Some(asker) => (provider.make)(&Self(asker), me),
                None => Box::pin(std::future::ready(Err(Error::new(
                    ErrorKind::Injection,
                    "the scope that asked for it is gone",
                )))),
            });
            Slot::new(name, Some(each.key), home, self.0.tree.waits.clone(), make, each.close.clone())
        });
        slot.clone()
    }

    /// This scope and those around it, the nearest first.
    pub fn upwards(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |scope| scope.0.parent.as_ref())
    }

    /// What is being made in the whole tree at this moment, and what each of it waits for.
    #[must_use]
    pub fn waits(&self) -> Vec<Wait> {
        self.0.tree.waits.list()
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.0.held)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(parent) = &self.parent {
            parent.forget(self.number, self.held.get_mut().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.name()).finish()
    }
}
