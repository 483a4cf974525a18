//! One value of a scope: made once, by whoever asks first, and shared with all who ask meanwhile.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::waits::Waits;
use crate::error::{Error, ErrorKind};

/// A value whose type its key tells.
pub type Value = Arc<dyn Any + Send + Sync>;

/// The making of a value. It is handed the slot, on whose behalf it asks for other values.
pub type Making = dyn Fn(Slot) -> BoxFuture<'static, Result<Value, Error>> + Send + Sync;

/// Where a value is made and kept. Cheap to clone.
#[derive(Clone)]
pub struct Slot(Arc<Inner>);

struct Inner {
    name: String,
    state: Mutex<State>,
    make: Box<Making>,
    waits: Arc<Waits>,
}

enum State {
    Empty,
    Making(Shared<BoxFuture<'static, Result<Value, Arc<Error>>>>),
    Ready(Value),
}

impl Slot {
    pub(crate) fn new(name: String, waits: Arc<Waits>, make: Box<Making>) -> Self {
        Self(Arc::new(Inner { name, state: Mutex::new(State::Empty), make, waits }))
    }

    /// What users call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The address is unique while the slot lives, and the graph of waits keeps its slots alive.
    pub(crate) fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    /// The value; made if nobody has yet. `asker` is the slot whose making asks, if one does.
    ///
    /// # Errors
    /// When it cannot be made; the next ask tries again. When `asker` is needed, in the end, to make it.
    pub async fn get(&self, asker: Option<&Slot>) -> Result<Value, Error> {
        if let State::Ready(value) = &*self.state() {
            return Ok(value.clone());
        }
        let _waiting = asker.map(|asker| self.0.waits.wait(asker, self)).transpose()?;
        let making = match &mut *self.state() {
            State::Ready(value) => return Ok(value.clone()),
            State::Making(making) => making.clone(),
            empty @ State::Empty => {
                let making = self.clone().make().boxed().shared();
                *empty = State::Making(making.clone());
                making
            }
        };
        making.await.map_err(|error| {
            let wrapped = Error::new(ErrorKind::Injection, format!("cannot make {}", self.name()));
            match error.next_step() {
                Some(hint) => wrapped.hint(hint),
                None => wrapped,
            }
            .because(error)
        })
    }

    /// Whether it is made.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(*self.state(), State::Ready(_))
    }

    async fn make(self) -> Result<Value, Arc<Error>> {
        let made = (self.0.make)(self.clone()).await;
        *self.state() = match &made {
            Ok(value) => State::Ready(value.clone()),
            Err(_) => State::Empty,
        };
        made.map_err(Arc::new)
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
