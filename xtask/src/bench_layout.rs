//! What a layout of many machines adds to a clean `cargo check`, in CPU seconds.
//!
//! The layout is written with the attributes. Unless `--array` says otherwise every machine has a type of its own, which is the
//! dearest case: with a link, injected values, a customization and a machine that it starts after. The crate is
//! generated empty, then with a plain enclave on top, which is not checked, then with the layout.

use std::fmt::{self, Write as _};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;

/// Measures what a large layout adds to `cargo check`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many machines the layout has.
    #[arg(long, default_value_t = 1000)]
    machines: usize,
    /// How many machines of one type there are, in an array.
    #[arg(long, default_value_t = 1)]
    array: usize,
    /// How many times each crate is checked; the least counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Leaves the generated crate in this directory, to look at.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Machines in an enclave, with a network of their own.
const ENCLAVE: usize = 50;
/// Values that the layout provides, and that each machine wants three of.
const VALUES: usize = 35;
/// Customizations that the machines share.
const CUSTOMIZATIONS: usize = 20;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let array = arguments.array.clamp(1, ENCLAVE);
    let scratch = tempfile::tempdir()?;
    let home = arguments.keep.as_deref().unwrap_or(scratch.path());
    let bench = Bench::new(home, arguments.runs)?;
    let source = |top| Layout { machines: arguments.machines, array, top }.to_string();
    let empty = bench.check("")?;
    let models = bench.check(&source("#[enclave]"))?;
    let checked = bench.check(&source("#[layout(implementation = Sandbox)]"))?;
    let seconds = |more: Duration, less: Duration| more.saturating_sub(less).as_secs_f64();
    println!(
        "{} machines of {} types, CPU seconds, least of {} runs",
        arguments.machines,
        arguments.machines.div_ceil(array),
        arguments.runs
    );
    println!("  the models    {:6.2}", seconds(models, empty));
    println!("  the check     {:6.2}", seconds(checked, models));
    println!("  added in all  {:6.2}", seconds(checked, empty));
    Ok(())
}

/// A crate that is checked again and again, with its dependencies built once.
struct Bench<'a> {
    home: &'a Path,
    target: PathBuf,
    runs: usize,
}

impl<'a> Bench<'a> {
    fn new(home: &'a Path, runs: usize) -> anyhow::Result<Self> {
        let root = crate::root();
        fs::create_dir_all(home.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"bench-layout\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\ncarthage = {{ path = {:?} }}\n\n[workspace]\n",
            root
        );
        fs::write(home.join("Cargo.toml"), manifest)?;
        fs::copy(root.join("Cargo.lock"), home.join("Cargo.lock"))?;
        Ok(Self { home, target: root.join("target/bench-layout"), runs })
    }

    /// The least CPU time of a clean check with this source.
    fn check(&self, source: &str) -> anyhow::Result<Duration> {
        fs::write(self.home.join("src/lib.rs"), format!("#![allow(dead_code)]\n{source}"))?;
        // Builds the dependencies, and tells whether the source is right.
        self.cargo(&["check", "--offline"])?;
        let mut least = Duration::MAX;
        for _ in 0..self.runs.max(1) {
            self.cargo(&["clean", "--offline", "--package", "bench-layout"])?;
            let before = children()?;
            self.cargo(&["check", "--offline"])?;
            least = least.min(children()?.saturating_sub(before));
        }
        Ok(least)
    }

    fn cargo(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .current_dir(self.home)
            .env("CARGO_TARGET_DIR", &self.target)
            .stdin(Stdio::null())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        // What the compiler says of long evaluations must not appear either.
        if !output.status.success() || said.contains("warning:") {
            anyhow::bail!("cargo {} did not go through cleanly:\n{said}", arguments.join(" "));
        }
        Ok(())
    }
}

/// CPU time of all children that have ended.
fn children() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let seconds = |time: TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    Ok(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// The source of a layout.
struct Layout {
    machines: usize,
    array: usize,
    /// The attribute of the top.
    top: &'static str,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "use carthage::prelude::*;
             #[network(v4 = \"10.37.0.0/24\", pool = \"10.37.0.100-10.37.0.200\")]
             pub struct Lab;\n",
        )?;
        for value in 0..VALUES {
            writeln!(f, "#[injectable]\npub struct Value{value}(pub u32);")?;
        }
        for customization in 0..CUSTOMIZATIONS {
            customize(f, customization)?;
        }
        let mut enclaves = String::new();
        for (enclave, first) in (0..self.machines).step_by(ENCLAVE).enumerate() {
            let last = self.machines.min(first + ENCLAVE);
            let mut members = String::new();
            for machine in (first..last).step_by(self.array) {
                self.machine(f, machine, first)?;
                match self.array.min(last - machine) {
                    1 => writeln!(members, "machine_{machine}: Machine{machine},")?,
                    count => writeln!(members, "machine_{machine}: [Machine{machine}; {count}],")?,
                }
            }
            writeln!(
                f,
                "#[enclave(domain = \"enclave-{enclave}\")]\npub struct Enclave{enclave} {{ lab: Lab,\n{members} }}"
            )?;
            writeln!(enclaves, "enclave_{enclave}: Enclave{enclave},")?;
        }
        writeln!(f, "{}\npub struct Bench {{", self.top)?;
        for value in 0..VALUES {
            writeln!(f, "#[provide(Value{value}({value}))]\nvalue_{value}: Arc<Value{value}>,")?;
        }
        writeln!(f, "{enclaves} }}")
    }
}

impl Layout {
    /// A machine's model: every second has fixed addresses, and each starts after the one before it.
    fn machine(&self, f: &mut fmt::Formatter<'_>, machine: usize, first: usize) -> fmt::Result {
        let count = self.array.min(self.machines.min(first + ENCLAVE) - machine);
        let host = machine - first + 1;
        let address = match ((machine / self.array).is_multiple_of(2), count) {
            (true, 1) => format!("(address = \"10.37.0.{host}\")"),
            (true, count) => format!("(address = \"10.37.0.{host}-10.37.0.{}\")", host + count - 1),
            _ => String::new(),
        };
        let depends = match machine - first {
            0 => String::new(),
            _ => format!("#[depends_on(Machine{})]", machine - self.array),
        };
        let (one, other) = (machine % VALUES, (machine + 1) % VALUES);
        let customization = machine % CUSTOMIZATIONS;
        writeln!(
            f,
            "/// A machine.
            #[machine_model(memory_mb = 256)]
            {depends}
            pub struct Machine{machine} {{
                #[link{address}]
                pub eth0: Link<Lab>,
                #[inject]
                pub one: Arc<Value{one}>,
                #[inject]
                pub other: Arc<Value{other}>,
                #[customize(Site{customization} {{ port: 8080 }})]
                pub site: Site{customization},
            }}"
        )
    }
}

/// A customization of two tasks.
fn customize(f: &mut fmt::Formatter<'_>, customization: usize) -> fmt::Result {
    writeln!(
        f,
        "pub struct Site{customization} {{ pub port: u16 }}
        #[customization]
        impl Site{customization} {{
            /// Writes the page.
            #[setup_task(hash = self.port)]
            async fn index(&self, host: &Host) -> Result<()> {{
                host.write(\"/srv/index.html\", \"hello\").await?;
                Ok(())
            }}
            /// Serves it.
            #[setup_task(after = index)]
            async fn serve(&self, host: &Host, #[inject] value: &Value{customization}) -> Result<()> {{
                host.spawn([\"httpd\", \"-p\", &(u32::from(self.port) + value.0).to_string()]).await?;
                Ok(())
            }}
        }}"
    )
}
