//! Values that are made once and kept: `#[provide(persist, …)]`.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::ledger::Ledger;
use super::paths::Paths;
use super::persist::Persist;
use crate::error::Error;

type Bytes = Zeroizing<Vec<u8>>;

/// The kept values of a layout, as one command sees them. A value that is made while only looking is the same until the
/// command ends; it is written when the command turns out to change things.
#[derive(Clone)]
pub(crate) struct Kept(Arc<Mutex<State>>);

struct State {
    values: BTreeMap<String, Bytes>,
    /// Made here and not yet written.
    new: BTreeMap<String, Bytes>,
    ledger: Option<Ledger>,
}

impl Kept {
    /// With the values that were read from the store.
    pub(crate) fn new(values: BTreeMap<String, Bytes>) -> Self {
        Self(Arc::new(Mutex::new(State { values, new: BTreeMap::new(), ledger: None })))
    }

    /// The value of this path; made by `make` if there is none.
    pub(crate) async fn get_or_make<T: Persist + Send>(
        &self,
        path: &str,
        make: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let kept = self.state().values.get(path).cloned();
        if let Some(bytes) = kept {
            return T::load(&bytes);
        }
        let value = make.await?;
        let bytes = value.save()?;
        let ledger = {
            let mut state = self.state();
            state.new.insert(path.to_owned(), bytes.clone());
            state.ledger.clone()
        };
        if ledger.is_some() {
            self.write_new().await?;
        }
        Ok(value)
    }

    /// Has values go with places that get other paths; on the disk that is somebody else's to do.
    pub(crate) fn follow(&self, paths: &Paths) {
        paths.carry(&mut self.state().values);
    }

    /// From now on values are written: those that were made before, and each when it is made.
    pub(crate) async fn write_to(&self, ledger: Ledger) -> Result<(), Error> {
        self.state().ledger = Some(ledger);
        self.write_new().await
    }

    async fn write_new(&self) -> Result<(), Error> {
        let (new, ledger) = {
            let mut state = self.state();
            let new = std::mem::take(&mut state.new);
            state.values.extend(new.clone());
            (new, state.ledger.clone())
        };
        for (path, bytes) in new {
            let Some(ledger) = &ledger else { break };
            ledger.keep(path, bytes).await?;
        }
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kept").field(&self.state().values.keys()).finish()
    }
}
