//! Words of a POSIX shell, on one line.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// The variable that holds a line end in the scripts.
const LINE_END: &[u8] = b"'\"$n\"'";

/// One word, quoted so that a shell reads it as it is; line ends in it are written as `"$n"`.
pub(super) fn quote(word: impl AsRef<OsStr>) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for byte in word.as_ref().as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            b'\n' => quoted.extend(LINE_END),
            byte => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

/// A line that makes these words the positional parameters, without its end.
pub(crate) fn quoted_words(words: &[std::ffi::OsString]) -> Vec<u8> {
    Line::default().arguments(words).0
}

/// Assignments and other commands, on one line, as the scripts read them.
#[derive(Clone, Default)]
pub(crate) struct Line(Vec<u8>);

impl Line {
    /// Adds `NAME=VALUE`. The name is one of the scripts' own.
    pub(crate) fn set(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.separate();
        self.0.extend(name.as_bytes());
        self.0.push(b'=');
        self.0.extend(quote(value));
        self
    }

    /// Adds the positional parameters.
    pub(crate) fn arguments(mut self, words: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.separate();
        self.0.extend(b"set --");
        for word in words {
            self.0.push(b' ');
            self.0.extend(quote(word));
        }
        self
    }

    fn separate(&mut self) {
        if !self.0.is_empty() {
            self.0.extend(b"; ");
        }
    }

    /// The line with its end.
    pub(crate) fn ended(mut self) -> Vec<u8> {
        self.0.push(b'\n');
        self.0
    }

    /// The line as a word.
    pub(super) fn as_word(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_words_as_they_are() {
        let words = ["", "a b", "it's", "$HOME `id` \\", "two\nlines\n", "*", "-n", "\u{fc}\x01\""];
        let line = Line::default().set("x", "y\n'z'").arguments(words);
        let script =
            format!("n='\n'\n{}\nprintf '%s|' \"$x\" \"$@\"", String::from_utf8_lossy(&line.clone().ended()));
        assert_eq!(line.as_word().as_bytes().iter().filter(|byte| **byte == b'\n').count(), 0);
        let shell = std::process::Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
        let expected: String = ["y\n'z'"].iter().chain(&words).map(|word| format!("{word}|")).collect();
        assert_eq!(String::from_utf8_lossy(&shell.stdout), expected, "{shell:?}");
    }
}
