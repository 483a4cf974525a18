//! Comparing the blocks of tasks with a host, and making them true of it.

use super::script::{Probe, joined};
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
    /// Whether there is one among these of which nobody knows all that it changes.
    pub(crate) is_opaque: bool,
    /// Whether a program judges one of the blocks, also of those that are as they are to be.
    pub(crate) is_guarded: bool,
    /// Whether one of them is about more than files.
    pub(crate) is_told: bool,
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

/// Compares the blocks of several tasks with a host, in one round trip, and hands back what was seen there as well. `runs` is whether
/// commands can be run in it. What is wrong with the blocks of one task hides nothing of the others.
pub(crate) async fn look(
    host: &Host,
    runs: bool,
    tasks: &[Vec<Block>],
) -> Result<(Seen, Vec<Result<Looked, String>>), Error> {
    let checked = |blocks: &Vec<Block>| -> Result<Vec<Block>, String> {
        check(blocks).map_err(|error| crate::chain(&error))?;
        Ok(blocks.clone())
    };
    let tasks: Vec<_> = tasks.iter().map(checked).collect();
    let all: Vec<Block> = tasks.iter().flatten().flatten().cloned().collect();
    let seen = Way::of(host, runs).see(host, &all).await?;
    let mut changed = seen.clone();
    let mut compared = |blocks: Vec<Block>| {
        let mut looked = Looked::default();
        let mut opaque = None::<String>;
        for block in blocks {
            let name = block.0.name();
            looked.is_guarded |= block.0.is_guarded();
            looked.is_told |= !matches!(block.0.probe(), Probe::Path { .. });
            let change = match (block.0.compare(&mut changed), &opaque) {
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
        looked.is_opaque = opaque.is_some();
        looked
    };
    Ok((seen, tasks.into_iter().map(|task| task.map(&mut compared)).collect()))
}

/// Makes these blocks true of a host: looks, and changes what differs.
pub(crate) async fn apply(host: &Host, runs: bool, blocks: Vec<Block>) -> Result<(), Error> {
    check(&blocks)?;
    let mut batch = Batch::new(runs, vec![(host, blocks)]);
    while !batch.is_made() {
        batch.round(None, &|_| ()).await.map_err(|undone| undone.error)?;
    }
    Ok(())
}

/// The blocks of several tasks, which are made true of a host in as few round trips as it takes: what differs is changed in one.
/// After a block of which nobody knows all that it changes, such as a package, those behind it are looked at again; and one that a
/// program judges is looked at after all that comes before it.
pub(crate) struct Batch<'a> {
    /// The host, as each task has it.
    hosts: Vec<&'a Host>,
    way: Way,
    /// All blocks, with the position of the task.
    blocks: Vec<(usize, Block)>,
    /// The first that may still differ.
    next: usize,
    /// What is there now, if that is known.
    seen: Option<Seen>,
}

/// Why a task was not made so.
pub(crate) struct Undone {
    pub(crate) error: Error,
    /// Whether something of the tasks behind it may have been changed: nobody said how far it came.
    pub(crate) is_lost: bool,
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        Self { error, is_lost: false }
    }
}

impl<'a> Batch<'a> {
    /// Of these tasks, which are made in this order.
    pub(crate) fn new(runs: bool, tasks: Vec<(&'a Host, Vec<Block>)>) -> Self {
        let way = tasks.first().map_or(Way::Scripts, |(host, _)| Way::of(host, runs));
        let (mut hosts, mut all) = (Vec::new(), Vec::new());
        for (task, (host, blocks)) in tasks.into_iter().enumerate() {
            hosts.push(host);
            all.extend(blocks.into_iter().map(|block| (task, block)));
        }
        Self { hosts, way, blocks: all, next: 0, seen: None }
    }

    /// How many tasks are made, from the first on.
    pub(crate) fn made(&self) -> usize {
        self.blocks.get(self.next).map_or(self.hosts.len(), |(task, _)| *task)
    }

    /// Whether all are.
    pub(crate) fn is_made(&self) -> bool {
        self.next == self.blocks.len()
    }

    /// What is there once all are made, if nobody can have changed more than was seen.
    pub(crate) fn seen(self) -> Option<Seen> {
        let is_made = self.is_made();
        self.seen.filter(|_| is_made)
    }

    /// Looks, unless what is there was `seen` just now, and changes what can be changed before it has to be looked again. `reaches`
    /// is told each task whose turn has come. An error is of the first task that is not made.
    pub(crate) async fn round(
        &mut self,
        seen: Option<Seen>,
        reaches: &(dyn Fn(usize) + Sync),
    ) -> Result<(), Undone> {
        let Some((task, _)) = self.blocks.get(self.next) else {
            self.seen = seen.or(self.seen.take());
            return Ok(());
        };
        self.seen = None;
        let host = self.hosts[*task];
        let mut seen = match seen {
            Some(seen) => seen,
            None => {
                let rest: Vec<_> = self.blocks[self.next..].iter().map(|(_, block)| block.clone()).collect();
                self.way.see(host, &rest).await?
            }
        };
        let (mut ops, mut whose) = (Vec::new(), Vec::new());
        let mut opaque: Option<Option<&'static str>> = None;
        let mut next = self.next;
        while let Some((_, block)) = self.blocks.get(next) {
            // Packages behind packages need not be looked at once more.
            let looks_again = opaque.is_some_and(|alike| alike.is_none() || alike != block.0.alike());
            if looks_again || block.0.is_guarded() && !ops.is_empty() {
                break;
            }
            match block.0.compare(&mut seen) {
                Outcome::Same => {}
                Outcome::Differs(_, more) => {
                    whose.extend(more.iter().map(|_| next));
                    ops.extend(more);
                    opaque = block.0.is_opaque().then(|| block.0.alike());
                }
                Outcome::Blocked(why) if ops.is_empty() => {
                    self.next = next;
                    return Err(failed(host, block, &why).into());
                }
                // What comes before it is done first.
                Outcome::Blocked(_) => break,
            }
            next += 1;
        }
        if ops.is_empty() {
            (self.next, self.seen) = (next, Some(seen));
            return Ok(());
        }
        let hosts: Vec<_> = whose.iter().map(|at| self.hosts[self.blocks[*at].0]).collect();
        let reached = |op: usize| {
            if let Some(at) = whose.get(op) {
                reaches(self.blocks[*at].0);
            }
        };
        let changed = match self.way {
            Way::Scripts => script::change(&hosts, &ops, &reached).await,
            Way::Files { pretends } => Ok(files::change(&hosts, &ops, pretends, &reached).await),
        };
        let (done, said) = changed.map_err(|lost| {
            // At least as far as was heard.
            self.next = whose.get(lost.heard).or(whose.last()).copied().unwrap_or(self.next);
            Undone { error: lost.error, is_lost: true }
        })?;
        let Some(at) = whose.get(done).copied() else {
            (self.next, self.seen) = (next, opaque.is_none().then_some(seen));
            return Ok(());
        };
        self.next = at;
        let from = said.char_indices().map(|(at, _)| at).find(|at| said.len() - at <= QUOTED);
        Err(failed(host, &self.blocks[at].1, &said[from.unwrap_or(0)..]).into())
    }
}

fn failed(host: &Host, block: &Block, why: &str) -> Error {
    let what = format!("`{}` on `{}` cannot be made as it is to be", block.0.name(), host.name());
    let error = Error::new(ErrorKind::Command, what);
    match why {
        "" => error.because("nothing was said of it"),
        why => error.because(why.to_owned()),
    }
}
