//! What many machines cost whose work is nothing: 100, 1,000 and 10,000 simulated ones with 20 tasks each are deployed, resolved
//! and planned again, each in a process of its own. The state is in memory, so that no time goes into waiting for a disk: there a
//! sync costs nothing. How often a disk would have been waited for is counted. Beside what a clock says, which depends on who else
//! is busy, stands what the processor was used for: the program itself, and the system on its behalf, which is files above all. `MACHINES=100,1000` measures those only, and
//! `STATE=/var/tmp` on the disk that is there.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for people")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use carthage::backend::Simulated;
use carthage::deploy::{Access, Deployment, Options, Selection};
use carthage::prelude::*;
use carthage::state::storage::Disk;

/// How many machines.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
/// How many tasks each has.
const TASKS: usize = 20;
/// How often what changes nothing is measured; the least counts.
const ROUNDS: usize = 3;

/// Where all are.
#[network(v4 = "10.0.0.0/16", pool = "10.0.0.10-10.0.255.200")]
struct Lan;

/// Tasks that do nothing: what is left is the engine's own.
struct Work;

macro_rules! tasks {
    ($first:ident $($task:ident)*) => {
        #[customization]
        impl Work {
            #[setup_task(hash = 1u8)]
            async fn $first(&self, _: &Host) -> Result<()> {
                Ok(())
            }
            $(
                #[setup_task(after = $first, hash = 1u8)]
                async fn $task(&self, _: &Host) -> Result<()> {
                    Ok(())
                }
            )*
        }
    };
}

tasks!(a b c d e f g h i j k l m n o p q r s t);

/// One of many.
#[machine_model]
struct Node {
    #[link]
    eth0: Link<Lan>,
    #[customize(Work)]
    work: Work,
}

/// All of them.
#[layout(name = "scale", implementation = Simulated)]
struct Scale {
    lan: Lan,
    #[member(list = (0..machines()).map(|n| format!("n{n}")))]
    nodes: Fleet<Node>,
}

fn machines() -> usize {
    std::env::var("MACHINES").unwrap().parse().unwrap()
}

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [phase, state] = &arguments[..] {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(run(phase, state.as_ref()));
        return ExitCode::SUCCESS;
    }
    let asked = |name: &str| std::env::var(name).ok();
    let sizes = asked("MACHINES").map(|sizes| sizes.split(',').map(|size| size.parse().unwrap()).collect());
    let sizes: Vec<usize> = sizes.unwrap_or_else(|| SIZES.to_vec());
    let place = asked("STATE").unwrap_or_else(|| "/dev/shm".to_owned());
    println!("machines  phase    seconds  µs/task  CPU: program  system  syncs/task  MiB");
    let mut seconds = Vec::new();
    for &size in &sizes {
        let state = tempfile::Builder::new().prefix("carthage-scale-").tempdir_in(&place).unwrap();
        for (phase, rounds) in [("deploy", 1), ("resolve", ROUNDS), ("plan", ROUNDS)] {
            let mut measured: Vec<_> = (0..rounds).map(|_| measure(phase, size, state.path())).collect();
            measured.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let [took, program, system, syncs, mib] = measured[0];
            let each = |seconds: f64| seconds * 1e6 / (size * TASKS) as f64;
            let syncs = syncs / (size * TASKS) as f64;
            println!(
                "{size:>8}  {phase:<7}  {took:>7.3}  {:>7.2}  {:>12.2}  {:>6.2}  {syncs:>10.2}  {mib:>3}",
                each(took),
                each(program),
                each(system)
            );
            seconds.push((phase, size, took));
        }
    }
    if sizes.len() < 2 {
        return ExitCode::SUCCESS;
    }
    println!("\nphase    grows as machines to the power of");
    for phase in ["deploy", "resolve", "plan"] {
        let of: Vec<_> = seconds.iter().filter(|(other, ..)| *other == phase).collect();
        let (few, many) = (of[of.len() - 2], of[of.len() - 1]);
        println!("{phase:<7}  {:.2}", (many.2 / few.2).ln() / (many.1 as f64 / few.1 as f64).ln());
    }
    ExitCode::SUCCESS
}

/// Seconds, those of the program and of the system, syncs and MiB of one phase, in a process of its own.
fn measure(phase: &str, size: usize, state: &Path) -> [f64; 5] {
    let mut program = Command::new(std::env::current_exe().unwrap());
    let output = program.arg(phase).arg(state).env("MACHINES", size.to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<_> = said.split_whitespace().map(|number| number.parse().unwrap()).collect();
    said.try_into().unwrap()
}

async fn run(phase: &str, state: &Path) {
    let disk = Arc::new(Disk::default());
    let options = Options { state_dir: Some(state.to_owned()), storage: disk.clone(), ..Options::default() };
    let (all, begun) = (Selection::all(), Instant::now());
    match phase {
        "deploy" => {
            let (deployment, _) = Deployment::open::<Scale>(Access::Change, options).await.unwrap();
            let report = deployment.deploy(&all).await.unwrap();
            assert_eq!(report.done.len(), 1 + machines() * (1 + TASKS), "{:?}", report.failed);
        }
        "resolve" => drop(Deployment::open::<Scale>(Access::Look, options).await.unwrap()),
        _ => {
            let (deployment, _) = Deployment::open::<Scale>(Access::Look, options).await.unwrap();
            assert!(deployment.plan(&all).await.unwrap().is_empty());
        }
    }
    let took = begun.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kib: u64 = peak.split_whitespace().next().unwrap().parse().unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    // Behind the name of the program: hundredths of seconds, as for all programs.
    let ticks: Vec<f64> = stat[stat.rfind(')').unwrap()..]
        .split_whitespace()
        .skip(12)
        .take(2)
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .collect();
    println!("{took} {} {} {} {}", ticks[0], ticks[1], disk.syncs(), kib / 1024);
}
