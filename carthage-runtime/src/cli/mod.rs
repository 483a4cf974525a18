//! The command line of a layout: `carthage::main!(Industrial);`.
//!
//! It parses arguments, asks, and shows; everything else is done by [`deploy`](crate::deploy). This is the only module that
//! prints.

mod args;
mod ask;
mod commands;
mod exit;
mod help;
mod interrupt;
mod limit;
mod output;
mod progress;
mod rehearsal;
mod select;
mod session;
mod style;
mod table;
mod terminal;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use args::{Args, Command, Subject};
use exit::{Exit, Told};
use output::Output;
use rehearsal::Rehearsal;
use session::Session;
use style::Style;

use crate::error::Error;
use crate::layout::{Layout, in_profile, name_in};

/// The program of a layout: reads the arguments, does what they say, and tells how it went.
#[must_use]
pub fn main<L: Layout>() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().collect();
    // Implementations start this very program as their helper.
    if let Some(code) = crate::backend::helper_main(argv.iter().cloned()) {
        return code;
    }
    let profiles: Vec<_> = L::PROFILES
        .iter()
        .map(|placements| placements.profile.name)
        .filter(|name| !name.is_empty())
        .collect();
    let layout = Subject { name: L::NAME, profiles: &profiles };
    let mut args = match Args::read(layout, argv.clone()) {
        Ok(args) => args,
        Err(error) => {
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // Whoever asked for help and does not read it has had enough.
            error.print().ok();
            return exit.into();
        }
    };
    let begun = Rehearsal::begin(&mut args).and_then(|rehearsal| {
        let runtime = match args.common.simulate {
            // Nothing is waited for: when all wait, the time is what the first of them waits for.
            Some(_) => tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build(),
            None => tokio::runtime::Builder::new_multi_thread().enable_all().build(),
        };
        Ok((rehearsal, runtime.map_err(Error::host("cannot start the program's threads"))?))
    });
    let (rehearsal, runtime) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            complain(&args, &error);
            return Exit::of(&error).into();
        }
    };
    let exit = runtime.block_on(run::<L>(&args, argv, layout));
    rehearsal.end();
    // Not dropped: a thread may be waiting for somebody to type.
    runtime.shutdown_background();
    exit.into()
}

async fn run<L: Layout>(args: &Args, argv: Vec<OsString>, layout: Subject<'_>) -> Exit {
    let name = args.command.name();
    let shape = match in_profile::<L>(args.common.profile.as_deref()) {
        Ok(shape) => shape,
        Err(error) => {
            complain(args, &error);
            return Exit::of(&error);
        }
    };
    let out = Output::new(io::stdout(), &name_in::<L>(shape), name);
    let session = Session::<L>::new(&args.common, out.clone(), name, name_in::<L>(shape));
    let done = match &args.command {
        Command::Check(check) => commands::check(&session, check).await,
        Command::List(select) => commands::list(&session, select).await,
        Command::Plan(plan) => commands::plan(&session, plan).await,
        Command::Deploy(deploy) => commands::deploy(&session, deploy).await,
        Command::Status(select) => commands::status(&session, select).await,
        Command::Logs(logs) => commands::logs(&session, logs).await,
        Command::Start(select) => commands::start(&session, select).await,
        Command::Stop(select) => commands::stop(&session, select).await,
        Command::Exec { exec, argv } => commands::exec(&session, exec, argv).await,
        Command::Shell(exec) => commands::shell(&session, exec).await,
        Command::Run { tasks } => commands::run(&session, tasks).await,
        Command::Destroy(select) => commands::destroy(&session, select).await,
        Command::Completions { shell } => {
            commands::completions(&out, *shell, &args::program(argv.first()), layout)
        }
    };
    let closed = session.close().await;
    session.quiet();
    let done = match (done, closed) {
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Err(other)) => {
            complain(args, &other);
            Err(error)
        }
        (done, Ok(())) => done,
    };
    let done = done.and_then(|exit| out.finish().map(|()| exit));
    done.unwrap_or_else(|error| {
        if args.common.json {
            out.json(&Told::of(&error));
        }
        complain(args, &error);
        match (&args.command, Exit::of(&error)) {
            (_, Exit::Interrupted) => Exit::Interrupted,
            (Command::Exec { .. } | Command::Shell(_), _) => Exit::NotRun,
            (_, exit) => exit,
        }
    })
}

fn complain(args: &Args, error: &Error) {
    let stderr = io::stderr();
    let text = Told::of(error).text(Style::of(args.common.color, &stderr));
    Output::new(stderr, "", "").line(text);
}
