//! `check`: the layout as it was resolved, what of it is probably not meant, and whether this host can make it.

use serde::Serialize;

use crate::cli::args::CheckArgs;
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::cli::style::{Style, Tone};
use crate::cli::table::table;
use crate::deploy::{Access, Item, Lint, lints};
use crate::error::Error;
use crate::layout::Layout;

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Line<'a> {
    Item(&'a Item),
    Lint(&'a Lint),
    Check { machines: usize, notes: &'a [String], lints: usize },
}

/// `check`
pub(in crate::cli) async fn check<L: Layout>(
    session: &Session<'_, L>,
    args: &CheckArgs,
) -> Result<Exit, Error> {
    let (out, style) = (&session.out, session.style);
    let mut lints = lints::<L>();
    lints.retain(|lint| !args.allow.iter().any(|allowed| allowed == lint.rule));
    let look = async {
        let deployment = session.open(Access::Look).await?;
        // Told before the host is asked: whatever that says, this is how the layout is.
        let items = deployment.tree()?;
        if session.common.json {
            items.iter().for_each(|item| out.json(&Line::Item(item)));
            lints.iter().for_each(|lint| out.json(&Line::Lint(lint)));
        } else {
            tree(&items, style).iter().for_each(|line| out.line(line));
            lints.iter().for_each(|lint| out.line(told(lint, style)));
        }
        deployment.check().await
    };
    let (fit, machines, notes) = session.work(look).await?;
    if session.common.json {
        out.json(&Line::Check { machines: fit, notes: &notes, lints: lints.len() });
    } else {
        let note = |note: &String| format!("{} {note}", style.paint(Tone::Careful, "note:"));
        notes.iter().for_each(|text| out.line(note(text)));
        out.line(verdict(&session.name, (fit, machines), lints.len(), style));
    }
    Ok(if args.deny_warnings && !lints.is_empty() { Exit::Error } else { Exit::Done })
}

fn verdict(name: &str, (fit, machines): (usize, usize), lints: usize, style: Style) -> String {
    let verdict = match fit == machines {
        true => format!("{}; {machines} machines", style.paint(Tone::Good, "fine")),
        false => format!("{}; {fit} of {machines} machines", style.paint(Tone::Bad, "not all of it")),
    };
    let warned = match lints {
        0 => String::new(),
        1 => "; 1 warning".to_owned(),
        many => format!("; {many} warnings"),
    };
    format!("{name}: {verdict} can be made here{warned}")
}

fn told(lint: &Lint, style: Style) -> String {
    let Lint { rule, at, text, help } = lint;
    format!("{} {text} [{rule}]\n  at {at}\n  {help}", style.paint(Tone::Careful, "warning:"))
}

/// A row for each item, indented below what it is inside of, and rows for its parts.
fn tree(items: &[Item], style: Style) -> Vec<String> {
    let mut rows = Vec::new();
    for item in items {
        let indent = "  ".repeat(item.depth);
        let name = style.paint(Tone::Strong, format!("{}:{}", item.kind, item.name));
        rows.push(vec![format!("{indent}{name}"), short(item), style.paint(Tone::Quiet, item.about)]);
        let parts = parts(item).into_iter();
        rows.extend(parts.map(|(what, rest)| vec![format!("{indent}  {what}"), rest]));
    }
    table(&rows)
}

/// What makes it, its subnet, or its domain.
fn short(item: &Item) -> String {
    match (item.kind, &item.domain) {
        ("machine", _) => item.implementation.clone().unwrap_or_default(),
        ("network", _) => item.addresses.join(" "),
        (_, Some(domain)) => format!("domain {domain}"),
        (_, None) => String::new(),
    }
}

fn parts(item: &Item) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    for link in &item.links {
        let address = link.address.iter().map(|address| format!(" {address}")).collect::<String>();
        parts.push((format!("link {}", link.interface), format!("{}{address}", link.network)));
    }
    parts.extend(item.shares_links.iter().map(|other| ("links".to_owned(), format!("those of {other}"))));
    for value in &item.provides {
        let mut text = value.value.clone();
        let words = [(value.persist, ", kept"), (value.each, ", one for each that asks")];
        words.iter().filter(|(said, _)| *said).for_each(|(_, word)| text.push_str(word));
        text.extend(value.from.iter().map(|from| format!(", from {from}")));
        parts.push((format!("value {}", value.field), text));
    }
    parts.extend(item.masks.iter().map(|mask| ("hides".to_owned(), mask.clone())));
    for applied in &item.customizations {
        let tasks = match applied.tasks.is_empty() {
            true => String::new(),
            false => format!(": {}", applied.tasks.join(", ")),
        };
        parts.push((format!("applies {}", applied.field), format!("{}{tasks}", applied.customization)));
    }
    if !item.tasks.is_empty() {
        parts.push(("tasks".to_owned(), item.tasks.join(", ")));
    }
    if !item.starts_after.is_empty() {
        parts.push(("starts after".to_owned(), item.starts_after.join(", ")));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deploy::{Customized, Plugged, Provided};

    fn items() -> Vec<Item> {
        let token = Provided {
            field: "token",
            value: "`JoinToken`".into(),
            persist: true,
            each: false,
            from: Some("algebra.vault".into()),
        };
        let layout = Item {
            kind: "layout",
            name: "industrial".into(),
            about: "A lab.",
            provides: vec![token],
            ..Item::default()
        };
        let enclave = Item {
            kind: "enclave",
            name: "algebra".into(),
            depth: 1,
            domain: Some("algebra".into()),
            masks: vec!["`Port`".into()],
            ..Item::default()
        };
        let network = Item {
            kind: "network",
            name: "algebra.lab".into(),
            depth: 2,
            addresses: vec!["10.37.0.0/24".into()],
            ..Item::default()
        };
        let machine = Item {
            kind: "machine",
            name: "worker-1.algebra".into(),
            depth: 2,
            implementation: Some("Sandbox".into()),
            about: "Works.",
            links: vec![Plugged {
                interface: "eth0".into(),
                network: "algebra.lab".into(),
                address: Some("10.37.0.5/24".into()),
            }],
            customizations: vec![Customized {
                field: "join",
                customization: "JoinCluster",
                tasks: vec!["program", "fetch"],
            }],
            starts_after: vec!["mirror.algebra".into()],
            ..Item::default()
        };
        vec![layout, enclave, network, machine]
    }

    #[test]
    fn a_tree_with_all_that_is_part_of_it() {
        assert_eq!(
            tree(&items(), Style::plain()),
            [
                "layout:industrial                             A lab.",
                "  value token                 `JoinToken`, kept, from algebra.vault",
                "  enclave:algebra             domain algebra",
                "    hides                     `Port`",
                "    network:algebra.lab       10.37.0.0/24",
                "    machine:worker-1.algebra  Sandbox         Works.",
                "      link eth0               algebra.lab 10.37.0.5/24",
                "      applies join            JoinCluster: program, fetch",
                "      starts after            mirror.algebra",
            ]
        );
    }

    #[test]
    fn warnings_and_verdicts() {
        let lint = Lint {
            rule: "no-links",
            at: "src/main.rs:7".into(),
            text: "nothing is plugged into `lab` of `Algebra`".into(),
            help: "remove it".into(),
        };
        let plain = Style::plain();
        assert_eq!(
            told(&lint, plain),
            "warning: nothing is plugged into `lab` of `Algebra` [no-links]\n  at src/main.rs:7\n  remove it"
        );
        assert_eq!(verdict("lab", (4, 4), 0, plain), "lab: fine; 4 machines can be made here");
        assert_eq!(
            verdict("lab", (3, 4), 2, plain),
            "lab: not all of it; 3 of 4 machines can be made here; 2 warnings"
        );
    }
}
