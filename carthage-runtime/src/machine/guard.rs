//! The guard that keeps a machine running while somebody needs it.

#[cfg(test)]
mod tests;

use std::future::IntoFuture;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::machine::{GRACE, Machine};
use crate::error::Error;
use crate::event::Event;

/// Who needs the machine to run.
#[derive(Default)]
pub(super) struct Users {
    guards: usize,
    /// Whether it ran before the first guard, or was started for good meanwhile.
    keep: bool,
}

impl Users {
    pub(super) fn keep_running(&mut self) {
        self.keep = true;
    }
}

impl Machine {
    /// Keeps the machine running until the guard is released. If it does not run it is started; it is stopped with the last
    /// guard, unless it ran before the first or has been started for good meanwhile. A machine that is stopped meanwhile stays
    /// stopped.
    ///
    /// It is waited until it takes commands, unless its model says `ssh_online = false`; [`MachineRunning::online`] says otherwise
    /// for this once.
    ///
    /// # Errors
    /// When it does not come up; nothing is held then.
    ///
    /// ```no_run
    /// # use carthage_runtime::{Machine, Error};
    /// # async fn work(machine: &Machine) -> Result<(), Error> {
    /// let guard = machine.machine_running().online(false).await?;   // its first screen is enough
    /// guard.release().await
    /// # }
    /// ```
    pub fn machine_running(&self) -> MachineRunning<'_> {
        MachineRunning { machine: self, online: self.awaits_online() }
    }

    async fn enter(&self, online: bool) -> Result<RunningGuard, Error> {
        let mut users = self.0.users.lock().await;
        if users.guards == 0 {
            users.keep = self.is_running().await? == Some(true);
        }
        users.guards += 1;
        // From here on whatever ends this early, also who gives up waiting, drops the guard and so unwinds.
        let guard = RunningGuard(Some(self.clone()));
        let ran_before = users.guards == 1 && users.keep;
        // One that is not waited for by itself may run and not take commands yet.
        if !ran_before || (online && !self.awaits_online()) {
            self.start_locked(online).await?;
        }
        Ok(guard)
    }

    /// Ends something that was begun with the machine: whoever ends the run waits for that. Without a runtime the process is ending
    /// anyway; what is left is for the next run to find.
    pub(crate) fn in_the_background(&self, work: impl Future<Output = ()> + Send + 'static) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            self.0.unwinding.spawn_on(work, &runtime);
        }
    }

    async fn release(self) -> Result<(), Error> {
        let mut users = self.0.users.lock().await;
        users.guards -= 1;
        if users.guards == 0 && !users.keep { self.stop_locked(GRACE).await } else { Ok(()) }
    }
}

/// What [`Machine::machine_running`] is about to do: awaited, it gives the guard.
#[must_use = "nothing is started before it is awaited"]
#[derive(Debug)]
pub struct MachineRunning<'a> {
    machine: &'a Machine,
    online: bool,
}

impl MachineRunning<'_> {
    /// Whether it is waited until the machine takes commands, or only until it runs.
    pub fn online(mut self, online: bool) -> Self {
        self.online = online;
        self
    }
}

impl<'a> IntoFuture for MachineRunning<'a> {
    type Output = Result<RunningGuard, Error>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.machine.enter(self.online).boxed()
    }
}

/// Keeps a machine running; see [`Machine::machine_running`].
///
/// Dropping it releases it in the background: whoever ends the run waits for that. [`RunningGuard::release`] waits itself.
#[must_use]
#[derive(Debug)]
pub struct RunningGuard(Option<Machine>);

impl RunningGuard {
    /// The machine that it keeps running.
    ///
    /// # Panics
    /// Never: a guard is only empty while it is dropped.
    #[must_use]
    #[expect(clippy::expect_used, reason = "emptied by `release` and `drop` only, which consume the guard")]
    pub fn machine(&self) -> &Machine {
        self.0.as_ref().expect("a guard holds its machine")
    }

    /// Releases it, and waits for the machine to stop if this was the last.
    ///
    /// # Errors
    /// When it does not stop.
    pub async fn release(mut self) -> Result<(), Error> {
        match self.0.take() {
            Some(machine) => machine.release().await,
            None => Ok(()),
        }
    }
}

impl Drop for RunningGuard {
    fn drop(&mut self) {
        let Some(machine) = self.0.take() else { return };
        machine.clone().in_the_background(async move {
            let (events, thing) = (machine.0.events.clone(), machine.thing());
            if let Err(error) = machine.release().await {
                let text = format!("did not stop after use: {}", crate::chain(&error));
                events.send(Event::Warning { thing, text });
            }
        });
    }
}
