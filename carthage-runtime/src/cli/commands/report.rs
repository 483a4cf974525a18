//! Showing what was done.

use serde::Serialize;

use crate::cli::exit::{Exit, tell};
use crate::cli::progress::span;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::deploy::Report;
use crate::layout::Layout;

#[derive(Serialize)]
#[serde(tag = "event", rename = "report")]
struct Line<'a> {
    #[serde(flatten)]
    report: &'a Report,
}

/// Shows a report, and says how the program ends.
pub(super) fn show<L: Layout>(session: &Session<'_, L>, report: &Report) -> Exit {
    session.quiet();
    if session.common.json {
        session.out.json(&Line { report });
    } else {
        text(report, &session.name, session.style).iter().for_each(|line| session.out.line(line));
    }
    exit(report, session.stop.is_cancelled())
}

fn exit(report: &Report, interrupted: bool) -> Exit {
    if interrupted {
        Exit::Interrupted
    } else if report.is_complete() {
        Exit::Done
    } else if report.done.is_empty() {
        Exit::Error
    } else {
        Exit::Partly
    }
}

fn text(report: &Report, layout: &str, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for failure in &report.failed {
        let (first, rest) = failure.causes.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
        let what = format!("{}: {first}", failure.thing);
        lines.push(tell(style, "failed", &what, rest, failure.hint.as_deref()));
    }
    for skip in &report.skipped {
        lines.push(format!("{} {}: {}", style.paint(Tone::Careful, "skipped:"), skip.thing, skip.why));
    }
    for thing in &report.interrupted {
        lines
            .push(format!("{} {thing}: interrupted before it was done", style.paint(Tone::Careful, "left:")));
    }
    if !report.failed.is_empty() {
        let all =
            format!("`logs --run {}` has all that was done, and the output of every command", report.run);
        lines.push(format!("{} {all}", style.paint(Tone::Strong, "see:")));
    }
    lines.push(summary(report, layout, style));
    lines
}

/// All of it in a line.
pub(super) fn summary(report: &Report, layout: &str, style: Style) -> String {
    let counts = [
        (report.done.len(), "done", Tone::Good),
        (report.failed.len(), "failed", Tone::Bad),
        (report.skipped.len(), "skipped", Tone::Careful),
        (report.interrupted.len(), "left", Tone::Careful),
        (report.unchanged, "unchanged", Tone::Quiet),
    ];
    let counts = counts.iter().filter(|(count, word, _)| *count > 0 || *word == "done");
    let counts: Vec<_> =
        counts.map(|(count, word, tone)| style.paint(*tone, format!("{count} {word}"))).collect();
    format!("{layout}: {} in {} (run {})", counts.join(", "), span(report.took), report.run)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deploy::{Action, Failure, Reason, Skip, Step};

    fn report() -> Report {
        let done = Step::new("network:lab", Action::Create, Reason::Missing);
        Report {
            run: 3,
            done: vec![done],
            failed: vec![Failure {
                thing: "task:mirror/site.serve".into(),
                causes: vec!["task `site.serve` failed".into(), "exit status 1\nstderr: no".into()],
                hint: Some("deploy again".into()),
            }],
            skipped: vec![Skip {
                thing: "machine:worker".into(),
                why: Reason::NotReached { because_of: "machine:mirror".into() },
            }],
            interrupted: vec![],
            unchanged: 2,
            took: Duration::from_millis(3210),
            ..Report::default()
        }
    }

    #[test]
    fn all_that_matters() {
        assert_eq!(
            text(&report(), "industrial", Style::plain()).join("\n"),
            "failed: task:mirror/site.serve: task `site.serve` failed\n  because: exit status 1\n    stderr: no\n  \
             next: deploy again\n\
             skipped: machine:worker: `machine:mirror` did not succeed\n\
             see: `logs --run 3` has all that was done, and the output of every command\n\
             industrial: 1 done, 1 failed, 1 skipped, 2 unchanged in 3.2 s (run 3)"
        );
    }

    #[test]
    fn how_it_ends() {
        assert_eq!(exit(&Report::default(), false), Exit::Done);
        assert_eq!(exit(&report(), false), Exit::Partly);
        assert_eq!(exit(&Report { done: vec![], ..report() }, false), Exit::Error);
        assert_eq!(exit(&report(), true), Exit::Interrupted);
    }

    #[test]
    fn json_line() {
        let json: serde_json::Value =
            serde_json::from_str(&serde_json::to_string(&Line { report: &report() }).unwrap()).unwrap();
        assert_eq!(
            (&json["event"], &json["run"], &json["took_ms"]),
            (&"report".into(), &3.into(), &3210.into())
        );
        assert_eq!(json["failed"][0]["hint"], "deploy again");
    }
}
