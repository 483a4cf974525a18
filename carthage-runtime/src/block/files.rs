//! Blocks where nothing can be run: files by the operations that a root or a tree has.

use std::path::Path;

use super::script::{Belongings, CHANGE, Op, Probe, Wanted};
use super::seen::{At, Facts, Owners, Seen, What};
use crate::error::{BoxError, Error, ErrorKind};
use crate::machine::engine::FileKind;
use crate::machine::{Host, Tree};

/// Sees what can be seen in files. What else is asked for is not told: a made-up machine counts as it is to be.
pub(super) async fn look(host: &Host, probes: &[Probe], pretends: bool) -> Result<Seen, Error> {
    let owners = if pretends { Owners::None } else { Owners::Fixed };
    let mut seen = Seen { owners, ..Seen::default() };
    for probe in probes {
        let Probe::Path { path, contents } = probe else { continue };
        let failed = |error: BoxError| {
            let what = format!("cannot look at `{}` in `{}`", path.display(), host.name());
            Error::new(ErrorKind::Host, what).because(error)
        };
        let at = at(host.root(), path, *contents).await.map_err(failed)?;
        seen.paths.insert(path.clone(), at);
    }
    Ok(seen)
}

async fn at(tree: &Tree, path: &Path, contents: Wanted) -> crate::Result<At> {
    let Some(stat) = tree.stat(path).await? else { return Ok(At::default()) };
    let is_link = stat.kind == FileKind::Symlink;
    let is_wanted = match contents {
        Wanted::None => false,
        Wanted::UpTo(len) => is_link || stat.len == len || stat.len <= 256 * 1024,
        Wanted::All => true,
    };
    let read = match stat.kind {
        FileKind::File | FileKind::Symlink if is_wanted => Some(tree.read(path).await?),
        _ => None,
    };
    let name = |number: u32| [number.to_string(), String::new()];
    Ok(At {
        // Where it leads to cannot be asked.
        link: None,
        what: What::Something(Facts {
            kind: if is_link { FileKind::File } else { stat.kind },
            mode: (!is_link).then_some(stat.mode),
            owner: name(stat.owner.0),
            group: name(stat.owner.1),
            len: read.as_ref().map_or(stat.len, |read| read.len() as u64),
            contents: read,
        }),
    })
}

/// Changes files, one after the other, each on behalf of the task whose host stands in its place. `reached` is told each whose turn has
/// come. Of a made-up machine the rest counts as done.
pub(super) async fn change(
    hosts: &[&Host],
    ops: &[Op],
    pretends: bool,
    reached: &(dyn Fn(usize) + Sync),
) -> (usize, String) {
    for (at, (op, host)) in ops.iter().zip(hosts).enumerate() {
        reached(at);
        if let Err(error) = change_one(host, op, pretends).await {
            return (at, error.to_string());
        }
    }
    (ops.len(), String::new())
}

async fn change_one(host: &Host, op: &Op, pretends: bool) -> crate::Result<()> {
    let tree = host.root();
    let owned = |belongings: &Belongings| {
        let is_owned = !pretends && (belongings.owner.is_some() || belongings.group.is_some());
        is_owned.then_some("no owner can be given here: only contents and a mode").map_or(Ok(()), Err)
    };
    match op {
        Op::Write { path, content, belongings } => {
            owned(belongings)?;
            match belongings.mode {
                Some(mode) => tree.write_with_mode(path, mode, content.bytes()).await,
                None => tree.write(path, content.bytes()).await,
            }
        }
        Op::Directory { path, belongings } => {
            owned(belongings)?;
            Ok(tree.make_dir_with_mode(path, belongings.mode).await?)
        }
        Op::Attributes { path, belongings } => {
            owned(belongings)?;
            let Some(mode) = belongings.mode else { return Ok(()) };
            let contents = tree.read(path).await?;
            tree.write_with_mode(path, mode, contents).await
        }
        Op::Remove { path } => tree.remove(path).await,
        Op::Symlink { .. } | Op::Keys { .. } | Op::Other { .. } if pretends => {
            // Chance may want it to fail.
            let output = host.script(&CHANGE, Vec::new(), |_, _| None).await?;
            output.exit.success().then_some(()).ok_or_else(|| "the script failed".into())
        }
        Op::Symlink { .. } | Op::Keys { .. } | Op::Other { .. } => {
            Err("only files and directories can be changed here".into())
        }
    }
}
