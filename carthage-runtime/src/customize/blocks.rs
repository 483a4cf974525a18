//! What the building blocks of a customization's tasks would change: asked for all of them at once.

use std::sync::Arc;

use tokio::sync::Mutex;

use super::apply::Application;
use super::panics::unpanicked;
use super::{Ground, Kind, Now};
use crate::block::{Block, Looked, look};
use crate::error::{Error, ErrorKind};
use crate::step::Change;
use crate::task::decide::Answer;

/// What was found out of each task; nothing for one without blocks.
type Tasks = Arc<[Option<Result<Looked, String>>]>;

/// What was found out of each task, as long as nothing has run since.
#[derive(Debug, Default)]
pub(crate) struct Compared(Mutex<Option<Tasks>>);

impl Application<'_> {
    /// The blocks of a task, if it returns any. What they are made by is the user's code, and may fail.
    async fn blocks(&self, task: usize) -> Option<Result<Vec<Block>, String>> {
        let blocks = unpanicked(self.customization.blocks(task, self.place)?).await;
        Some(blocks.map_err(|error| crate::chain(&*error)))
    }

    /// What differs, of all tasks: one round trip, unless it is known already.
    async fn compared(&self, ground: &Ground) -> Result<Tasks, Error> {
        let mut known = self.compared.0.lock().await;
        if let Some(known) = &*known {
            return Ok(known.clone());
        }
        let (mut places, mut blocks) = (Vec::new(), Vec::new());
        for task in 0..self.tasks().len() {
            if let Some(of_task) = self.blocks(task).await {
                places.push(task);
                blocks.push(of_task);
            }
        }
        let looked = look(ground.host()?, self.customization.kind() == Kind::Machine, blocks).await?;
        let mut all: Vec<_> = self.tasks().iter().map(|_| None).collect();
        for (task, looked) in places.into_iter().zip(looked) {
            all[task] = Some(looked);
        }
        Ok(known.insert(all.into()).clone())
    }

    /// Something has run: it may all be different.
    pub(super) async fn forget_compared(&self) {
        *self.compared.0.lock().await = None;
    }

    /// Whether a task returns blocks, whose answer is then asked for.
    pub(super) fn has_blocks(&self, task: usize) -> bool {
        self.customization.blocks(task, self.place).is_some()
    }

    /// Whether all is as a task's blocks say.
    pub(super) async fn as_blocks_say(&self, task: usize, ground: &Ground) -> Result<Answer, Error> {
        match &self.compared(ground).await?[task] {
            None => Ok(Answer::Yes),
            Some(Ok(looked)) => Ok(looked.differing().map_or(Answer::Yes, Answer::Differs)),
            Some(Err(why)) => Err(Error::new(
                ErrorKind::Task,
                format!("the building blocks of `{}` cannot be told", self.name(task)),
            )
            .because(why.clone())),
        }
    }

    /// What a task's blocks change, for a plan or a report. Where the machine does not run, or is not there yet, nothing is asked.
    pub(super) async fn changes(&self, task: usize, now: &Now, ground: Option<&Ground>) -> Vec<Change> {
        if !self.has_blocks(task) {
            return Vec::new();
        }
        let told = match ground {
            Some(ground) => match self.compared(ground).await {
                Ok(compared) => compared[task].clone().map(|looked| looked.map(|looked| looked.changes)),
                Err(error) => Some(Err(crate::chain(&error))),
            },
            None => self.blocks(task).await.map(|blocks| {
                let blocks = blocks?;
                Ok(if matches!(now, Now::New) { Looked::anew(&blocks) } else { Looked::unasked(&blocks) })
            }),
        };
        told.unwrap_or_else(|| Ok(Vec::new()))
            .unwrap_or_else(|why| vec![Change::new(format!("cannot be told: {why}"))])
    }
}
