//! The one error type of the library: what failed, why, and what to do next.

use std::error::Error as StdError;
use std::fmt;

/// Any error, as a body of a task or an expression in an attribute may return it.
///
/// `?` turns every [`std::error::Error`], a `String` or a `&str` into it.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The result that bodies of setup tasks return; the library's own functions return it with [`Error`].
///
/// ```
/// # use carthage_runtime::Result;
/// async fn body() -> Result<()> {
///     let port: u16 = "8080".parse()?; // any error converts
///     if port == 0 { return Err("port 0 cannot be served".into()) }
///     Ok(())
/// }
/// ```
pub type Result<T, E = BoxError> = std::result::Result<T, E>;

/// What kind of thing went wrong; decides exit codes and what a caller may retry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller named something that is not in the layout, or combined what does not go together.
    Usage,
    /// The thing does not exist (any more).
    NotFound,
    /// The host, or the implementation on it, cannot do what the layout asks.
    Unsupported,
    /// Another run holds the layout.
    Locked,
    /// What was planned is not what would be done now.
    Outdated,
    /// A state file is damaged, or was written by a newer version.
    Corrupt,
    /// The operating system or an engine refused an operation.
    Host,
    /// A command inside a machine failed, or could not be run.
    Command,
    /// A setup task failed.
    Task,
    /// An injected value could not be made.
    Injection,
    /// Something did not happen in the time given.
    Timeout,
    /// The run was interrupted.
    Interrupted,
}

impl ErrorKind {
    /// Whether it may go well when it is tried again: not where the layout, or what was asked for, has to be another.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Host | Self::Command | Self::Timeout)
    }
}

/// An error of the library: a clause that says what failed, its cause as [`source`](StdError::source), and a hint that
/// says what to do next.
///
/// ```
/// use carthage_runtime::{Error, ErrorKind};
/// let error = Error::new(ErrorKind::Usage, "no machine is called `mirorr`").hint("did you mean `mirror`?");
/// assert_eq!(error.to_string(), "no machine is called `mirorr`");
/// assert_eq!(error.next_step(), Some("did you mean `mirror`?"));
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    what: String,
    hint: Option<String>,
    source: Option<BoxError>,
}

impl Error {
    /// An error of `kind`; `what` is a lower-case clause without a full stop, which names the thing.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, what: what.into(), hint: None, source: None }))
    }

    /// Adds the next step for the user.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// An [`ErrorKind::Host`] error with its cause, shaped for `map_err`.
    ///
    /// ```
    /// use carthage_runtime::Error;
    /// let error = std::fs::read("/nonexistent").map_err(Error::host("cannot read `/nonexistent`")).unwrap_err();
    /// assert!(std::error::Error::source(&error).is_some());
    /// ```
    pub fn host<E: Into<BoxError>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::new(ErrorKind::Host, what).because(source)
    }

    /// What kind of error this is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What the user can do next, where it is known.
    #[must_use]
    pub fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, chain(self))?;
        self.0.hint.iter().try_for_each(|hint| write!(f, " (next: {hint})"))
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as _)
    }
}

/// The whole chain of causes on one line, joined by `: `.
///
/// ```
/// use carthage_runtime::{Error, ErrorKind, chain};
/// let error = Error::new(ErrorKind::Host, "cannot start").because("no such device");
/// assert_eq!(chain(&error), "cannot start: no such device");
/// ```
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| (*error).source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
