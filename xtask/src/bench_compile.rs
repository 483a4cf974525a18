//! What layouts add to `cargo check`, in CPU seconds, over the same structs without attributes.
//!
//! Every machine has three links and two customizations. The crate is generated plain, then with an enclave on top, which is not
//! checked as a whole, then with a layout. In the dearest shape every machine has a type of its own; in the other there are
//! arrays. As a yardstick, the plain structs are also checked with serde's `Serialize` and `Deserialize`.

mod source;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

use source::{Layout, Top};

/// Measures what layouts add to `cargo check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many machines the layouts have.
    #[arg(long, value_delimiter = ',', default_values_t = [250, 1000, 4000])]
    machines: Vec<usize>,
    /// How many machines of one type there are, in an array.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50])]
    arrays: Vec<usize>,
    /// How many times each crate is checked; the least counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Leaves the generated crate in this directory, to look at.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let home = arguments.keep.as_deref().unwrap_or(scratch.path());
    let bench = Bench::new(home, arguments.runs.max(1))?;
    println!(
        "CPU seconds of `cargo check`, least of {} runs; all but plain and peak are beyond plain; anew and edit \
             where the compiler remembers what it found, as it does by default",
        bench.runs
    );
    println!("machines  types   plain  models   check  in all    ratio    anew    edit   serde  peak MB");
    for &array in &arguments.arrays {
        for &machines in &arguments.machines {
            bench.row(machines, array.clamp(1, source::ENCLAVE))?;
        }
    }
    Ok(())
}

/// A crate that is checked again and again, with its dependencies built once.
struct Bench<'a> {
    home: &'a Path,
    target: PathBuf,
    runs: usize,
}

/// What a command used.
#[derive(Clone, Copy)]
struct Used {
    cpu: Duration,
    /// KiB of the largest process.
    peak: u64,
}

impl<'a> Bench<'a> {
    fn new(home: &'a Path, runs: usize) -> anyhow::Result<Self> {
        let root = crate::root();
        fs::create_dir_all(home.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"bench-compile\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\ncarthage = {{ path = {root:?} }}\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\n[workspace]\n",
        );
        fs::write(home.join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), home.join("Cargo.lock"))?;
        Ok(Self { home, target: root.join("target/bench-compile"), runs })
    }

    /// Measures layouts of one size and shape.
    fn row(&self, machines: usize, array: usize) -> anyhow::Result<()> {
        let layout = |top, edited| Layout { machines, array, top, edited };
        let clean = |top, incremental| self.clean(&layout(top, false), incremental);
        let plain = clean(Top::Plain, "0")?;
        let models = clean(Top::Enclave, "0")?;
        let all = clean(Top::Layout, "0")?;
        let anew = clean(Top::Layout, "1")?.cpu.saturating_sub(clean(Top::Plain, "1")?.cpu);
        let edits = |top| self.edited(&layout(top, false), &layout(top, true));
        let edit = edits(Top::Layout)?.saturating_sub(edits(Top::Plain)?);
        let derived = clean(Top::Derived, "0")?;
        let added = |more: Used, less: Used| more.cpu.saturating_sub(less.cpu).as_secs_f64();
        println!(
            "{machines:8} {:6} {:7.2} {:7.2} {:7.2} {:7.2} {:8.1} {:7.2} {:7.2} {:7.2} {:8}",
            machines.div_ceil(array),
            plain.cpu.as_secs_f64(),
            added(models, plain),
            added(all, models),
            added(all, plain),
            all.cpu.as_secs_f64() / plain.cpu.as_secs_f64(),
            anew.as_secs_f64(),
            edit.as_secs_f64(),
            added(derived, plain),
            all.peak / 1024,
        );
        Ok(())
    }

    /// The least that a clean check takes, whether the compiler writes down what it finds or not.
    fn clean(&self, layout: &Layout, incremental: &str) -> anyhow::Result<Used> {
        self.write(layout)?;
        // Builds the dependencies, and tells whether the source is right.
        self.check(incremental)?;
        let mut least = Used { cpu: Duration::MAX, peak: u64::MAX };
        for _ in 0..self.runs {
            self.forget()?;
            let used = self.check(incremental)?;
            least = Used { cpu: least.cpu.min(used.cpu), peak: least.peak.min(used.peak) };
        }
        Ok(least)
    }

    /// The least that a check takes after a line has changed, when the compiler remembers what it found before.
    fn edited(&self, before: &Layout, after: &Layout) -> anyhow::Result<Duration> {
        let mut least = Duration::MAX;
        self.forget()?;
        for run in 0..=self.runs {
            self.write(if run % 2 == 0 { before } else { after })?;
            let used = self.check("1")?;
            if run > 0 {
                least = least.min(used.cpu);
            }
        }
        Ok(least)
    }

    fn write(&self, layout: &Layout) -> anyhow::Result<()> {
        Ok(fs::write(self.home.join("src/lib.rs"), layout.to_string())?)
    }

    fn forget(&self) -> anyhow::Result<()> {
        self.cargo(&["clean", "--offline", "--package", "bench-compile"], "0").map(drop)
    }

    fn check(&self, incremental: &str) -> anyhow::Result<Used> {
        self.cargo(&["check", "--offline"], incremental)
    }

    /// What cargo used. This program runs it by way of itself: what the largest process used is only told of all that there ever were.
    fn cargo(&self, arguments: &[&str], incremental: &str) -> anyhow::Result<Used> {
        let output = Command::new(std::env::current_exe()?)
            .arg("used-by")
            .arg(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .current_dir(self.home)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", incremental)
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        // What the compiler says of long evaluations must not appear either.
        if !output.status.success() || said.contains("warning:") {
            anyhow::bail!("cargo {} did not go through cleanly:\n{said}", arguments.join(" "));
        }
        let numbers = String::from_utf8(output.stdout)?;
        let (cpu, peak) = numbers.trim().split_once(' ').context("no numbers")?;
        Ok(Used { cpu: Duration::from_micros(cpu.parse()?), peak: peak.parse()? })
    }
}

/// Runs a command and writes what it and its children used: microseconds of CPU, and KiB of the largest.
pub(crate) fn used_by(command: &[std::ffi::OsString]) -> anyhow::Result<()> {
    let [program, arguments @ ..] = command else { anyhow::bail!("which command?") };
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status()?;
    anyhow::ensure!(status.success(), "it failed: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let micros = |time: TimeVal| time.tv_sec() * 1_000_000 + time.tv_usec();
    println!("{} {}", micros(usage.user_time()) + micros(usage.system_time()), usage.max_rss());
    Ok(())
}
