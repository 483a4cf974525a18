//! One request to a machine, in a process of its own.

use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::message::{MachineAnswer, MachineRequest};
use super::super::wire::{answer, receive, send};
use super::{etc, exec, file, service};
use crate::error::{Error, ErrorKind};
use crate::machine::engine::MachineSpec;

/// How long the other side may take to say what it wants.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a connection may take to be accepted.
const DIALLING: Duration = Duration::from_secs(10);

/// What a request leads to: an answer with descriptors.
pub(super) type Outcome = Result<(MachineAnswer, Vec<OwnedFd>), Error>;

/// Takes the request, and answers it. A machine that is offline has nothing but files.
pub(super) fn serve(connection: UnixStream, spec: &MachineSpec, offline: bool) {
    let request =
        connection.set_read_timeout(Some(PATIENCE)).and_then(|()| receive::<MachineRequest>(&connection));
    let (request, descriptors) = match request {
        Ok(Some(received)) => received,
        Ok(None) => return,
        Err(error) => {
            let error =
                Error::new(ErrorKind::Host, "the machine does not understand the request").because(error);
            reply(
                &connection,
                Err(error.hint("it was started by another version: stop it and start it again")),
            );
            return;
        }
    };
    let _ = connection.set_read_timeout(None);
    if offline && !matches!(request, MachineRequest::File { .. }) {
        let stopped = format!("the machine `{}` is not running", spec.name);
        return reply(&connection, Err(Error::new(ErrorKind::NotFound, stopped)));
    }
    match request {
        MachineRequest::Exec { command, terminal } => {
            exec::serve(connection, &command, terminal, descriptors)
        }
        MachineRequest::StartService(record) => service::serve(connection, &record, descriptors),
        MachineRequest::File { path, operation } => file::serve(&connection, path.as_ref(), operation),
        MachineRequest::StopService(name) => reply(&connection, service::stop(&name).map(done)),
        MachineRequest::Services => {
            reply(
                &connection,
                service::list().map(|services| (MachineAnswer::Services(services), Vec::new())),
            );
        }
        MachineRequest::SetHosts(hosts) => reply(&connection, etc::write_hosts(spec, &hosts).map(done)),
        MachineRequest::Dial(address) => reply(&connection, dial(address)),
    }
}

/// Sends an answer. Whoever has gone away does not get one.
pub(super) fn reply(connection: &UnixStream, outcome: Outcome) {
    let (result, descriptors) = match outcome {
        Ok((result, descriptors)) => (Ok(result), descriptors),
        Err(error) => (Err(error), Vec::new()),
    };
    let borrowed: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
    let _ = send(connection, &answer(result), &borrowed);
}

/// The answer to what needs none.
pub(super) fn done(_: ()) -> (MachineAnswer, Vec<OwnedFd>) {
    (MachineAnswer::Done, Vec::new())
}

fn dial(address: SocketAddr) -> Outcome {
    match TcpStream::connect_timeout(&address, DIALLING) {
        Ok(stream) => Ok((MachineAnswer::Done, vec![stream.into()])),
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            Ok((MachineAnswer::Nothing, Vec::new()))
        }
        Err(error) => Err(Error::host(format!("cannot connect to {address}"))(error)),
    }
}
