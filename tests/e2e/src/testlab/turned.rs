//! Sandboxes to which everything happens in one change: two versions of one source.

use carthage::prelude::*;

/// Written before the machine starts.
pub struct Issue(&'static str);

#[customization(container)]
impl Issue {
    /// Write it.
    #[setup_task(hash = self.0)]
    async fn issue(&self, root: &Root) -> Result<()> {
        root.write("/etc/issue", self.0).await
    }
}

/// Something that goes on.
pub struct Runs(&'static str);

#[customization]
impl Runs {
    /// Start it.
    #[setup_task(hash = self.0)]
    async fn start(&self, host: &Host) -> Result<()> {
        host.write("/srv/runs", self.0).await?;
        host.spawn(["sleep", self.0]).await
    }
}

macro_rules! version {
    ($version:ident, $about:literal, $memory:literal, $seconds:literal, ($kept:ident $($moved:tt)*), $leaves:ident, $name:literal, $net:literal, $pool:literal) => {
        #[doc = $about]
        pub mod $version {
            use carthage::backend::Sandbox;
            use carthage::prelude::*;

            use super::{Issue, Runs};

            /// Stays.
            #[network(v4 = "10.66.0.0/24", pool = "10.66.0.5-10.66.0.9")]
            pub struct Stays;

            /// Comes or goes.
            #[network(v4 = $net, pool = $pool)]
            pub struct Other;

            /// Is started anew.
            #[machine_model(memory_mb = $memory)]
            pub struct Web {
                /// On the network that stays.
                #[link]
                pub eth0: Link<Stays>,
                /// Its root.
                #[customize(Issue($seconds))]
                pub issue: Issue,
                /// In it.
                #[customize(Runs($seconds))]
                pub runs: Runs,
            }

            /// Comes or goes, with its network.
            #[machine_model(memory_mb = 64)]
            pub struct Leaves {
                /// On the other network.
                #[link]
                pub eth0: Link<Other>,
                /// In it.
                #[customize(Runs($seconds))]
                pub runs: Runs,
            }

            /// Has another name.
            #[machine_model(memory_mb = 64)]
            pub struct Named {
                /// On the network that stays.
                #[link]
                pub eth0: Link<Stays>,
                /// In it.
                #[customize(Runs("10020"))]
                pub runs: Runs,
            }

            /// The layout under test.
            #[layout(name = "testlab", implementation = Sandbox, domain = "test")]
            pub struct Testlab {
                /// Stays.
                pub stays: Stays,
                /// Comes or goes.
                pub $leaves: Grounds,
                /// Is started anew.
                pub web: Web,
                /// Has another name.
                $($moved)*
                pub $kept: Named,
            }

            /// What comes or goes.
            #[enclave]
            pub struct Grounds {
                /// The network.
                pub other: Other,
                /// The machine.
                #[member(name = $name)]
                pub leaves: Leaves,
            }
        }
    };
}

version!(
    before,
    "As it is first deployed.",
    64,
    "10021",
    (kept),
    old,
    "old",
    "10.67.0.0/24",
    "10.67.0.5-10.67.0.9"
);
version!(
    after,
    "When everything has changed.",
    96,
    "10022",
    (safe #[moved_from("kept")]),
    new,
    "new",
    "10.68.0.0/24",
    "10.68.0.5-10.68.0.9"
);
