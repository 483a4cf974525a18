//! Scopes: a tree that mirrors the layout. A value is looked up from the asking scope upwards; the nearest provider wins.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::slot::{Making, Slot};
use super::waits::Waits;
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
pub struct Scope(Arc<Inner>);

struct Inner {
    name: String,
    parent: Option<Scope>,
    slots: Mutex<HashMap<Key, Slot>>,
    waits: Arc<Waits>,
}

impl Scope {
    /// The top of a tree.
    #[must_use]
    pub fn root(name: impl Into<String>) -> Self {
        Self::new(name.into(), None, Arc::default())
    }

    /// A scope in this one.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        Self::new(name.into(), Some(self.clone()), self.0.waits.clone())
    }

    fn new(name: String, parent: Option<Self>, waits: Arc<Waits>) -> Self {
        Self(Arc::new(Inner { name, parent, slots: Mutex::default(), waits }))
    }

    /// What users call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// A slot that belongs to this tree of scopes, but is found by nobody.
    #[must_use]
    pub fn slot(&self, name: String, make: Box<Making>) -> Slot {
        Slot::new(name, self.0.waits.clone(), make)
    }

    /// Provides a value under `key`; in place of one that this very scope provided before.
    pub fn provide(&self, key: Key, name: String, make: Box<Making>) -> Slot {
        let slot = self.slot(name, make);
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).insert(key, slot.clone());
        slot
    }

    /// Provides what another tree of scopes has made.
    pub(crate) fn provide_slot(&self, key: Key, slot: Slot) -> Slot {
        self.0.slots.lock().unwrap_or_else(PoisonError::into_inner).insert(key, slot.clone());
        slot
    }

    /// The nearest provider of `key`.
    #[must_use]
    pub fn find(&self, key: Key) -> Option<Slot> {
        self.upwards()
            .find_map(|scope| scope.0.slots.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned())
    }

    /// This scope and those around it, the nearest first.
    pub fn upwards(&self) -> impl Iterator<Item = &Scope> {
        std::iter::successors(Some(self), |scope| scope.0.parent.as_ref())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scope").field(&self.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::inject::Value;

    const A: Key = Key::new("test", "A", 1, 1);
    const B: Key = Key::new("test", "B", 2, 1);
    const C: Key = Key::new("test", "C", 3, 1);

    fn constant(value: u32) -> Box<Making> {
        Box::new(move |_| Box::pin(async move { Ok(Arc::new(value) as Value) }))
    }

    /// A value that is the sum of others, asked for at the same time.
    fn sum(scope: &Scope, keys: &'static [Key]) -> Box<Making> {
        let scope = scope.clone();
        Box::new(move |me| {
            let scope = scope.clone();
            Box::pin(async move {
                let asked = keys.iter().map(|key| {
                    let slot = scope.find(*key).unwrap();
                    let me = me.clone();
                    async move { slot.get(Some(&me)).await }
                });
                let mut sum = 0;
                for value in join_all(asked).await {
                    tokio::task::yield_now().await;
                    sum += *value?.downcast::<u32>().unwrap();
                }
                Ok(Arc::new(sum) as Value)
            })
        })
    }

    async fn get(scope: &Scope, key: Key) -> Result<u32, Error> {
        scope.find(key).unwrap().get(None).await.map(|value| *value.downcast::<u32>().unwrap())
    }

    #[tokio::test]
    async fn nearest_provider_wins() {
        let outer = Scope::root("outer");
        let inner = outer.child("inner");
        outer.provide(A, "a".into(), constant(1));
        outer.provide(B, "b".into(), constant(2));
        inner.provide(A, "a".into(), constant(10));
        assert_eq!((get(&inner, A).await.unwrap(), get(&inner, B).await.unwrap()), (10, 2));
        assert_eq!(get(&outer, A).await.unwrap(), 1);
        assert!(inner.find(C).is_none());
    }

    #[tokio::test]
    async fn made_once_for_all_who_ask_and_again_after_a_failure() {
        let scope = Scope::root("s");
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let (open, gate) = tokio::sync::watch::channel(false);
        scope.provide(
            A,
            "a".into(),
            Box::new(move |_| {
                let nth = counter.fetch_add(1, Ordering::SeqCst);
                let mut gate = gate.clone();
                Box::pin(async move {
                    gate.wait_for(|open| *open).await.map_err(Error::host("gate"))?;
                    if nth == 0 {
                        return Err(Error::new(ErrorKind::Host, "not yet").hint("try again"));
                    }
                    Ok(Arc::new(7_u32) as Value)
                })
            }),
        );
        let (failed, ()) = tokio::join!(join_all((0..10).map(|_| get(&scope, A))), async {
            open.send(true).unwrap();
        });
        assert!(failed.iter().all(|r| r.as_ref().unwrap_err().next_step() == Some("try again")));
        assert_eq!(made.load(Ordering::SeqCst), 1);
        let ready = join_all((0..10).map(|_| get(&scope, A))).await;
        assert!(ready.into_iter().all(|r| r.unwrap() == 7));
        assert_eq!(made.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_cycle_is_named_from_whichever_end_it_is_entered() {
        let scope = Scope::root("s");
        scope.provide(A, "`a`".into(), sum(&scope, &[B]));
        scope.provide(B, "`b`".into(), sum(&scope, &[C]));
        scope.provide(C, "`c`".into(), sum(&scope, &[A]));
        let (one, two) = tokio::join!(get(&scope, A), get(&scope, B));
        for error in [one.unwrap_err(), two.unwrap_err()] {
            let text = crate::chain(&error);
            assert!(text.contains("values need each other in a circle"), "{text}");
            for name in ["`a`", "`b`", "`c`"] {
                assert!(text.contains(name), "{text}");
            }
        }
    }

    #[tokio::test]
    async fn a_diamond_is_not_a_cycle() {
        let scope = Scope::root("s");
        const D: Key = Key::new("test", "D", 4, 1);
        scope.provide(A, "a".into(), sum(&scope, &[B, C]));
        scope.provide(B, "b".into(), sum(&scope, &[D]));
        scope.provide(C, "c".into(), sum(&scope, &[D]));
        scope.provide(D, "d".into(), constant(2));
        assert_eq!(get(&scope, A).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn an_asker_that_gives_up_does_not_spoil_it_for_the_others() {
        let scope = Scope::root("s");
        let (open, gate) = tokio::sync::watch::channel(false);
        scope.provide(
            A,
            "a".into(),
            Box::new(move |_| {
                let mut gate = gate.clone();
                Box::pin(async move {
                    gate.wait_for(|open| *open).await.map_err(Error::host("gate"))?;
                    Ok(Arc::new(3_u32) as Value)
                })
            }),
        );
        {
            let impatient = get(&scope, A);
            tokio::pin!(impatient);
            assert!(futures_util::poll!(&mut impatient).is_pending());
        }
        open.send(true).unwrap();
        assert_eq!(get(&scope, A).await.unwrap(), 3);
    }
}
