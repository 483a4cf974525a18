//! `logs`: what happened in a run.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::report::summary;
use crate::cli::args::LogsArgs;
use crate::cli::exit::Exit;
use crate::cli::progress::line;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::cli::table::table;
use crate::deploy::{LoggedRun, Report, logged_runs, run_log};
use crate::error::Error;
use crate::event::Event;
use crate::layout::Layout;

#[derive(Serialize)]
#[serde(tag = "event", rename = "run")]
struct Line<'a> {
    #[serde(flatten)]
    run: &'a LoggedRun,
}

/// `logs`
pub(in crate::cli) async fn logs<L: Layout>(
    session: &Session<'_, L>,
    args: &LogsArgs,
) -> Result<Exit, Error> {
    session.must_be_deployed()?;
    let (out, style) = (&session.out, session.style);
    let dirs = session.dirs()?;
    if args.list {
        let runs = logged_runs(&dirs)?;
        if session.common.json {
            runs.iter().for_each(|run| out.json(&Line { run }));
        } else {
            let rows: Vec<_> = runs.iter().map(|run| row(run, style)).collect();
            table(&rows).iter().for_each(|line| out.line(line));
        }
        return Ok(Exit::Done);
    }
    let selection = args.select.selection()?;
    let (run, events) = run_log(&dirs, args.run, &selection)?;
    if session.common.json {
        events.iter().for_each(|event| out.json(event));
        return Ok(Exit::Done);
    }
    let (mut report, mut goes_on) = (Report::default(), None);
    for line in &events {
        match serde_json::from_value(line.clone()) {
            Ok(event) => {
                report.add(&event);
                match event {
                    Event::Started { .. } => goes_on = Some(true),
                    Event::Ended { .. } => goes_on = goes_on.map(|_| false),
                    _ => {}
                }
                text(&event, style).iter().for_each(|line| out.line(line));
            }
            // Of a newer program.
            Err(_) => out.line(line.to_string()),
        }
    }
    match goes_on.filter(|_| selection.is_all()) {
        None => {}
        Some(false) => out.line(summary(&report, &session.name, style)),
        Some(true) => {
            let done = report.done.len();
            out.line(format!(
                "run {run} has no end in its log, and {done} done: it goes on, was killed, or is of an older version"
            ));
        }
    }
    Ok(Exit::Done)
}

fn row(run: &LoggedRun, style: Style) -> Vec<String> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(run.at);
    let counts = [
        (run.done, "done", Tone::Good),
        (run.failed, "failed", Tone::Bad),
        (run.skipped, "skipped", Tone::Careful),
    ];
    let counts = counts.iter().filter(|(count, word, _)| *count > 0 || *word == "done");
    let counts: Vec<_> =
        counts.map(|(count, word, tone)| style.paint(*tone, format!("{count} {word}"))).collect();
    vec![
        format!("run {}", run.run),
        style.paint(Tone::Quiet, humantime::format_rfc3339_seconds(at)),
        run.command.clone(),
        counts.join(", "),
    ]
}

/// An event as the progress of its run told it; of a failure all that is known.
fn text(event: &Event, style: Style) -> Option<String> {
    match event {
        Event::Failed { thing, action, causes, .. } => {
            let failed = style.paint(Tone::Bad, "failed");
            Some(format!("{failed} {action} {thing}: {}", causes.join(": ")))
        }
        event => line(event, style),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::Action;

    #[test]
    fn of_a_failure_all_is_said() {
        let causes = vec!["no".into(), "bridge\nanywhere".into()];
        let failed = Event::Failed {
            thing: "machine:m".into(),
            action: Action::Start,
            causes,
            hint: None,
            by_hand: false,
        };
        assert_eq!(text(&failed, Style::plain()).unwrap(), "failed start machine:m: no: bridge\nanywhere");
    }

    #[test]
    fn a_row_for_each_run() {
        let run = LoggedRun {
            run: 7,
            command: "deploy".into(),
            at: 1_700_000_000_000,
            done: 3,
            failed: 1,
            skipped: 0,
        };
        assert_eq!(
            row(&run, Style::plain()),
            ["run 7", "2023-11-14T22:13:20Z", "deploy", "3 done, 1 failed"]
        );
    }
}
