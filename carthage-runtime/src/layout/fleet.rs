//! Members of which a list says how many there are.

use std::fmt;
use std::ops::{Deref, Index};

use super::Model;
use super::placed::Placed;

/// As many machines or enclaves as a list says, each called by its name in it.
///
/// ```
/// use carthage::prelude::*;
/// # #[network(v4 = "10.0.0.0/24", pool = "10.0.0.5-10.0.0.99")]
/// # struct Lan;
/// /// Where a trainee sits.
/// #[machine_model]
/// struct Desk {
///     #[link]
///     eth0: Link<Lan>,
/// }
///
/// #[layout(name = "course", implementation = Sandbox)]
/// struct Course {
///     lan: Lan,
///     #[member(list = std::fs::read_to_string("trainees.txt")?.lines())]
///     trainees: Fleet<Desk>,
/// }
///
/// fn look(course: &Course) {
///     println!("{} desks, the first is {:?}", course.trainees.len(), course.trainees.first());
///     println!("{:?}", course.trainees["alice"].eth0.address());
/// }
/// ```
#[derive(Clone)]
pub struct Fleet<T>(Vec<Placed<T>>);

impl<T: Model> Fleet<T> {
    pub(super) fn new(members: Vec<Placed<T>>) -> Self {
        Self(members)
    }

    /// The one that the list calls so.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Placed<T>> {
        self.0.iter().find(|member| member.placement().name() == name)
    }
}

/// In the order of the list.
impl<T> Deref for Fleet<T> {
    type Target = [Placed<T>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// # Panics
/// When the list has no such name; [`Fleet::named`] answers `None` then.
impl<T: Model> Index<&str> for Fleet<T> {
    type Output = Placed<T>;

    fn index(&self, name: &str) -> &Placed<T> {
        match self.named(name) {
            Some(member) => member,
            None => panic!("no `{name}` in {self:?}"),
        }
    }
}

impl<'a, T> IntoIterator for &'a Fleet<T> {
    type Item = &'a Placed<T>;
    type IntoIter = std::slice::Iter<'a, Placed<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Model> fmt::Debug for Fleet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|member| member.placement().name())).finish()
    }
}
