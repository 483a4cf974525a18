//! What a program does with machines besides deploying them: services that are none of the layout's.

use std::path::PathBuf;

use carthage::deploy::{Access, Deployment, Options};
use carthage::machine::engine::{Exec, ServiceSpec};
use carthage::prelude::*;

use super::base::daemons::Daemons;
use super::base::layout::Testlab;

/// Applies a customization that no model holds to the server, and starts a service in it.
///
/// # Errors
/// When that cannot be done.
pub async fn spawn() -> Result<()> {
    let options = Options {
        state_dir: std::env::var_os("CARTHAGE_STATE_DIR").map(PathBuf::from),
        ..Options::default()
    };
    let (_deployment, layout) = Deployment::open::<Testlab>(Access::Change, options).await?;
    let server = &layout.site.server;
    server.apply("extra", &Daemons { count: 2 }).await?;
    let argv = ["sleep", "10009"].map(Into::into).into();
    let service = ServiceSpec { name: "chosen".into(), exec: Exec { argv, ..Exec::default() } };
    Ok(server.machine().start_service(&service).await?)
}
