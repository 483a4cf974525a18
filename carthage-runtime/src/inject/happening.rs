//! What happens to values, for whoever wants to know: told to the scope, and to those around it, with a type.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::scope::{Inner, Scope};
use crate::model::Key;

/// What happened to a value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Happening {
    /// The scope that it is a value of.
    pub scope: String,
    /// Its key, if it is found by one.
    pub key: Option<Key>,
    /// What users call it.
    pub name: String,
    /// What happened.
    pub what: What,
}

/// What can happen to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It can be asked for.
    Provided,
    /// It is being made.
    Making,
    /// It is there. Also after an earlier failure.
    Ready,
    /// It could not be made, and why; the next who asks tries again.
    Failed(String),
    /// It was closed with its scope.
    Closed,
}

type Listener = Arc<dyn Fn(&Happening) + Send + Sync>;

/// The listeners of a scope.
#[derive(Default)]
pub(super) struct Listeners(Mutex<Vec<Listener>>);

/// Ends the listening when dropped.
#[must_use = "dropping it ends the listening"]
pub struct Listening {
    scope: Weak<Inner>,
    listener: Listener,
}

impl Scope {
    /// Tells `listener` what happens in this scope and inside, until what is returned is dropped.
    pub fn listen(&self, listener: impl Fn(&Happening) + Send + Sync + 'static) -> Listening {
        let listener: Listener = Arc::new(listener);
        self.0.listeners.0.lock().unwrap_or_else(PoisonError::into_inner).push(listener.clone());
        self.0.tree.listeners.fetch_add(1, Ordering::Relaxed);
        Listening { scope: Arc::downgrade(&self.0), listener }
    }

    /// Tells whoever listens, here and around.
    pub(super) fn happened(&self, key: Option<Key>, name: &str, what: What) {
        if self.0.tree.listeners.load(Ordering::Relaxed) == 0 {
            return;
        }
        let happening = Happening { scope: self.name().to_owned(), key, name: name.to_owned(), what };
        for scope in self.upwards() {
            // A listener may listen, or stop listening, itself.
            let listeners = scope.0.listeners.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            listeners.iter().for_each(|listener| listener(&happening));
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let Some(scope) = self.scope.upgrade() else { return };
        let mut listeners = scope.listeners.0.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|listener| !Arc::ptr_eq(listener, &self.listener));
        scope.tree.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for Listening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}
