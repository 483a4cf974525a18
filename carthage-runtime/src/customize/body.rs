//! Running the bodies of tasks: announced before, stamped afterwards.

use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::apply::{Application, Setting, Settled, Terms};
use super::elsewhere::release;
use super::panics::unpanicked;
use super::{Ground, SkipTask};
use crate::crash::crash_point;
use crate::error::{BoxError, Error, ErrorKind, chain};
use crate::event::Event;
use crate::machine::engine::{Identity, ServiceStatus};
use crate::machine::{RunningGuard, Tries};
use crate::reason::Reason;
use crate::state::{Announced, Ledger};
use crate::step::Action;
use crate::task::decide::Earlier;
use crate::task::{Decision, Last, Stamp, Stamps};

/// A task that is to run.
pub(super) struct Member {
    pub(super) task: usize,
    pub(super) why: Reason,
    pub(super) last: Last,
    pub(super) ground: Ground,
    /// What was found done ahead of it is so since then at the latest, by whatever clock.
    pub(super) not_before: SystemTime,
}

/// When a task was done.
#[derive(Clone, Copy)]
pub(super) struct Ended {
    pub(super) at: SystemTime,
    /// What its check says.
    pub(super) said: Option<SystemTime>,
}

/// A task that is announced, and has no stamp any more that says it ran.
pub(super) struct Begun {
    pub(super) of: Member,
    intent: Announced,
    up: Vec<RunningGuard>,
    /// Whether a check says that it is done, beside its stamp.
    checked: bool,
}

/// The services of a machine, once somebody wants to know.
pub(super) type Services = OnceCell<Vec<ServiceStatus>>;

impl Application<'_> {
    /// Runs a task, and with it those behind it that are made together with it. Answers what became of each, from this one on.
    pub(super) async fn perform(
        &self,
        mut member: Member,
        terms: &Terms<'_>,
        earlier: &[Option<Earlier>],
    ) -> Vec<Settled> {
        if let Err(error) = self.enter(member.task, &member.ground).await {
            return vec![Err(error)];
        }
        if self.surroundings.host().is_some() {
            member.ground = self.ground(member.task);
        }
        match self.sight_for(&member, terms).await {
            Some(sight) => self.together(member, &sight, terms, earlier).await,
            None => vec![self.alone(member, terms).await],
        }
    }

    async fn alone(&self, member: Member, terms: &Terms<'_>) -> Settled {
        self.events().send(self.begun(&member));
        let since = Instant::now();
        let begun = self.begin(member, terms.identity).await?;
        let ended = self.tries(&begun.of, terms.stop).await;
        self.end(begun, since, ended, terms.identity, &Services::new()).await
    }

    /// That a task begins, as it is told.
    pub(super) fn begun(&self, member: &Member) -> Event {
        let (thing, why) = (self.thing(member.task).to_owned(), member.why.clone());
        Event::Begun { thing, action: Action::Run, why, by_hand: self.is_by_hand() }
    }

    pub(super) fn tell_done(&self, task: usize, took: Duration) {
        let (thing, by_hand) = (self.thing(task).to_owned(), self.is_by_hand());
        self.events().send(Event::Done { thing, action: Action::Run, took, by_hand });
    }

    /// Announces a task: when this returns, whatever happens makes it run again.
    pub(super) async fn begin(&self, member: Member, identity: &Identity) -> Result<Begun, Error> {
        let Setting { stamps, ledger, .. } = self.setting;
        let Member { task, last, ground, .. } = &member;
        if let Ground::Controller(dir) = ground {
            dir.prepare().await?;
        }
        let up = self.keep_running(*task, false).await?;
        if !up.is_empty() {
            // What was found out may be otherwise now that they run.
            self.forget_compared().await;
        }
        let (stem, run) = (self.stem(*task), ledger.run());
        let intent = ledger.intend(self.thing(*task), "run").await?;
        self.make_room().await?;
        // Where a check says whether it is done, a stamp that says "begun" is all that tells of what is half done.
        let checked = self.customization.checks(*task).completed.is_some();
        if checked || matches!(last, Last::Ran(_)) {
            let (stem, identity) = (stem.to_owned(), identity.clone());
            on_disk(stamps, ledger, move |stamps| stamps.begin(&stem, run, &identity, true)).await?;
        } else {
            stamps.begin(stem, run, identity, false)?;
        }
        crash_point("task-unstamped");
        Ok(Begun { of: member, intent, up, checked })
    }

    /// Makes room for stamps, if there is none.
    pub(super) async fn make_room(&self) -> Result<(), Error> {
        match self.setting.stamps.have_room() {
            true => Ok(()),
            false => on_disk(&self.setting.stamps, &self.setting.ledger, Stamps::make_room).await,
        }
    }

    /// Runs a task's body, as often and as long as the task says. Nothing is tried again once the run is to stop.
    async fn tries(&self, member: &Member, stop: &CancellationToken) -> crate::Result<()> {
        let node = &self.tasks()[member.task];
        let mut tries = Tries::with(node.retries);
        loop {
            let body = unpanicked(self.attempt(member));
            let ended = self.setting.patience.tried(node.timeout_seconds, body).await;
            self.forget_compared().await;
            let Err(error) = ended else { return Ok(()) };
            let tell =
                |text| self.events().send(Event::Warning { thing: self.thing(member.task).to_owned(), text });
            if SkipTask::of(&*error).is_some() || !tries.once_more(|| chain(&*error), stop, tell).await {
                return Err(error);
            }
        }
    }

    /// Stamps a task that has run, or notes that it failed, and closes what was announced.
    pub(super) async fn end(
        &self,
        begun: Begun,
        since: Instant,
        ended: crate::Result<()>,
        identity: &Identity,
        services: &Services,
    ) -> Settled {
        let Setting { stamps, ledger, .. } = self.setting;
        let Begun { of: Member { task, last, ground, not_before, .. }, intent, up, checked } = begun;
        let stem = self.stem(task);
        if let Some(skip) = ended.as_ref().err().and_then(|error| SkipTask::of(&**error)) {
            intent.settle_later(stamps.as_before(stem, &last, checked)).await?;
            release(up).await?;
            let (thing, by_hand) = (self.thing(task).to_owned(), self.is_by_hand());
            let why = Reason::Declined { text: skip.to_string() };
            self.events().send(Event::Skipped { thing, action: Action::Run, why, by_itself: true, by_hand });
            return Ok(Decision::Skip.planned(&last));
        }
        let ended = match ended {
            Ok(()) => self.end_services(task, &last, &ground, services).await,
            Err(error) => Err(self.failed(task, error)),
        };
        // What surrounds it may do the rest when it is left: it is asked then.
        let said = match ended {
            Ok(()) if self.is_surrounded() => Ok(None),
            Ok(()) => self.says_when(task, &ground).await,
            Err(error) => Err(error),
        };
        crash_point("task-ended-unstamped");
        let (took, at) = (since.elapsed(), SystemTime::now().max(not_before));
        let said = said.map(|said| Ended { at, said });
        let later = said.as_ref().ok().copied().filter(|_| self.is_surrounded());
        let ended = match said {
            Ok(ended) if later.is_none() => self.stamp(task, identity, ended),
            said => said.map(drop),
        };
        if ended.is_err() {
            let noted = stamps.failed(stem, ledger.run(), identity, checked);
            // The first error is what the user must see; without the note the task counts as interrupted.
            noted.map_err(|error| tracing::warn!(%error, "the stamp of a task that failed")).ok();
        }
        crash_point("task-stamped");
        intent.settle_later(ended).await?;
        release(up).await?;
        match later {
            Some(ended) => self.is_done_when_left(task, ended, took),
            None => self.tell_done(task, took),
        }
        Ok(Earlier::RanNow(at))
    }

    /// Takes back that a task was announced: it did not come to that. If it may have been begun all the same, it runs again.
    pub(super) async fn take_back(&self, begun: Begun, is_begun: bool, identity: &Identity) {
        let Begun { of: Member { task, last, .. }, intent, up, checked } = begun;
        let (stamps, stem, run) = (&self.setting.stamps, self.stem(task), self.setting.ledger.run());
        let noted = match is_begun {
            true => stamps.failed(stem, run, identity, checked),
            false => stamps.as_before(stem, &last, checked),
        };
        let settled = intent.settle_later(noted).await;
        let released = release(up).await;
        // Without the note it counts as interrupted.
        let noted = settled.and(released);
        noted.map_err(|error| tracing::warn!(%error, "a task that was not begun")).ok();
    }

    /// Ends the services that a task spawned in an earlier run, and did not spawn in this one.
    async fn end_services(
        &self,
        task: usize,
        last: &Last,
        ground: &Ground,
        services: &Services,
    ) -> Result<(), Error> {
        let Ground::Machine(host) = ground else { return Ok(()) };
        // One that returns blocks spawns nothing, and has not when it was what it is.
        let source = self.tasks()[task].source;
        if self.has_blocks(task) && matches!(last, Last::Ran(stamp) if stamp.source == source) {
            return Ok(());
        }
        host.end_services_not_spawned(services.get_or_try_init(|| host.machine().services()).await?).await
    }

    pub(super) fn stamp(&self, task: usize, identity: &Identity, ended: Ended) -> Result<(), Error> {
        let Setting { stamps, ledger, .. } = self.setting;
        let inputs = self.inputs(task)?;
        let (stem, source) = (self.stem(task), self.tasks()[task].source);
        let (run, step, Ended { at, said }) = (ledger.run(), ledger.next_step(), ended);
        let (target, user) = (identity.clone(), self.user(task).map(str::to_owned));
        stamps.ran(stem, Stamp { run, step, at, said, target, inputs, source, user })
    }

    pub(super) fn failed(&self, task: usize, error: BoxError) -> Error {
        let node = &self.tasks()[task];
        let what = format!("task `{}` of `{}` failed ({})", self.stem(task), self.on.name(), node.at);
        let hint = error.downcast_ref::<Error>().and_then(Error::next_step).map(str::to_owned);
        let failed = Error::new(ErrorKind::Task, what).because(error);
        match hint {
            Some(hint) => failed.hint(hint),
            None => failed.hint("mend the cause and deploy again: it carries on from here"),
        }
    }
}

/// Does something with stamps where waiting for the disk harms nobody. The layout is not free before it is done, whoever waits for it.
pub(super) async fn on_disk(
    stamps: &Stamps,
    ledger: &Ledger,
    work: impl FnOnce(&Stamps) -> Result<(), Error> + Send + 'static,
) -> Result<(), Error> {
    let (stamps, layout) = (stamps.clone(), ledger.layout()?);
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&stamps);
        drop(layout);
        done
    })
    .await;
    done.map_err(Error::host("a thread that writes stamps has died"))?
}
