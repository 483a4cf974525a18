//! The two scripts: what they are asked, and what they say.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::content::Content;
use super::seen::{At, Facts, Seen, Told, What};
use crate::error::{Error, ErrorKind};
use crate::guest::{Line, quoted_words, random_id, script_of};
use crate::machine::Host;
use crate::machine::engine::FileKind;

const COMMON: &str = include_str!("scripts/common.sh");
/// Tells how things are.
pub(super) static LOOK: LazyLock<String> =
    LazyLock::new(|| script_of(&[COMMON, include_str!("scripts/look.sh")]));
/// Changes them.
pub(super) static CHANGE: LazyLock<String> =
    LazyLock::new(|| script_of(&[COMMON, include_str!("scripts/change.sh")]));

/// Begins and ends a frame.
const MARK: u8 = 0x1e;

/// Something that is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Probe {
    /// What is at a path.
    Path { path: PathBuf, contents: Wanted },
    /// The authorized keys of a user, and where they are.
    Keys { user: String },
    /// Anything else: what is asked, what tells it from others of its kind, and with which variables.
    Other { kind: &'static str, name: String, variables: Vec<(&'static str, OsString)> },
}

/// Which contents of a file are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Wanted {
    /// None.
    None,
    /// Those of a short file, and of one that is as long as this.
    UpTo(u64),
    /// All.
    All,
}

/// Whose a file is, and who may do what with it; what is not given stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Belongings {
    pub(super) mode: Option<u32>,
    pub(super) owner: Option<String>,
    pub(super) group: Option<String>,
}

/// Something that is changed.
#[derive(Clone)]
pub(super) enum Op {
    Write {
        path: PathBuf,
        content: Content,
        belongings: Belongings,
    },
    Directory {
        path: PathBuf,
        belongings: Belongings,
    },
    Attributes {
        path: PathBuf,
        belongings: Belongings,
    },
    Symlink {
        path: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    /// The authorized keys of a user, as a whole.
    Keys {
        path: PathBuf,
        user: String,
        content: Content,
    },
    /// Anything else, with these variables.
    Other {
        kind: &'static str,
        variables: Vec<(&'static str, OsString)>,
    },
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, what) = match self {
            Self::Write { path, .. } => (path, "write"),
            Self::Directory { path, .. } => (path, "directory"),
            Self::Attributes { path, .. } => (path, "attributes"),
            Self::Symlink { path, .. } => (path, "symlink"),
            Self::Remove { path } => (path, "remove"),
            Self::Keys { path, .. } => (path, "keys"),
            Self::Other { kind, .. } => return f.write_str(kind),
        };
        write!(f, "{what} {}", path.display())
    }
}

/// Words for `words` of the scripts.
pub(super) fn command(argv: &[OsString]) -> OsString {
    OsString::from_vec(quoted_words(argv))
}

fn line(kind: &'static str) -> Line {
    Line::default().set("kind", kind)
}

impl Belongings {
    fn set(&self, line: Line) -> Line {
        let mode = self.mode.map(|mode| format!("{mode:o}")).unwrap_or_default();
        let text = |name: &Option<String>| name.clone().unwrap_or_default();
        line.set("mode", mode).set("owner", text(&self.owner)).set("group", text(&self.group))
    }
}

impl Probe {
    fn line(&self) -> Line {
        match self {
            Self::Path { path, contents } => line("path").set("path", path).set(
                "contents",
                match contents {
                    Wanted::None => String::new(),
                    Wanted::UpTo(len) => len.to_string(),
                    Wanted::All => "all".to_owned(),
                },
            ),
            Self::Keys { user } => line("keys").set("name", user),
            Self::Other { kind, variables, .. } => {
                variables.iter().fold(line(kind), |line, (name, value)| line.set(name, value))
            }
        }
    }

    /// What tells it from others.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Path { path, .. } => format!("path {}", path.display()),
            Self::Keys { user } => format!("keys {user}"),
            Self::Other { kind, name, .. } => format!("{kind} {name}"),
        }
    }
}

impl Op {
    /// The line, and what comes behind it.
    fn line(&self) -> (Line, &[u8]) {
        let write = |line: Line, path: &Path, content: &Content| {
            line.set("path", path).set("length", content.bytes().len().to_string())
        };
        match self {
            Self::Write { path, content, belongings } => {
                (belongings.set(write(line("write"), path, content)), content.bytes())
            }
            Self::Keys { path, user, content } => {
                let belongings = Belongings { mode: Some(0o600), owner: Some(user.clone()), group: None };
                (belongings.set(write(line("keys"), path, content)), content.bytes())
            }
            Self::Directory { path, belongings } => {
                (belongings.set(line("directory").set("path", path)), &[])
            }
            Self::Attributes { path, belongings } => {
                (belongings.set(line("attributes").set("path", path)), &[])
            }
            Self::Symlink { path, to } => (line("symlink").set("path", path).set("to", to), &[]),
            Self::Remove { path } => (line("remove").set("path", path), &[]),
            Self::Other { kind, variables } => {
                let line = variables.iter().fold(line(kind), |line, (name, value)| line.set(name, value));
                (line, &[])
            }
        }
    }
}

/// What the script that looks is told.
pub(super) fn question(id: &str, probes: &[Probe]) -> Vec<u8> {
    let mut input = Line::default().set("id", id).ended();
    probes.iter().for_each(|probe| input.extend(probe.line().ended()));
    input.extend(line("end").ended());
    input
}

/// What it says; `None` if that is not all.
pub(super) fn answer(id: &str, probes: &[Probe], said: &[u8]) -> Option<Seen> {
    let mut frames = frames(said, id).into_iter();
    let mut seen = Seen::default();
    probes.iter().try_for_each(|probe| understand(probe, &mut frames, &mut seen))?;
    frames.next().filter(|frame| frame.words[0] == "end").map(|_| seen)
}

/// What the script that changes things is told.
pub(super) fn orders(id: &str, ops: &[Op]) -> Vec<u8> {
    let mut input = Line::default().set("id", id).ended();
    for op in ops {
        let (line, bytes) = op.line();
        input.extend(line.ended());
        input.extend(bytes);
    }
    input.extend(line("end").ended());
    input
}

/// How many of them it says are done, and what was said of the next; `None` if it does not say how it ended.
pub(super) fn done(id: &str, said: &[u8]) -> Option<(usize, String)> {
    let frames = frames(said, id);
    let done = frames.iter().take_while(|frame| frame.words[0] == "done").count();
    let last = frames.get(done)?;
    let of_next = match done.checked_sub(1) {
        Some(before) => frames[before].bytes,
        None => said.split(|byte| *byte == MARK).next().unwrap_or_default(),
    };
    let of_next = String::from_utf8_lossy(of_next).trim().to_owned();
    matches!(&*last.words[0], "end" | "failed").then_some((done, of_next))
}

/// Sees what is asked for, in one round trip.
pub(super) async fn look(host: &Host, probes: &[Probe]) -> Result<Seen, Error> {
    if probes.is_empty() {
        return Ok(Seen::default());
    }
    let id = random_id()?;
    let told = |is_error: bool, line| is_error.then(|| host.said(line));
    let output = host.script(&LOOK, question(&id, probes), told).await?;
    answer(&id, probes, &output.stdout).ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        let error = Error::new(ErrorKind::Host, format!("`{}` does not say how it is", host.name()));
        let error = match said.trim() {
            "" => error,
            said => error.because(said.to_owned()),
        };
        error.hint("building blocks need a POSIX shell and the usual small programs there, `stat` among them")
    })
}

/// Nobody said how far changes came.
pub(super) struct Lost {
    pub(super) error: Error,
    /// How many are known to be done.
    pub(super) heard: usize,
}

/// Changes all that, in one round trip; each on behalf of the task whose host stands in its place. `reached` is told each whose turn has
/// come. Answers how many were done; fewer than there are if one failed, with what was said of it.
pub(super) async fn change(
    hosts: &[&Host],
    ops: &[Op],
    reached: &(dyn Fn(usize) + Sync),
) -> Result<(usize, String), Lost> {
    let [host, ..] = hosts else { return Ok((0, String::new())) };
    let heard = AtomicUsize::new(0);
    let lost = |error| Lost { error, heard: heard.load(Ordering::SeqCst) };
    let id = random_id().map_err(lost)?;
    reached(0);
    // What programs write, and in between that one is done.
    let frame = format!("{}{id} ", char::from(MARK));
    let line = |is_error: bool, line: String| {
        let of = hosts.get(heard.load(Ordering::SeqCst)).unwrap_or(host);
        let text = match line.split_once(&frame) {
            Some((text, said)) => {
                if said.starts_with("done") {
                    reached(heard.fetch_add(1, Ordering::SeqCst) + 1);
                }
                text.to_owned()
            }
            None => return is_error.then(|| of.said(line)),
        };
        (is_error && !text.is_empty()).then(|| of.said(text))
    };
    let output = host.script(&CHANGE, orders(&id, ops), line).await.map_err(lost)?;
    done(&id, &output.stderr).ok_or_else(|| {
        let said = frames(&output.stderr, &id).last().map_or(&*output.stderr, |frame| frame.bytes);
        let error = Error::new(ErrorKind::Host, format!("lost the connection to `{}`", host.name()));
        let error = match String::from_utf8_lossy(said).trim() {
            "" => error,
            said => error.because(said.to_owned()),
        };
        lost(error.hint("deploy again once the machine can be reached"))
    })
}

/// What stands in a frame, and what follows it.
struct Frame<'a> {
    words: Vec<String>,
    bytes: &'a [u8],
}

/// The frames of a script; contents cannot look like one, as nobody who wrote them knew the number.
fn frames<'a>(text: &'a [u8], id: &str) -> Vec<Frame<'a>> {
    let begin = [&[MARK], id.as_bytes(), b" "].concat();
    let mut starts = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == MARK).map(|at| at + from) {
        let is_frame = text[at..].starts_with(&begin);
        from = at + if is_frame { begin.len() } else { 1 };
        starts.extend(is_frame.then_some(at));
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let frame = |(start, end): (&usize, usize)| {
        let inside = &text[start + begin.len()..end];
        let close = inside.iter().position(|byte| *byte == MARK)?;
        let said = String::from_utf8_lossy(&inside[..close]).into_owned();
        let mut words: Vec<_> = said.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        if words.is_empty() {
            words.push(String::new());
        }
        Some(Frame { words, bytes: &inside[close + 1..] })
    };
    starts.iter().zip(ends).map_while(frame).collect()
}

/// Takes in what was said of one probe.
fn understand<'a>(
    probe: &Probe,
    frames: &mut impl Iterator<Item = Frame<'a>>,
    seen: &mut Seen,
) -> Option<()> {
    match probe {
        Probe::Path { path, .. } => {
            // What is known of its contents already stays so.
            let at = at(frames)?;
            if seen.paths.get(path).is_none_or(|known| !known.has_contents()) {
                seen.paths.insert(path.clone(), at);
            }
        }
        Probe::Keys { .. } => {
            let first = frames.next()?;
            let told = Told { words: first.words, text: String::from_utf8_lossy(first.bytes).into_owned() };
            if told.first() == "home" {
                seen.paths.insert(Path::new(&told.text).join(".ssh/authorized_keys"), at(frames)?);
            }
            seen.told.insert(probe.key(), told);
        }
        Probe::Other { .. } => {
            let Frame { words, bytes } = frames.next()?;
            let text = String::from_utf8_lossy(bytes).into_owned();
            seen.told.insert(probe.key(), Told { words, text });
        }
    }
    Some(())
}

fn at<'a>(frames: &mut impl Iterator<Item = Frame<'a>>) -> Option<At> {
    let first = frames.next()?;
    let link = match first.words[0].as_str() {
        "link" => Some(PathBuf::from(OsString::from_vec(first.bytes.to_vec()))),
        "plain" => None,
        _ => return None,
    };
    let second = frames.next()?;
    let what = match second.words[0].as_str() {
        "none" => What::Nothing,
        "denied" => What::Denied,
        _ => What::Something(facts(&second)?),
    };
    Some(At { link, what })
}

/// `%f %s %u %g %U %G`, and whether the contents follow.
fn facts(frame: &Frame<'_>) -> Option<Facts> {
    let [mode, len, uid, gid, user, group, read] = &frame.words[..] else { return None };
    let mode = u32::from_str_radix(mode, 16).ok()?;
    let kind = match mode & 0o170_000 {
        0o100_000 => FileKind::File,
        0o040_000 => FileKind::Directory,
        _ => FileKind::Other,
    };
    Some(Facts {
        kind,
        mode: Some(mode & 0o7777),
        owner: [uid.clone(), user.clone()],
        group: [gid.clone(), group.clone()],
        len: len.parse().ok()?,
        contents: (read == "read").then(|| frame.bytes.to_vec()),
    })
}

/// Each thing once, with as much of it as anybody wants.
pub(super) fn joined(probes: impl IntoIterator<Item = Probe>) -> Vec<Probe> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: Vec<Probe> = Vec::new();
    for probe in probes {
        let known = *places.entry(probe.key()).or_insert(all.len());
        match (all.get_mut(known), probe) {
            (None, probe) => all.push(probe),
            (Some(Probe::Path { contents, .. }), Probe::Path { contents: also, .. }) => {
                *contents = match (*contents, also) {
                    (Wanted::UpTo(one), Wanted::UpTo(other)) if one != other => Wanted::All,
                    (one, other) => one.max(other),
                };
            }
            _ => {}
        }
    }
    all
}
