//! Showing what would be done, and why.

use serde::Serialize;

use crate::cli::args::PlanArgs;
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::cli::table::table;
use crate::deploy::{Access, Action, Plan, Step};
use crate::error::Error;
use crate::layout::Layout;

/// What comes before a step, and how it is coloured.
fn sign(action: Action) -> (&'static str, Tone) {
    match action {
        Action::Create | Action::Adopt => ("+", Tone::Good),
        Action::Destroy | Action::Retain | Action::Stop => ("-", Tone::Bad),
        Action::Recreate => ("±", Tone::Bad),
        Action::Ask => ("?", Tone::Careful),
        _ => ("~", Tone::Change),
    }
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Step(&'a Step),
    Plan { steps: usize, unchanged: usize, notes: &'a [String], orphans: &'a [String] },
}

/// `plan`
pub(in crate::cli) async fn plan<L: Layout>(
    session: &Session<'_, L>,
    args: &PlanArgs,
) -> Result<Exit, Error> {
    let selection = args.deployed.selection()?;
    let look = async {
        let deployment = session.open(Access::Look).await?;
        let plan = deployment.plan(&selection).await?;
        let saved = deployment.saved(&selection, &plan)?;
        Ok((plan, saved))
    };
    let (plan, saved) = session.work(look).await?;
    show(session, &plan);
    if let Some(file) = &args.out {
        saved.write(file)?;
    }
    Ok(if plan.is_empty() { Exit::Done } else { Exit::Pending })
}

/// Shows a plan.
pub(super) fn show<L: Layout>(session: &Session<'_, L>, plan: &Plan) {
    if session.common.json {
        plan.steps.iter().for_each(|step| session.out.json(&Line::Step(step)));
        session.out.json(&Line::Plan {
            steps: plan.steps.len(),
            unchanged: plan.unchanged,
            notes: &plan.notes,
            orphans: &plan.orphans,
        });
    } else {
        text(plan, session.style).iter().for_each(|line| session.out.line(line));
    }
}

fn text(plan: &Plan, style: Style) -> Vec<String> {
    let row = |step: &Step| {
        let (sign, tone) = sign(step.action);
        let details = if step.details.is_empty() {
            String::new()
        } else {
            style.paint(Tone::Quiet, format!(" ({})", step.details.join(", ")))
        };
        vec![
            format!("{} {}", style.paint(tone, sign), step.thing),
            style.paint(tone, step.action.word()),
            format!("{}{details}", step.why),
        ]
    };
    let rows = table(&plan.steps.iter().map(row).collect::<Vec<_>>());
    let with_changes = rows.into_iter().zip(&plan.steps).map(|(row, step)| (row, changes(step, style)));
    let mut lines: Vec<_> =
        with_changes.flat_map(|(row, changes)| [row].into_iter().chain(changes)).collect();
    lines.extend(plan.notes.iter().map(|note| format!("{} {note}", style.paint(Tone::Careful, "note:"))));
    let unchanged = match plan.unchanged {
        0 => String::new(),
        1 => ", 1 thing unchanged".to_owned(),
        n => format!(", {n} things unchanged"),
    };
    lines.push(match plan.steps.len() {
        0 => format!("nothing to do{unchanged}"),
        _ => format!("{}{unchanged}", count(&plan.steps)),
    });
    lines
}

/// What the building blocks of a step change, a line each, with the difference of a text below.
fn changes(step: &Step, style: Style) -> Vec<String> {
    // What is in a file must not steer the terminal.
    let plain = |text: &str| -> String {
        text.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect()
    };
    let mut lines = Vec::new();
    for change in &step.changes {
        lines.push(format!("    {}", plain(&change.what)));
        for line in change.diff.iter().flat_map(|diff| diff.lines()) {
            let tone = match line.as_bytes().first() {
                Some(b'+') => Tone::Good,
                Some(b'-') => Tone::Bad,
                _ => Tone::Quiet,
            };
            lines.push(format!("      {}", style.paint(tone, plain(line))));
        }
    }
    lines
}

/// How many steps of each action, in the order of their first.
fn count(steps: &[Step]) -> String {
    let mut counts: Vec<(Action, usize)> = Vec::new();
    for step in steps {
        match counts.iter_mut().find(|(action, _)| *action == step.action) {
            Some((_, count)) => *count += 1,
            None => counts.push((step.action, 1)),
        }
    }
    counts
        .iter()
        .map(|(action, count)| format!("{count} to {}", action.word()))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{Change, Reason};

    fn step(thing: &str, action: Action, why: &str, details: &[&str]) -> Step {
        let details = details.iter().map(|text| (*text).to_owned()).collect();
        Step { details, ..Step::new(thing, action, Reason::Said { text: why.to_owned() }) }
    }

    #[test]
    fn lines_say_what_and_why() {
        let plan = Plan {
            steps: vec![
                step(
                    "machine:mirror.algebra",
                    Action::Create,
                    "it does not exist",
                    &["eth0 10.37.0.2/24 on algebra.lab"],
                ),
                step("task:mirror.algebra/site.index", Action::Run, "never ran", &["Write the index page."]),
                step("machine:worker-3.algebra", Action::Destroy, "it is no longer in the layout", &[]),
            ],
            unchanged: 1,
            notes: vec!["Sandbox: cpus is not enforced: no cgroup".into()],
            ..Plan::default()
        };
        assert_eq!(
            text(&plan, Style::plain()).join("\n"),
            "+ machine:mirror.algebra          create   it does not exist (eth0 10.37.0.2/24 on algebra.lab)\n\
             ~ task:mirror.algebra/site.index  run      never ran (Write the index page.)\n\
             - machine:worker-3.algebra        destroy  it is no longer in the layout\n\
             note: Sandbox: cpus is not enforced: no cgroup\n\
             1 to create, 1 to run, 1 to destroy, 1 thing unchanged"
        );
        let nothing = Plan { unchanged: 4, ..Plan::default() };
        assert_eq!(text(&nothing, Style::plain()), ["nothing to do, 4 things unchanged"]);
    }

    #[test]
    fn changes_are_below_their_step() {
        let diff = Some("@@ -1 +1 @@\n-a\n+b\u{1b}[2J\n".to_owned());
        let changes = vec![
            Change { what: "changes /etc/motd".into(), diff },
            Change { what: "installs package curl".into(), diff: None },
        ];
        let step = Step { changes, ..step("task:m/s.t", Action::Run, "`/etc/motd` differs", &[]) };
        let json = serde_json::to_value(Line::Step(&step)).unwrap();
        assert_eq!(json["changes"][0]["diff"], "@@ -1 +1 @@\n-a\n+b\u{1b}[2J\n");
        let plan = Plan { steps: vec![step], ..Plan::default() };
        assert_eq!(
            text(&plan, Style::plain()),
            [
                "~ task:m/s.t  run  `/etc/motd` differs",
                "    changes /etc/motd",
                "      @@ -1 +1 @@",
                "      -a",
                "      +b?[2J",
                "    installs package curl",
                "1 to run"
            ]
        );
    }

    #[test]
    fn json_lines() {
        let line = Line::Step(&step("task:m/s.t", Action::Ask, "because", &[]));
        let json = serde_json::to_string(&line).unwrap();
        assert_eq!(json, r#"{"event":"step","thing":"task:m/s.t","action":"ask","why":"because"}"#);
    }
}
