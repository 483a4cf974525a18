//! The connection to an engine, and what its errors mean.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error as Failure;
use bollard::models::ContainerInspectResponse;
use bollard::query_parameters::InspectContainerOptions;
use bollard::{BollardRequest, Docker};
use serde_json::Value;

use super::dialect::Dialect;
use super::hello::{self, Address, Hello};
use super::names::Labels;
use crate::error::{Error, ErrorKind};

/// How long the engine may take for an ordinary request.
const PATIENCE: u64 = 120;

/// How long the engine may take to read and keep an image.
const LONG: Duration = Duration::from_secs(3600);

/// A connection to an engine; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) docker: Docker,
    pub(super) dialect: Dialect,
    /// Whether it is on this host, as far as can be told.
    pub(super) local: bool,
    address: Address,
    /// The version of the interface that is spoken, as paths begin with it.
    version: String,
    /// Where it is, for errors.
    pub(super) url: String,
}

impl Client {
    pub(super) fn new(address: &Address, hello: &Hello, url: &str) -> Result<Self, Error> {
        let version = hello.version();
        let dialect = Dialect::new(hello);
        let (docker, local) = match address {
            Address::Unix(path) => {
                let path = path.to_string_lossy();
                (Docker::connect_with_unix(&path, PATIENCE, &version), true)
            }
            Address::Tcp(host) => (Docker::connect_with_http(host, PATIENCE, &version), false),
        };
        let docker =
            docker.map_err(Error::host(format!("cannot connect to the container engine at `{url}`")))?;
        let version = format!("/v{}.{}", version.major_version, version.minor_version);
        let below = version.clone();
        let docker = docker.with_request_modifier(move |request| prefixed(request, &below));
        Ok(Self { docker, dialect, local, address: address.clone(), version, url: url.to_owned() })
    }

    /// That the engine answers.
    pub(super) async fn hello(&self) -> Result<(), Error> {
        let what = format!("the container engine at `{}` does not answer", self.url);
        hello::ask(&self.address).await.map(drop).map_err(Error::host(what))
    }

    /// A container, by its name or id; `None` if there is none.
    pub(super) async fn inspect(&self, container: &str) -> Result<Option<ContainerInspectResponse>, Failure> {
        match found(self.docker.inspect_container(container, None::<InspectContainerOptions>).await) {
            // Podman has states that Docker's interface does not know, between those that it does.
            Err(Failure::JsonDataError { .. }) => {
                let answer = self.get(&format!("/containers/{container}/json")).await?;
                Ok(Some(serde_json::from_value(with_known_state(answer))?))
            }
            other => other,
        }
    }

    /// All containers of the engine, running or not.
    pub(super) async fn containers(&self) -> Result<Vec<Listed>, Failure> {
        Ok(serde_json::from_value(self.get("/containers/json?all=true").await?)?)
    }

    /// All networks of the engine.
    ///
    /// Podman would look at all containers to answer as Docker does; in its own terms it says no more than is asked for.
    pub(super) async fn networks(&self) -> Result<Vec<ListedNetwork>, Failure> {
        let path = match self.dialect.own_interface() {
            None => format!("{}/networks", self.version),
            Some(below) => format!("{below}/networks/json"),
        };
        let answer = hello::get(&self.address, &path).await?;
        Ok(serde_json::from_str(hello::body(&answer)?)?)
    }

    /// Gets what the library would want to have in Docker's terms.
    async fn get(&self, path: &str) -> Result<Value, Failure> {
        let answer = hello::get(&self.address, &format!("{}{path}", self.version)).await?;
        Ok(serde_json::from_str(hello::body(&answer)?)?)
    }

    /// For a request that the library does not know: this body, below this path in place of the version.
    pub(super) fn changed(&self, below: Option<&str>, body: String) -> Docker {
        let below = below.map_or_else(|| self.version.clone(), str::to_owned);
        self.docker.clone().with_request_modifier(move |request| {
            prefixed(request.map(|_| bollard::body_full(body.clone().into())), &below)
        })
    }

    /// For what may take long.
    pub(super) fn patient(&self) -> Docker {
        self.docker.clone().with_timeout(LONG)
    }

    /// For what may take this much longer than usual.
    pub(super) fn waiting(&self, longer: Duration) -> Docker {
        self.docker.clone().with_timeout(longer + Duration::from_secs(PATIENCE))
    }

    /// An error of the engine, shaped for `map_err`.
    pub(super) fn failed(&self, what: impl Into<String>) -> impl FnOnce(Failure) -> Error {
        let (what, url) = (what.into(), self.url.clone());
        move |failure| match failure {
            Failure::DockerResponseServerError { message, .. } => {
                Error::new(ErrorKind::Host, what).because(message.trim().to_owned())
            }
            Failure::DockerStreamError { error } => {
                Error::new(ErrorKind::Host, what).because(error.trim().to_owned())
            }
            other => Error::new(ErrorKind::Host, what)
                .because(other)
                .hint(format!("does the container engine at `{url}` still run?")),
        }
    }
}

/// A container in a list.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) labels: Option<Labels>,
    network_settings: Option<Connected>,
}

/// A network in a list, as Docker or Podman writes it.
#[derive(Debug, serde::Deserialize)]
pub(super) struct ListedNetwork {
    #[serde(alias = "Name")]
    pub(super) name: String,
    #[serde(alias = "Id")]
    pub(super) id: String,
    #[serde(alias = "Labels")]
    pub(super) labels: Option<Labels>,
}

/// The networks of a container in a list.
#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Connected {
    networks: Option<HashMap<String, Value>>,
}

impl Listed {
    /// Whether it is on the network of this name.
    pub(super) fn is_on(&self, network: &str) -> bool {
        let networks = self.network_settings.as_ref().and_then(|connected| connected.networks.as_ref());
        networks.is_some_and(|networks| networks.contains_key(network))
    }
}

/// What the engine says of a container, with a state that Docker's interface has.
fn with_known_state(mut container: Value) -> Value {
    if let Some(status) = container.pointer_mut("/State/Status") {
        let known = match status.as_str().unwrap_or_default() {
            "configured" | "initialized" => "created",
            "stopped" => "exited",
            _ => return container,
        };
        *status = known.into();
    }
    container
}

/// The same request below another path. The library joins paths so that the version that was agreed on is lost.
fn prefixed(mut request: BollardRequest, below: &str) -> BollardRequest {
    let uri = request.uri().to_string();
    if let Some((scheme, rest)) = uri.split_once("://")
        && let Some((host, path)) = rest.split_once('/')
    {
        let path = match path.split_once('/') {
            Some((version, path)) if is_version(version) => path,
            _ => path,
        };
        // What was a URI is one with a few letters more.
        if let Ok(uri) = format!("{scheme}://{host}{below}/{path}").parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn is_version(part: &str) -> bool {
    let mut letters = part.chars();
    letters.next() == Some('v')
        && part.len() > 1
        && letters.all(|letter| letter.is_ascii_digit() || letter == '.')
}

/// The status with which the engine refused, if it did.
fn status(failure: &Failure) -> Option<u16> {
    match failure {
        Failure::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

/// What the engine said.
pub(super) fn message(failure: &Failure) -> &str {
    match failure {
        Failure::DockerResponseServerError { message, .. } => message,
        Failure::DockerStreamError { error } => error,
        _ => "",
    }
}

/// `None` when what was asked for does not exist.
pub(super) fn found<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if status(&failure) == Some(404) || is_gone_meanwhile(&failure) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whether a request failed because an image went meanwhile. Podman then lists none at all, and Docker may have lost the file only.
pub(super) fn is_gone_meanwhile(failure: &Failure) -> bool {
    let said = message(failure);
    ["image not known", "No such image", "failed to get digest sha256:"]
        .iter()
        .any(|words| said.contains(words))
}
