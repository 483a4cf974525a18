//! Standard output: lines for people, or one JSON object per line.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// Where results go. When nobody reads any more, the rest is dropped and nothing else stops.
#[derive(Clone)]
pub(super) struct Output(Arc<Mutex<State>>);

struct State {
    to: Box<dyn Write + Send>,
    /// The first line of JSON, until it is written.
    head: Option<String>,
    failed: Option<io::Error>,
}

/// The version of everything that is written as JSON.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Head<'a> {
    carthage: u32,
    layout: &'a str,
    command: &'a str,
}

impl Output {
    /// Writes to `to`; JSON begins with a line that tells the version, the layout and the command.
    pub(super) fn new(to: impl Write + Send + 'static, layout: &str, command: &str) -> Self {
        let head = serde_json::to_string(&Head { carthage: VERSION, layout, command }).ok();
        Self(Arc::new(Mutex::new(State { to: Box::new(to), head, failed: None })))
    }

    /// A line of text.
    pub(super) fn line(&self, text: impl AsRef<str>) {
        self.write(text.as_ref(), false);
    }

    /// A line of JSON.
    pub(super) fn json(&self, value: &impl Serialize) {
        match serde_json::to_string(value) {
            Ok(text) => self.write(&text, true),
            Err(error) => self.fail(error.into()),
        }
    }

    fn write(&self, line: &str, json: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failed.is_some() {
            return;
        }
        let head = if json { state.head.take() } else { None };
        let text: String =
            head.iter().map(String::as_str).chain([line]).flat_map(|line| [line, "\n"]).collect();
        // One write for whole lines, and no buffer: whoever reads sees every line when it is written.
        if let Err(error) = state.to.write_all(text.as_bytes()).and_then(|()| state.to.flush()) {
            state.failed = Some(error);
        }
    }

    fn fail(&self, error: io::Error) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed.get_or_insert(error);
    }

    /// Whether all could be written, or nobody wanted to read it.
    pub(super) fn finish(&self) -> Result<(), Error> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).failed.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(ErrorKind::Host, "cannot write to standard output").because(error))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What was written, to look at.
    #[derive(Clone, Default)]
    pub(in super::super) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        pub(in super::super) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[test]
    fn json_begins_with_the_version() {
        let kept = Kept::default();
        let out = Output::new(kept.clone(), "lab", "plan");
        out.json(&1);
        out.json(&2);
        assert_eq!(kept.text(), "{\"carthage\":1,\"layout\":\"lab\",\"command\":\"plan\"}\n1\n2\n");
    }

    #[test]
    fn a_broken_pipe_is_quiet_and_a_full_disk_is_not() {
        struct Broken(io::ErrorKind);
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(self.0.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (kind, fine) in [(io::ErrorKind::BrokenPipe, true), (io::ErrorKind::StorageFull, false)] {
            let out = Output::new(Broken(kind), "lab", "list");
            out.line("a");
            out.line("b");
            assert_eq!(out.finish().is_ok(), fine);
        }
    }
}
