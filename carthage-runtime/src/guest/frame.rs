//! What a script says of itself, between what its command writes: `␞ID WORD REST␞`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::idle::Return;
use crate::machine::engine::Reader;

/// Begins and ends a frame: the record separator of ASCII.
const MARK: u8 = 0x1e;
/// How much may come before the first frame, such as a greeting of the host.
const GREETING: usize = 64 * 1024;

/// The first frame of a stream.
#[derive(Debug, PartialEq)]
pub(super) enum First {
    /// `ok REST`
    Ok(String),
    /// `fail REASON`
    Fail(String),
    /// `end STATUS MESSAGE`
    End(String),
    /// There is none: this came instead.
    None(String),
}

/// One of a script's two output streams, to the frame that ends it.
pub(super) struct Framed {
    from: Reader,
    begin: Vec<u8>,
    /// Read, and not yet passed on.
    pending: Vec<u8>,
    /// How much of it is certainly the command's own.
    safe: usize,
    ended: Option<String>,
    /// What came after that.
    after: Vec<u8>,
    /// Where the shell goes whose stream it is.
    home: Option<Arc<Return>>,
}

impl Framed {
    pub(super) fn new(from: Reader, id: &str) -> Self {
        let begin = [&[MARK], id.as_bytes(), b" "].concat();
        Self { from, begin, pending: Vec::new(), safe: 0, ended: None, after: Vec::new(), home: None }
    }

    /// The same stream, which goes there once it has ended.
    pub(super) fn returned_to(mut self, home: Option<Arc<Return>>) -> Self {
        self.home = home;
        self
    }

    /// After the end: whether the script says that it takes another command, and nothing else.
    pub(super) async fn is_idle(&mut self) -> bool {
        let expected = [&self.begin, &b"idle"[..], &[MARK]].concat();
        while self.after.len() < expected.len() {
            let mut buffer = [0; 256];
            match self.from.read(&mut buffer).await {
                Ok(read @ 1..) => self.after.extend(&buffer[..read]),
                _ => return false,
            }
        }
        let is_idle = self.after == expected;
        self.after.clear();
        is_idle
    }

    /// The stream itself.
    pub(super) fn into_inner(mut self) -> Reader {
        std::mem::replace(&mut self.from, Box::new(tokio::io::empty()))
    }

    /// Waits for the first frame, which comes before anything that the command writes.
    pub(super) async fn first(&mut self) -> io::Result<First> {
        loop {
            if let Some((at, text, after)) = self.frame(0) {
                let before = String::from_utf8_lossy(&self.pending[..at]).into_owned();
                self.pending.drain(..after);
                let (word, rest) = text.split_once(' ').unwrap_or((&text, ""));
                return Ok(match word {
                    "ok" => First::Ok(rest.to_owned()),
                    "fail" => First::Fail(rest.to_owned()),
                    "end" => First::End(rest.to_owned()),
                    _ => First::None(before),
                });
            }
            let mut buffer = [0; 4096];
            let read = self.from.read(&mut buffer).await?;
            self.pending.extend(&buffer[..read]);
            if read == 0 || self.pending.len() > GREETING {
                return Ok(First::None(String::from_utf8_lossy(&self.pending).into_owned()));
            }
        }
    }

    /// What the last frame said, once the stream has ended.
    pub(super) fn end(&self) -> Option<&str> {
        self.ended.as_deref()
    }

    /// Where the next frame begins, what it says, and where it ends.
    fn frame(&self, from: usize) -> Option<(usize, String, usize)> {
        let at = find(&self.pending[from..], &self.begin)? + from;
        let text = at + self.begin.len();
        let len = self.pending[text..].iter().position(|byte| *byte == MARK)?;
        let said = String::from_utf8_lossy(&self.pending[text..text + len]).into_owned();
        Some((at, said, text + len + 1))
    }

    /// Looks for the last frame in what is pending.
    fn look(&mut self) {
        if let Some((at, said, after)) = self.frame(0)
            && let Some(end) = said.strip_prefix("end ")
        {
            self.ended = Some(end.to_owned());
            self.after = self.pending.split_off(after);
            self.pending.truncate(at);
            self.safe = at;
            return;
        }
        // A frame may have begun.
        self.safe = match find(&self.pending, &self.begin) {
            Some(at) => at,
            None => {
                let len = self.pending.len();
                let begins = |at: &usize| self.begin.starts_with(&self.pending[*at..]);
                (len.saturating_sub(self.begin.len() - 1)..len).find(begins).unwrap_or(len)
            }
        };
    }
}

impl Drop for Framed {
    fn drop(&mut self) {
        let is_whole = self.ended.is_some() && self.pending.is_empty() && self.after.is_empty();
        if let Some(home) = self.home.take().filter(|_| is_whole) {
            home.stdout(std::mem::replace(&mut self.from, Box::new(tokio::io::empty())));
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == wanted[0]) {
        if text[from + at..].starts_with(wanted) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

impl AsyncRead for Framed {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if this.safe == 0 && this.ended.is_none() && !this.pending.is_empty() {
                this.look();
            }
            if this.safe > 0 {
                let some = this.safe.min(buf.remaining());
                buf.put_slice(&this.pending[..some]);
                this.pending.drain(..some);
                this.safe -= some;
                return Poll::Ready(Ok(()));
            }
            if this.ended.is_some() {
                return Poll::Ready(Ok(()));
            }
            let mut bytes = [0; 32 * 1024];
            let mut more = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.from).poll_read(cx, &mut more))?;
            if more.filled().is_empty() {
                let lost = "the connection ended before the command did";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::UnexpectedEof, lost)));
            }
            this.pending.extend(more.filled());
            this.look();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn framed(pieces: &[&[u8]]) -> Framed {
        let (mut write, read) = tokio::io::duplex(1 << 20);
        for piece in pieces {
            write.write_all(piece).await.unwrap();
        }
        Framed::new(Box::new(read), "abc")
    }

    #[tokio::test]
    async fn what_a_command_writes_is_between_the_frames() {
        let mut stream =
            framed(&[b"hello\n\x1eabc ok 17\x1eout\x1eput \x1eab", b"c en", b"d 3 why\x1elate"]).await;
        assert_eq!(stream.first().await.unwrap(), First::Ok("17".into()));
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.unwrap();
        assert_eq!(text, b"out\x1eput ");
        assert_eq!(stream.end(), Some("3 why"));
    }

    #[tokio::test]
    async fn one_byte_at_a_time() {
        let (mut write, read) = tokio::io::duplex(1);
        let text = b"\x1eabc ok 1\x1e\x1e\x1eabd end 1\x1e.\x1eabc end 0\x1e";
        let writing = tokio::spawn(async move { write.write_all(text).await });
        let mut stream = Framed::new(Box::new(read), "abc");
        assert_eq!(stream.first().await.unwrap(), First::Ok("1".into()));
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await.unwrap();
        assert_eq!((text.as_slice(), stream.end()), (&b"\x1e\x1eabd end 1\x1e."[..], Some("0")));
        writing.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_lost_connection_is_not_an_end() {
        let mut stream = framed(&[b"\x1eabc ok 1\x1ehalf"]).await;
        stream.first().await.unwrap();
        let mut text = Vec::new();
        let lost = stream.read_to_end(&mut text).await.unwrap_err();
        assert_eq!((text.as_slice(), lost.kind()), (&b"half"[..], io::ErrorKind::UnexpectedEof));
        let mut none = framed(&[b"sh: not found"]).await;
        assert_eq!(none.first().await.unwrap(), First::None("sh: not found".into()));
        let mut refused = framed(&[b"\x1eabc fail cwd\x1e"]).await;
        assert_eq!(refused.first().await.unwrap(), First::Fail("cwd".into()));
    }
}
