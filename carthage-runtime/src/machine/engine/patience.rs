//! How long what is asked may take before it is given up.

use std::fmt;
use std::future::Future;
use std::str::FromStr;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// What has a limit in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Operation {
    /// To look whether something exists and runs, and what a host allows.
    Look,
    /// To make something: an image may have to be fetched.
    Make,
    /// To start a machine, until it takes commands: a real one has firmware that takes its time.
    Start,
    /// All else that an implementation does; to stop a machine, on top of the time that it gets to end by itself.
    Change,
    /// What is asked of code and machines to know what has to be done: `check_completed`, invalidators, comparing building blocks,
    /// `dynamic_dependencies`, `when` and lists of members.
    Check,
    /// One try of a task's body that has no `timeout_seconds`.
    Task,
}

impl Operation {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 6] = [
        ("look", Self::Look),
        ("make", Self::Make),
        ("start", Self::Start),
        ("change", Self::Change),
        ("check", Self::Check),
        ("task", Self::Task),
    ];
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.into_iter().find(|(_, operation)| operation == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// For what nobody has said how long it takes.
pub(super) const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long each may take before it is given up.
///
/// ```
/// use carthage::deploy::{Limit, Limits, Options};
/// use std::time::Duration;
///
/// let mut limits = Limits { check: Duration::from_secs(30), ..Limits::default() };
/// limits.set("start=20m".parse::<Limit>()?);
/// assert_eq!(limits.start, Duration::from_secs(20 * 60));
/// let options = Options { limits, ..Options::default() };
/// # Ok::<(), carthage::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// [`Operation::Look`]: five minutes.
    pub look: Duration,
    /// [`Operation::Make`]: two hours.
    pub make: Duration,
    /// [`Operation::Start`]: one hour.
    pub start: Duration,
    /// [`Operation::Change`]: ten minutes.
    pub change: Duration,
    /// [`Operation::Check`]: ten minutes.
    pub check: Duration,
    /// [`Operation::Task`]: a day if nothing is said, for nobody but its author knows how long a body takes.
    pub task: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let (look, make, start) = (minutes(5), minutes(2 * 60), minutes(60));
        Self { look, make, start, change: minutes(10), check: minutes(10), task: None }
    }
}

impl Limits {
    /// With this in place of one of them.
    pub fn set(&mut self, limit: Limit) {
        let Limit { operation, time } = limit;
        match operation {
            Operation::Look => self.look = time,
            Operation::Make => self.make = time,
            Operation::Start => self.start = time,
            Operation::Change => self.change = time,
            Operation::Check => self.check = time,
            Operation::Task => self.task = Some(time),
        }
    }

    /// With so much more for changes: the time that a machine gets to end by itself.
    pub(crate) fn and_grace(self, grace: Duration) -> Self {
        Self { change: self.change.saturating_add(grace), ..self }
    }

    /// All that there are.
    #[must_use]
    pub fn all(&self) -> Vec<Limit> {
        let named = Operation::ALL.into_iter();
        named.map(|(_, operation)| Limit { operation, time: self.of(operation) }).collect()
    }

    fn of(&self, operation: Operation) -> Duration {
        match operation {
            Operation::Look => self.look,
            Operation::Make => self.make,
            Operation::Start => self.start,
            Operation::Change => self.change,
            Operation::Check => self.check,
            Operation::Task => self.task.unwrap_or(A_DAY),
        }
    }

    /// Has a task's body run once, for no longer than the task says, or this does.
    ///
    /// # Errors
    /// Those of the body, and when it is not done in time; it is given up then.
    pub(super) async fn tried<E: From<Error>>(
        &self,
        own: Option<u64>,
        body: impl Future<Output = Result<(), E>>,
    ) -> Result<(), E> {
        let time = own.map_or(self.of(Operation::Task), Duration::from_secs);
        let late = |_| {
            let limit = Limit { operation: Operation::Task, time };
            let hint = match own {
                Some(_) => "see what it waits for; if it needs longer: its `timeout_seconds`".to_owned(),
                None => format!(
                    "see what it waits for; if it needs longer: `timeout_seconds` at the task, or `--limit {}`",
                    limit.longer()
                ),
            };
            let what = format!("it was not done after {}", limit.in_words());
            Err(Error::new(ErrorKind::Timeout, what).hint(hint).into())
        };
        tokio::time::timeout(time, body).await.unwrap_or_else(late)
    }

    /// Waits for work on something of this name, and for no longer than its limit.
    ///
    /// # Errors
    /// Those of the work, and when it does not end in time; it is given up then.
    pub(crate) async fn within<T>(
        &self,
        operation: Operation,
        verb: &str,
        name: &str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let late = |limit: Limit| {
            let why = format!("it was not done after {}", limit.in_words());
            let hint = format!(
                "see what the host is doing, and deploy again: that goes on from here; if it needs longer: `--limit {}`",
                limit.longer()
            );
            Error::new(ErrorKind::Timeout, format!("cannot {verb} `{name}`")).because(why).hint(hint)
        };
        self.keep(operation, work, late).await
    }

    /// Waits for what was asked of code of the user's, `what` in words, and for no longer than its limit.
    ///
    /// # Errors
    /// Its own, as `failed` puts them, and when it does not answer in time; it is given up then.
    pub(super) async fn answered<T, E>(
        &self,
        what: impl FnOnce() -> String,
        failed: impl FnOnce(E) -> Error,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        let late = |limit: Limit| {
            let text = format!("{} did not answer within {}", what(), limit.in_words());
            let hint = format!("see what it waits for; if it needs longer: `--limit {}`", limit.longer());
            Error::new(ErrorKind::Timeout, text).hint(hint)
        };
        let answered = async { asked.await.map_err(failed) };
        self.keep(Operation::Check, answered, late).await
    }

    async fn keep<T>(
        &self,
        operation: Operation,
        work: impl Future<Output = Result<T, Error>>,
        late: impl FnOnce(Limit) -> Error,
    ) -> Result<T, Error> {
        let time = self.of(operation);
        match tokio::time::timeout(time, work).await {
            Ok(ended) => ended,
            Err(_) => Err(late(Limit { operation, time })),
        }
    }
}

/// A limit for one of them: `start=20m`, `check=30s`.
///
/// ```
/// use carthage::deploy::Limit;
/// use std::time::Duration;
///
/// let limit: Limit = "check=1m 30s".parse()?;
/// assert_eq!((limit.to_string().as_str(), limit.time), ("check=1m30s", Duration::from_secs(90)));
/// assert!("checks=30s".parse::<Limit>().is_err() && "check=0s".parse::<Limit>().is_err());
/// # Ok::<(), carthage::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What it is for.
    pub operation: Operation,
    /// How long that may take.
    pub time: Duration,
}

impl Limit {
    fn in_words(self) -> humantime::FormattedDuration {
        humantime::format_duration(self.time)
    }

    /// Twice as long.
    fn longer(self) -> Self {
        Self { time: self.time.saturating_mul(2), ..self }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As one word of a command line.
        write!(f, "{}={}", self.operation, self.in_words().to_string().replace(' ', ""))
    }
}

impl FromStr for Limit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = |why: String| {
            Error::new(ErrorKind::Usage, format!("`{text}` is no limit"))
                .because(why)
                .hint("write `OPERATION=TIME`, such as `start=20m` or `check=30s`")
        };
        let (name, time) = text.split_once('=').ok_or_else(|| wrong("there is no `=`".to_owned()))?;
        let known = Operation::ALL.into_iter().find(|(known, _)| *known == name);
        let (_, operation) = known.ok_or_else(|| {
            let names = Operation::ALL.map(|(known, _)| known).join("`, `");
            wrong(format!("`{name}` is no operation; there are `{names}`"))
        })?;
        let time = humantime::parse_duration(time)
            .map_err(|_| wrong(format!("`{time}` is no time; `30s`, `20m` and `1h 30m` are")))?;
        if time.is_zero() {
            return Err(wrong("nothing is done in no time".to_owned()));
        }
        Ok(Self { operation, time })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::chain;

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let mut limits = Limits::default();
        for (limit, seconds, words) in [(None, 3600, "1h"), (Some("start=90s"), 90, "1m 30s")] {
            limit.into_iter().for_each(|limit| limits.set(limit.parse().unwrap()));
            let begun = tokio::time::Instant::now();
            let never = std::future::pending::<Result<(), _>>();
            let error = limits.within(Operation::Start, "start", "web", never).await.unwrap_err();
            assert_eq!(begun.elapsed().as_secs(), seconds);
            assert_eq!(error.kind(), ErrorKind::Timeout);
            assert_eq!(chain(&error), format!("cannot start `web`: it was not done after {words}"));
        }
        let never = std::future::pending::<Result<(), _>>();
        let error = limits.within(Operation::Start, "start", "web", never).await.unwrap_err();
        assert!(error.next_step().unwrap().ends_with("`--limit start=3m`"), "{:?}", error.next_step());
    }

    #[test]
    fn limits_as_they_are_written() {
        let wrong = |text: &str| chain(&text.parse::<Limit>().unwrap_err());
        assert_eq!(wrong("30s"), "`30s` is no limit: there is no `=`");
        assert_eq!(
            wrong("checks=30s"),
            "`checks=30s` is no limit: `checks` is no operation; there are `look`, `make`, `start`, `change`, `check`, `task`"
        );
        for time in ["", "soon", "30", "-1s", "99999999999999999999h"] {
            assert!(wrong(&format!("check={time}")).contains("is no time"), "{time}");
        }
        assert!(wrong("check=0s").ends_with("nothing is done in no time"));
        let mut limits = Limits::default();
        for (name, operation) in Operation::ALL {
            limits.set(format!("{name}=7s").parse().unwrap());
            assert_eq!(
                (operation.to_string().as_str(), limits.of(operation)),
                (name, Duration::from_secs(7))
            );
        }
    }
}
