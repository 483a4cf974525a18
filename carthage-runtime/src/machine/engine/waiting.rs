//! What is waited for, told once that takes a while.

use std::future::Future;
use std::time::Duration;

use crate::event::{Event, Events};

/// After how long it is told that something is waited for: what answers at once is nobody's concern. And once more, for whoever
/// looks at the screen only where it takes long.
const A_WHILE: Duration = Duration::from_secs(1);
pub(crate) const LONG: Duration = Duration::from_secs(10);

/// Waits for work, and tells of it while it goes on: `thing` is waited for, and what of it, in words. Neither is made up for what
/// does not take a while.
pub(crate) async fn told<T>(
    events: &Events,
    thing: impl FnOnce() -> String,
    what: impl FnOnce() -> String,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Ok(done) = tokio::time::timeout(A_WHILE, &mut work).await {
        return done;
    }
    let waited = Waited { events, thing: thing(), what: what() };
    waited.tell(A_WHILE);
    if let Ok(done) = tokio::time::timeout(LONG - A_WHILE, &mut work).await {
        return done;
    }
    waited.tell(LONG);
    work.await
}

/// Tells that it is waited for no more, when it goes, however that comes.
struct Waited<'a> {
    events: &'a Events,
    thing: String,
    what: String,
}

impl Waited<'_> {
    fn tell(&self, waited: Duration) {
        let (thing, what) = (self.thing.clone(), self.what.clone());
        self.events.send(Event::Waiting { thing, what, waited });
    }
}

impl Drop for Waited<'_> {
    fn drop(&mut self) {
        let (thing, what) = (std::mem::take(&mut self.thing), std::mem::take(&mut self.what));
        self.events.send(Event::Waited { thing, what });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::event::Sink;

    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<String>>>);

    impl Sink for Heard {
        fn event(&self, event: &Event) {
            let text = match event {
                Event::Waiting { thing, what, waited } => format!("{thing} {what} {}", waited.as_secs()),
                Event::Waited { thing, what } => format!("{thing} {what} no more"),
                other => format!("{other:?}"),
            };
            self.0.lock().unwrap().push(text);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_takes_a_while_is_told() {
        for (seconds, told_times) in [(0, 0), (2, 1), (60, 2)] {
            let heard = Heard::default();
            let events = Events::new(heard.clone());
            let work = tokio::time::sleep(Duration::from_secs(seconds));
            told(&events, || "machine:m".into(), || "whether it is there".into(), work).await;
            let heard = heard.0.lock().unwrap();
            let expected = ["machine:m whether it is there 1", "machine:m whether it is there 10"];
            assert_eq!(heard[..told_times], expected[..told_times]);
            assert_eq!(heard.len(), told_times + usize::from(told_times > 0), "{heard:?}");
        }
        // Also where it is given up.
        let heard = Heard::default();
        let events = Events::new(heard.clone());
        let never = told(&events, String::new, String::new, std::future::pending::<()>());
        tokio::time::timeout(Duration::from_secs(5), never).await.unwrap_err();
        assert!(heard.0.lock().unwrap().last().unwrap().ends_with("no more"));
    }
}
