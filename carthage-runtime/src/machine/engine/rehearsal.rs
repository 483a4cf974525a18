//! How a world behaves that is only simulated: its seed, and what goes wrong in it.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ErrorKind};
use crate::pattern::Pattern;

/// How a simulated world behaves; an implementation that makes real things takes no notice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// What chance depends on: the same seed gives the same world.
    pub seed: u64,
    /// What goes wrong; of several that apply, the first does.
    pub faults: Vec<Fault>,
    /// Whether everything takes its time: as long as it might take in the real world, by the runtime's clock.
    pub takes_time: bool,
}

/// Something that goes wrong: `start:web-*=fail#2` is that the second start of such a machine fails.
///
/// Before the `=` there is a [pattern](crate::deploy::Pattern) whose kind is the operation ([`Fault::OPERATIONS`]), and whose name is that
/// of a machine or network; behind it what happens, and perhaps when: `#2` is the second time only, `%10` is one time in ten.
///
/// ```
/// use carthage::machine::engine::{Fault, Misfortune};
/// let fault: Fault = "start:web-*=fail#2".parse()?;
/// assert_eq!(fault.happens, Misfortune::Fail);
/// assert!("start:web=explode".parse::<Fault>().is_err());
/// # Ok::<(), carthage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    text: String,
    pattern: Pattern,
    /// What happens.
    pub happens: Misfortune,
    /// When.
    pub when: Occasion,
}

/// What goes wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfortune {
    /// It fails, and nothing is done.
    Fail,
    /// It is done, and fails all the same.
    Half,
    /// It never ends.
    Hang,
    /// The connection is lost: it may have been done or not.
    Lose,
    /// What was asked for is answered wrong: what is there is not, what runs does not.
    Lie,
    /// It is done, and then somebody else changes the machine.
    Alter,
}

/// When it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Each time.
    Always,
    /// The time with this number, from 1 on.
    Nth(u64),
    /// By chance, in percent.
    Percent(u64),
}

impl Misfortune {
    const ALL: [(&'static str, Self); 6] = [
        ("fail", Self::Fail),
        ("half", Self::Half),
        ("hang", Self::Hang),
        ("lose", Self::Lose),
        ("lie", Self::Lie),
        ("alter", Self::Alter),
    ];
}

impl Fault {
    /// The operations that can go wrong.
    pub const OPERATIONS: [&'static str; 11] =
        ["find", "create", "update", "start", "stop", "remove", "introduce", "run", "read", "write", "serve"];

    /// Whether it is about this operation on this machine or network.
    #[must_use]
    pub fn applies(&self, operation: &str, name: &str) -> bool {
        self.pattern.matches(operation, name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| {
            let what = format!("`{text}` does not say what goes wrong");
            Error::new(ErrorKind::Usage, what)
                .because(why)
                .hint("write `OPERATION:NAME=WHAT`, such as `start:web-*=fail#2`")
        };
        let (pattern, happens) = text.rsplit_once('=').ok_or_else(|| wrong("there is no `=`".to_owned()))?;
        let pattern: Pattern = pattern.parse()?;
        if let Some(operation) = pattern.kind_if_plain().filter(|word| !Self::OPERATIONS.contains(&&**word)) {
            let known = Self::OPERATIONS.join("`, `");
            return Err(wrong(format!("`{operation}` is no operation; there are `{known}`")));
        }
        let (word, when) = match happens.find(['#', '%']) {
            None => (happens, Occasion::Always),
            Some(at) => {
                let (word, rest) = happens.split_at(at);
                let number =
                    rest[1..].parse().map_err(|_| wrong(format!("`{}` is no number", &rest[1..])))?;
                match (rest.starts_with('#'), number) {
                    (true, 0) => return Err(wrong("the first time is `#1`".to_owned())),
                    (true, number) => (word, Occasion::Nth(number)),
                    (false, 0..=100) => (word, Occasion::Percent(number)),
                    (false, _) => return Err(wrong("there are 100 percent".to_owned())),
                }
            }
        };
        let known = Misfortune::ALL.iter().find(|(name, _)| *name == word);
        let (_, happens) = known.ok_or_else(|| {
            let all = Misfortune::ALL.map(|(name, _)| name).join("`, `");
            wrong(format!("`{word}` is none of `{all}`"))
        })?;
        Ok(Self { text: text.to_owned(), pattern, happens: *happens, when })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults() {
        let fault: Fault = "start:web-*=hang".parse().unwrap();
        assert!(
            fault.applies("start", "web-1")
                && !fault.applies("stop", "web-1")
                && !fault.applies("start", "db")
        );
        assert_eq!((fault.happens, fault.when), (Misfortune::Hang, Occasion::Always));
        let any: Fault = "*=lose%5".parse().unwrap();
        assert!(any.applies("write", "db"));
        assert_eq!(any.when, Occasion::Percent(5));
        assert_eq!("run:db=half#3".parse::<Fault>().unwrap().when, Occasion::Nth(3));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let said = |text: &str| crate::chain(&text.parse::<Fault>().unwrap_err());
        assert!(said("start:web").contains("no `=`"));
        assert!(said("strat:web=fail").contains("`strat` is no operation"));
        assert!(said("start:web=explode").contains("`explode` is none of"));
        assert!(said("start:web=fail#0").contains("the first time is `#1`"));
        assert!(said("start:web=fail%101").contains("100 percent"));
        assert!(said("start:web=fail#x").contains("`x` is no number"));
    }
}
