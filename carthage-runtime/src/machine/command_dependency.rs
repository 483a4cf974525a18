//! A command that has to succeed in a machine before another one starts.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::start::{StartDependency, Starting};
use super::{Machine, Output};
use crate::error::{Error, ErrorKind, Result, chain};

/// The first pause; each is twice as long as the one before.
const SHORTEST: Duration = Duration::from_secs(1);

/// Pauses are not longer.
const LONGEST: Duration = Duration::from_secs(16);

/// What the last try is given, which is made when the time is over.
const LAST: Duration = Duration::from_secs(1);

/// After so many failures it is told what is waited for.
const QUIET: u32 = 2;

/// Bytes of what the command wrote to standard error, from its end, that are quoted.
const QUOTED: usize = 500;

/// Runs a command in a machine until it succeeds.
///
/// It is tried again after 1, 2, 4, 8 and 16 seconds, and every 16 seconds from then on, and a last time when its time is over.
///
/// It can be waited for anywhere, such as in a setup task:
///
/// ```no_run
/// # use std::time::Duration;
/// # use carthage::machine::start::CommandDependency;
/// # use carthage::prelude::*;
/// # async fn task(gateway: &Machine) -> Result<()> {
/// let answers = CommandDependency::new(gateway, ["ping", "-c1", "10.1.0.2"], Duration::from_secs(60));
/// answers.succeeds(|text| println!("{text}")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct CommandDependency {
    machine: Machine,
    argv: Vec<String>,
    limit: Duration,
}

impl CommandDependency {
    /// This command, in a machine that runs, for at most so long.
    #[must_use]
    pub fn new<A: Into<String>>(
        machine: &Machine,
        argv: impl IntoIterator<Item = A>,
        limit: Duration,
    ) -> Self {
        Self { machine: machine.clone(), argv: argv.into_iter().map(Into::into).collect(), limit }
    }

    /// Waits until it has succeeded. `tell` is called after the third failure, and after each from then on.
    ///
    /// # Errors
    /// When it has not before its time is over; the error says how it ended last.
    pub async fn succeeds(&self, tell: impl Fn(String)) -> Result<(), Error> {
        let tell = |failures, why: &str| tell(format!("waits for {self}: failed {failures} times, {why}"));
        until(self.limit, &SinceNow(Instant::now()), |left| self.tried(left), tell).await.map_err(
            |Late { tries, waited, why }| {
                let what = format!("{} had not succeeded after {} s", self.shown(), waited.as_secs());
                let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
                Error::new(ErrorKind::Timeout, what)
                    .because(format!("it was tried {times}; the last time {why}"))
                    .hint(format!(
                        "see why with `exec {} -- {}`, or give it more time",
                        self.machine.name(),
                        self.argv.join(" ")
                    ))
            },
        )
    }

    /// Runs it once, in the time that is left.
    async fn tried(&self, left: Duration) -> Result<(), String> {
        match timeout(left, self.machine.command(&self.argv).output()).await {
            Ok(Ok(output)) if output.exit.success() => Ok(()),
            Ok(Ok(output)) => Err(ended(&output)),
            Ok(Err(error)) => Err(format!("it could not be run: {}", chain(&*error))),
            Err(_) => Err(format!("it had not ended after {} s", left.as_secs())),
        }
    }

    fn shown(&self) -> String {
        format!("`{}` on `{}`", self.argv.join(" "), self.machine.name())
    }
}

impl fmt::Display for CommandDependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, for at most {} s", self.shown(), self.limit.as_secs())
    }
}

impl fmt::Debug for CommandDependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CommandDependency({self})")
    }
}

impl StartDependency for CommandDependency {
    async fn wait(&self, starting: &Starting) -> Result<()> {
        Ok(self.succeeds(|text| starting.tell(text)).await?)
    }
}

/// How a command ended that failed.
fn ended(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim_end();
    let mut from = said.len().saturating_sub(QUOTED);
    while !said.is_char_boundary(from) {
        from += 1;
    }
    match said {
        "" => format!("it failed with {}, and wrote no error", output.exit),
        said => format!("it failed with {}: {}", output.exit, &said[from..]),
    }
}

/// What did not succeed in its time.
#[derive(Debug, PartialEq, Eq)]
struct Late {
    tries: u32,
    waited: Duration,
    /// How the last try ended.
    why: String,
}

/// Time, as it passes here or in a test.
trait Time {
    /// Since it began.
    fn passed(&self) -> Duration;
    /// Waits.
    fn pause(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}

struct SinceNow(Instant);

impl Time for SinceNow {
    fn passed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn pause(&self, pause: Duration) {
        sleep(pause).await;
    }
}

/// Tries until it succeeds. Each try is told how much time is left.
async fn until<F: Future<Output = Result<(), String>>>(
    limit: Duration,
    time: &impl Time,
    attempt: impl Fn(Duration) -> F,
    tell: impl Fn(u32, &str),
) -> Result<(), Late> {
    let (mut tries, mut pause) = (0, SHORTEST);
    loop {
        let left = limit.saturating_sub(time.passed());
        let Err(why) = attempt(left.max(LAST)).await else { return Ok(()) };
        tries += 1;
        let waited = time.passed();
        if left.is_zero() || waited >= limit + LAST {
            return Err(Late { tries, waited, why });
        }
        if tries > QUIET {
            tell(tries, &why);
        }
        time.pause(pause.min(limit.saturating_sub(waited))).await;
        pause = LONGEST.min(2 * pause);
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;
    use std::sync::Mutex;

    use super::*;

    /// Time that passes in pauses only.
    #[derive(Default)]
    struct Paused(Mutex<Duration>);

    impl Time for Paused {
        fn passed(&self) -> Duration {
            *self.0.lock().unwrap()
        }

        async fn pause(&self, pause: Duration) {
            *self.0.lock().unwrap() += pause;
        }
    }

    /// When it is tried, in seconds from the beginning, and what is told, if the try of this number succeeds.
    async fn tries(limit: u64, succeeds: usize) -> (Vec<u64>, Vec<u32>, Result<(), Late>) {
        let (time, at, told) = (Paused::default(), Mutex::new(Vec::new()), Mutex::new(Vec::new()));
        let attempt = |_| {
            let mut at = at.lock().unwrap();
            at.push(time.passed().as_secs());
            ready(if at.len() == succeeds { Ok(()) } else { Err(format!("no {}", at.len())) })
        };
        let tell = |failures, _: &str| told.lock().unwrap().push(failures);
        let outcome = until(Duration::from_secs(limit), &time, attempt, tell).await;
        (at.into_inner().unwrap(), told.into_inner().unwrap(), outcome)
    }

    #[tokio::test]
    async fn pauses_grow_until_it_succeeds() {
        let (at, told, outcome) = tries(1000, 8).await;
        assert_eq!(at, [0, 1, 3, 7, 15, 31, 47, 63]);
        assert_eq!(told, [3, 4, 5, 6, 7]);
        assert_eq!(outcome, Ok(()));
        let (at, told, _) = tries(60, 3).await;
        assert_eq!((at, told), (vec![0, 1, 3], vec![]));
    }

    #[tokio::test]
    async fn the_last_try_is_made_when_the_time_is_over() {
        let (at, _, outcome) = tries(60, 0).await;
        assert_eq!(at, [0, 1, 3, 7, 15, 31, 47, 60]);
        let waited = Duration::from_secs(60);
        assert_eq!(outcome, Err(Late { tries: 8, waited, why: "no 8".into() }));
        assert_eq!(tries(1, 2).await.0, [0, 1]);
    }

    #[tokio::test]
    async fn a_try_that_hangs_has_the_time_that_is_left() {
        let time = Paused::default();
        let attempt = async |left: Duration| {
            time.pause(left).await;
            Err(format!("hung for {} s", left.as_secs()))
        };
        let late = until(Duration::from_secs(10), &time, attempt, |_, _| {}).await.unwrap_err();
        assert_eq!((late.tries, late.waited), (2, Duration::from_secs(11)));
        assert_eq!(late.why, "hung for 1 s");
    }
}
