//! How the controller and the helpers talk: frames of JSON over a unix stream socket, with descriptors attached.
//!
//! A frame is the protocol's version and the length of its body, each four bytes, then the body. Descriptors travel
//! with the first eight bytes.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// Raised whenever a message changes its meaning.
pub(super) const VERSION: u32 = 3;
/// No frame is longer: arguments and environments are limited by the kernel to less.
const LONGEST: u32 = 64 << 20;
/// No frame carries more descriptors.
const MOST_DESCRIPTORS: usize = 4;

/// An [`Error`] on its way from a helper.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WireError {
    kind: ErrorKind,
    what: String,
    hint: Option<String>,
    cause: Option<String>,
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind(),
            what: error.to_string(),
            hint: error.next_step().map(str::to_owned),
            cause: std::error::Error::source(&error).map(crate::error::chain),
        }
    }
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        let mut made = Self::new(error.kind, error.what);
        if let Some(hint) = error.hint {
            made = made.hint(hint);
        }
        match error.cause {
            Some(cause) => made.because(cause),
            None => made,
        }
    }
}

/// What a helper answers.
pub(super) type Answer<T> = Result<T, WireError>;

/// Turns a helper's own result into what it answers.
pub(super) fn answer<T>(result: Result<T, Error>) -> Answer<T> {
    result.map_err(WireError::from)
}

/// The bytes of a frame.
pub(super) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let body = serde_json::to_vec(message)?;
    let len = u32::try_from(body.len()).ok().filter(|len| *len <= LONGEST);
    let len = len.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the message is too long"))?;
    let mut bytes = Vec::with_capacity(8 + body.len());
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(len.to_le_bytes());
    bytes.extend(body);
    Ok(bytes)
}

/// Splits a whole frame off the front of `bytes`, if there is one.
pub(super) fn unframe<T: DeserializeOwned>(bytes: &mut Vec<u8>) -> io::Result<Option<T>> {
    let Some(header) = bytes.first_chunk::<8>() else { return Ok(None) };
    let end = 8 + body_len(*header)?;
    let Some(body) = bytes.get(8..end) else { return Ok(None) };
    let message = serde_json::from_slice(body)?;
    bytes.drain(..end);
    Ok(Some(message))
}

fn body_len(header: [u8; 8]) -> io::Result<usize> {
    let [v0, v1, v2, v3, l0, l1, l2, l3] = header;
    let version = u32::from_le_bytes([v0, v1, v2, v3]);
    if version != VERSION {
        return Err(io::Error::other(format!(
            "it speaks version {version} of the protocol, this program {VERSION}"
        )));
    }
    match u32::from_le_bytes([l0, l1, l2, l3]) {
        len if len <= LONGEST => Ok(len as usize),
        len => Err(io::Error::other(format!("a message of {len} bytes"))),
    }
}

/// Sends a message with descriptors.
pub(super) fn send(socket: &UnixStream, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let bytes = frame(message)?;
    let (header, body) = bytes.split_at(8);
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors"));
    }
    let sent = loop {
        match rustix::net::sendmsg(socket, &[IoSlice::new(header)], &mut ancillary, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other?,
        }
    };
    let mut socket = socket;
    socket.write_all(header.get(sent..).unwrap_or_default())?;
    socket.write_all(body)
}

/// Receives a message with its descriptors; `None` when the other side has closed.
pub(super) fn receive<T: DeserializeOwned>(socket: &UnixStream) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut header = [0; 8];
    let mut fds = Vec::new();
    let mut got = 0;
    while got < header.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut parts = [IoSliceMut::new(header.get_mut(got..).unwrap_or_default())];
        let received = match rustix::net::recvmsg(socket, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        {
            Err(rustix::io::Errno::INTR) => continue,
            other => other?,
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        match (received.bytes, got) {
            (0, 0) => return Ok(None),
            (0, _) => return Err(io::ErrorKind::UnexpectedEof.into()),
            (bytes, _) => got += bytes,
        }
    }
    let mut body = vec![0; body_len(header)?];
    let mut socket = socket;
    socket.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, fds)))
}

/// Sends a request and receives the answer to it.
pub(super) fn ask<T: DeserializeOwned>(
    socket: &UnixStream,
    request: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> io::Result<(Answer<T>, Vec<OwnedFd>)> {
    send(socket, request, fds)?;
    receive(socket)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}
