//! Models with tasks on record: noted before their directory is first made, and known by that when they have left the layout.

use std::path::{Component, Path};

use serde::{Deserialize, Serialize};

use super::generating::Generating;
use super::world::World;
use crate::customize::ModelDir;
use crate::error::Error;
use crate::machine::engine::PolicySpec;
use crate::state::{Kind, Origin, Record};

/// What is on record of a model, beside its name and place.
#[derive(Serialize, Deserialize)]
struct Noted {
    /// What its tasks work on, relative to the layout's cache directory.
    directory: String,
    #[serde(default)]
    policy: PolicySpec,
}

/// A model that is no longer in the layout.
#[derive(Clone, Debug)]
pub(crate) struct OldModel {
    pub(crate) name: String,
    /// What its tasks have worked on; `None` if another version wrote that differently.
    pub(crate) dir: Option<ModelDir>,
    /// As of its last deployment.
    pub(crate) policy: PolicySpec,
}

impl OldModel {
    /// What users call it, with its kind: `model:algebra`.
    pub(crate) fn thing(&self) -> String {
        Kind::ModelWithTasks.thing(&self.name)
    }
}

impl Generating {
    /// What the store says of it once its tasks may have generated something.
    pub(crate) fn record(&self, needs: Vec<String>) -> Result<Record, Error> {
        let noted = Noted { directory: self.directory.clone(), policy: self.policy };
        let cannot = Error::host(format!("cannot write down what `{}` is", self.thing()));
        Ok(Record {
            kind: Kind::ModelWithTasks,
            name: self.dir.name().to_owned(),
            path: self.path.clone(),
            implementation: String::new(),
            identity: Self::identity(),
            spec: Origin::of(&noted).map_err(cannot)?,
            needs,
            run: self.setting.ledger.run(),
            at: crate::state::now(),
        })
    }

    /// Notes it for tasks that are run by hand, if nothing is on record of it.
    pub(super) async fn note_by_hand(&self) -> Result<(), Error> {
        let ledger = &self.setting.ledger;
        match ledger.view().await?.records.contains_key(&self.thing()) {
            true => Ok(()),
            false => ledger.put_record(self.record(Vec::new())?).await,
        }
    }
}

impl World {
    /// A model as it is on record.
    pub(crate) fn old_model(&self, record: &Record) -> OldModel {
        let (name, noted) = (record.name.clone(), record.spec.read::<Noted>());
        let (dirs, _) = self.dirs();
        let dir = noted.as_ref().filter(|noted| is_of_a_model(&noted.directory)).map(|noted| {
            ModelDir::new(name.clone(), dirs.cache().join(&noted.directory), dirs.storage().clone())
        });
        OldModel { name, dir, policy: noted.map(|noted| noted.policy).unwrap_or_default() }
    }
}

/// Whether it is a directory in that of the models, whoever wrote it down: it may be removed.
fn is_of_a_model(directory: &str) -> bool {
    let mut parts = Path::new(directory).components();
    let below = parts.next() == Some(Component::Normal(super::generating::MODELS.as_ref()));
    below && matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

#[cfg(test)]
mod tests {
    use super::is_of_a_model;

    #[test]
    fn nothing_else_is_ever_removed() {
        for ours in ["models/algebra", "models/@layout", "models/algebra.workers.2"] {
            assert!(is_of_a_model(ours), "{ours}");
        }
        for others in
            ["", "models", "models/", "models/..", "models/a/b", "/models/a", "stamps/a", "../models/a"]
        {
            assert!(!is_of_a_model(others), "{others}");
        }
    }
}
