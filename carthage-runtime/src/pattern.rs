//! `kind:glob` patterns for names of things.

use std::str::FromStr;

use crate::error::{Error, ErrorKind};

/// A pattern for names of things: `machine:worker-*`, or `worker-*` for things of every kind.
///
/// `*` stands for any text, `?` for one character, a backslash takes the next character as it is. The kind ends at the first
/// colon that is not escaped. The whole name must match; case counts. A name without a domain also matches the machine of that
/// host name, when nothing else has it. `@web` is for what has the tag `web`.
///
/// ```
/// use carthage::deploy::Pattern;
/// let pattern: Pattern = "machine:worker-?.algebra".parse()?;
/// assert!(pattern.matches("machine", "worker-2.algebra"));
/// assert!(!pattern.matches("network", "worker-2.algebra"));
/// # Ok::<(), carthage::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    kind: Option<Vec<Piece>>,
    name: Vec<Piece>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Any,
    One,
    Char(char),
}

impl Pattern {
    /// Whether a thing of this kind and name is meant.
    #[must_use]
    pub fn matches(&self, kind: &str, name: &str) -> bool {
        // Tags are matched by patterns for tags only: `*` is for names.
        let tags = self.name.first() == Some(&Piece::Char('@'));
        tags == name.starts_with('@')
            && self.kind.as_ref().is_none_or(|pattern| glob(pattern, kind))
            && glob(&self.name, name)
    }

    /// The kind, if one is named without wildcards.
    pub(crate) fn kind_if_plain(&self) -> Option<String> {
        let letter = |piece: &Piece| match piece {
            Piece::Char(char) => Some(*char),
            _ => None,
        };
        self.kind.as_ref()?.iter().map(letter).collect()
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl TryFrom<String> for Pattern {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl FromStr for Pattern {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (mut kind, mut pieces) = (None, Vec::new());
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            pieces.push(match char {
                '*' => Piece::Any,
                '?' => Piece::One,
                '\\' => Piece::Char(chars.next().ok_or_else(|| {
                    Error::new(ErrorKind::Usage, format!("the pattern `{text}` ends in a backslash"))
                        .hint("a backslash takes the next character as it is; write `\\\\` for a backslash")
                })?),
                ':' if kind.is_none() => {
                    kind = Some(std::mem::take(&mut pieces));
                    continue;
                }
                char => Piece::Char(char),
            });
        }
        if pieces.is_empty() {
            let what = format!("the pattern `{text}` names nothing");
            return Err(Error::new(ErrorKind::Usage, what).hint("write a name, or `*` for all"));
        }
        Ok(Self { text: text.to_owned(), kind, name: pieces })
    }
}

/// Linear in the text for each `*`: after a mismatch only the last `*` takes one more character.
fn glob(pattern: &[Piece], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Piece::Any) => {
                star = Some((p, t));
                p += 1;
            }
            Some(Piece::One) => (p, t) = (p + 1, t + 1),
            Some(Piece::Char(char)) if *char == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, t) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|piece| *piece == Piece::Any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, kind: &str, name: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().matches(kind, name)
    }

    #[test]
    fn globs() {
        assert!(matches("*", "machine", "a.b"));
        assert!(matches("w*-?.a*", "machine", "worker-2.algebra"));
        assert!(matches("*a*b*", "machine", "xxaxxbxx"));
        assert!(!matches("*a*b", "machine", "ab!"));
        assert!(!matches("worker", "machine", "worker-1"));
        assert!(!matches("Worker-1", "machine", "worker-1"));
        assert!(matches(r"a\*b", "machine", "a*b") && !matches(r"a\*b", "machine", "axb"));
    }

    #[test]
    fn kinds() {
        assert!(matches("machine:x", "machine", "x") && !matches("machine:x", "network", "x"));
        assert!(matches("m*:x", "machine", "x"));
        assert!(matches(r"a\:b", "machine", "a:b"));
        assert!(matches("task:m/site.index:x", "task", "m/site.index:x"));
    }

    #[test]
    fn tags_are_no_names() {
        assert!(matches("@web", "machine", "@web") && matches("machine:@w*", "machine", "@web"));
        assert!(!matches("*", "machine", "@web") && !matches("*b", "machine", "@web"));
        assert!(!matches("@web", "machine", "web"));
    }

    #[test]
    fn what_names_nothing_is_no_pattern() {
        assert!("worker\\".parse::<Pattern>().is_err() && "machine:".parse::<Pattern>().is_err());
    }
}
