//! The first word with an engine: which it is, and which version of the interface it speaks.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bollard::ClientVersion;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long an engine may take to answer; systemd may have to start it first.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest answer that is read.
const LIMIT: u64 = 64 * 1024 * 1024;

/// Where an engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Unix(PathBuf),
    Tcp(String),
}

/// Which engine answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    /// The newest version of Docker's interface that it speaks.
    pub(super) api: (usize, usize),
    /// The version of Podman's own interface, if it is Podman.
    pub(super) libpod: Option<(usize, usize)>,
}

impl Hello {
    /// The version to speak with it: the newest that both know.
    pub(super) fn version(&self) -> ClientVersion {
        let newest = bollard::API_DEFAULT_VERSION;
        let (major_version, minor_version) = self.api.min((newest.major_version, newest.minor_version));
        ClientVersion { major_version, minor_version }
    }
}

/// Asks who is there.
///
/// The library asks for `/version`, for which Podman takes almost half a second, and does not show headers; `/_ping` says all that
/// is needed in its headers, as the engines' own programs know.
pub(super) async fn ask(address: &Address) -> io::Result<Hello> {
    let answer = get(address, "/_ping").await?;
    read(&answer).ok_or_else(|| io::Error::other("what answers there is no container engine"))
}

/// Gets something small, as it is: what the library does not understand.
pub(super) async fn get(address: &Address, path: &str) -> io::Result<String> {
    let asked = async {
        match address {
            Address::Unix(socket) => exchange(UnixStream::connect(socket).await?, path).await,
            Address::Tcp(host) => exchange(TcpStream::connect(host).await?, path).await,
        }
    };
    let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}"));
    tokio::time::timeout(PATIENCE, asked).await.map_err(late)?
}

/// The old version of the protocol, in which an answer comes in one piece and ends with the connection.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, path: &str) -> io::Result<String> {
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: engine\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(LIMIT).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The body of an answer that says that all is well.
pub(super) fn body(answer: &str) -> io::Result<&str> {
    let whole = || io::Error::other("what answers there is no container engine");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(whole)?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body),
        _ => Err(io::Error::other(body.trim().to_owned())),
    }
}

fn read(answer: &str) -> Option<Hello> {
    let (first, headers) = answer.split_once("\r\n")?;
    if first.split(' ').nth(1)? != "200" {
        return None;
    }
    let headers = headers.split("\r\n\r\n").next()?;
    let header = |wanted: &str| {
        headers.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let libpod = header("Libpod-Api-Version").and_then(version);
    Some(Hello { api: version(header("Api-Version")?)?, libpod })
}

/// The first two numbers of a version.
fn version(text: &str) -> Option<(usize, usize)> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_are_told_apart() {
        let docker = "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10.24 (linux)\r\n\r\nOK";
        let docker = read(docker).unwrap();
        assert_eq!(docker, Hello { api: (1, 41), libpod: None });
        assert_eq!((docker.version().major_version, docker.version().minor_version), (1, 41));
        let podman = "HTTP/1.1 200 OK\r\napi-version: 1.41\r\nLibpod-API-Version: 4.3.1\r\n\r\nOK";
        assert_eq!(read(podman).unwrap().libpod, Some((4, 3)));
        let newer = Hello { api: (1, 999), libpod: None };
        assert!(newer.version().minor_version < 999, "what only the engine knows is not spoken");
    }

    #[test]
    fn something_else_is_no_engine() {
        for answer in
            ["", "220 mail ready\r\n", "HTTP/1.1 404 Not Found\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nhi"]
        {
            assert_eq!(read(answer), None, "{answer}");
        }
    }
}
