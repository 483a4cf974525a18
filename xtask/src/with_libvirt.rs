//! `cargo xtask with-libvirt`: a command where the tests' libvirt is, for whoever works on virtual machines.

use std::ffi::OsString;

use anyhow::{Result, bail};

use crate::test::engines::libvirt::Libvirt;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let dir = tempfile::Builder::new().prefix("carthage-libvirt-").tempdir()?;
    let libvirt = Libvirt::start(dir.path())?;
    let Some((program, rest)) = arguments.command.split_first() else { bail!("there is no command") };
    let mut command = libvirt.inside(program);
    command.args(rest);
    libvirt.tell(&mut command);
    let status = command.status();
    libvirt.stop()?;
    dir.close()?;
    match status?.success() {
        true => Ok(()),
        false => bail!("the command failed"),
    }
}
