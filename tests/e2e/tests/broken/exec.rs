//! Commands in machines that are not there, and commands that fail.

use std::process::Command;

use carthage_e2e::program::Program;
use carthage_e2e::{Ended, Lab, lab};

fn exec(lab: &Lab, machine: &str, argv: &[&str]) -> Ended {
    lab.run(&[&["exec", machine, "--"], argv].concat())
}

#[test]
fn where_there_is_no_machine() {
    let lab = lab!();
    exec(&lab, "server", &["true"])
        .code(125)
        .says("machine `server.test` is not deployed")
        .says("next: run `deploy`");
    assert!(!lab.state().exists());
    lab.deploy();
    lab.run(&["stop", "server"]).code(0);
    exec(&lab, "server", &["true"]).code(125).says("`server.test` is not running").says("start server.test");
    exec(&lab, "sevrer", &["true"])
        .code(125)
        .says("there is no machine `sevrer`")
        .says("did you mean `server.test`?");
    exec(&lab, "worker", &["true"]).code(125).says("did you mean `worker-");
    lab.run(&["shell", "vault"]).code(125).says("terminal");
}

#[test]
fn the_command_s_own_end_is_passed_on() {
    let lab = lab!();
    lab.deploy();
    for status in [0, 1, 7, 125, 255] {
        exec(&lab, "vault", &["sh", "-c", &format!("exit {status}")]).code(status);
    }
    exec(&lab, "vault", &["sh", "-c", "kill -KILL $$"]).code(128 + 9);
    exec(&lab, "vault", &["no-such-program"])
        .code(125)
        .says("no-such-program")
        .says("installed in the machine");
    let both = exec(&lab, "vault", &["sh", "-c", "echo out; echo err >&2"]).code(0);
    assert_eq!((both.stdout.as_str(), both.stderr.as_str()), ("out\n", "err\n"));
    let long = exec(&lab, "vault", &["sh", "-c", "yes 0123456789 | head -c 10000000"]).code(0);
    assert_eq!(long.stdout.len(), 10_000_000);
    // Input goes in to its end, and arguments are what they were.
    let input: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    let counted =
        Program::start(lab.command(&["exec", "vault", "--", "wc", "-c"]), Some(input)).ended().code(0);
    assert_eq!(counted.stdout.trim(), "800000");
    let odd = ["", " ", "$HOME", "'\"", "a\nb", "ü→", "-n", "--", "*"];
    let argv = [&["printf", "[%s]"], &odd[..]].concat();
    assert_eq!(exec(&lab, "vault", &argv).code(0).stdout, odd.map(|word| format!("[{word}]")).concat());
    let elsewhere =
        lab.run(&["exec", "-C", "/srv", "-e", "A=b c", "vault", "--", "sh", "-c", "pwd; echo \"$A\""]);
    assert_eq!(elsewhere.code(0).stdout, "/srv\nb c\n");
}

#[test]
fn whoever_is_killed_while_it_waits_leaves_nothing_running() {
    let lab = lab!();
    lab.deploy();
    let before = lab.world();
    let sleeping = lab.start(&["exec", "vault", "--", "sh", "-c", "setsid sleep 4321 & exec sleep 4322"]);
    carthage_e2e::wait::eventually("both sleep", || {
        let names = lab.footprint().processes.values().filter(|name| *name == "sleep").count();
        (names == 3).then_some(())
    });
    sleeping.signal(rustix::process::Signal::KILL);
    drop(sleeping.ended());
    lab.is_as(&before);
    // Asked to end, the command is asked in turn.
    let trapping = "trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done";
    let mut trapped = lab.start(&["exec", "vault", "--", "sh", "-c", trapping]);
    trapped.line("ready");
    trapped.signal(rustix::process::Signal::TERM);
    assert_eq!(trapped.ended().code(3).stdout, "ready\ncaught\n");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let lab = lab!();
    lab.deploy();
    let ended = piped(&lab, &["yes"], "head -n 1");
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("y\n", ""));
}

#[test]
fn a_reader_that_is_slow_gets_everything() {
    let lab = lab!();
    lab.deploy();
    let ended = piped(&lab, &["head", "-c", "150000", "/dev/zero"], "(sleep 1.5; wc -c)");
    assert_eq!((ended.stdout.trim(), ended.stderr.as_str()), ("150000", ""));
}

/// Runs a command in the vault whose output a shell on this side reads.
fn piped(lab: &Lab, argv: &[&str], reader: &str) -> Ended {
    let program = lab.command(&[&["exec", "vault", "--"], argv].concat());
    let mut pipeline = Command::new("sh");
    let script = format!("\"$0\" \"$@\" | {reader}");
    pipeline.args(["-c", &script]).arg(program.get_program()).args(program.get_args());
    pipeline.env_clear();
    pipeline.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Program::start(pipeline, None).ended().code(0)
}
