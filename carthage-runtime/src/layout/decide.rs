//! What is decided at run time about members: whether one is there, and how many a list has.
//!
//! Decisions may depend on values of the layout, and what is decided may hold more to decide. So the tree is built with what
//! is known, the rest is left out and decided, and the tree is built again, until nothing is left. Values made on the way are
//! kept for the layout; machines and networks are not to be had before they are.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::{BoxFuture, try_join_all};

use super::place::Place;
use crate::error::{Error, ErrorKind};
use crate::inject::Slot;
use crate::model::{Node, Outcome, Part, Placements, Profile, Role};

/// What an expression of `#[member(when = …)]` or `#[member(list = …)]` says.
#[derive(Clone, Debug)]
pub struct Decision(Said);

#[derive(Clone, Debug)]
enum Said {
    When(bool),
    List(Vec<String>),
}

impl Decision {
    /// Whether the member is there.
    #[must_use]
    pub fn when(there: bool) -> Self {
        Self(Said::When(there))
    }

    /// The names of those that are there.
    #[must_use]
    pub fn list(names: impl IntoIterator<Item = impl Display>) -> Self {
        Self(Said::List(names.into_iter().map(|name| name.to_string()).collect()))
    }

    /// As the tables take it.
    fn outcome(self, of: &Part, container: &str) -> Result<Outcome, Error> {
        let names = match self.0 {
            Said::When(true) => return Ok(Outcome::Present),
            Said::When(false) => return Ok(Outcome::Absent),
            Said::List(names) => names,
        };
        let mut seen = BTreeSet::new();
        for name in &names {
            let wrong = match host_name(name) {
                Err(why) => why,
                Ok(()) if !seen.insert(name) => "it is in the list twice".to_owned(),
                Ok(()) => continue,
            };
            let what = format!("`{name}` cannot be one of `{}` of `{container}` ({})", of.field, of.at);
            return Err(Error::new(ErrorKind::Usage, what).because(wrong));
        }
        // Names are as long-lived as the tables, which are never freed.
        let names: Vec<&'static str> = names.into_iter().map(|name| &*name.leak()).collect();
        Ok(Outcome::Names(names.leak()))
    }
}

/// Whether a machine can have this name.
fn host_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match name {
        "" => Err("a name is not empty".to_owned()),
        long if long.len() > 63 => Err(format!("it has {} characters; a name has at most 63", long.len())),
        _ if name.starts_with('-') || name.ends_with('-') => {
            Err("a name neither begins nor ends with `-`".to_owned())
        }
        _ => match name.chars().find(|c| !fits(*c)) {
            Some(c) => Err(format!("it has `{c}`; a name has lower-case letters, digits and `-`")),
            None => Ok(()),
        },
    }
}

/// An expression that decides about a member of a place.
pub type Decider = fn(Place) -> BoxFuture<'static, crate::Result<Decision>>;

/// What has been decided, and the values that were made on the way: by path of the container, and part.
#[derive(Default)]
pub(super) struct Decided {
    outcomes: HashMap<(String, usize), Outcome>,
    values: HashMap<(String, usize), Slot>,
}

/// What is left to decide in a tree.
pub(super) type Pending = Mutex<Vec<(usize, usize, Decider)>>;

impl Decided {
    /// The tables of the layout, as far as it is decided.
    pub(super) fn tables(&self, shape: &'static Placements) -> &'static Placements {
        let mut outcomes = Vec::new();
        self.walk(shape.layout().node(), shape.profile, String::new(), &mut outcomes);
        match outcomes.is_empty() {
            true => shape,
            false => shape.decided(&outcomes),
        }
    }

    /// In the order of the tables: what was decided about each member.
    fn walk(&self, node: &Node, profile: &Profile, path: String, outcomes: &mut Vec<Outcome>) {
        for (index, part) in node.parts.iter().enumerate() {
            let Role::Member(member) = &part.role else { continue };
            if !profile.has(member) {
                continue;
            }
            let below = match path.is_empty() {
                true => part.field.to_owned(),
                false => format!("{path}.{}", part.field),
            };
            let mut labels = match member.count {
                crate::model::Count::Array(count) => (1..=count).map(|i| format!("{below}.{i}")).collect(),
                _ => vec![below.clone()],
            };
            if member.is_decided() {
                let outcome = self.outcomes.get(&(path.clone(), index)).copied().unwrap_or(Outcome::Pending);
                outcomes.push(outcome);
                match outcome {
                    Outcome::Pending | Outcome::Absent => labels.clear(),
                    Outcome::Present => {}
                    Outcome::Names(names) => {
                        labels = names.iter().map(|name| format!("{below}.{name}")).collect();
                    }
                }
            }
            for label in labels {
                self.walk(member.node, profile, label, outcomes);
            }
        }
    }

    /// Whether this member is decided.
    pub(super) fn knows(&self, container: &str, part: usize) -> bool {
        self.outcomes.contains_key(&(container.to_owned(), part))
    }

    /// The value that was made for this part on the way.
    pub(super) fn value(&self, container: &str, part: usize) -> Option<Slot> {
        self.values.get(&(container.to_owned(), part)).cloned()
    }

    /// Decides what is pending, all at once, and keeps the values that were made for it.
    pub(super) async fn decide(&mut self, root: &Place, pending: &Pending) -> Result<(), Error> {
        // They stay pending: nothing but values can be had meanwhile.
        let pending = pending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let all = pending.into_iter().map(async |(index, part, decider)| {
            let place = root.at(index);
            let (path, what) = (place.placement().path().to_owned(), place.part(part));
            let failed = |error| {
                let what = format!("cannot decide about {} ({})", place.part_name(part), what.at);
                Error::new(ErrorKind::Injection, what).because(error)
            };
            let made = place.waits_for(part, failed, decider(place.clone())).await?;
            let outcome = made.outcome(what, place.scope().name())?;
            Ok::<_, Error>(((path, part), outcome))
        });
        let outcomes = try_join_all(all).await?;
        self.outcomes.extend(outcomes);
        self.values.extend(root.world.made());
        Ok(())
    }
}

/// Machines whose names were decided may be called like others.
pub(super) fn no_name_twice(placements: &'static Placements) -> Result<(), Error> {
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for placement in super::world::of_kind(placements, crate::model::Kind::Machine) {
        let (name, path) = (placement.fqdn(), placement.path());
        if let Some(other) = seen.insert(name, path) {
            let what = format!("two machines are called `{name}`: `{other}` and `{path}`");
            let hint = "give one another name in its list, or by `#[member(name = \"…\")]`";
            return Err(Error::new(ErrorKind::Usage, what).hint(hint));
        }
        if name.len() > 253 {
            let what = format!("the name of `{path}` is too long: `{name}`");
            return Err(
                Error::new(ErrorKind::Usage, what).because("with its domains it has more than 253 bytes")
            );
        }
    }
    Ok(())
}

/// The world that came after this one, when everything was decided.
pub(super) type Successor = std::sync::OnceLock<std::sync::Weak<super::World>>;

impl Place {
    fn at(&self, index: usize) -> Self {
        Self::new(Arc::clone(&self.world), index)
    }

    /// The same place once everything is decided.
    pub(super) fn lasting(&self) -> Self {
        let find = || {
            let world = self.world.successor()?;
            let index = world.placements().find(self.placement().path())?.index();
            Some(Self::new(world, index))
        };
        find().unwrap_or_else(|| self.clone())
    }
}
