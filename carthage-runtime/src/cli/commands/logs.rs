//! `logs`: what happened in a run.

use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::Value;

use crate::cli::args::LogsArgs;
use crate::cli::exit::Exit;
use crate::cli::progress::span;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::cli::table::table;
use crate::deploy::{LoggedRun, logged_runs, run_log};
use crate::error::Error;
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
    let (_, events) = run_log(&dirs, args.run, &args.select.selection()?)?;
    if session.common.json {
        events.iter().for_each(|event| out.json(event));
    } else {
        events.iter().for_each(|event| out.line(text(event, style)));
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

/// An event as the progress of its run told it.
fn text(event: &Value, style: Style) -> String {
    let word = |key: &str| event[key].as_str().unwrap_or_default();
    let (thing, action) = (word("thing"), word("action"));
    let said = |line: &str| format!("{} {line}", style.paint(Tone::Quiet, format!("{thing} |")));
    match word("event") {
        "started" => style.paint(Tone::Strong, format!("run {}: {} things", event["run"], event["steps"])),
        "begun" => format!("{action} {thing}: {}", word("why")),
        "done" => {
            let took = Duration::from_millis(event["took_ms"].as_u64().unwrap_or_default());
            format!(
                "{} {action} {thing} {}",
                style.paint(Tone::Good, "done"),
                style.paint(Tone::Quiet, span(took))
            )
        }
        "failed" => format!("{} {action} {thing}: {}", style.paint(Tone::Bad, "failed"), word("error")),
        "skipped" => format!("{} {action} {thing}: {}", style.paint(Tone::Careful, "skipped"), word("why")),
        "output" => said(word("line")),
        "progress" => said(word("text")),
        "warning" => format!("{} {thing}: {}", style.paint(Tone::Careful, "warning:"), word("text")),
        // Of a newer program.
        _ => event.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn events_as_people_read_them() {
        let events = [
            json!({ "event": "started", "run": 7, "steps": 2 }),
            json!({ "event": "begun", "thing": "machine:m", "action": "create", "why": "it does not exist" }),
            json!({ "event": "output", "thing": "task:m/s.t", "line": "hello", "stderr": true }),
            json!({ "event": "done", "thing": "machine:m", "action": "create", "took_ms": 1250 }),
            json!({ "event": "failed", "thing": "task:m/s.t", "action": "run", "error": "no: bridge" }),
            json!({ "event": "warning", "thing": "log", "text": "full" }),
            json!({ "event": "later" }),
        ];
        let text: Vec<_> = events.iter().map(|event| text(event, Style::plain())).collect();
        assert_eq!(
            text,
            [
                "run 7: 2 things",
                "create machine:m: it does not exist",
                "task:m/s.t | hello",
                "done create machine:m 1.2 s",
                "failed run task:m/s.t: no: bridge",
                "warning: log: full",
                "{\"event\":\"later\"}",
            ]
        );
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
