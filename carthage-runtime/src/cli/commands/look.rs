//! Commands that only look.

use clap_complete::Shell;
use serde::Serialize;

use crate::cli::args::{self, Select, StatusArgs};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::cli::table::table;
use crate::deploy::{Access, Action, Inspected, Listed, MachineStatus, ModelStatus, NetworkStatus, Status};
use crate::error::Error;
use crate::layout::Layout;
use crate::state::{Holder, lock};

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Thing(&'a Listed),
    Machine(&'a MachineStatus),
    Network(&'a NetworkStatus),
    Model(&'a ModelStatus),
    Task(&'a Inspected),
    Status { run: u64, held: bool, holder: Option<&'a Holder>, unfinished: &'a [String], notes: &'a [String] },
}

/// `list`
pub(in crate::cli) async fn list<L: Layout>(
    session: &Session<'_, L>,
    select: &Select,
) -> Result<Exit, Error> {
    let selection = select.selection()?;
    let listed = session.work(async { session.open(Access::Look).await?.list(&selection) }).await?;
    if session.common.json {
        listed.iter().for_each(|thing| session.out.json(&Line::Thing(thing)));
    } else {
        list_text(&listed, session.style).iter().for_each(|line| session.out.line(line));
    }
    Ok(Exit::Done)
}

fn list_text(listed: &[Listed], style: Style) -> Vec<String> {
    let mut rows = Vec::new();
    for thing in listed {
        rows.push(vec![
            style.paint(Tone::Strong, &thing.thing),
            thing.implementation.clone().unwrap_or_default(),
            addresses(thing),
            style.paint(Tone::Quiet, &thing.about),
        ]);
        rows.extend(thing.roles.iter().map(|role| {
            let parts = format!("{}: {}", role.role, role.parts.join(", "));
            vec![format!("  {}:{}", role.kind, role.fields.join(" ")), parts]
        }));
        rows.extend(thing.tasks.iter().map(|task| vec![format!("  task:{task}")]));
    }
    table(&rows)
}

/// Its addresses, and whose they are if they are another machine's.
fn addresses(thing: &Listed) -> String {
    let whose = thing.shares_links.iter().map(|other| format!("of {other}"));
    thing.addresses.iter().cloned().chain(whose).collect::<Vec<_>>().join(" ")
}

/// `status`
pub(in crate::cli) async fn status<L: Layout>(
    session: &Session<'_, L>,
    args: &StatusArgs,
) -> Result<Exit, Error> {
    let selection = args.select.selection()?;
    let (status, tasks) = session
        .work(async {
            let deployment = session.open(Access::Look).await?;
            let mut status = deployment.status(&selection).await?;
            let inspected = match args.tasks {
                true => deployment.inspect(&selection).await,
                false => Ok(Vec::new()),
            };
            let tasks = inspected.unwrap_or_else(|error| {
                status.notes.push(format!("how tasks stand cannot be told: {}", crate::chain(&error)));
                Vec::new()
            });
            Ok((status, tasks))
        })
        .await?;
    let held = lock::holder(&session.dirs()?)?;
    if session.common.json {
        status.machines.iter().for_each(|machine| session.out.json(&Line::Machine(machine)));
        status.networks.iter().for_each(|network| session.out.json(&Line::Network(network)));
        status.models.iter().for_each(|model| session.out.json(&Line::Model(model)));
        tasks.iter().for_each(|task| session.out.json(&Line::Task(task)));
        let Status { run, unfinished, notes, .. } = &status;
        let (held, holder) = (held.is_some(), held.as_ref().and_then(Option::as_ref));
        session.out.json(&Line::Status { run: *run, held, holder, unfinished, notes });
    } else {
        status_text(&status, &tasks, held.as_ref(), session.style)
            .iter()
            .for_each(|line| session.out.line(line));
    }
    Ok(if args.probe && status.has_drifted() { Exit::Pending } else { Exit::Done })
}

fn status_text(
    status: &Status,
    tasks: &[Inspected],
    held: Option<&Option<Holder>>,
    style: Style,
) -> Vec<String> {
    let state = |state: &str| {
        let tone = match state {
            "running" => Tone::Good,
            "stopped" | "absent" => Tone::Quiet,
            _ => Tone::Bad,
        };
        style.paint(tone, state)
    };
    let remarks = |trouble: &Option<String>, in_layout: bool| {
        let trouble = trouble.as_ref().map(|text| style.paint(Tone::Bad, text));
        let old = (!in_layout).then(|| "no longer in the layout".to_owned());
        trouble.into_iter().chain(old).collect::<Vec<_>>().join("; ")
    };
    let mut rows = Vec::new();
    for network in &status.networks {
        let subnet = network.subnet.clone().unwrap_or_default();
        let thing = format!("network:{}", network.name);
        rows.push(vec![thing, state(network.state), subnet, remarks(&network.trouble, network.in_layout)]);
    }
    for model in &status.models {
        let directory = style.paint(Tone::Quiet, model.directory.as_deref().unwrap_or_default());
        rows.push(vec![format!("model:{}", model.name), String::new(), directory, remarks(&None, false)]);
    }
    for machine in &status.machines {
        let thing = format!("machine:{}", machine.name);
        let remarks = remarks(&machine.trouble, machine.in_layout);
        rows.push(vec![thing, state(machine.state), machine.addresses.join(" "), remarks]);
        for service in &machine.services {
            let log = service.log.as_ref().map(|log| format!("log: {log}")).unwrap_or_default();
            let wrong = service.exit.iter().chain(&service.trouble).cloned().collect::<Vec<_>>().join("; ");
            let wrong = if wrong.is_empty() { wrong } else { style.paint(Tone::Bad, wrong) };
            rows.push(vec![
                format!("  service {}", service.name),
                state(service.state),
                wrong,
                style.paint(Tone::Quiet, log),
            ]);
        }
    }
    let mut lines = table(&rows);
    let goes_on = held.map(|_| status.run);
    lines.extend(table(&tasks.iter().map(|task| task_row(task, goes_on, style)).collect::<Vec<_>>()));
    let careful = |word: &str, text: &str| format!("{} {text}", style.paint(Tone::Careful, word));
    lines.extend(status.notes.iter().map(|note| careful("note:", note)));
    match held {
        Some(Some(holder)) => lines.push(careful("now:", &holder.to_string())),
        Some(None) => lines.push(careful("now:", "a run is just starting")),
        None => lines.extend(
            status
                .unfinished
                .iter()
                .map(|change| careful("unfinished:", &format!("{change}; `deploy` carries on"))),
        ),
    }
    lines.push(match status.run {
        0 => "never deployed".to_owned(),
        run => format!("last run: {run}"),
    });
    lines
}

/// How a task stands; `goes_on` is the run that goes on.
fn task_row(task: &Inspected, goes_on: Option<u64>, style: Style) -> Vec<String> {
    if goes_on.is_some() && task.run == goes_on && task.last == "interrupted" {
        return vec![task.thing.clone(), style.paint(Tone::Good, "runs now")];
    }
    let last = match (task.run, task.time()) {
        (Some(run), Some(time)) => format!("ran in run {run}, {}", humantime::format_rfc3339_seconds(time)),
        (Some(run), None) => format!("{} in run {run}", task.last),
        _ => String::new(),
    };
    let (state, why) = match &task.would {
        None => (style.paint(Tone::Good, "done"), String::new()),
        Some(would) => {
            let word = if would.action == Action::Run { "would run" } else { "unknown" };
            (style.paint(Tone::Careful, word), would.why.to_string())
        }
    };
    vec![task.thing.clone(), state, why, style.paint(Tone::Quiet, last)]
}

/// `completions`
pub(in crate::cli) fn completions(
    out: &Output,
    shell: Shell,
    program: &str,
    layout: args::Subject<'_>,
) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::grammar(program, layout), program, &mut script);
    out.line(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{Reason, Service, Would};

    #[test]
    fn what_is_there() {
        let machine = Listed {
            thing: "machine:mirror.algebra".into(),
            about: "Serves packages.".into(),
            path: "algebra.mirror".into(),
            implementation: Some("Sandbox".into()),
            addresses: vec!["10.37.0.2/24".into()],
            shares_links: None,
            tasks: vec!["mirror.algebra/site.index".into()],
            roles: Vec::new(),
        };
        let shares = Some("mirror.algebra".to_owned());
        let watcher = Listed { thing: "machine:watcher".into(), shares_links: shares, ..machine.clone() };
        assert!(list_text(&[watcher], Style::plain())[0].contains("10.37.0.2/24 of mirror.algebra  "));
        assert_eq!(
            list_text(&[machine], Style::plain()),
            [
                "machine:mirror.algebra  Sandbox  10.37.0.2/24  Serves packages.",
                "  task:mirror.algebra/site.index"
            ]
        );
    }

    #[test]
    fn what_exists() {
        let machine = MachineStatus {
            drift: None,
            name: "mirror".into(),
            implementation: "Sandbox".into(),
            state: "running",
            trouble: None,
            in_layout: false,
            addresses: vec!["10.0.0.1/24".into()],
            services: vec![Service {
                name: "site.serve".into(),
                state: "ended",
                exit: Some("exit status 1".into()),
                trouble: Some("its task is gone".into()),
                log: Some("/log".into()),
            }],
        };
        let network = NetworkStatus {
            drift: None,
            name: "lab".into(),
            state: "unknown",
            trouble: Some("its keeper is silent".into()),
            in_layout: true,
            subnet: None,
        };
        let status = Status {
            machines: vec![machine],
            networks: vec![network],
            run: 7,
            unfinished: vec!["create machine:w".into()],
            ..Status::default()
        };
        let task = |thing: &str, would| Inspected {
            thing: thing.into(),
            last: "ran",
            run: Some(6),
            at: Some(1_700_000_000),
            would,
        };
        let would = Would { action: Action::Run, why: Reason::InputsChanged };
        let tasks = [task("task:mirror/site.index", None), task("task:mirror/site.serve", Some(would))];
        let json = serde_json::to_value(Line::Task(&tasks[1])).unwrap();
        assert_eq!(
            (&json["event"], &json["action"], &json["reason"]["kind"], &json["at"]),
            (&"task".into(), &"run".into(), &"inputs-changed".into(), &1_700_000_000.into())
        );
        assert_eq!(
            status_text(&status, &tasks, None, Style::plain()).join("\n"),
            "network:lab           unknown                                   its keeper is silent\n\
             machine:mirror        running  10.0.0.1/24                      no longer in the layout\n  \
             service site.serve  ended    exit status 1; its task is gone  log: /log\n\
             task:mirror/site.index  done                           ran in run 6, 2023-11-14T22:13:20Z\n\
             task:mirror/site.serve  would run  its inputs changed  ran in run 6, 2023-11-14T22:13:20Z\n\
             unfinished: create machine:w; `deploy` carries on\n\
             last run: 7"
        );
        assert_eq!(
            status_text(&Status::default(), &[], Some(&None), Style::plain()),
            ["now: a run is just starting", "never deployed"]
        );
    }

    #[test]
    fn completions_for_every_shell() {
        use clap::ValueEnum;

        use crate::cli::output::tests::Kept;
        for shell in Shell::value_variants() {
            let kept = Kept::default();
            let layout = args::Subject { name: "industrial", profiles: &[] };
            completions(&Output::new(kept.clone(), "lab", "completions"), *shell, "lab", layout).unwrap();
            assert!(kept.text().contains("deploy"), "{shell}");
        }
    }
}
