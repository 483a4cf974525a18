//! What a layout of many machines adds to a clean `cargo check`, in CPU seconds.
//!
//! Every machine has a type of its own, as the dearest case: links, injected values, a customization with tasks, and a machine
//! that it starts after. The crate is generated once empty, once with the models only, and once with the layout's check.

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
    /// How many times each crate is checked; the least counts.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Leaves the generated crate in this directory, to look at.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// Machines in an enclave, with a network of their own.
const ENCLAVE: usize = 50;
/// Values that the layout provides, and that each machine wants some of.
const VALUES: usize = 35;
const WANTED: usize = 3;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let scratch = tempfile::tempdir()?;
    let home = arguments.keep.as_deref().unwrap_or(scratch.path());
    let layout = Layout { machines: arguments.machines };
    let bench = Bench::new(home, arguments.runs)?;
    let empty = bench.check("")?;
    let models = bench.check(&layout.to_string())?;
    let checked = bench.check(&format!("{layout}{CHECK}"))?;
    let added = checked.saturating_sub(empty);
    println!("{} machines, least of {} runs, CPU seconds", arguments.machines, arguments.runs);
    println!("  empty crate       {:6.2}", empty.as_secs_f64());
    println!("  models            {:6.2}", models.as_secs_f64());
    println!("  models and check  {:6.2}", checked.as_secs_f64());
    println!(
        "  added             {:6.2}, {:.2} of it by the check; {:.0} µs for a machine",
        added.as_secs_f64(),
        checked.saturating_sub(models).as_secs_f64(),
        added.as_secs_f64() * 1e6 / arguments.machines.max(1) as f64
    );
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

/// The source of a layout, as the attributes would write it.
struct Layout {
    machines: usize,
}

const CHECK: &str = "
const SIZE: Size = Size::of(LAYOUT);
static TABLES: Tables<{ SIZE.rows }, { SIZE.text }, { SIZE.entries }, { SIZE.slots }> = Tables::of(LAYOUT, SIZE);
pub const PLACEMENTS: &Placements = &Placements::new(&TABLES);
const _: () = PLACEMENTS.check::<{ SIZE.scratch }>();
";

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "use std::net::Ipv4Addr;
             use carthage::model::*;
             const fn key(name: &'static str) -> Key { Key::new(\"bench\", name, 1, 1) }
             const fn at(line: u32) -> At { At::new(\"bench.rs\", line) }
             const fn need(key: Key, line: u32) -> Need { Need { key, mode: Mode::Required, name: \"value\", at: at(line) } }
             const fn address(host: u8) -> Option<Range4> {
                 let address = Ipv4Addr::new(10, 37, 0, host);
                 Some(Range4 { first: address, last: address })
             }
             const fn link(address: Option<Range4>, line: u32) -> Part {
                 Part::new(\"eth0\", at(line), Role::Link(Link { network: LAB, interface: \"eth0\", address, mac: None, mtu: None }))
             }
             const fn member(field: &'static str, node: &'static Node, line: u32) -> Part {
                 Part::new(field, at(line), Role::Member(Member { node, count: Count::One, name: None }))
             }
             const LAB: Key = key(\"Lab\");
             const LAB_NODE: &Node = &Node::new(Kind::Network, LAB, \"lab\", at(1)).addressing(
                 Addressing::at(at(1))
                     .v4(Cidr4 { network: Ipv4Addr::new(10, 37, 0, 0), prefix: 24 })
                     .pool(Range4 { first: Ipv4Addr::new(10, 37, 0, 100), last: Ipv4Addr::new(10, 37, 0, 200) }));\n",
        )?;
        for value in 0..VALUES {
            writeln!(f, "const VALUE_{value}: Key = key(\"Value{value}\");")?;
        }
        for machine in 0..self.machines {
            self.machine(f, machine)?;
        }
        let enclaves = self.machines.div_ceil(ENCLAVE);
        for enclave in 0..enclaves {
            let first = enclave * ENCLAVE;
            let members =
                (first..self.machines.min(first + ENCLAVE)).fold(String::new(), |mut members, m| {
                    let _ = write!(members, "member(\"machine_{m}\", MACHINE_{m}_NODE, {m}), ");
                    members
                });
            writeln!(
                f,
                "const ENCLAVE_{enclave}: &Node = &Node::new(Kind::Enclave, key(\"Enclave{enclave}\"), \"enclave-{enclave}\", at({enclave}))
                    .domain(\"enclave-{enclave}\").parts(&[member(\"lab\", LAB_NODE, 1), {members}]);"
            )?;
        }
        f.write_str(
            "const LAYOUT: &Node = &Node::new(Kind::Layout, key(\"Bench\"), \"bench\", at(1)).parts(&[\n",
        )?;
        for value in 0..VALUES {
            writeln!(
                f,
                "Part::new(\"value_{value}\", at(1), Role::Provide(Provide {{ key: VALUE_{value}, persist: false, uses: &[], needs: &[] }})),"
            )?;
        }
        for enclave in 0..enclaves {
            writeln!(f, "member(\"enclave_{enclave}\", ENCLAVE_{enclave}, 1),")?;
        }
        f.write_str("]).implementation(&ImplementationNode::of::<Paper>());\n")?;
        f.write_str(PAPER)
    }
}

/// An implementation that is never opened.
const PAPER: &str = r#"
use carthage::machine::{engine, implementation};
pub struct Paper;
impl implementation::Implementation for Paper {
    const NAME: &'static str = "Paper";
    async fn open(_: engine::Site) -> Result<std::sync::Arc<dyn engine::Engine>, carthage::Error> {
        Err(carthage::Error::new(carthage::ErrorKind::Unsupported, "paper"))
    }
}
"#;

impl Layout {
    /// A machine's model and customization: every second has a fixed address, and each starts after the one before it.
    fn machine(&self, f: &mut fmt::Formatter<'_>, machine: usize) -> fmt::Result {
        let host = machine % ENCLAVE;
        let address =
            if host.is_multiple_of(2) { format!("address({})", host + 1) } else { "None".to_owned() };
        let wanted = |nth: usize| format!("VALUE_{}", (machine * WANTED + nth) % VALUES);
        let depends = match host {
            0 => String::new(),
            _ => format!(
                ".depends_on(&[Dependency {{ key: MACHINE_{}, field: None, at: at({machine}) }}])",
                machine - 1
            ),
        };
        writeln!(
            f,
            "const MACHINE_{machine}: Key = key(\"Machine{machine}\");
            const SITE_{machine}: &Node = &Node::new(Kind::Customization, key(\"Site{machine}\"), \"site-{machine}\", at({machine})).tasks(&[
                TaskNode {{ name: \"index\", about: \"Writes the page.\", at: at({machine}), after: &[], source: {machine}, needs: &[] }},
                TaskNode {{ name: \"serve\", about: \"Serves it.\", at: at({machine}), after: &[0], source: {machine}, needs: &[need({}, {machine})] }},
            ]);
            const MACHINE_{machine}_NODE: &Node = &Node::new(Kind::Machine, MACHINE_{machine}, \"machine-{machine}\", at({machine})).parts(&[
                link({address}, {machine}),
                Part::new(\"first\", at({machine}), Role::Inject(need({}, {machine}))),
                Part::new(\"second\", at({machine}), Role::Inject(need({}, {machine}))),
                Part::new(\"site\", at({machine}), Role::Customize(SITE_{machine})),
            ]){depends};",
            wanted(0), wanted(1), wanted(2),
        )
    }
}
