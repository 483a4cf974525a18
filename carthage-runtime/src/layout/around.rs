//! What a world is made of, besides the layout: what was known before, and where things are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::macs::Macs;
use super::world::of_kind;
use crate::customize::Setting;
use crate::error::{Error, ErrorKind};
use crate::event::Events;
use crate::machine::Patience;
use crate::machine::engine::{Engine, Site};
use crate::model::{self, ImplementationNode, Placement, Placements};
use crate::network::Given;
use crate::state::{Dirs, HashKey, Kept, Kind, Ledger, Paths};
use crate::task::Stamps;

/// What a world is made of, besides the layout.
pub(crate) struct Around {
    pub(crate) site: Site,
    pub(crate) ledger: Ledger,
    pub(crate) kept: Kept,
    pub(crate) events: Events,
    pub(crate) patience: Patience,
    /// How many things are asked at the same time.
    pub(crate) at_once: usize,
    /// Addresses that were given before, by network and link.
    pub(crate) given: BTreeMap<String, Given>,
    /// Hardware addresses, those that were given before among them.
    pub(crate) macs: Macs,
    /// Where stamps are.
    pub(crate) dirs: Dirs,
    /// What makes everything, instead of what the layout says.
    pub(crate) instead: Option<&'static ImplementationNode>,
    /// The key of hashes in stamps; none before the first deployment.
    pub(crate) hash_key: Option<HashKey>,
    /// What implementations call things that have other names in the layout.
    pub(crate) made_as: BTreeMap<String, String>,
    /// Where stamps are that are not where they belong yet, by the name of the machine.
    pub(crate) aside: BTreeMap<String, PathBuf>,
    /// Where machines were placed when they were deployed, by their names.
    pub(crate) paths: BTreeMap<String, String>,
}

impl Around {
    /// What tasks need whose stamps are in this directory.
    pub(super) fn setting(&self, stamp_dir: &Path) -> Setting {
        Setting {
            stamps: stamps_in(&self.dirs, stamp_dir, &self.site.id),
            hash_key: self.hash_key.clone(),
            ledger: self.ledger.clone(),
            events: self.events.clone(),
            patience: self.patience.clone(),
        }
    }

    /// Where the stamps of a machine are, if they are not where they belong: it was placed elsewhere, or is moved just now.
    pub(super) fn elsewhere(&self, machine: Placement) -> Option<PathBuf> {
        let there = || Some(stamp_dir(&self.dirs, Path::new(&self.placed(machine)?.replace('.', "/"))));
        self.aside.get(machine.fqdn()).cloned().or_else(|| there().filter(|there| there.exists()))
    }

    /// Where a machine was placed when it was deployed, if that was elsewhere.
    fn placed(&self, machine: Placement) -> Option<&str> {
        self.paths.get(machine.fqdn()).map(String::as_str).filter(|path| *path != machine.path())
    }

    /// Has what is kept in machines go with those that are placed elsewhere in these tables.
    pub(super) fn follow(&self, placements: &'static Placements) {
        let mut paths = Paths::default();
        for machine in of_kind(placements, model::Kind::Machine) {
            if let Some(before) = self.placed(machine) {
                paths.add(before, machine.path());
            }
        }
        self.kept.follow(&paths);
    }

    /// What its implementation calls a thing, if that is not its name in the layout.
    pub(super) fn made_as(&self, kind: Kind, name: &str) -> Option<&str> {
        if self.made_as.is_empty() {
            return None;
        }
        self.made_as.get(&kind.thing(name)).map(String::as_str)
    }

    pub(super) fn maker(&self, machine: Placement) -> Result<&'static ImplementationNode, Error> {
        self.instead.or(machine.implementation()).ok_or_else(|| {
            let what = format!("nothing says which implementation makes machine `{}`", machine.fqdn());
            Error::new(ErrorKind::Usage, what)
                .hint("write `implementation = Sandbox` on its model or on a scope around it")
        })
    }
}

/// Opens an implementation on a site, unless it is open.
pub(super) async fn open_engine(
    implementation: &'static ImplementationNode,
    site: &Site,
    engines: &mut BTreeMap<&'static str, Arc<dyn Engine>>,
) -> Result<(), Error> {
    if !engines.contains_key(implementation.name) {
        engines.insert(implementation.name, (implementation.open)(site.clone()).await?);
    }
    Ok(())
}

/// The stamps in a directory of the layout's.
pub(super) fn stamps_in(dirs: &Dirs, stamp_dir: &Path, layout: &str) -> Stamps {
    Stamps::new(dirs.storage().clone(), self::stamp_dir(dirs, stamp_dir), layout)
}

fn stamp_dir(dirs: &Dirs, of: &Path) -> PathBuf {
    dirs.cache().join("stamps").join(of)
}
