//! How a value is wanted: the type of the field that asks for it says so.

use std::marker::PhantomData;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Model;
use super::place::{Place, downcast};
use super::placed::Placed;
use crate::error::{Error, ErrorKind};
use crate::inject::Injectable;
use crate::model::{Key, Mode, Need};

/// The type of an `#[inject]` field or parameter.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how a value is wanted",
    label = "expected `Arc<T>`, `Option<Arc<T>>`, `Deferred<T>` or `Placed<T>`",
    note = "a field takes `Arc<T>`; a parameter of a function takes `&T`"
)]
pub trait Wanted: Sized + Send {
    /// What is wanted.
    const KEY: Key;
    /// How.
    const MODE: Mode;

    /// Asks for it.
    fn want<'a>(place: &'a Place, need: &'static Need) -> BoxFuture<'a, Result<Self, Error>>;
}

impl<T: Injectable> Wanted for Arc<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Required;

    fn want<'a>(place: &'a Place, need: &'static Need) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(async move {
            let value = <Option<Self>>::want(place, need).await?;
            value.ok_or_else(|| {
                let searched: Vec<_> =
                    place.scope().upwards().map(|scope| format!("`{}`", scope.name())).collect();
                let what = format!(
                    "nothing provides `{}`, which `{}` at {} needs",
                    T::KEY.name(),
                    need.name,
                    need.at
                );
                let hint =
                    format!("searched {}; add a `#[provide(…)]` field to one of them", searched.join(", "));
                Error::new(ErrorKind::Injection, what).hint(hint)
            })
        })
    }
}

impl<T: Injectable> Wanted for Option<Arc<T>> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Optional;

    fn want<'a>(place: &'a Place, _: &'static Need) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(async move {
            let Some(slot) = place.scope().find(T::KEY) else { return Ok(None) };
            downcast(slot.get(place.asker()).await?, &slot).map(Some)
        })
    }
}

/// A value that is made when it is asked for, not when its owner is.
#[derive(Clone)]
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
        Arc::want(&self.place, self.need).await
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

    fn want<'a>(place: &'a Place, need: &'static Need) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(async move { Ok(Self { place: place.clone(), need, of: PhantomData }) })
    }
}

impl<T: Model> Wanted for Placed<T> {
    const KEY: Key = T::KEY;
    const MODE: Mode = Mode::Placed;

    fn want<'a>(place: &'a Place, need: &'static Need) -> BoxFuture<'a, Result<Self, Error>> {
        Box::pin(async move {
            match place.world.nearest(place.index, T::KEY, None)[..] {
                [index] => place.placed(index).await,
                ref several => {
                    let what = format!(
                        "`{}` at {} wants one `{}`, and there are {}",
                        need.name,
                        need.at,
                        T::KEY.name(),
                        several.len()
                    );
                    Err(Error::new(ErrorKind::Injection, what))
                }
            }
        })
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
