//! Live progress on a terminal: a line per thing that is worked on, and one for the run below.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::lasting;
use crate::cli::style::{Style, Tone};
use crate::event::{Event, Sink};

/// How much of what is waited for is shown at once.
const MOST_WAITS: usize = 8;
/// How often what is live is drawn again.
const TICK: Duration = Duration::from_millis(120);

/// Draws on standard error.
#[derive(Clone)]
pub(super) struct Live(Arc<Inner>);

struct Inner {
    screen: MultiProgress,
    style: Style,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    run: Option<ProgressBar>,
    now: HashMap<String, ProgressBar>,
    /// What is waited for, by its thing.
    waits: HashMap<(String, String), ProgressBar>,
}

impl Live {
    pub(super) fn new(style: Style) -> Self {
        Self::on(ProgressDrawTarget::stderr(), style)
    }

    fn on(target: ProgressDrawTarget, style: Style) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        Self(Arc::new(Inner { screen, style, state: Mutex::default() }))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line above what is live.
    pub(super) fn say(&self, line: &str) {
        // The terminal has gone: that is no reason to stop.
        self.0.screen.println(line).ok();
    }

    /// Takes what is live from the screen.
    pub(super) fn finish(&self) {
        let State { run, now, waits } = std::mem::take(&mut *self.state());
        now.into_values().chain(waits.into_values()).chain(run).for_each(|line| line.finish_and_clear());
        self.0.screen.clear().ok();
    }

    /// A line for as long as something is waited for.
    fn waits(&self, state: &mut State, thing: &str, what: &str) {
        let key = (thing.to_owned(), what.to_owned());
        // Each has a thread that draws it.
        if !state.waits.contains_key(&key) && state.waits.len() < MOST_WAITS {
            let line = self.line(state, format!("waiting for {thing}"), what);
            state.waits.insert(key, line);
        }
    }

    fn begin(&self, state: &mut State, thing: &str, action: &str, why: &str) {
        let line = self.line(state, format!("{action} {thing}"), why);
        if let Some(before) = state.now.insert(thing.to_owned(), line) {
            before.finish_and_clear();
        }
    }

    fn line(&self, state: &State, prefix: String, message: &str) -> ProgressBar {
        let line = ProgressBar::new_spinner()
            .with_style(template("{spinner} {prefix} {wide_msg} {elapsed}"))
            .with_prefix(prefix);
        let line = match &state.run {
            Some(run) => self.0.screen.insert_before(run, line),
            None => self.0.screen.add(line),
        };
        line.set_message(self.0.style.paint(Tone::Quiet, message));
        line.enable_steady_tick(TICK);
        line
    }
}

/// The templates are constants and right; without them there would only be less to see.
fn template(text: &str) -> ProgressStyle {
    ProgressStyle::with_template(text).unwrap_or_else(|_| ProgressStyle::default_spinner())
}

impl Sink for Live {
    fn event(&self, event: &Event) {
        let mut state = self.state();
        match event {
            Event::Started { run, .. } => {
                let line = ProgressBar::new_spinner()
                    .with_style(template("  {prefix}: {pos} done {elapsed}"))
                    .with_prefix(format!("run {run}"));
                let line = self.0.screen.add(line);
                line.enable_steady_tick(TICK);
                state.run = Some(line);
            }
            Event::Begun { thing, action, why, .. } => {
                self.begin(&mut state, thing, action.word(), &why.to_string());
            }
            Event::Output { thing, line, .. } | Event::Progress { thing, text: line } => {
                if let Some(shown) = state.now.get(thing) {
                    let line = line.replace(char::is_control, " ");
                    shown.set_message(self.0.style.paint(Tone::Quiet, line));
                }
            }
            Event::Waiting { thing, what, .. } => self.waits(&mut state, thing, what),
            Event::Waited { thing, what } => {
                if let Some(line) = state.waits.remove(&(thing.clone(), what.clone())) {
                    line.finish_and_clear();
                    self.0.screen.remove(&line);
                }
            }
            Event::Done { thing, .. }
            | Event::Failed { thing, .. }
            | Event::Skipped { thing, .. }
            | Event::Interrupted { thing, .. } => {
                if let Some(line) = state.now.remove(thing) {
                    line.finish_and_clear();
                    self.0.screen.remove(&line);
                }
                if let (Event::Done { .. }, Some(run)) = (event, &state.run) {
                    run.inc(1);
                }
            }
            _ => {}
        }
        if let Some(line) = lasting(event, self.0.style) {
            self.say(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;
    use crate::deploy::{Action, Reason};

    #[test]
    fn what_is_seen() {
        let screen = InMemoryTerm::new(10, 80);
        let live = Live::on(ProgressDrawTarget::term_like(Box::new(screen.clone())), Style::plain());
        let begun = |thing: &str| Event::Begun {
            thing: thing.into(),
            action: Action::Create,
            why: Reason::NeverRan,
            by_hand: false,
        };
        live.event(&Event::Started { run: 7, steps: 2 });
        live.event(&begun("machine:a"));
        live.event(&begun("machine:b"));
        live.event(&Event::Output {
            machine: "a".into(),
            thing: "machine:a".into(),
            line: "loud\x1b[2J".into(),
            stderr: true,
        });
        // It is drawn from time to time only.
        let comes = |expected: &[&str]| {
            let deadline = std::time::Instant::now() + Duration::from_secs(10);
            while !expected.iter().all(|text| screen.contents().contains(text)) {
                assert!(std::time::Instant::now() < deadline, "{expected:?} in {}", screen.contents());
                std::thread::sleep(Duration::from_millis(5));
            }
        };
        comes(&["create machine:a loud [2J", "create machine:b never ran", "run 7: 0 done"]);
        live.event(&Event::Done {
            thing: "machine:a".into(),
            action: Action::Create,
            took: Duration::from_secs(2),
            by_hand: false,
        });
        comes(&["done create machine:a 2.0 s\n", "run 7: 1 done"]);
        let (thing, what) = ("machine:c", "whether it is there");
        let waited = Duration::from_secs(1);
        live.event(&Event::Waiting { thing: thing.into(), what: what.into(), waited });
        comes(&["waiting for machine:c whether it is there"]);
        live.event(&Event::Waited { thing: thing.into(), what: what.into() });
        live.say("interrupted");
        live.event(&Event::Done {
            thing: "machine:b".into(),
            action: Action::Create,
            took: Duration::from_secs(1),
            by_hand: false,
        });
        live.finish();
        assert_eq!(
            screen.contents(),
            "done create machine:a 2.0 s\ninterrupted\ndone create machine:b 1.0 s"
        );
    }
}
