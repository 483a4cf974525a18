//! The key with which machines of the layout are logged in to.

use super::machine::Machine;
use crate::error::Error;

impl Machine {
    /// The public half of the layout's own key, as a line for `authorized_keys`: what a machine must hold for the layout to
    /// log in to it. Made when it is first asked for, by whichever machine; it is the same for all.
    ///
    /// ```no_run
    /// # use carthage::{Host, Result};
    /// # async fn body(host: &Host) -> Result<()> {
    /// host.write_with_mode("/root/.ssh/authorized_keys", 0o600, host.layout_key().await? + "\n").await
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn layout_key(&self) -> Result<String, Error> {
        let dirs = self.0.ledger.dirs()?;
        crate::ssh::layout_key(dirs.storage(), dirs.state(), dirs.layout()).await
    }
}
