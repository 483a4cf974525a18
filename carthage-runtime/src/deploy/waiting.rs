//! Waiting for another run on the same layout.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Options, blocking};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::state::{Dirs, Store};

/// The kernel does not tell when the layout is free; it is asked again so often.
const ASK: Duration = Duration::from_millis(100);

/// Takes the layout; when another run holds it, as soon as that has ended, if the options say to wait so long.
///
/// # Errors
/// When the other run still holds it then, or the state cannot be used.
pub(super) async fn store(dirs: &Dirs, options: &Options) -> Result<Store, Error> {
    let deadline = options.wait.map(|wait| Instant::now() + wait);
    let mut told = false;
    loop {
        let (these, command) = (dirs.clone(), options.command.clone());
        let error = match blocking(move || Store::open(&these, &command)).await {
            Err(error) if error.kind() == ErrorKind::Locked => error,
            other => return other,
        };
        if deadline.is_none_or(|deadline| Instant::now() >= deadline) {
            return Err(error);
        }
        if !std::mem::replace(&mut told, true) {
            let thing = format!("layout:{}", dirs.layout());
            options.events.send(Event::Warning { thing, text: format!("waiting for it: {error}") });
        }
        if options.stop.run_until_cancelled(sleep(ASK)).await.is_none() {
            return Err(error);
        }
    }
}
