//! The connection to libvirt: made when it is needed, and used away from the threads of the runtime.

use std::sync::{Arc, Mutex, Once, PoisonError};

use virt::connect::Connect;
use virt::error::{ErrorNumber, clear_error_callback};

use crate::error::{Error, ErrorKind};

/// Where libvirt is if nobody says so.
const DEFAULT: &str = "qemu:///system";
/// The variable of libvirt's own that says so.
const VARIABLE: &str = "LIBVIRT_DEFAULT_URI";

/// A hypervisor. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client(Arc<Inner>);

struct Inner {
    uri: String,
    connection: Mutex<Option<Arc<Connect>>>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hypervisor").field("uri", &self.uri).finish_non_exhaustive()
    }
}

impl Client {
    /// The hypervisor that the layout names, else the environment, else this host's.
    pub(super) fn new(given: Option<&str>) -> Self {
        let named = || std::env::var(VARIABLE).ok().filter(|uri| !uri.is_empty());
        let uri = given.map(str::to_owned).or_else(named).unwrap_or_else(|| DEFAULT.to_owned());
        Self(Arc::new(Inner { uri, connection: Mutex::new(None) }))
    }

    /// Whether it runs machines for the whole host, and not for one user.
    pub(super) fn is_system(&self) -> bool {
        !self.0.uri.split('?').next().unwrap_or_default().ends_with("/session")
    }

    /// Does something with the connection, away from the threads of the runtime.
    pub(super) async fn off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connect) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let client = self.clone();
        tokio::task::spawn_blocking(move || work(&*client.connection()?))
            .await
            .map_err(Error::host("the work with libvirt was given up"))?
    }

    /// The connection, made anew if it was lost.
    fn connection(&self) -> Result<Arc<Connect>, Error> {
        // libvirt prints every error by itself unless told otherwise; what it says is in ours.
        static QUIET: Once = Once::new();
        QUIET.call_once(clear_error_callback);
        let mut connection = self.0.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = connection.as_ref().filter(|connection| connection.is_alive() == Ok(true)) {
            return Ok(Arc::clone(connection));
        }
        let made = Connect::open(Some(&self.0.uri)).map_err(|error| self.unreachable(&error))?;
        Ok(Arc::clone(connection.insert(Arc::new(made))))
    }

    /// Ends the connection, if nobody uses it now.
    pub(super) fn let_go(&self) {
        *self.0.connection.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn unreachable(&self, error: &virt::error::Error) -> Error {
        let uri = &self.0.uri;
        Error::new(ErrorKind::Unsupported, format!("the hypervisor `{uri}` does not answer"))
            .because(error.message().to_owned())
            .hint(format!(
                "install and start libvirt (`apt-get install libvirt-daemon-system qemu-system-x86`, `systemctl start libvirtd`), \
                 let your user use it (`adduser $USER libvirt`), or name another hypervisor in `{VARIABLE}`"
            ))
    }
}

/// An error of libvirt's as one of ours, shaped for `map_err`.
pub(super) fn failed(what: impl Into<String>) -> impl FnOnce(virt::error::Error) -> Error {
    let what = what.into();
    move |error| Error::new(ErrorKind::Host, what).because(error.message().to_owned())
}

/// What was looked up, if it exists.
pub(super) fn found<T>(answer: Result<T, virt::error::Error>) -> Result<Option<T>, virt::error::Error> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) => match error.code() {
            ErrorNumber::NoDomain
            | ErrorNumber::NoNetwork
            | ErrorNumber::NoStoragePool
            | ErrorNumber::NoStorageVolume => Ok(None),
            _ => Err(error),
        },
    }
}

/// That something was done is what is wanted, even if somebody else did it: whether the thing is gone by now.
pub(super) fn gone(answer: Result<(), virt::error::Error>) -> Result<(), virt::error::Error> {
    found(answer).map(drop)
}
