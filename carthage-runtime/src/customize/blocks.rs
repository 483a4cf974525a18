//! What the building blocks of a customization's tasks would change: asked for all of them at once.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::apply::Application;
use super::body::Member;
use super::panics::unpanicked;
use super::{Ground, Kind, Now, SkipTask};
use crate::block::{Batch, Block, Looked, Seen, look};
use crate::error::{Error, ErrorKind};
use crate::machine::told;
use crate::step::Change;
use crate::task::decide::Answer;

/// What was found out of the blocks of each task.
#[derive(Debug)]
pub(super) struct Sight {
    /// What was seen of the host.
    seen: Seen,
    tasks: Arc<[Told]>,
}

/// The blocks of a task, and what differs; nothing for one without blocks.
type Told = Option<Result<(Vec<Block>, Looked), Untold>>;

/// Why a task has no blocks to tell.
#[derive(Clone, Debug)]
pub(super) enum Untold {
    /// It says that it has nothing to do ([`SkipTask`]).
    Skips,
    /// This went wrong.
    Fails(String),
}

impl From<String> for Untold {
    fn from(why: String) -> Self {
        Self::Fails(why)
    }
}

impl Sight {
    /// What was seen of the host.
    pub(super) fn seen(&self) -> Seen {
        self.seen.clone()
    }

    /// The blocks of a task, if they can be told.
    pub(super) fn blocks(&self, task: usize) -> Option<&[Block]> {
        self.tasks[task].as_ref()?.as_ref().ok().map(|(blocks, _)| &**blocks)
    }

    fn looked(&self, task: usize) -> Option<Result<&Looked, &Untold>> {
        self.tasks[task].as_ref().map(|told| told.as_ref().map(|(_, looked)| looked))
    }

    /// Whether a program says that a task's blocks are true, which may say otherwise once something else has changed.
    pub(super) fn is_guarded(&self, task: usize) -> bool {
        matches!(self.looked(task), Some(Ok(looked)) if looked.is_guarded)
    }

    /// Whether it changes more than anybody knows to make a task's blocks true.
    pub(super) fn is_opaque(&self, task: usize) -> bool {
        matches!(self.looked(task), Some(Ok(looked)) if looked.is_opaque)
    }
}

/// What was found out of each task, as long as nothing has run since.
#[derive(Debug, Default)]
pub(crate) struct Compared(Mutex<Option<Arc<Sight>>>);

impl Application<'_> {
    /// The blocks of a task, if it returns any. What they are made by is the user's code, and may fail.
    async fn blocks(&self, task: usize) -> Option<Result<Vec<Block>, Untold>> {
        let blocks = unpanicked(self.customization.blocks(task, self.place)?).await;
        Some(blocks.map_err(|error| match SkipTask::of(&*error) {
            Some(_) => Untold::Skips,
            None => Untold::Fails(crate::chain(&*error)),
        }))
    }

    /// What differs, of all tasks: one round trip, unless it is known already.
    pub(super) async fn compared(&self, ground: &Ground) -> Result<Arc<Sight>, Error> {
        let mut known = self.compared.0.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let what = || format!("what building blocks of `{}` are compared with", self.on.name());
        let differs = || format!("what differs, for `{}`", self.customization.node().name);
        let compared = told(self.events(), || self.on.thing(), differs, self.compare(ground));
        let sight = self.setting.patience.answered(what, std::convert::identity, compared).await?;
        Ok(known.insert(Arc::new(sight)).clone())
    }

    async fn compare(&self, ground: &Ground) -> Result<Sight, Error> {
        let (mut places, mut blocks) = (Vec::new(), Vec::new());
        for task in 0..self.tasks().len() {
            if let Some(of_task) = self.blocks(task).await {
                places.push(task);
                blocks.push(of_task);
            }
        }
        let wanted: Vec<Vec<Block>> =
            blocks.iter().map(|blocks| blocks.as_deref().unwrap_or_default().to_vec()).collect();
        let (seen, looked) =
            look(ground.host()?, self.customization.kind() == Kind::Machine, &wanted).await?;
        let mut tasks: Vec<Told> = self.tasks().iter().map(|_| None).collect();
        for (task, (blocks, looked)) in places.into_iter().zip(blocks.into_iter().zip(looked)) {
            tasks[task] = Some(blocks.and_then(|blocks| Ok((blocks, looked?))));
        }
        Ok(Sight { seen, tasks: tasks.into() })
    }

    /// Tasks were made as they are to be. If what is there now is known, so is what was found out of those behind them, as long as
    /// files are all that it is about.
    pub(super) async fn compared_then(&self, sight: &Sight, seen: Option<Seen>) {
        let files_only = sight.tasks.iter().flatten().flatten().all(|(_, looked)| !looked.is_told);
        let now = seen.filter(|_| files_only).map(|seen| Sight { seen, tasks: sight.tasks.clone() });
        *self.compared.0.lock().await = now.map(Arc::new);
    }

    /// What was found out, if it is known already.
    pub(super) async fn known(&self) -> Option<Arc<Sight>> {
        self.compared.0.lock().await.clone()
    }

    /// Something has changed: it may all be different.
    pub(super) async fn forget_compared(&self) {
        *self.compared.0.lock().await = None;
    }

    /// Whether a task returns blocks, whose answer is then asked for.
    pub(super) fn has_blocks(&self, task: usize) -> bool {
        self.customization.blocks(task, self.place).is_some()
    }

    /// Whether all is as a task's blocks say.
    pub(super) async fn as_blocks_say(&self, task: usize, ground: &Ground) -> Result<Answer, Error> {
        match self.compared(ground).await?.looked(task) {
            None => Ok(Answer::Yes),
            Some(Ok(looked)) => Ok(looked.differing().map_or(Answer::Yes, Answer::Differs)),
            Some(Err(Untold::Skips)) => Ok(Answer::Yes),
            Some(Err(Untold::Fails(why))) => Err(Error::new(
                ErrorKind::Task,
                format!("the building blocks of `{}` cannot be told", self.name(task)),
            )
            .because(why.clone())),
        }
    }

    /// Runs a task's body once. What its blocks want is not looked at again if that is known.
    pub(super) async fn attempt(&self, member: &Member) -> crate::Result<()> {
        let (task, ground) = (member.task, &member.ground);
        let sight = self.known().await;
        // Whatever is wrong is told when it is made without.
        let Some((sight, blocks)) = sight.as_ref().and_then(|sight| Some((sight, sight.blocks(task)?)))
        else {
            return self.customization.run(task, ground, self.place).await;
        };
        let wanted = vec![(ground.host()?, blocks.to_vec())];
        let mut batch = Batch::new(self.customization.kind() == Kind::Machine, wanted);
        let mut seen = Some(sight.seen());
        while !batch.is_made() {
            batch.round(seen.take(), &|_| ()).await.map_err(|undone| undone.error)?;
        }
        Ok(())
    }

    /// What a task's blocks change, for a plan or a report. Where the machine does not run, or is not there yet, nothing is asked.
    pub(super) async fn changes(&self, task: usize, now: &Now, ground: Option<&Ground>) -> Vec<Change> {
        if !self.has_blocks(task) {
            return Vec::new();
        }
        let told = match ground {
            Some(ground) => match self.compared(ground).await {
                Ok(sight) => {
                    let looked = sight.looked(task);
                    looked.map(|looked| looked.map(|looked| looked.changes.clone()).map_err(Clone::clone))
                }
                Err(error) => Some(Err(crate::chain(&error).into())),
            },
            None => self.blocks(task).await.map(|blocks| {
                let blocks = blocks?;
                Ok(if matches!(now, Now::New) { Looked::anew(&blocks) } else { Looked::unasked(&blocks) })
            }),
        };
        told.unwrap_or_else(|| Ok(Vec::new())).unwrap_or_else(|why| match why {
            Untold::Skips => Vec::new(),
            Untold::Fails(why) => vec![Change::new(format!("cannot be told: {why}"))],
        })
    }
}
