//! One value of a scope: made once, by whoever asks first, and shared with all who ask meanwhile.

use std::any::Any;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::happening::What;
use super::scope::{self, Scope};
use super::waits::Waits;
use crate::error::{Error, ErrorKind, chain};
use crate::model::Key;

/// A value whose type its key tells.
pub type Value = Arc<dyn Any + Send + Sync>;

/// The making of a value. It is handed the slot, on whose behalf it asks for other values.
pub type Making = dyn Fn(Slot) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync;

/// What is done with a value when its scope is closed.
pub type Closing = dyn Fn(Value) -> BoxFuture<'static, Result<(), Error>> + Send + Sync;

/// Where a value is made and kept. Cheap to clone.
#[derive(Clone)]
pub struct Slot(Arc<Inner>);

struct Inner {
    name: String,
    key: Option<Key>,
    state: Mutex<State>,
    make: Box<Making>,
    close: Option<Arc<Closing>>,
    home: Weak<scope::Inner>,
    waits: Arc<Waits>,
}

enum State {
    Empty,
    Making(Shared<BoxFuture<'static, Result<Value, Arc<Error>>>>),
    /// The value, and how many were made before it.
    Ready(Value, usize),
    Closed,
}

impl Slot {
    pub(super) fn new(
        name: String,
        key: Option<Key>,
        home: Weak<scope::Inner>,
        waits: Arc<Waits>,
        make: Box<Making>,
        close: Option<Arc<Closing>>,
    ) -> Self {
        Self(Arc::new(Inner { name, key, state: Mutex::new(State::Empty), make, close, home, waits }))
    }

    /// What users call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The key that it was provided under, if any.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        self.0.key
    }

    /// The value, if it is there; makes nothing.
    #[must_use]
    pub fn value(&self) -> Option<Value> {
        match &*self.state() {
            State::Ready(value, _) => Some(value.clone()),
            _ => None,
        }
    }

    /// The address is unique while the slot lives, and the graph of waits keeps its slots alive.
    pub(super) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(super) fn home_is(&self, scope: &Scope) -> bool {
        std::ptr::eq(self.0.home.as_ptr(), Arc::as_ptr(&scope.0))
    }

    /// How many values were made before it, if it is made.
    pub(super) fn made(&self) -> Option<usize> {
        match &*self.state() {
            State::Ready(_, made) => Some(*made),
            _ => None,
        }
    }

    /// The value; made if nobody has yet. `asker` is the slot whose making asks, if one does.
    ///
    /// # Errors
    /// When it cannot be made; the next ask tries again. When `asker` is needed, in the end, to make it. When its scope is
    /// closed.
    pub async fn get(&self, asker: Option<&Slot>) -> Result<Value, Error> {
        if let Some(value) = self.value() {
            return Ok(value);
        }
        let _waiting = asker.map(|asker| self.0.waits.wait(asker, self)).transpose()?;
        let making = match &mut *self.state() {
            State::Ready(value, _) => return Ok(value.clone()),
            State::Closed => return Err(self.is_closed()),
            State::Making(making) => making.clone(),
            empty @ State::Empty => {
                let making = self.clone().make().boxed().shared();
                *empty = State::Making(making.clone());
                making
            }
        };
        making.await.map_err(|error| self.not_made(error))
    }

    /// Another value, made as this one is, that nobody else gets.
    ///
    /// # Errors
    /// As with [`Slot::get`].
    pub async fn another(&self, asker: Option<&Slot>) -> Result<Value, Error> {
        let _waiting = asker.map(|asker| self.0.waits.wait(asker, self)).transpose()?;
        self.run().await.map_err(|error| self.not_made(Arc::new(error)))
    }

    fn not_made(&self, error: Arc<Error>) -> Error {
        let wrapped = Error::new(ErrorKind::Injection, format!("cannot make {}", self.name()));
        match error.next_step() {
            Some(hint) => wrapped.hint(hint),
            None => wrapped,
        }
        .because(error)
    }

    fn is_closed(&self) -> Error {
        let scope = self.0.home.upgrade().map(Scope);
        let scope = scope.as_ref().map_or("its scope", Scope::name);
        Error::new(ErrorKind::Injection, format!("{} is gone: `{scope}` is closed", self.name()))
    }

    /// Runs the maker, unless the scope is closed or is closed meanwhile: then it is dropped where it is.
    async fn run(&self) -> Result<Value, Error> {
        let Some(home) = self.0.home.upgrade() else { return Err(self.is_closed()) };
        let closing = home.closing.clone();
        // A scope that is given up entirely while it makes something need not live until that is made.
        drop(home);
        let made = closing.run_until_cancelled((self.0.make)(self.clone())).await;
        made.unwrap_or_else(|| Err(self.is_closed()))
    }

    /// Whether it is made.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.state(), State::Ready(..))
    }

    async fn make(self) -> Result<Value, Arc<Error>> {
        let _making = self.0.waits.begin(&self);
        self.tell(|| What::Making);
        let made = self.run().await;
        let too_late = {
            let mut state = self.state();
            match (&made, &*state) {
                (Ok(value), State::Closed) => Some(value.clone()),
                (Ok(value), _) => {
                    let before =
                        self.0.home.upgrade().map(|home| home.tree.made.fetch_add(1, Ordering::Relaxed));
                    *state = State::Ready(value.clone(), before.unwrap_or_default());
                    None
                }
                (Err(_), State::Closed) => None,
                (Err(_), _) => {
                    *state = State::Empty;
                    None
                }
            }
        };
        if let Some(value) = too_late {
            self.close_value(value).await?;
            return Err(Arc::new(self.is_closed()));
        }
        self.tell(|| match &made {
            Ok(_) => What::Ready,
            Err(error) => What::Failed(chain(error)),
        });
        made.map_err(Arc::new)
    }

    fn tell(&self, what: impl FnOnce() -> What) {
        if let Some(home) = self.0.home.upgrade() {
            Scope(home).happened(self.0.key, self.name(), what());
        }
    }

    /// Closes the value, if there is one. Nobody gets it any more.
    pub(super) async fn close(&self) -> Result<(), Error> {
        let before = std::mem::replace(&mut *self.state(), State::Closed);
        match before {
            State::Ready(value, _) => self.close_value(value).await,
            State::Empty | State::Making(_) | State::Closed => Ok(()),
        }
    }

    async fn close_value(&self, value: Value) -> Result<(), Error> {
        match &self.0.close {
            Some(close) => close(value).await,
            None => Ok(()),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Slot").field(&self.name()).finish()
    }
}
