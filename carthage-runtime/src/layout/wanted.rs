//! How a value is wanted: the type of the field that asks for it says so.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Findable;
use super::parts::{Parts, downcast};
use super::place::Place;
use super::placed::Placed;
use crate::error::{Error, ErrorKind};
use crate::inject::{Injectable, Value};
use crate::model::{Key, Mode, Need};

/// The type of an `#[inject]` field or parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a value is wanted",
    label = "expected `Arc<T>`, `Option<Arc<T>>`, `Deferred<T>`, `Quoted<T>`, `All<T>` or `Placed<T>`",
    note = "a field takes `Arc<T>`; a parameter of a function takes `&T`"
)]
pub trait Wanted: Sized + Send {
    /// What is wanted.
    const KEY: Key;
    /// How.
    const MODE: Mode;

    /// Out of what was found for a need at a place.
    ///
    /// # Errors
    /// When that has another type than the key promises.
    fn from_found(found: Option<Value>, place: &Place, need: &'static Need) -> Result<Self, Error>;

    /// Asks for it.
    fn want<'a>(place: &'a Place, need: &'static Need) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(async move { Self::from_found(place.find(need).await?, place, need) })
    }

    #[doc(hidden)]
    fn part(parts: &Parts, part: usize) -> Result<Self, Error> {
        let (found, place, need) = parts.injected(part)?;
        Self::from_found(found, place, need)
    }
}

/// What must be there.
fn there<T: Send + Sync + 'static>(found: Option<Value>, need: &'static Need) -> Result<Arc<T>, Error> {
    let name = format!("`{}` at {}", need.name, need.at);
    let found =
        found.ok_or_else(|| Error::new(ErrorKind::Injection, format!("nothing was found for {name}")))?;
    downcast(found, &name)
}

impl<T: Injectable> Wanted for Arc<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Required;

    fn from_found(found: Option<Value>, _: &Place, need: &'static Need) -> Result<Self, Error> {
        there(found, need)
    }
}

impl<T: Injectable> Wanted for Option<Arc<T>> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Optional;

    fn from_found(found: Option<Value>, _: &Place, need: &'static Need) -> Result<Self, Error> {
        found.map(|found| there(Some(found), need)).transpose()
    }
}

/// A value that is made when it is asked for, not when its owner is.
pub struct Deferred<T> {
    place: Place,
    need: &'static Need,
    of: PhantomData<fn() -> T>,
}

impl<T: Injectable> Deferred<T> {
    /// The value; made now if nobody has yet.
    ///
    /// # Errors
    /// When it cannot be made; the next call tries again.
    pub async fn get(&self) -> Result<Arc<T>, Error> {
        // A value that was made while the layout was decided asks in what came of it.
        let place = self.place.lasting();
        let slot = place.provider(self.need)?;
        downcast(slot.get(place.asker()).await?, slot.name())
    }
}

impl<T> Clone for Deferred<T> {
    fn clone(&self) -> Self {
        Self { place: self.place.clone(), need: self.need, of: PhantomData }
    }
}

impl<T> std::fmt::Debug for Deferred<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Deferred").field(&self.need.key.name()).finish()
    }
}

impl<T: Injectable> Wanted for Deferred<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Deferred;

    fn from_found(_: Option<Value>, place: &Place, need: &'static Need) -> Result<Self, Error> {
        Ok(Self { place: place.clone(), need, of: PhantomData })
    }
}

impl<T: Findable + ?Sized> Wanted for Placed<T> {
    const KEY: Key = T::FOUND;
    const MODE: Mode = Mode::Placed;

    fn from_found(found: Option<Value>, _: &Place, need: &'static Need) -> Result<Self, Error> {
        there::<Self>(found, need).map(|placed| Self::clone(&placed))
    }
}

impl<T: Findable + ?Sized> Wanted for Option<Placed<T>> {
    const KEY: Key = T::FOUND;
    const MODE: Mode = Mode::PlacedIfThere;

    fn from_found(found: Option<Value>, _: &Place, need: &'static Need) -> Result<Self, Error> {
        let placed = found.map(|found| there::<Placed<T>>(Some(found), need)).transpose()?;
        Ok(placed.map(|placed| Placed::clone(&placed)))
    }
}

impl<T: Findable + ?Sized> Wanted for Vec<Placed<T>> {
    const KEY: Key = T::FOUND;
    const MODE: Mode = Mode::AllPlaced;

    fn from_found(found: Option<Value>, _: &Place, need: &'static Need) -> Result<Self, Error> {
        let all = there::<Vec<Value>>(found, need)?;
        all.iter()
            .map(|one| there::<Placed<T>>(Some(one.clone()), need).map(|one| Placed::clone(&one)))
            .collect()
    }
}

/// A type that says itself how it is made: `#[injectable] impl T { async fn new(…) -> Result<Self> }`.
#[diagnostic::on_unimplemented(
    message = "nothing says how a `{Self}` is made",
    label = "`#[provide]` without an expression needs a type that makes itself",
    note = "write `#[provide(expression)]`, or `#[injectable] impl {Self} {{ async fn new() -> Result<Self> {{ … }} }}`"
)]
pub trait Made: Injectable + Sized {
    /// What it needs for that.
    const NEEDS: &'static [Need];
    #[doc(hidden)]
    const MADE: Key = <Self as Injectable>::KEY;

    /// Makes it.
    fn make(place: Place) -> BoxFuture<'static, crate::Result<Self>>;
}
