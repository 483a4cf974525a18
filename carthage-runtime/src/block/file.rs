//! Files and directories.

use std::path::{Path, PathBuf};

use super::content::Content;
use super::diff;
use super::script::{Belongings, Op, Probe, Wanted};
use super::seen::{At, Facts, Owners, Seen, What};
use super::template::Template;
use super::{Build, Outcome, absolute, plain_name};
use crate::machine::engine::FileKind;
use crate::step::Change;

/// A file with these contents. Missing directories above it are made. It is written under another name, and renamed: whoever looks
/// sees the old contents or the new. A symbolic link is followed.
///
/// ```
/// use carthage::block::File;
/// File::at("/etc/motd").content("hello\n").mode(0o644).owner("root").group("root");
/// ```
#[derive(Clone)]
#[must_use]
pub struct File {
    path: PathBuf,
    /// None is to be there without them.
    content: Option<Content>,
    belongings: Belongings,
    is_absent: bool,
}

impl File {
    /// At this absolute path. Without contents, it is empty when it is made, and left as it is when it is there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), content: None, belongings: Belongings::default(), is_absent: false }
    }

    /// None at this path: a file or a symbolic link is removed, a directory is not.
    pub fn absent(path: impl Into<PathBuf>) -> Self {
        Self { is_absent: true, ..Self::at(path) }
    }

    /// What it holds. Contents made of a [`Secret`](crate::Secret) are never shown.
    pub fn content(mut self, content: impl Into<Content>) -> Self {
        self.content = Some(content.into());
        self
    }

    /// What it holds, as something says that can be shown: a template that was checked when it was compiled, a number.
    pub fn rendered(self, shown: &(impl std::fmt::Display + ?Sized)) -> Self {
        // Unlike `to_string`, this does not panic when `Display` fails.
        let mut text = String::new();
        let content = match std::fmt::Write::write_fmt(&mut text, format_args!("{shown}")) {
            Ok(()) => text.into(),
            Err(_) => Content::failed("what it is to hold cannot be shown".to_owned()),
        };
        self.content(content)
    }

    /// What it holds, as a template says once these values are filled in: a map, or anything that can be serialized.
    pub fn template(self, template: Template, values: &impl serde::Serialize) -> Self {
        let content = template.filled(values).map_or_else(Content::failed, Content::from);
        self.content(content)
    }

    /// What it holds is never shown, whatever it is made of.
    pub fn secret(mut self) -> Self {
        self.content = self.content.map(Content::secret);
        self
    }

    /// Permission bits. Unless given, a new file has 0644, and one that is there keeps its own.
    pub fn mode(mut self, mode: u32) -> Self {
        self.belongings.mode = Some(mode);
        self
    }

    /// The owner, by name or number. Unless given, one that is there keeps its own.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.belongings.owner = Some(owner.into());
        self
    }

    /// The group, by name or number. Unless given, one that is there keeps its own.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.belongings.group = Some(group.into());
        self
    }

    fn shown(&self) -> std::path::Display<'_> {
        self.path.display()
    }
}

/// What is to be done about a file that is to hold something.
pub(super) fn compare_contents(
    path: &Path,
    content: &Content,
    belongings: &Belongings,
    seen: &mut Seen,
) -> Outcome {
    let at = seen.at(path);
    let shown = path.display();
    let op = || Op::Write { path: path.to_owned(), content: content.clone(), belongings: belongings.clone() };
    let outcome = match &at.what {
        What::Denied => return Outcome::Blocked(format!("`{shown}` may not be read")),
        What::Nothing => {
            let mut change = Change::new(format!("creates {shown}{}", about(content)));
            let is_private = content.is_secret() || belongings.mode.is_some_and(is_private);
            change.diff = diff::unified(b"", content.bytes()).filter(|_| !is_private);
            Outcome::Differs(change, vec![op()])
        }
        What::Something(facts) if facts.kind != FileKind::File => {
            return Outcome::Blocked(format!("`{shown}` is there, and is no file"));
        }
        What::Something(facts) => {
            let same = facts.contents.as_deref() == Some(content.bytes());
            let differing = match belongings.differing(&shown.to_string(), facts, seen.owners) {
                Ok(differing) => differing,
                Err(why) => return Outcome::Blocked(why),
            };
            match (same, differing) {
                (true, None) => return Outcome::Same,
                (true, Some(differing)) => {
                    let op = Op::Attributes { path: path.to_owned(), belongings: belongings.clone() };
                    Outcome::differs(format!("changes {shown}: {differing}"), op)
                }
                (false, differing) => {
                    let mut change = changed(path, facts, content, belongings);
                    if let Some(differing) = differing {
                        change.what += &format!("; {differing}");
                    }
                    Outcome::Differs(change, vec![op()])
                }
            }
        }
    };
    let facts = belongings.given(&at, FileKind::File, Some(content.bytes().to_vec()));
    seen.paths.insert(path.to_owned(), At { what: What::Something(facts), ..at });
    outcome
}

/// ` (12 bytes)`
pub(super) fn about(content: &Content) -> String {
    match content.is_secret() {
        true => " (secret)".to_owned(),
        false => format!(" ({})", diff::size(content.bytes().len())),
    }
}

/// Whether a file with these permission bits is not for everybody: then its contents are not shown.
fn is_private(mode: u32) -> bool {
    mode & 0o004 == 0
}

fn changed(path: &Path, facts: &Facts, content: &Content, belongings: &Belongings) -> Change {
    let shown = path.display();
    if content.is_secret() {
        return Change::new(format!("changes {shown}: content changes (secret)"));
    }
    if [belongings.mode, facts.mode].into_iter().flatten().any(is_private) {
        return Change::new(format!(
            "changes {shown}: content changes (not shown: not everybody may read it)"
        ));
    }
    let old = facts.contents.as_deref();
    if let Some(diff) = old.and_then(|old| diff::unified(old, content.bytes())) {
        return Change { diff: Some(diff), ..Change::new(format!("changes {shown}")) };
    }
    let old = old.map_or_else(|| diff::size(usize::try_from(facts.len).unwrap_or(usize::MAX)), diff::sized);
    Change::new(format!("changes {shown} ({old} -> {})", diff::sized(content.bytes())))
}

impl Build for File {
    fn name(&self) -> String {
        self.shown().to_string()
    }

    fn described(&self) -> String {
        match &self.content {
            Some(content) => format!("{}{}", self.shown(), about(content)),
            None => self.name(),
        }
    }

    fn verb(&self) -> &'static str {
        if self.is_absent { "removes" } else { "creates" }
    }

    fn check(&self) -> Result<(), String> {
        absolute(&self.path)?;
        self.belongings.check()?;
        self.content.as_ref().map_or(Ok(()), Content::check)
    }

    fn probe(&self) -> Probe {
        let contents =
            self.content.as_ref().map_or(Wanted::None, |content| Wanted::UpTo(content.bytes().len() as u64));
        Probe::Path { path: self.path.clone(), contents }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let at = seen.at(&self.path);
        if self.is_absent {
            let is_directory =
                matches!(&at.what, What::Something(facts) if facts.kind == FileKind::Directory);
            return match (&at.link, &at.what) {
                (None, What::Nothing) => Outcome::Same,
                (None, _) if is_directory => {
                    Outcome::Blocked(format!("`{}` is a directory, which is not removed", self.shown()))
                }
                _ => {
                    seen.paths.insert(self.path.clone(), At::default());
                    let op = Op::Remove { path: self.path.clone() };
                    Outcome::differs(format!("removes {}", self.shown()), op)
                }
            };
        }
        if let Some(content) = &self.content {
            return compare_contents(&self.path, content, &self.belongings, seen);
        }
        match &at.what {
            What::Nothing => compare_contents(&self.path, &"".into(), &self.belongings, seen),
            What::Something(facts) if facts.kind == FileKind::File => {
                let op = Op::Attributes { path: self.path.clone(), belongings: self.belongings.clone() };
                self.belongings.outcome(&self.path, facts, seen.owners, op)
            }
            _ => Outcome::Blocked(format!("`{}` is there, and is no file", self.shown())),
        }
    }
}

/// A directory. Missing ones above it are made.
///
/// ```
/// use carthage::block::Directory;
/// Directory::at("/srv/app").mode(0o750).owner("www-data");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Directory {
    path: PathBuf,
    belongings: Belongings,
}

impl Directory {
    /// At this absolute path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), belongings: Belongings::default() }
    }

    /// Permission bits. Unless given, a new directory has 0755, and one that is there keeps its own.
    pub fn mode(mut self, mode: u32) -> Self {
        self.belongings.mode = Some(mode);
        self
    }

    /// The owner, by name or number.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.belongings.owner = Some(owner.into());
        self
    }

    /// The group, by name or number.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.belongings.group = Some(group.into());
        self
    }
}

impl Build for Directory {
    fn name(&self) -> String {
        format!("{}/", self.path.display())
    }

    fn check(&self) -> Result<(), String> {
        absolute(&self.path)?;
        self.belongings.check()
    }

    fn probe(&self) -> Probe {
        Probe::Path { path: self.path.clone(), contents: Wanted::None }
    }

    fn compare(&self, seen: &mut Seen) -> Outcome {
        let at = seen.at(&self.path);
        let op = Op::Directory { path: self.path.clone(), belongings: self.belongings.clone() };
        match &at.what {
            What::Nothing if at.link.is_none() => {
                let facts = self.belongings.given(&at, FileKind::Directory, None);
                seen.paths.insert(self.path.clone(), At { what: What::Something(facts), link: None });
                Outcome::differs(format!("creates {}", self.name()), op)
            }
            What::Something(facts) if facts.kind == FileKind::Directory => {
                self.belongings.outcome(&self.path, facts, seen.owners, op)
            }
            _ => Outcome::Blocked(format!("`{}` is there, and is no directory", self.path.display())),
        }
    }
}

impl Belongings {
    pub(super) fn check(&self) -> Result<(), String> {
        self.owner.iter().try_for_each(|owner| plain_name("user", owner))?;
        self.group.iter().try_for_each(|group| plain_name("group", group))?;
        match self.mode {
            Some(mode) if mode > 0o7777 => Err(format!("{mode:#o} are no permission bits")),
            _ => Ok(()),
        }
    }

    /// What of them differs, in words.
    fn differing(&self, path: &str, facts: &Facts, owners: Owners) -> Result<Option<String>, String> {
        let mut all = Vec::new();
        if let (Some(mode), Some(old)) = (self.mode, facts.mode)
            && mode != old
        {
            all.push(format!("mode {old:04o} -> {mode:04o}"));
        }
        for (word, wanted, old) in
            [("owner", &self.owner, &facts.owner), ("group", &self.group, &facts.group)]
        {
            let Some(wanted) = wanted.as_ref().filter(|_| owners != Owners::None) else { continue };
            let [number, name] = old;
            if wanted == number || wanted == name || (wanted == "root" && number == "0") {
                continue;
            }
            if owners == Owners::Fixed {
                return Err(format!(
                    "`{path}` cannot be given an {word} here: only its contents and its mode"
                ));
            }
            all.push(format!("{word} {} -> {wanted}", if name.is_empty() { number } else { name }));
        }
        Ok((!all.is_empty()).then(|| all.join(", ")))
    }

    /// What is to be done where only these may differ.
    fn outcome(&self, path: &Path, facts: &Facts, owners: Owners, op: Op) -> Outcome {
        let shown = path.display().to_string();
        match self.differing(&shown, facts, owners) {
            Ok(None) => Outcome::Same,
            Ok(Some(differing)) => Outcome::differs(format!("changes {shown}: {differing}"), op),
            Err(why) => Outcome::Blocked(why),
        }
    }

    /// What is known of a file once it has them.
    fn given(&self, before: &At, kind: FileKind, contents: Option<Vec<u8>>) -> Facts {
        // As the scripts make it, where nothing is.
        let new = if kind == FileKind::Directory { 0o755 } else { 0o644 };
        let (mut mode, mut owner, mut group) = (Some(new), Default::default(), Default::default());
        if let What::Something(facts) = &before.what {
            (mode, owner, group) = (facts.mode, facts.owner.clone(), facts.group.clone());
        }
        let name = |wanted: &Option<String>, old: [String; 2]| match wanted {
            Some(name) => [name.clone(), name.clone()],
            None => old,
        };
        let len = contents.as_ref().map_or(0, Vec::len) as u64;
        let (owner, group) = (name(&self.owner, owner), name(&self.group, group));
        Facts { kind, mode: self.mode.or(mode), owner, group, len, contents }
    }
}
