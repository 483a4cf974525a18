//! One line in a file.

use std::path::PathBuf;

use super::file::compare_contents;
use super::script::{Belongings, Probe, Wanted};
use super::seen::{Seen, What};
use super::{Build, Outcome, absolute};
use crate::machine::engine::FileKind;

/// A line that a file has, or has not; what else is in the file stays. The file is made if there is none.
///
/// ```
/// use carthage::block::Line;
/// Line::in_file("/etc/hosts").line("10.0.0.7\tmirror");
/// Line::in_file("/etc/ssh/sshd_config").line("PermitRootLogin no").in_place_of("PermitRootLogin ");
/// Line::in_file("/etc/fstab").no_line("/dev/sdb1 /old ext4 defaults 0 0");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Line {
    path: PathBuf,
    line: String,
    in_place_of: Option<String>,
    is_absent: bool,
}

impl Line {
    /// In the file at this absolute path.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), line: String::new(), in_place_of: None, is_absent: false }
    }

    /// The line, without its end. It is added at the end of the file.
    pub fn line(mut self, line: impl Into<String>) -> Self {
        (self.line, self.is_absent) = (line.into(), false);
        self
    }

    /// It takes the place of the first line that begins so, if there is one; others that do are removed.
    pub fn in_place_of(mut self, beginning: impl Into<String>) -> Self {
        self.in_place_of = Some(beginning.into());
        self
    }

    /// The line that is not to be there, wherever it is.
    pub fn no_line(mut self, line: impl Into<String>) -> Self {
        (self.line, self.is_absent) = (line.into(), true);
        self
    }

    /// What the file holds then. Its other lines are kept byte by byte.
    pub(super) fn applied(&self, old: &[u8]) -> Vec<u8> {
        let line = self.line.as_bytes();
        let mut lines: Vec<&[u8]> = old.split_inclusive(|byte| *byte == b'\n').collect();
        let bare = |line: &[u8]| line.strip_suffix(b"\n").unwrap_or(line).to_vec();
        if self.is_absent {
            lines.retain(|other| bare(other) != line);
            return lines.concat();
        }
        let with_end = [line, b"\n"].concat();
        let begins = |other: &[u8]| {
            self.in_place_of.as_ref().is_some_and(|beginning| other.starts_with(beginning.as_bytes()))
        };
        let fits = |other: &&[u8]| bare(other) == line || begins(other);
        if self.in_place_of.is_none() && lines.iter().any(|other| bare(other) == line) {
            return old.to_vec();
        }
        let Some(first) = lines.iter().position(fits) else {
            let is_open = old.last().is_some_and(|last| *last != b'\n');
            return [old, if is_open { b"\n" } else { b"" }, &with_end].concat();
        };
        if lines.iter().filter(|other| fits(other)).count() == 1 && bare(lines[first]) == line {
            return old.to_vec();
        }
        let kept = |(at, other): (usize, &&[u8])| match at == first {
            true => with_end.clone(),
            false if fits(other) => Vec::new(),
            false => other.to_vec(),
        };
        lines.iter().enumerate().flat_map(kept).collect()
    }
}

impl Build for Line {
    fn name(&self) -> String {
        format!("a line of {}", self.path.display())
    }

    fn described(&self) -> String {
        format!("{}: {}", self.name(), self.line)
    }

    fn verb(&self) -> &'static str {
        if self.is_absent { "removes" } else { "adds" }
    }

    fn check(&self) -> Result<(), String> {
        absolute(&self.path)?;
        let is_line = !self.line.is_empty() && !self.line.contains(['\n', '\0']);
        is_line.then_some(()).ok_or_else(|| format!("`{}` is not one line", self.line.escape_debug()))
    }

    fn probe(&self) -> Probe {
        Probe::Path { path: self.path.clone(), contents: Wanted::All }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let old = match seen.at(&self.path).what {
            What::Nothing if self.is_absent => return Outcome::Same,
            What::Nothing => Vec::new(),
            What::Something(facts) if facts.kind == FileKind::File => facts.contents.unwrap_or_default(),
            What::Something(_) | What::Denied => {
                return Outcome::Blocked(format!("`{}` is no file that can be read", self.path.display()));
            }
        };
        let new = self.applied(&old);
        compare_contents(&self.path, &new.into(), &Belongings::default(), seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(line: &Line, old: &str, new: &str) {
        let applied = String::from_utf8(line.applied(old.as_bytes())).unwrap();
        assert_eq!(applied, new);
        assert_eq!(line.applied(applied.as_bytes()), applied.as_bytes(), "once more changes nothing");
    }

    #[test]
    fn lines() {
        let line = Line::in_file("/f").line("b 2");
        becomes(&line, "", "b 2\n");
        becomes(&line, "a", "a\nb 2\n");
        becomes(&line, "a\nb 2", "a\nb 2");
        becomes(&line, "b 21\n", "b 21\nb 2\n");
        let instead = line.clone().in_place_of("b ");
        becomes(&instead, "a\nb 1\nc\nb 3\n", "a\nb 2\nc\n");
        becomes(&instead, "b 2\n", "b 2\n");
        becomes(&instead, "a\n", "a\nb 2\n");
        let no = Line::in_file("/f").no_line("b");
        becomes(&no, "a\nb\nc\nb", "a\nc\n");
        becomes(&no, "bb\n", "bb\n");
    }
}
