//! The parts of a model, asked for and ready to be taken.
//!
//! Everything is asked for here, once and without types, so that what the attributes generate for a model is a plain function:
//! compilers take many times longer over an `async` one.

use std::any::{Any, type_name};
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::fleet::Fleet;
use super::place::Place;
use super::placed::Placed;
use super::{Model, NetworkModel};
use crate::error::{BoxError, Error, ErrorKind};
use crate::inject::Value;
use crate::model::{Need, Part, Role, Taken};
use crate::network::Link;

/// Parts of a model, by their positions in [`Node::parts`](crate::model::Node::parts), or of a role, by their positions in its own.
pub struct Parts {
    place: Place,
    found: Arc<HashMap<usize, Vec<Value>>>,
    made: Arc<Mutex<HashMap<usize, Box<dyn Any + Send>>>>,
}

impl Place {
    /// Asks for these parts, and for everything that they need.
    ///
    /// # Errors
    /// When one cannot be made.
    pub async fn ask(&self, parts: impl IntoIterator<Item = usize> + Send) -> Result<Parts, Error> {
        let mut found = HashMap::new();
        let mut asked: Vec<_> = parts.into_iter().map(|part| self.first() + part).collect();
        while let Some(part) = asked.pop() {
            let values = match &self.part(part).role {
                Role::Member(_) => self.members(part).await?,
                Role::Inject(need) => self.find(need).await?.into_iter().collect(),
                Role::Provide(_) => vec![self.provided(part).await?],
                Role::Link(_) | Role::Customize(_) => Vec::new(),
                Role::Taken(taken) => {
                    asked.extend(taken.own().filter(|part| !found.contains_key(part)));
                    Vec::new()
                }
            };
            found.insert(part, values);
        }
        Ok(Parts { place: self.clone(), found: Arc::new(found), made: Arc::default() })
    }

    /// Makes the model at this place.
    pub(super) async fn make<T: Model>(&self) -> Result<T, Error> {
        let parts = self.ask(0..self.placement().node().parts.len()).await?;
        T::prepare(&parts).await?;
        T::build(&parts)
    }
}

impl Parts {
    /// The member of this part.
    ///
    /// # Errors
    /// When the part is something else, which is a mistake in a model written by hand.
    pub fn member<T: Model>(&self, part: usize) -> Result<Placed<T>, Error> {
        let placed = self.one::<Placed<T>>(part)?;
        Ok(Placed::clone(&placed))
    }

    /// The members of this part.
    ///
    /// # Errors
    /// As with [`Parts::member`].
    pub fn members<T: Model, const N: usize>(&self, part: usize) -> Result<[Placed<T>; N], Error> {
        self.placed(part)?.try_into().map_err(|_| self.misread(part))
    }

    /// Whether the member of this part is absent.
    pub(super) fn is_absent(&self, part: usize) -> bool {
        self.found(part).is_empty()
    }

    /// The members of this part, as many as there are.
    ///
    /// # Errors
    /// As with [`Parts::member`].
    pub fn fleet<T: Model>(&self, part: usize) -> Result<Fleet<T>, Error> {
        self.placed(part).map(Fleet::new)
    }

    fn placed<T: Model>(&self, part: usize) -> Result<Vec<Placed<T>>, Error> {
        let placed = self.found(part).iter().map(|value| self.downcast::<Placed<T>>(part, value));
        placed.map(|placed| placed.map(|placed| Placed::clone(&placed))).collect()
    }

    /// The value that this part provides.
    ///
    /// # Errors
    /// As with [`Parts::member`].
    pub fn provided<T: Send + Sync + 'static>(&self, part: usize) -> Result<Arc<T>, Error> {
        self.one(part)
    }

    /// The role that this part takes in: the same, whoever of the machine asks.
    ///
    /// # Errors
    /// As with [`Parts::member`], and when it cannot be made.
    pub fn role<T: Model>(&self, part: usize) -> Result<Arc<T>, Error> {
        let Role::Taken(taken) = &self.part(part).role else { return Err(self.misread(part)) };
        let made = || T::build(&self.of_role(taken)).map(Arc::new);
        self.place.role(taken, made)
    }

    /// Makes what a role makes by awaiting something; see [`Model::prepare`].
    ///
    /// # Errors
    /// As with [`Parts::member`], and when it cannot be made.
    pub async fn prepare_role<T: Model>(&self, part: usize) -> Result<(), Error> {
        let Role::Taken(taken) = &self.part(part).role else { return Err(self.misread(part)) };
        match taken.again {
            true => Ok(()),
            false => T::prepare(&self.of_role(taken)).await,
        }
    }

    /// The same, by the positions of a role's own parts.
    fn of_role(&self, taken: &Taken) -> Self {
        let Self { place, found, made } = self;
        Self { place: place.of_role(taken), found: found.clone(), made: made.clone() }
    }

    fn part(&self, part: usize) -> &'static Part {
        self.place.part(self.place.first() + part)
    }

    fn misread(&self, part: usize) -> Error {
        self.place.misread(self.place.first() + part)
    }

    fn part_name(&self, part: usize) -> String {
        self.place.part_name(self.place.first() + part)
    }

    /// The link of this part.
    ///
    /// # Errors
    /// As with [`Parts::member`].
    pub fn link<N: NetworkModel>(&self, part: usize) -> Result<Link<N>, Error> {
        let Role::Link(link) = &self.part(part).role else { return Err(self.misread(part)) };
        let machine = self.place.machine();
        let spec = machine.links().iter().find(|spec| spec.interface == link.interface);
        let spec = spec.ok_or_else(|| self.misread(part))?;
        Ok(Link::new(spec.clone(), machine.mac(spec)?))
    }

    /// What was found for an `#[inject]`, with what it says.
    pub(super) fn injected(&self, part: usize) -> Result<(Option<Value>, &Place, &'static Need), Error> {
        match &self.part(part).role {
            Role::Inject(need) => Ok((self.found(part).first().cloned(), &self.place, need)),
            _ => Err(self.misread(part)),
        }
    }

    /// A customization, made by an expression that may fail.
    ///
    /// # Errors
    /// When it does.
    pub fn customize<T>(
        &self,
        part: usize,
        expression: impl FnOnce() -> Result<T, BoxError>,
    ) -> Result<T, Error> {
        expression().map_err(|error| self.not_made(part, error))
    }

    /// Makes a customization by an expression that awaits something; [`Parts::take`] gives it.
    ///
    /// # Errors
    /// When the expression fails.
    pub async fn prepare<T: Send + 'static>(
        &self,
        part: usize,
        expression: impl Future<Output = Result<T, BoxError>> + Send,
    ) -> Result<(), Error> {
        let made = expression.await.map_err(|error| self.not_made(part, error))?;
        self.made
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(self.place.first() + part, Box::new(made));
        Ok(())
    }

    /// A customization that is prepared.
    ///
    /// # Errors
    /// When it is not.
    pub fn take<T: 'static>(&self, part: usize) -> Result<T, Error> {
        let made =
            self.made.lock().unwrap_or_else(PoisonError::into_inner).remove(&(self.place.first() + part));
        let made = made.and_then(|made| made.downcast().ok());
        made.map(|made| *made).ok_or_else(|| self.misread(part))
    }

    fn not_made(&self, part: usize, error: BoxError) -> Error {
        let what = format!("cannot make {}", self.part_name(part));
        Error::new(ErrorKind::Injection, what).because(error)
    }

    fn found(&self, part: usize) -> &[Value] {
        self.found.get(&(self.place.first() + part)).map_or(&[], Vec::as_slice)
    }

    fn one<T: Any + Send + Sync>(&self, part: usize) -> Result<Arc<T>, Error> {
        match self.found(part) {
            [value] => self.downcast(part, value),
            _ => Err(self.misread(part)),
        }
    }

    fn downcast<T: Any + Send + Sync>(&self, part: usize, value: &Value) -> Result<Arc<T>, Error> {
        downcast(value.clone(), &self.part_name(part))
    }
}

/// The value of the type that its key promises.
pub(super) fn downcast<T: Any + Send + Sync>(value: Value, what: &str) -> Result<Arc<T>, Error> {
    value.downcast().map_err(|_| {
        let what = format!("{what} is not a `{}`", type_name::<T>());
        Error::new(ErrorKind::Injection, what)
            .hint("two versions of one crate in one build give two types of one name; see `cargo tree --duplicates`")
    })
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("place", &self.place).finish_non_exhaustive()
    }
}
