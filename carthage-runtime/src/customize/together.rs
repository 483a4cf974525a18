//! Tasks that are made together: those of a customization that return building blocks, one behind the other.
//!
//! What they want is looked at in one round trip and changed in one more, as far as blocks allow that ([`Batch`]). Each is announced
//! before and stamped afterwards as if it were alone. Where one fails, those behind it are as if nobody had begun them.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::apply::{Application, Settled, Terms};
use super::blocks::Sight;
use super::body::{Begun, Member, Services};
use super::{Ground, Kind};
use crate::block::Batch;
use crate::model::Mode;
use crate::task::Decision;
use crate::task::decide::{Earlier, Target};

/// A task that runs, and what those right behind it are that need not.
type Joined = (Member, Vec<Earlier>);

impl Application<'_> {
    /// What is seen for a task that can be made together with others: one that returns blocks, and is given as much time as it
    /// takes, once.
    pub(super) async fn sight_for(&self, member: &Member, terms: &Terms<'_>) -> Option<Arc<Sight>> {
        if !self.is_plain(member.task) {
            return None;
        }
        // Who wants one task does not wait for what others ask of the host. Whatever is wrong is told when it is tried alone.
        let sight = match terms.only_forced {
            true => self.known().await?,
            false => self.compared(&member.ground).await.ok()?,
        };
        sight.blocks(member.task).is_some().then_some(sight)
    }

    /// Runs a task together with those behind it that can be made together with it.
    pub(super) async fn together(
        &self,
        first: Member,
        sight: &Sight,
        terms: &Terms<'_>,
        earlier: &[Option<Earlier>],
    ) -> Vec<Settled> {
        let joined = self.join(first, sight, terms, earlier).await;
        let (members, stays): (Vec<_>, Vec<_>) = joined.into_iter().unzip();
        let ran = self.run_all(members, sight, terms).await;
        let (mut ran, mut settled) = (ran.into_iter().peekable(), Vec::new());
        for stays in stays {
            let Some(one) = ran.next() else { break };
            // What was found out of those behind the last holds only if that is as it is to be.
            let hold = one.is_ok() || ran.peek().is_some();
            settled.push(one);
            settled.extend(stays.into_iter().filter(|_| hold).map(Ok));
        }
        settled
    }

    /// The tasks from `first` on that are made together, decided as if each of them will have succeeded.
    async fn join(
        &self,
        first: Member,
        sight: &Sight,
        terms: &Terms<'_>,
        earlier: &[Option<Earlier>],
    ) -> Vec<Joined> {
        let mut known: Vec<_> = earlier.iter().map(|is| is.unwrap_or(Earlier::Never)).collect();
        let now = Earlier::RanNow(SystemTime::now());
        known.push(now);
        let mut is_opaque = sight.is_opaque(first.task);
        let (mut joined, mut last_joined) = (Vec::new(), (first, Vec::new()));
        for task in known.len()..self.tasks().len() {
            let forced = (terms.forced)(self.name(task));
            if terms.only_forced && !forced {
                last_joined.1.push(Earlier::Never);
                known.push(Earlier::Never);
                continue;
            }
            let is_broken = |before: &usize| earlier.get(*before).is_some_and(Option::is_none);
            if !self.follows(task) || !terms.only_forced && self.tasks()[task].after.iter().any(is_broken) {
                break;
            }
            let ground = self.ground(task);
            let target = Target::Exists(terms.identity);
            let Ok((decision, last)) = self.decide(task, target, Some(&ground), &known, forced).await else {
                break;
            };
            match decision {
                Decision::Run(why) if sight.blocks(task).is_some() => {
                    let Ok(member) = self.member(task, why, last, &known) else { break };
                    is_opaque |= sight.is_opaque(task);
                    joined.push(std::mem::replace(&mut last_joined, (member, Vec::new())));
                    known.push(now);
                }
                // Who knows whether it still need not, behind a package; or whether its guard still says so.
                Decision::Skip if !is_opaque && !sight.is_guarded(task) => {
                    let is = decision.planned(&last);
                    last_joined.1.push(is);
                    known.push(is);
                }
                _ => break,
            }
        }
        joined.push(last_joined);
        joined
    }

    /// Whether a task can be made together with those before it: nothing has to be asked for it in between.
    fn follows(&self, task: usize) -> bool {
        self.is_plain(task) && self.customization.checks(task).invalidator.is_none()
    }

    /// Whether a task returns blocks, is given as much time as it takes, once, and needs nothing that is started for it.
    fn is_plain(&self, task: usize) -> bool {
        let node = &self.tasks()[task];
        let waits_for = |mode| matches!(mode, Mode::Running | Mode::RunningToJudge);
        node.timeout_seconds.is_none()
            && self.setting.patience.limits.task.is_none()
            && node.retries == 0
            && self.has_blocks(task)
            && !node.needs.iter().any(|need| waits_for(need.mode))
    }

    /// Runs tasks that return blocks. Answers what became of each, as far as it came to that.
    async fn run_all(&self, members: Vec<Member>, sight: &Sight, terms: &Terms<'_>) -> Vec<Settled> {
        let told: Vec<_> = members.iter().map(|member| self.begun(member)).collect();
        let since: Vec<OnceLock<Instant>> = told.iter().map(|_| OnceLock::new()).collect();
        // Each is told when its turn has come.
        let reaches = |at: usize| {
            if since[at].set(Instant::now()).is_ok() {
                self.events().send(told[at].clone());
            }
        };
        reaches(0);
        let begun = match self.begin_all(members, terms).await {
            Ok(begun) => begun,
            Err(error) => return vec![Err(error)],
        };
        let grounds: Vec<Ground> = begun.iter().map(|begun| self.ground(begun.of.task)).collect();
        let wanted = begun
            .iter()
            .zip(&grounds)
            .filter_map(|(begun, ground)| Some((ground.host().ok()?, sight.blocks(begun.of.task)?.to_vec())));
        let mut batch = Batch::new(self.customization.kind() == Kind::Machine, wanted.collect());
        let mut seen = Some(sight.seen());
        let (mut begun, mut settled, services) = (begun.into_iter(), Vec::new(), Services::new());
        while begun.len() > 0 {
            // One whose turn has not come is not begun any more once the run is to stop.
            let is_next = since.get(batch.made()).is_some_and(|since| since.get().is_none());
            if is_next && batch.made() > 0 && terms.stop.is_cancelled() {
                for one in begun.by_ref() {
                    self.take_back(one, false, terms.identity).await;
                }
                break;
            }
            let round = batch.round(seen.take(), &reaches);
            let ended = self.setting.patience.tried(None, round).await;
            let made = batch.made();
            while settled.len() < made
                && let Some(one) = begun.next()
            {
                reaches(settled.len());
                let since = since[settled.len()].get().copied().unwrap_or_else(Instant::now);
                settled.push(self.end(one, since, Ok(()), terms.identity, &services).await);
            }
            let Err(undone) = ended else { continue };
            if let Some(one) = begun.next() {
                reaches(settled.len());
                let since = since[settled.len()].get().copied().unwrap_or_else(Instant::now);
                let failed = Err(undone.error.into());
                settled.push(self.end(one, since, failed, terms.identity, &services).await);
            }
            for one in begun.by_ref() {
                self.take_back(one, undone.is_lost, terms.identity).await;
            }
        }
        self.compared_then(sight, batch.seen()).await;
        settled
    }

    /// Announces tasks, all at once. An error is of the first; those behind another that cannot be announced have to wait.
    async fn begin_all(&self, members: Vec<Member>, terms: &Terms<'_>) -> Result<Vec<Begun>, crate::Error> {
        self.make_room().await?;
        let all = join_all(members.into_iter().map(|member| self.begin(member, terms.identity))).await;
        let (mut begun, mut trouble) = (Vec::new(), None);
        for one in all {
            match one {
                Ok(one) if trouble.is_none() => begun.push(one),
                Ok(one) => self.take_back(one, false, terms.identity).await,
                Err(error) => drop(trouble.get_or_insert(error)),
            }
        }
        match trouble {
            Some(error) if begun.is_empty() => Err(error),
            _ => Ok(begun),
        }
    }
}
