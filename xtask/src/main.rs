//! Chores of the repository: `cargo xtask --help`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool for people")]

mod bench_compile;
mod bench_ssh;
mod bench_vm;
mod pages;
mod test;
mod ui_bless;
mod with_libvirt;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Measures what large layouts add to `cargo check`, in CPU seconds, and what they take after a line is changed.
    BenchCompile(bench_compile::Arguments),
    /// Measures a virtual machine deployed until it takes commands, against `virsh start` and trying ssh. Only root can.
    BenchVm(bench_vm::Arguments),
    /// Installs the Debian packages that the tests need and the host lacks; what `test` does first. Only root can.
    Install,
    /// Measures commands on a host that is reached by ssh against the same over a bare session: needs root and an OpenSSH server.
    BenchSsh,
    /// Writes the parts of pages that come from the code: the table of what implementations can do.
    Pages,
    /// Runs every test, as this user and, when that is root, as an ordinary user too.
    ///
    /// Builds once, runs the tests of the whole workspace and the examples in its documentation, and looks for what they
    /// left behind: processes, mounts, namespaces, interfaces, control groups, files. Names what it skipped, and why; with
    /// CI=true a skipped test is a failure. Shows the conformance suite's cases by implementation. The last line is `N passed, N failed, N skipped`.
    Test,
    /// Runs a command with the container engines of the tests: `cargo xtask with-containers cargo test -p web`.
    WithContainers {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Runs a command and writes what it used: microseconds of CPU, and KiB of its largest process.
    #[command(hide = true)]
    UsedBy {
        /// The command and its arguments.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
    /// Writes what the compiler says now over the expected messages in `tests/ui`.
    ///
    /// Read the difference as a user would before committing it: does a message name the thing, the line, and what to
    /// write instead?
    UiBless,
    /// Runs a command where the tests' libvirt is, with the variables by which tests find it. Only root can.
    ///
    /// Installs what is missing of libvirt and QEMU, builds the guest, and ends all of it with the command:
    /// `cargo xtask with-libvirt cargo test -p carthage-conformance --features libvirt --test vm`.
    WithLibvirt(with_libvirt::Arguments),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().chore {
        Chore::BenchCompile(arguments) => bench_compile::run(&arguments),
        Chore::BenchVm(arguments) => bench_vm::run(&arguments),
        Chore::Install => test::install(),
        Chore::BenchSsh => bench_ssh::run(),
        Chore::Pages => pages::run(root()),
        Chore::Test => test::run(),
        Chore::WithContainers { command } => test::with_containers(&command),
        Chore::UsedBy { command } => bench_compile::used_by(&command),
        Chore::UiBless => ui_bless::run(),
        Chore::WithLibvirt(arguments) => with_libvirt::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's directory.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}
