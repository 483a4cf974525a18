//! What a layout needs: `use carthage::prelude::*;`
//!
//! Besides `Result`, no name of the standard prelude is taken.

pub use std::sync::Arc;

#[cfg(feature = "container")]
pub use crate::backend::Container;
pub use carthage_macros::{
    check_completed, constraint, customization, depends_on, enclave, env, expose, hash, ignore_dependency,
    image, implements, injectable, injection_key, invalidator, layout, link, machine_model, mask,
    model_tasks, mount, moved_from, network, options, policy, profile, role, setup_task, task, tasks,
};
#[cfg(feature = "sandbox")]
pub use carthage_runtime::Sandbox;
#[cfg(feature = "libvirt")]
pub use carthage_runtime::Vm;
pub use carthage_runtime::layout::ResolvableModel;
pub use carthage_runtime::{
    All, Blocks, Close, Completed, Deferred, Fleet, Generated, Host, Link, Machine, ModelDir, Placed, Quoted,
    Result, Root, Secret, SkipTask, Tree,
};
