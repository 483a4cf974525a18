//! How much is done at the same time: of everything, and of each implementation.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::str::FromStr;

use super::graph::Room;
use super::things::Thing;
use super::{Deployment, nearest};
use crate::error::{Error, ErrorKind};
use crate::layout::World;

/// How many things are worked on at the same time: `8`, whatever they are; `Vm=2`, of machines that `Vm` makes.
///
/// ```
/// use carthage::deploy::AtOnce;
/// assert_eq!("Vm=2".parse::<AtOnce>()?, AtOnce::Of("Vm".to_owned(), 2));
/// assert!("Vm=0".parse::<AtOnce>().is_err());
/// # Ok::<(), carthage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// Of all things.
    All(usize),
    /// Of machines of one implementation.
    Of(String, usize),
}

impl FromStr for AtOnce {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (of, number) = text.split_once('=').map_or((None, text), |(of, number)| (Some(of), number));
        let number = number.parse::<NonZeroUsize>().map_err(|_| {
            Error::new(ErrorKind::Usage, format!("`{text}` does not say how many"))
                .hint("write a number from 1 on, such as `8`, or one of an implementation, such as `Vm=2`")
        })?;
        Ok(match of {
            Some(of) => Self::Of(of.to_owned(), number.get()),
            None => Self::All(number.get()),
        })
    }
}

/// An error if there is no such implementation in the layout.
pub(super) fn known(bounds: &BTreeMap<String, usize>, world: &World) -> Result<(), Error> {
    let names: Vec<_> = world.engines().keys().copied().collect();
    match bounds.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let what = format!("`--parallel {name}=…`: no machine of this layout is made by `{name}`");
            Err(Error::new(ErrorKind::Usage, what).hint(nearest(name, &names)))
        }
    }
}

impl Deployment {
    /// Runs `work` with as much room as the user gives.
    pub(super) async fn with_room<T>(&self, work: impl AsyncFnOnce(Room<'_>) -> T) -> T {
        let of = &self.options.parallel_of;
        let names: Vec<_> = of.keys().collect();
        let most: Vec<_> = of.values().copied().collect();
        let group = |thing: &Thing| match thing {
            Thing::Machine(_, machine) | Thing::OldMachine(machine) => {
                names.iter().position(|name| *name == machine.implementation())
            }
            _ => None,
        };
        let group: Vec<_> = self.things.all.iter().map(group).collect();
        work(Room { all: self.options.parallel, group: &group, most: &most }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!("8".parse::<AtOnce>().unwrap(), AtOnce::All(8));
        for wrong in ["", "0", "-1", "Vm=", "Vm=0", "Vm=x", "x"] {
            let error = wrong.parse::<AtOnce>().unwrap_err();
            assert!(error.to_string().contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
