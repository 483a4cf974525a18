//! The command line's grammar.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{FalseyValueParser, PossibleValuesParser};
use clap::{Args as ClapArgs, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum, ValueHint};

use super::help;
use super::limit::LimitParser;
use crate::deploy::{AtOnce, LINTS, Limit, Pattern};
use crate::machine::engine::Fault;

/// All that was asked for.
#[derive(Debug, Parser)]
#[command(subcommand_required = true, arg_required_else_help = true, disable_help_subcommand = true)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Common {
    /// Write results as JSON, one object per line, the version first
    #[arg(long, global = true, env = "CARTHAGE_JSON", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) json: bool,
    /// How to show what is being done
    #[arg(long, global = true, env = "CARTHAGE_PROGRESS", hide_env_values = true, default_value = "auto")]
    pub(super) progress: ProgressKind,
    /// When to use colours (also off when NO_COLOR is set)
    #[arg(long, global = true, env = "CARTHAGE_COLOR", hide_env_values = true, default_value = "auto")]
    pub(super) color: When,
    /// Do not ask before changing things
    #[arg(short, long, global = true, env = "CARTHAGE_YES", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) yes: bool,
    /// How many things to work on at the same time; of one implementation's machines: `--parallel Vm=2`
    #[arg(
        long,
        global = true,
        env = "CARTHAGE_PARALLEL",
        hide_env_values = true,
        value_name = "N",
        value_delimiter = ','
    )]
    pub(super) parallel: Vec<AtOnce>,
    /// How long something may take before it is given up: `start=20m`, `check=30s`; may be repeated
    #[arg(
        long,
        global = true,
        env = "CARTHAGE_LIMIT",
        hide_env_values = true,
        hide_possible_values = true,
        value_name = "OPERATION=TIME",
        value_delimiter = ',',
        value_parser = LimitParser
    )]
    pub(super) limit: Vec<Limit>,
    /// How often what an implementation fails to do is tried again [default: 0]
    #[arg(long, global = true, env = "CARTHAGE_RETRIES", hide_env_values = true, value_name = "N", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(super) retries: Option<u64>,
    /// Keep state, cache and logs below this directory
    #[arg(long, global = true, env = "CARTHAGE_STATE_DIR", hide_env_values = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) state_dir: Option<PathBuf>,
    /// Wait for another run on the layout to end, for an hour or so long: `--wait=10m`
    #[arg(
        long,
        global = true,
        env = "CARTHAGE_WAIT",
        hide_env_values = true,
        value_name = "DURATION",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1h",
        value_parser = humantime::parse_duration
    )]
    pub(super) wait: Option<Duration>,
    /// In which of the layout's profiles
    #[arg(long, global = true, env = "CARTHAGE_PROFILE", hide_env_values = true, value_name = "NAME")]
    pub(super) profile: Option<String>,
    /// Rehearse: make nothing, in a world that this number decides about, and forget it (with --state-dir, keep it there)
    #[arg(long, global = true, env = "CARTHAGE_SIMULATE", hide_env_values = true, value_name = "SEED")]
    pub(super) simulate: Option<u64>,
    /// What goes wrong in the rehearsal, such as `start:web-*=fail#2`, `write:*=lose%5` or `run:db=hang`; may be repeated
    #[arg(
        long,
        global = true,
        env = "CARTHAGE_FAULT",
        hide_env_values = true,
        value_name = "FAULT",
        value_delimiter = ' ',
        requires = "simulate"
    )]
    pub(super) fault: Vec<Fault>,
}

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressKind {
    /// `tty` on a terminal, `json` with `--json`, otherwise `plain`
    Auto,
    /// Live, on a terminal
    Tty,
    /// A line when something begins or ends
    Plain,
    /// A JSON object per event
    Json,
    /// Warnings and errors only
    Quiet,
}

/// When something is done that depends on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Which things a command is about.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Select {
    /// What to include: names or patterns, such as `worker-*`, `machine:*.algebra` or `network:*`; everything if absent
    #[arg(
        value_name = "[KIND:]GLOB",
        env = "CARTHAGE_INCLUDE",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub(super) include: Vec<Pattern>,
    /// What to leave out; wins over what is included
    #[arg(
        short = 'x',
        long,
        value_name = "[KIND:]GLOB",
        env = "CARTHAGE_EXCLUDE",
        hide_env_values = true,
        value_delimiter = ' '
    )]
    pub(super) exclude: Vec<Pattern>,
    /// Machines to include, by tag or name: `@web`; may be repeated
    #[arg(long, value_name = "@TAG", env = "CARTHAGE_ON", hide_env_values = true, value_delimiter = ' ', value_parser = on_machines)]
    pub(super) on: Vec<Pattern>,
    /// A file that says what to include: a pattern in each line, `#` before comments; `-` for standard input
    #[arg(long, value_name = "FILE", env = "CARTHAGE_FROM_FILE", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub(super) from_file: Option<PathBuf>,
}

/// What a deployment is about.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct Deployed {
    #[command(flatten)]
    pub(super) select: Select,
    /// Do not bring in what is needed: refuse if it is missing
    #[arg(long, env = "CARTHAGE_ONLY", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) only: bool,
    /// Also remove what is no longer in the layout
    #[arg(long, env = "CARTHAGE_PRUNE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) prune: bool,
}

/// What `status` is about.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    pub(super) select: Select,
    /// End with 2 when something is missing, is not what was deployed, or does not answer
    #[arg(long, env = "CARTHAGE_PROBE", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) probe: bool,
    /// Also how each setup task stands: when it ran last, and whether it would run now, and why
    #[arg(long, env = "CARTHAGE_TASKS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) tasks: bool,
}

/// What `destroy` is about.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct DestroyArgs {
    #[command(flatten)]
    pub(super) select: Select,
    /// Only what is no longer in the layout
    #[arg(long, env = "CARTHAGE_ORPHANS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) orphans: bool,
}

/// What `plan` shows, and where it is kept.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) deployed: Deployed,
    /// Save the plan to this file, for `deploy --plan FILE`
    #[arg(long, env = "CARTHAGE_OUT", hide_env_values = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,
}

/// What `deploy` is about.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct DeployArgs {
    #[command(flatten)]
    pub(super) deployed: Deployed,
    /// Do what the plan in this file says and nothing else, or refuse
    #[arg(
        long,
        env = "CARTHAGE_PLAN",
        hide_env_values = true,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["include", "exclude", "on", "from_file"]
    )]
    pub(super) plan: Option<PathBuf>,
}

/// Which log is shown, and what of it.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    pub(super) select: Select,
    /// Of this run [default: the last]
    #[arg(long, env = "CARTHAGE_RUN", hide_env_values = true, value_name = "N")]
    pub(super) run: Option<u64>,
    /// List the runs of which there are logs
    #[arg(long, env = "CARTHAGE_LIST", hide_env_values = true, value_parser = FalseyValueParser::new(), conflicts_with_all = ["run", "include", "exclude", "on", "from_file"])]
    pub(super) list: bool,
}

/// What `check` makes of warnings.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct CheckArgs {
    /// End with 1 when there are warnings
    #[arg(long, env = "CARTHAGE_DENY_WARNINGS", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub(super) deny_warnings: bool,
    /// Leave warnings of this rule out; may be repeated
    #[arg(
        long,
        value_name = "RULE",
        env = "CARTHAGE_ALLOW",
        hide_env_values = true,
        value_delimiter = ' ',
        value_parser = PossibleValuesParser::new(LINTS)
    )]
    pub(super) allow: Vec<String>,
}

/// A command to run inside a machine.
#[derive(Clone, Debug, ClapArgs)]
pub(super) struct ExecArgs {
    /// As this user, by name or number [default: the machine's `runas_user`, or root]
    #[arg(short, long, env = "CARTHAGE_USER", hide_env_values = true)]
    pub(super) user: Option<String>,
    /// In this directory [default: the user's home]
    #[arg(short = 'C', long, value_name = "DIR", env = "CARTHAGE_CWD", hide_env_values = true)]
    pub(super) cwd: Option<PathBuf>,
    /// With this variable in its environment; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = variable, env = "CARTHAGE_ENV", hide_env_values = true)]
    pub(super) env: Vec<(OsString, OsString)>,
    /// The machine
    #[arg(value_name = "MACHINE")]
    pub(super) machine: String,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// Show the layout as it is resolved, what of it is probably not meant, and whether this host can run it; nothing is changed
    Check(CheckArgs),
    /// List what is in the layout
    List(Select),
    /// Show what `deploy` would do, why, and how building blocks differ; exits with 2 if there is something to do
    Plan(PlanArgs),
    /// Make everything as the layout says
    Deploy(DeployArgs),
    /// Show what exists and runs
    Status(StatusArgs),
    /// Show what happened in a run, with the output of its commands
    Logs(LogsArgs),
    /// Start machines, and those they depend on
    Start(Select),
    /// Stop machines, and nothing else
    Stop(Select),
    /// Run a command inside a machine
    Exec {
        #[command(flatten)]
        exec: ExecArgs,
        /// Program and arguments
        #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true, value_hint = ValueHint::CommandWithArguments)]
        argv: Vec<OsString>,
    },
    /// Open a terminal inside a machine
    Shell(ExecArgs),
    /// Run setup tasks, whether they need it or not
    Run {
        /// The tasks: names or patterns, such as `mirror.algebra/site.index` or `worker-*/join.*`
        #[arg(value_name = "TASK", required = true)]
        tasks: Vec<Pattern>,
    },
    /// Stop and remove what was deployed
    Destroy(DestroyArgs),
    /// Write a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// The word that was written.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Check(_) => "check",
            Self::List(_) => "list",
            Self::Plan(_) => "plan",
            Self::Deploy(_) => "deploy",
            Self::Status(_) => "status",
            Self::Logs(_) => "logs",
            Self::Start(_) => "start",
            Self::Stop(_) => "stop",
            Self::Exec { .. } => "exec",
            Self::Shell(_) => "shell",
            Self::Run { .. } => "run",
            Self::Destroy(_) => "destroy",
            Self::Completions { .. } => "completions",
        }
    }
}

/// The layout, as far as the grammar depends on it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) name: &'a str,
    /// Of its profiles, the first by itself.
    pub(super) profiles: &'a [&'static str],
}

/// The grammar for the program of this name, which deploys this layout.
pub(super) fn grammar(program: &str, layout: Subject<'_>) -> clap::Command {
    let command = Args::command().name(program.to_owned()).bin_name(program.to_owned());
    // Without any, whoever names one is told so by what opens the layout.
    let command = command.mut_arg("profile", |argument| match layout.profiles {
        [] => argument.hide(true),
        [first, ..] => {
            let help = format!("In which of the layout's profiles [default: {first}]");
            argument.help(help).value_parser(PossibleValuesParser::new(layout.profiles))
        }
    });
    help::add(command, program, layout.name)
}

impl Args {
    /// # Errors
    /// What is wrong with the arguments, or that help was asked for.
    pub(super) fn read(
        layout: Subject<'_>,
        argv: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, clap::Error> {
        let argv: Vec<_> = argv.into_iter().collect();
        let mut grammar = grammar(&program(argv.first()), layout);
        let matches = grammar.try_get_matches_from_mut(argv)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut grammar))
    }
}

/// The program's name, for help.
pub(super) fn program(argv0: Option<&OsString>) -> String {
    let file = argv0.map(PathBuf::from).and_then(|path| path.file_name().map(OsStr::to_owned));
    file.map_or_else(|| "carthage".to_owned(), |file| file.to_string_lossy().into_owned())
}

/// A pattern for machines.
fn on_machines(text: &str) -> Result<Pattern, String> {
    format!("machine:{text}").parse().map_err(|error: crate::Error| crate::chain(&error))
}

fn variable(text: &str) -> Result<(OsString, OsString), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Subject<'_> = Subject { name: "industrial", profiles: &["small", "full"] };

    fn read(line: &str) -> Result<Args, clap::Error> {
        Args::read(LAYOUT, std::iter::once("lab").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_grammar_is_sound() {
        grammar("lab", LAYOUT).debug_assert();
        grammar("lab", Subject { profiles: &[], ..LAYOUT }).debug_assert();
    }

    #[test]
    fn options_go_before_or_after_the_command() {
        for line in ["--json -y --parallel 3 deploy worker-*", "deploy worker-* --json --yes --parallel=3"] {
            let args = read(line).unwrap();
            assert!(args.common.json && args.common.yes, "{line}");
            assert_eq!(args.common.parallel, [AtOnce::All(3)]);
            let Command::Deploy(deploy) = args.command else { panic!("{line}") };
            assert_eq!(deploy.deployed.select.include[0].as_str(), "worker-*");
        }
    }

    #[test]
    fn limits() {
        let args = read("deploy --limit start=20m,check=30s --limit task=2h").unwrap();
        let said: Vec<_> = args.common.limit.iter().map(ToString::to_string).collect();
        assert_eq!(said, ["start=20m", "check=30s", "task=2h"]);
        let wrong = |line| read(line).unwrap_err().to_string();
        assert!(wrong("plan --limit boot=1m").contains("there are `look`, `make`, `start`"));
        assert!(wrong("plan --limit start=soon").contains("`soon` is no time"));
    }

    #[test]
    fn profiles() {
        assert_eq!(read("plan --profile full").unwrap().common.profile.as_deref(), Some("full"));
        assert!(read("plan --profile ful").unwrap_err().to_string().contains("'full'"));
    }

    #[test]
    fn patterns() {
        let args = read("plan machine:worker-? network:* -x worker-2 --exclude task:*").unwrap();
        let Command::Plan(PlanArgs { deployed: Deployed { select, .. }, .. }) = args.command else {
            panic!()
        };
        let text = |patterns: &[Pattern]| patterns.iter().map(|p| p.as_str().to_owned()).collect::<Vec<_>>();
        assert_eq!(text(&select.include), ["machine:worker-?", "network:*"]);
        assert_eq!(text(&select.exclude), ["worker-2", "task:*"]);
        assert!(read("plan machine:").is_err());
    }

    #[test]
    fn a_command_s_own_options_are_its_own() {
        for line in [
            "exec -u web -C /srv -e A=1 -e B=x=y mirror -- ls -l --json",
            "exec -u web -C /srv -e A=1 -e B=x=y mirror ls -l --json",
        ] {
            let args = read(line).unwrap();
            assert!(!args.common.json);
            let Command::Exec { exec, argv } = args.command else { panic!() };
            assert_eq!(argv, ["ls", "-l", "--json"]);
            assert_eq!((exec.machine.as_str(), exec.user.as_deref()), ("mirror", Some("web")));
            assert_eq!(exec.env, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
        }
        assert!(read("exec mirror").is_err());
        assert!(read("exec -e =x mirror true").is_err());
    }

    #[test]
    fn wrong_usage() {
        for line in [
            "",
            "deplyo",
            "deploy --plan file worker",
            "deploy --parallel 0",
            "deploy --parallel Vm=0",
            "deploy --progress loud",
            "run",
            "list --wrong",
            "shell",
        ] {
            assert!(read(line).unwrap_err().use_stderr(), "{line:?}");
        }
        assert!(read("deplyo").unwrap_err().to_string().contains("'deploy'"));
        assert!(!read("--help").unwrap_err().use_stderr());
    }
}
