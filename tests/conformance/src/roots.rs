//! The customizations of the suite that work on files alone.

use std::path::{Path, PathBuf};

use carthage::prelude::*;

/// Leaves marks in the root of a machine, whether it runs or not, and notes each time that one of its tasks runs. For
/// implementations with [`OfflineRoot`](carthage::machine::capability::Capability::OfflineRoot).
#[derive(Debug)]
pub struct RootMarks {
    word: String,
    waits: Option<PathBuf>,
}

/// Read when a layout is opened: as if the source of one task had been edited.
pub(crate) const ROOT_WORD: &str = "CONFORMANCE_ROOT_WORD";
/// Names a file, on this host, that the last task makes, and then waits for ever.
pub(crate) const ROOT_WAITS: &str = "CONFORMANCE_ROOT_WAITS";
/// Set while the last task is to fail.
pub(crate) const ROOT_FAILS: &str = "CONFORMANCE_ROOT_FAILS";
/// Set while the first task is to stop the run, as Ctrl-C does.
pub(crate) const ROOT_STOPS: &str = "CONFORMANCE_ROOT_STOPS";
/// Where the word is.
pub(crate) const PLACE: &str = "/var/lib/conformance-root/word";
/// Where it is noted which tasks have run.
pub(crate) const RAN: &str = "/var/lib/conformance-root/ran";

impl Default for RootMarks {
    fn default() -> Self {
        let word = std::env::var(ROOT_WORD).unwrap_or_else(|_| "first".to_owned());
        Self { word, waits: std::env::var_os(ROOT_WAITS).map(Into::into) }
    }
}

/// Notes that a body runs.
async fn note(tree: &Tree, at: &Path, task: &str) -> Result<()> {
    let before = if tree.exists(at).await? { tree.read_to_string(at).await? } else { String::new() };
    tree.write(at, format!("{before}{task}\n")).await
}

#[customization(container)]
impl RootMarks {
    /// Write the word, and stop the run, if the test wants.
    #[setup_task(hash = &self.word)]
    async fn word(&self, root: &Root) -> Result<()> {
        note(root, RAN.as_ref(), "word").await?;
        if std::env::var_os(ROOT_STOPS).is_some() {
            crate::controller::stop();
        }
        root.write(PLACE, &self.word).await
    }

    #[invalidator(word)]
    async fn is_there(&self, root: &Root) -> Result<bool> {
        root.exists(PLACE).await
    }

    /// Wait, or fail, if the test wants.
    #[setup_task]
    async fn wait(&self, root: &Root) -> Result<()> {
        note(root, RAN.as_ref(), "wait").await?;
        if std::env::var_os(ROOT_FAILS).is_some() {
            return Err("it was to fail".into());
        }
        if let Some(reached) = &self.waits {
            std::fs::write(reached, "")?;
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

/// Leaves a mark in a file tree.
#[derive(Debug)]
pub(crate) struct TreeMarks {
    at: PathBuf,
}

impl TreeMarks {
    /// In this file.
    pub(crate) fn at(file: &str) -> Self {
        Self { at: file.into() }
    }
}

#[customization(filesystem)]
impl TreeMarks {
    /// Note that it runs.
    #[setup_task(hash = &self.at)]
    async fn mark(&self, tree: &Tree) -> Result<()> {
        note(tree, &self.at, "mark").await
    }
}
