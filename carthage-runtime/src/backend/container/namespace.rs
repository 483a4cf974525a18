//! The network of a container, entered from this host.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use rtnetlink::LinkUnspec;

use super::life::Container;
use super::transport::InContainer;
use crate::error::{Error, ErrorKind};
use crate::machine::engine::{Duplex, Namespace};

/// How long a connection may take to be made.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a running container's network is, as paths of this host.
pub(super) fn of(container: &Container, machine: &str, local: bool) -> Result<Namespace, Error> {
    let elsewhere = |why: &str| {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("the network of `{machine}` cannot be entered from here"),
        )
        .because(why.to_owned())
        .hint("name a machine whose network is on this host"))
    };
    let Some(pid) = container.pid().filter(|_| local) else {
        return elsewhere("its container engine is reached over the network");
    };
    let process = PathBuf::from(format!("/proc/{pid}"));
    // The engine may count in another namespace, as one in a virtual machine does.
    let groups = fs::read_to_string(process.join("cgroup")).unwrap_or_default();
    let (id, host) = (&container.id, container.inspected.config.as_ref());
    let hostname = host.and_then(|config| config.hostname.as_deref());
    if !groups.contains(id.as_str()) && !is_its_first(&process, hostname) {
        return elsewhere("its first process is not on this host");
    }
    let differs = |kind: &str| {
        let own = fs::read_link(format!("/proc/self/ns/{kind}")).ok();
        fs::read_link(process.join("ns").join(kind)).ok() != own
    };
    let user = differs("user").then(|| process.join("ns/user"));
    Ok(Namespace { user, net: process.join("ns/net") })
}

/// Whether a process is the first of a container: with version 2 of control groups it sees no more than its own.
fn is_its_first(process: &std::path::Path, hostname: Option<&str>) -> bool {
    let environment = fs::read(process.join("environ")).unwrap_or_default();
    let wanted = hostname.map(|name| format!("HOSTNAME={name}"));
    wanted.is_some_and(|wanted| environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes()))
}

/// Opens a connection from inside a container: in its network from this host, if that can be entered; else by a program in it.
pub(super) async fn dial(
    container: &Container,
    inside: InContainer,
    local: bool,
    to: SocketAddr,
) -> Result<Option<Box<dyn Duplex>>, Error> {
    let machine = inside.machine.clone();
    let failed = || format!("cannot connect to {to} from `{machine}`");
    let own = match of(container, &machine, local) {
        Ok(namespace) => enter(namespace, to).await,
        Err(error) => Err(io::Error::other(error.to_string())),
    };
    match own {
        Ok(stream) => {
            let stream = stream.map(tokio::net::TcpStream::from_std).transpose();
            Ok(stream.map_err(Error::host(failed()))?.map(|stream| Box::new(stream) as Box<dyn Duplex>))
        }
        Err(error) => Err(Error::host(failed())(error)),
    }
}

/// Connects from inside the namespace.
async fn enter(namespace: Namespace, to: SocketAddr) -> io::Result<Option<TcpStream>> {
    let connect = move || match TcpStream::connect_timeout(&to, PATIENCE) {
        Ok(stream) => {
            stream.set_nonblocking(true)?;
            Ok(Some(stream))
        }
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(None),
        Err(error) => Err(error),
    };
    within(namespace, connect).await
}

/// Sets the hardware address of an interface.
pub(super) async fn set_mac(namespace: Namespace, interface: &str, mac: [u8; 6]) -> io::Result<()> {
    let message = LinkUnspec::new_with_name(interface).address(mac.to_vec()).build();
    let set = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let (connection, handle, _) = rtnetlink::new_connection()?;
            tokio::spawn(connection);
            handle.link().set(message).execute().await.map_err(io::Error::other)
        })
    };
    within(namespace, set).await
}

/// Sets the host name of a container in the network of another.
pub(super) async fn set_hostname(namespace: Namespace, hostname: String) -> io::Result<()> {
    let uts = namespace.net.with_file_name("uts");
    let set = move || Ok(nix::unistd::sethostname(hostname)?);
    within_kind(namespace.user, uts, CloneFlags::CLONE_NEWUTS, set).await
}

/// Does something that blocks in a thread that has gone into the network, and ends there.
async fn within<T: Send + 'static>(
    namespace: Namespace,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    within_kind(namespace.user, namespace.net, CloneFlags::CLONE_NEWNET, work).await
}

/// The same in a namespace of another kind.
async fn within_kind<T: Send + 'static>(
    user: Option<PathBuf>,
    namespace: PathBuf,
    kind: CloneFlags,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let gone = move || {
        if let Some(user) = &user {
            setns(fs::File::open(user)?, CloneFlags::CLONE_NEWUSER)?;
        }
        setns(fs::File::open(&namespace)?, kind)?;
        work()
    };
    std::thread::Builder::new().name("carthage-network".to_owned()).spawn(move || {
        // Whoever asked may have given up.
        sender.send(gone()).ok();
    })?;
    receiver.await.map_err(io::Error::other)?
}
