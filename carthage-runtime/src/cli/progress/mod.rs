//! How events are shown while they happen.

mod json;
mod plain;
mod tty;

use std::io::IsTerminal;
use std::time::Duration;

use super::args::{Common, ProgressKind};
use super::output::Output;
use super::style::{Style, Tone};
use crate::event::{Event, Events};
use crate::machine::LONG;

/// How this run's events are shown.
pub(super) struct Shown {
    events: Events,
    live: Option<tty::Live>,
    style: Style,
}

impl Shown {
    /// As the user wants it. JSON goes to `out` with `--json`, everything else to standard error.
    pub(super) fn new(common: &Common, out: &Output, layout: &str, command: &str) -> Self {
        let stderr = std::io::stderr();
        let style = Style::of(common.color, &stderr);
        let (live, events) = match common.progress {
            ProgressKind::Json | ProgressKind::Auto if common.json => {
                (None, Events::new(json::Json::new(out.clone())))
            }
            ProgressKind::Json => (None, Events::new(json::Json::new(Output::new(stderr, layout, command)))),
            ProgressKind::Quiet => (None, Events::new(plain::Plain::new(stderr, style, true))),
            ProgressKind::Auto if !stderr.is_terminal() => {
                (None, Events::new(plain::Plain::new(stderr, style, false)))
            }
            ProgressKind::Plain => (None, Events::new(plain::Plain::new(stderr, style, false))),
            ProgressKind::Tty | ProgressKind::Auto => {
                let live = tty::Live::new(style);
                (Some(live.clone()), Events::new(live))
            }
        };
        Self { events, live, style }
    }

    /// Where they are sent.
    pub(super) fn events(&self) -> Events {
        self.events.clone()
    }

    /// Tells the user something about the run.
    pub(super) fn say(&self, text: &str) {
        let text = self.style.paint(Tone::Careful, text);
        match &self.live {
            Some(live) => live.say(&text),
            None => Output::new(std::io::stderr(), "", "").line(text),
        }
    }

    /// Takes what is live from the screen.
    pub(super) fn finish(&self) {
        self.live.iter().for_each(tty::Live::finish);
    }
}

/// What stays on the screen of an event, if anything.
fn lasting(event: &Event, style: Style) -> Option<String> {
    Some(match event {
        Event::Done { thing, action, took, .. } => {
            format!(
                "{} {action} {thing} {}",
                style.paint(Tone::Good, "done"),
                style.paint(Tone::Quiet, span(*took))
            )
        }
        Event::Failed { thing, action, causes, .. } => {
            // The report has all of it.
            let text = causes.join(": ");
            let first = text.lines().next().unwrap_or_default();
            format!("{} {action} {thing}: {first}", style.paint(Tone::Bad, "failed"))
        }
        Event::Skipped { thing, action, why, .. } => {
            format!("{} {action} {thing}: {why}", style.paint(Tone::Careful, "skipped"))
        }
        Event::Interrupted { thing, action: Some(action) } => {
            format!("{} {action} {thing}: the run was interrupted", style.paint(Tone::Careful, "left"))
        }
        Event::Warning { thing, text } => {
            format!("{} {thing}: {text}", style.paint(Tone::Careful, "warning:"))
        }
        _ => return None,
    })
}

/// An event as a line.
pub(super) fn line(event: &Event, style: Style) -> Option<String> {
    match event {
        Event::Started { run, steps } => {
            Some(style.paint(Tone::Strong, format!("run {run}: {steps} {}", things(*steps))))
        }
        Event::Begun { thing, action, why, .. } => Some(format!("{action} {thing}: {why}")),
        Event::Output { thing, line, .. } | Event::Progress { thing, text: line } => {
            Some(format!("{} {line}", style.paint(Tone::Quiet, format!("{thing} |"))))
        }
        // What takes a second only is for those who look on.
        Event::Waiting { waited, .. } if *waited < LONG => None,
        Event::Waiting { thing, what, .. } => Some(format!("waiting for {thing}: {what}")),
        event => lasting(event, style),
    }
}

fn things(count: usize) -> &'static str {
    if count == 1 { "thing" } else { "things" }
}

/// A span of time as people read it.
pub(super) fn span(took: Duration) -> String {
    match took.as_secs() {
        0..60 => format!("{:.1} s", took.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::super::output::tests::Kept;
    use super::*;
    use crate::deploy::{Action, Reason};
    use crate::event::Sink;

    fn all() -> Vec<Event> {
        let thing = || "machine:mirror.algebra".to_owned();
        let waiting = |seconds| Event::Waiting {
            thing: thing(),
            what: "whether it is there".into(),
            waited: Duration::from_secs(seconds),
        };
        vec![
            Event::Started { run: 7, steps: 2 },
            Event::Begun { thing: thing(), action: Action::Create, why: Reason::Missing, by_hand: false },
            Event::Output {
                machine: "mirror.algebra".into(),
                thing: thing(),
                line: "hello".into(),
                stderr: false,
            },
            Event::Progress { thing: thing(), text: "fetching debian:12: 1 of 3 layers".into() },
            waiting(1),
            waiting(10),
            Event::Waited { thing: thing(), what: "whether it is there".into() },
            Event::Warning { thing: thing(), text: "memory_mb is not enforced".into() },
            Event::Done {
                thing: thing(),
                action: Action::Create,
                took: Duration::from_millis(1250),
                by_hand: false,
            },
            Event::Failed {
                thing: thing(),
                action: Action::Start,
                causes: vec!["no".into(), "bridge".into()],
                hint: Some("make one".into()),
                by_hand: false,
            },
            Event::Skipped {
                thing: "machine:w".into(),
                action: Action::Create,
                why: Reason::NotReached { because_of: "mirror.algebra".into() },
                by_itself: false,
                by_hand: false,
            },
            Event::Interrupted { thing: "machine:v".into(), action: None },
            Event::Interrupted { thing: "machine:u".into(), action: Some(Action::Start) },
            Event::Ended { unchanged: 3, took: Duration::from_millis(1400) },
        ]
    }

    #[test]
    fn plain_lines() {
        let kept = Kept::default();
        let plain = plain::Plain::new(kept.clone(), Style::plain(), false);
        all().iter().for_each(|event| plain.event(event));
        assert_eq!(
            kept.text(),
            "run 7: 2 things\n\
             create machine:mirror.algebra: it does not exist\n\
             machine:mirror.algebra | hello\n\
             machine:mirror.algebra | fetching debian:12: 1 of 3 layers\n\
             waiting for machine:mirror.algebra: whether it is there\n\
             warning: machine:mirror.algebra: memory_mb is not enforced\n\
             done create machine:mirror.algebra 1.2 s\n\
             failed start machine:mirror.algebra: no: bridge\n\
             skipped create machine:w: `mirror.algebra` did not succeed\n\
             left start machine:u: the run was interrupted\n"
        );
    }

    #[test]
    fn quiet_tells_what_matters() {
        let kept = Kept::default();
        let quiet = plain::Plain::new(kept.clone(), Style::plain(), true);
        all().iter().for_each(|event| quiet.event(event));
        assert_eq!(kept.text().lines().count(), 4, "{}", kept.text());
    }

    #[test]
    fn json_events() {
        let kept = Kept::default();
        let json = json::Json::new(Output::new(kept.clone(), "lab", "deploy"));
        all().iter().for_each(|event| json.event(event));
        let text = kept.text();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["carthage"], 1);
        assert_eq!(
            lines[2],
            serde_json::json!({
                "event": "begun", "thing": "machine:mirror.algebra", "action": "create", "why": "it does not exist",
                "reason": { "kind": "missing" }
            })
        );
        assert_eq!(lines[9]["took_ms"], 1250);
        assert_eq!((&lines[10]["error"], &lines[10]["causes"][1]), (&"no: bridge".into(), &"bridge".into()));
        let read: Vec<Event> =
            lines[1..].iter().map(|line| serde_json::from_value(line.clone()).unwrap()).collect();
        assert_eq!(read, all(), "whoever reads them has what happened");
    }

    #[test]
    fn spans() {
        let of = |millis| span(Duration::from_millis(millis));
        assert_eq!(
            [of(40), of(59_900), of(60_000), of(125_400)],
            ["0.0 s", "59.9 s", "1 min 0 s", "2 min 5 s"]
        );
    }
}
