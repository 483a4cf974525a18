//! Where the engine is: the places, in their order.

use std::path::{Path, PathBuf};

use super::client::Client;
use super::hello::{self, Address};
use crate::error::{Error, ErrorKind};

/// The variables that name an engine, in their order.
const VARIABLES: [&str; 2] = ["DOCKER_HOST", "CONTAINER_HOST"];

/// A place to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    url: String,
    /// Who named it; nobody for a usual place.
    by: Option<String>,
}

/// Finds the engine that is meant.
///
/// # Errors
/// When none answers: one error that lists the places tried.
pub(super) async fn find(given: Option<&str>) -> Result<Client, Error> {
    let runtime_dir = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map_or_else(
        || PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw())),
        PathBuf::from,
    );
    let home = std::env::var_os("HOME").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let given = given.map(|url| expanded(url, variable)).transpose()?;
    look(&places(given, variable, &runtime_dir, home.as_deref())).await
}

/// What the layout says, in which a variable may stand for the whole address.
fn expanded(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<String, Error> {
    let Some(name) = url.strip_prefix('$') else { return Ok(url.to_owned()) };
    variable(name).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("the container engine at `{url}` cannot be found"))
            .because(format!("the environment has no `{name}`"))
            .hint(format!("set `{name}` to an address, such as `unix:///run/docker.sock`"))
    })
}

/// The places where the engine may be. One that somebody named is the only one.
fn places(
    given: Option<String>,
    variable: impl Fn(&str) -> Option<String>,
    runtime_dir: &Path,
    home: Option<&Path>,
) -> Vec<Place> {
    if let Some(url) = given {
        return vec![Place { url, by: Some("the layout".to_owned()) }];
    }
    for name in VARIABLES {
        if let Some(url) = variable(name) {
            return vec![Place { url, by: Some(format!("`{name}`")) }];
        }
    }
    let mut sockets = vec![runtime_dir.join("docker.sock")];
    sockets.extend(home.map(|home| home.join(".docker/run/docker.sock")));
    sockets.push(runtime_dir.join("podman/podman.sock"));
    sockets
        .extend(["/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock"].map(PathBuf::from));
    sockets.iter().map(|socket| Place { url: format!("unix://{}", socket.display()), by: None }).collect()
}

async fn look(places: &[Place]) -> Result<Client, Error> {
    let mut tried = Vec::new();
    for place in places {
        let address = address(&place.url)?;
        match hello::ask(&address).await {
            Ok(hello) => return Client::new(&address, &hello, &place.url),
            Err(error) => tried.push(match &place.by {
                Some(by) => format!("{} (named by {by}): {error}", place.url),
                None => format!("{}: {error}", place.url),
            }),
        }
    }
    Err(Error::new(ErrorKind::Unsupported, "no container engine answers").because(tried.join("; ")).hint(
        "start one: `systemctl start docker`, `systemctl --user start podman.socket`, or \
         `podman system service --time=0 unix:///run/podman/podman.sock`; or set `DOCKER_HOST` to where one listens",
    ))
}

/// What a URL means.
fn address(url: &str) -> Result<Address, Error> {
    let wrong = |cause: &str, hint: &str| {
        let what = format!("`{url}` is no address of a container engine that can be used");
        Err(Error::new(ErrorKind::Usage, what).because(cause.to_owned()).hint(hint))
    };
    match url.split_once("://") {
        Some(("unix", path)) if path.starts_with('/') => Ok(Address::Unix(path.into())),
        None if url.starts_with('/') => Ok(Address::Unix(url.into())),
        Some(("tcp" | "http", host)) => {
            let host = host.trim_end_matches('/');
            if std::env::var("DOCKER_TLS_VERIFY").is_ok_and(|verify| !verify.is_empty()) {
                return wrong("connections with TLS are not supported", "forward its socket by ssh instead");
            }
            match host.rsplit_once(':') {
                Some((_, port)) if port.parse::<u16>().is_ok() => Ok(Address::Tcp(host.to_owned())),
                _ => wrong("it names no port", "write `tcp://host:2375`"),
            }
        }
        Some(("ssh", host)) => {
            let (host, _) = host.split_once('/').unwrap_or((host, ""));
            let hint = format!(
                "forward its socket: `ssh -N -L /tmp/engine.sock:/run/docker.sock {host}`, and name `unix:///tmp/engine.sock`"
            );
            wrong("engines are not reached by ssh themselves", &hint)
        }
        _ => wrong(
            "it is neither a socket nor host and port",
            "write `unix:///run/docker.sock` or `tcp://host:2375`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(given: Option<&str>, variables: &[(&str, &str)]) -> Vec<String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        let home = Some(Path::new("/home/ann"));
        let given = given.map(str::to_owned);
        places(given, variable, Path::new("/run/user/7"), home).into_iter().map(|place| place.url).collect()
    }

    #[test]
    fn who_names_an_engine_means_it() {
        let both = [("DOCKER_HOST", "tcp://a:1"), ("CONTAINER_HOST", "unix:///b")];
        assert_eq!(urls(Some("unix:///c"), &both), ["unix:///c"]);
        assert_eq!(urls(None, &both), ["tcp://a:1"]);
        assert_eq!(urls(None, &both[1..]), ["unix:///b"]);
    }

    #[test]
    fn usual_places_in_their_order() {
        assert_eq!(
            urls(None, &[]),
            [
                "unix:///run/user/7/docker.sock",
                "unix:///home/ann/.docker/run/docker.sock",
                "unix:///run/user/7/podman/podman.sock",
                "unix:///run/docker.sock",
                "unix:///var/run/docker.sock",
                "unix:///run/podman/podman.sock",
            ]
        );
    }

    #[test]
    fn a_variable_may_stand_for_the_address() {
        let variable = |name: &str| (name == "ENGINE").then(|| "unix:///a".to_owned());
        assert_eq!(expanded("$ENGINE", variable).unwrap(), "unix:///a");
        assert_eq!(expanded("tcp://a:1", variable).unwrap(), "tcp://a:1");
        assert!(expanded("$OTHER", variable).unwrap_err().next_step().unwrap().contains("OTHER"));
    }

    #[test]
    fn addresses() {
        assert_eq!(address("unix:///a/b").unwrap(), Address::Unix("/a/b".into()));
        assert_eq!(address("/a/b").unwrap(), Address::Unix("/a/b".into()));
        assert_eq!(address("tcp://127.0.0.1:2375").unwrap(), Address::Tcp("127.0.0.1:2375".into()));
        for wrong in ["tcp://host", "ssh://root@host", "https://host:1", "docker", "unix://a"] {
            let error = address(wrong).unwrap_err();
            assert!(error.to_string().contains(wrong) && error.next_step().is_some(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn without_an_engine_all_places_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let place =
            |name: &str| Place { url: format!("unix://{}", dir.path().join(name).display()), by: None };
        let error = look(&[place("one.sock"), place("two.sock")]).await.unwrap_err();
        let text = format!("{error:?}");
        for word in ["one.sock", "two.sock", "systemctl", "DOCKER_HOST"] {
            assert!(text.contains(word), "{text}");
        }
    }
}
