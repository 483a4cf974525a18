//! Comparing the blocks of tasks with a host, and making them true of it.

use super::script::{Probe, change, joined};
use super::seen::Seen;
use super::{Block, Outcome, files, script};
use crate::error::{Error, ErrorKind};
use crate::machine::Host;
use crate::step::Change;

/// How many bytes of what programs wrote an error quotes, from its end.
const QUOTED: usize = 2000;

/// What was found out about the blocks of one task.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
    /// What each would change; nothing for one that is as it is to be.
    pub(crate) changes: Vec<Change>,
    /// The names of those that differ.
    names: Vec<String>,
}

impl Looked {
    /// What differs, in words; `None` if nothing does.
    pub(crate) fn differing(&self) -> Option<String> {
        let first = self.names.first()?;
        Some(match self.names.len() {
            1 => format!("`{first}` differs"),
            2 => format!("`{first}` and `{}` differ", self.names[1]),
            all => format!("`{first}` and {} others differ", all - 1),
        })
    }

    /// What blocks would make of a host of which nothing is known.
    pub(crate) fn anew(blocks: &[Block]) -> Vec<Change> {
        blocks
            .iter()
            .map(|block| Change::new(format!("{} {}", block.0.verb(), block.0.described())))
            .collect()
    }

    /// What blocks are about, on a host that cannot be asked.
    pub(crate) fn unasked(blocks: &[Block]) -> Vec<Change> {
        blocks.iter().map(|block| Change::new(format!("compares {}", block.0.described()))).collect()
    }
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// By scripts.
    Scripts,
    /// By its files alone; whether it is only made up.
    Files { pretends: bool },
}

impl Way {
    fn of(host: &Host, runs: bool) -> Self {
        match host.pretends() {
            true => Self::Files { pretends: true },
            false if runs => Self::Scripts,
            false => Self::Files { pretends: false },
        }
    }

    async fn see(self, host: &Host, blocks: &[Block]) -> Result<Seen, Error> {
        let probes: Vec<Probe> = joined(blocks.iter().map(|block| block.0.probe()));
        match self {
            Self::Scripts => script::look(host, &probes).await,
            Self::Files { pretends } => files::look(host, &probes, pretends).await,
        }
    }
}

/// An error for a block that cannot be meant so.
fn check(blocks: &[Block]) -> Result<(), Error> {
    let wrong = blocks.iter().find_map(|block| Some((block, block.0.check().err()?)));
    wrong.map_or(Ok(()), |(block, why)| {
        let what = format!("the building block `{}` cannot be meant so", block.0.name());
        Err(Error::new(ErrorKind::Usage, what).because(why))
    })
}

/// Compares the blocks of several tasks with a host, in one round trip. `runs` is whether commands can be run in it. What is
/// wrong with the blocks of one task hides nothing of the others.
pub(crate) async fn look(
    host: &Host,
    runs: bool,
    tasks: Vec<Result<Vec<Block>, String>>,
) -> Result<Vec<Result<Looked, String>>, Error> {
    let tasks: Vec<Result<Vec<Block>, String>> = tasks
        .into_iter()
        .map(|task| task.and_then(|blocks| check(&blocks).map_err(|e| crate::chain(&e)).map(|()| blocks)))
        .collect();
    let all: Vec<Block> = tasks.iter().flatten().flatten().cloned().collect();
    let mut seen = Way::of(host, runs).see(host, &all).await?;
    let mut compared = |blocks: Vec<Block>| {
        let (mut looked, mut opaque) = (Looked::default(), None::<String>);
        for block in blocks {
            let name = block.0.name();
            let change = match (block.0.compare(&mut seen), &opaque) {
                (Outcome::Same, _) => continue,
                (Outcome::Differs(change, _), _) => change,
                (Outcome::Blocked(_), Some(before)) => {
                    Change::new(format!("{name}: can be told after {before}"))
                }
                (Outcome::Blocked(why), None) => Change::new(format!("{name}: cannot be made so: {why}")),
            };
            looked.changes.push(change);
            if block.0.is_opaque() {
                opaque = Some(name.clone());
            }
            looked.names.push(name);
        }
        looked
    };
    Ok(tasks.into_iter().map(|task| task.map(&mut compared)).collect())
}

/// Makes these blocks true of a host: looks, and changes what differs, in one round trip each. After a block of which nobody
/// knows all that it changes, such as a package, those behind it are compared again.
pub(crate) async fn apply(host: &Host, runs: bool, blocks: &[Block]) -> Result<(), Error> {
    check(blocks)?;
    let way = Way::of(host, runs);
    let mut rest = blocks;
    while !rest.is_empty() {
        let mut seen = way.see(host, rest).await?;
        let (mut ops, mut whose) = (Vec::new(), Vec::new());
        let mut opaque: Option<&'static str> = None;
        let mut taken = 0;
        for block in rest {
            // Packages behind a package need not be looked at once more.
            if opaque.is_some_and(|verb| !block.0.is_opaque() || block.0.verb() != verb) {
                break;
            }
            taken += 1;
            match block.0.compare(&mut seen) {
                Outcome::Same => {}
                Outcome::Differs(_, more) => {
                    whose.extend(more.iter().map(|_| block));
                    ops.extend(more);
                    opaque = block.0.is_opaque().then(|| block.0.verb());
                }
                Outcome::Blocked(why) if ops.is_empty() => return Err(failed(host, block, &why)),
                // What comes before it is done first.
                Outcome::Blocked(_) => {
                    taken -= 1;
                    break;
                }
            }
        }
        rest = &rest[taken..];
        if ops.is_empty() {
            continue;
        }
        let (done, said) = match way {
            Way::Scripts => change(host, &ops).await?,
            Way::Files { pretends } => files::change(host, &ops, pretends).await?,
        };
        if let Some(block) = whose.get(done) {
            let from = said.char_indices().map(|(at, _)| at).find(|at| said.len() - at <= QUOTED);
            return Err(failed(host, block, &said[from.unwrap_or(0)..]));
        }
    }
    Ok(())
}

fn failed(host: &Host, block: &Block, why: &str) -> Error {
    let what = format!("`{}` on `{}` cannot be made as it is to be", block.0.name(), host.name());
    let error = Error::new(ErrorKind::Command, what);
    match why {
        "" => error.because("nothing was said of it"),
        why => error.because(why.to_owned()),
    }
}
