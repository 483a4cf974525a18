//! What `--help` teaches: every command with examples.

/// Adds what cannot be said in the grammar.
pub(super) fn add(grammar: clap::Command, program: &str, layout: &str) -> clap::Command {
    let about = format!(
        "Deploys the layout `{layout}`: plans, makes, inspects and removes its machines and networks."
    );
    let grammar = grammar
        .about(about)
        .version(format!("(Carthage {})", env!("CARGO_PKG_VERSION")))
        .after_help(examples(program, TOP))
        .after_long_help(format!("{}\n{ABOUT_ALL}", examples(program, TOP)));
    COMMANDS.iter().fold(grammar, |grammar, (name, text, lines)| {
        grammar.mut_subcommand(name, |command| {
            let long = format!("{}{}", examples(program, lines), paragraph(text));
            command.after_help(examples(program, lines)).after_long_help(long)
        })
    })
}

fn paragraph(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n{text}") }
}

fn examples(program: &str, lines: &[(&str, &str)]) -> String {
    let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    let lines = lines.iter().map(|(line, what)| format!("  {program} {line:width$}  {what}\n"));
    std::iter::once("Examples:\n".to_owned()).chain(lines).collect()
}

const TOP: &[(&str, &str)] = &[
    ("plan", "what would be done, and why"),
    ("deploy", "show the plan, ask, and do it"),
    ("status", "what exists and runs"),
    ("exec worker-2 -- cat /etc/hosts", "run a command inside a machine"),
    ("shell mirror", "a terminal inside a machine"),
    ("destroy", "remove everything"),
];

const ABOUT_ALL: &str = "\
Names: a thing is named by kind and name, as `machine:worker-2.algebra`, `network:algebra.lab` or \
`task:mirror.algebra/site.index`. In a pattern `*` stands for any text, `?` for one character, and a backslash takes the next \
character as it is; without a kind, things of every kind are meant. A machine's host name will do where no other has it. `run` takes tasks; every other command takes machines, networks, and models that have tasks of their own (`model:algebra`).

Limits: what is asked is given up after a time, which --limit changes: `look` 5m (whether something is there), `make` 2h, `start` 1h (until the machine takes commands), `change` 10m (all else \
that an implementation does), `check` 10m (checks of tasks, comparing building blocks, what models need and which members they have), `task` 24h (a try of a body that has no time-out of its own). Times are written as `30s`, `20m`, `1h30m`.

Environment: every option is a variable too: --state-dir is CARTHAGE_STATE_DIR, --yes is CARTHAGE_YES=1.

Exit status: 0 done, or nothing to do; 1 an error; 2 there is something to do (plan), or something was changed from outside (status --probe); 3 some of it failed; 64 wrong usage; \
130 interrupted; 4 a saved plan does not hold any more, and nothing was done. `exec` and `shell` pass on the command's, and use 125 when it could not be run.
";

/// Name, what else is to be said, examples.
type Text = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const COMMANDS: &[Text] = &[
    (
        "check",
        "The compiler has checked the layout. This shows what it has become, with all addresses; warns of what holds together and is probably not meant; and checks the host: that its implementations can be used here, that the state can be read, and that every address can be given.\n",
        &[
            ("check", "the layout, warnings, and whether this host can run it"),
            ("check --deny-warnings", "for scripts: warnings end with 1"),
            ("check --json", "the same, for a program"),
        ],
    ),
    (
        "list",
        "",
        &[
            ("list", "everything in the layout"),
            ("list 'machine:*'", "the machines"),
            ("list mirror --json", "one machine and its tasks, for a program"),
        ],
    ),
    (
        "plan",
        "Nothing is changed. A task whose check needs a running machine is shown as `ask`.\n",
        &[
            ("plan", "everything"),
            ("plan 'worker-*'", "the workers, and what they need"),
            ("plan --exclude 'worker-3*'", "all but one"),
            ("plan --prune", "with what is no longer in the layout and would go"),
            ("plan --out monday.plan", "save it, for `deploy --plan monday.plan`"),
        ],
    ),
    (
        "deploy",
        "What is already as it should be is not touched. A failure stops only what depends on it. The first Ctrl-C finishes what was begun and reports; the second aborts. Whatever happens, the next `deploy` carries on.\n",
        &[
            ("deploy", "show the plan, ask, and do it"),
            ("deploy --yes", "without asking, for scripts"),
            ("deploy mirror", "one machine, and what it needs"),
            ("deploy --on @web --only", "the machines with a tag, and nothing else"),
            ("deploy --from-file names.txt", "what a file names, a pattern in each line"),
            ("deploy --prune", "and remove what is no longer in the layout"),
            ("deploy --parallel 20,Vm=2", "twenty things at a time, but two virtual machines"),
            ("deploy --limit start=20m --limit check=30s", "give up sooner, or later, than by itself"),
            ("deploy --retries 3", "on a host that fails now and then"),
            ("deploy --plan monday.plan", "exactly what was saved, or nothing"),
        ],
    ),
    (
        "status",
        "",
        &[
            ("status", "everything"),
            ("status mirror --json", "one machine, for a program"),
            ("status --probe", "for scripts: ends with 2 when something was changed from outside"),
        ],
    ),
    (
        "logs",
        "Every run that changes something has a log of its own; a hundred are kept. A machine stands for its tasks and services, too.\n",
        &[
            ("logs", "the last run"),
            ("logs --list", "the runs, and how they ended"),
            ("logs --run 7 worker-2", "what one run did with one machine"),
            ("logs 'task:*/site.*'", "some tasks"),
        ],
    ),
    ("start", "", &[("start", "all machines"), ("start worker-2", "one, and those it depends on")]),
    (
        "stop",
        "Stops what is named and nothing else, also where other machines depend on it. What is in the machines stays.\n",
        &[("stop", "all machines"), ("stop mirror", "one; those that depend on it run on")],
    ),
    (
        "exec",
        "Standard input, output and error are the command's own. The program is given its arguments as they are; for pipes and variables run a shell. A signal that ends this program is passed on.\n",
        &[
            ("exec mirror -- ps", "a command"),
            ("exec -u web -C /srv mirror -- ls -l", "as another user, somewhere else"),
            ("exec mirror -- sh -c 'cat /etc/*-release | head'", "through a shell"),
            ("exec -e LANG=C worker-1 -- env", "with a variable"),
        ],
    ),
    (
        "shell",
        "Needs a terminal. Leave it with `exit` or Ctrl-D.\n",
        &[("shell mirror", "as root"), ("shell -u web mirror", "as another user")],
    ),
    (
        "run",
        "The machine must exist; if it does not run, it is started for this and stopped afterwards, unless the task works on its root alone. What comes after a task runs again at the next `deploy`.\n",
        &[
            ("run mirror.algebra/site.index", "one task"),
            ("run 'worker-*/join.*'", "one customization's tasks on several machines"),
        ],
    ),
    (
        "destroy",
        "Removes what is named and nothing else. Without names everything goes, and the layout's state and kept values with it.\n",
        &[
            ("destroy", "show what would go, ask, and remove it"),
            ("destroy 'worker-*' --yes", "some machines, without asking"),
            ("destroy --orphans", "what is no longer in the layout"),
        ],
    ),
    (
        "completions",
        "",
        &[
            ("completions bash > ~/.local/share/bash-completion/completions/PROGRAM", "for bash"),
            ("completions fish > ~/.config/fish/completions/PROGRAM.fish", "for fish"),
        ],
    ),
];
