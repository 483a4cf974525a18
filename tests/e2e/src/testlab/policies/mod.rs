//! What stays although it could go, and what waits to be named: versions of one source with other policies.

use carthage::prelude::*;

/// What the machines are plugged into.
#[network(v4 = "10.63.0.0/24", pool = "10.63.0.5-10.63.0.9")]
pub struct Wire;

macro_rules! version {
    ($name:ident, $about:literal, { $($policy:meta)? }, { $($spare:meta)? }, { $($field:ident: $model:ident)? }) => {
        #[doc = $about]
        pub mod $name {
            use carthage::backend::Sandbox;
            use carthage::prelude::*;

            use super::Wire;

            /// Holds what nobody has twice.
            #[machine_model(tags = ["precious"])]
            $(#[$policy])?
            pub struct Archive {
                /// Needs the network.
                #[link]
                pub eth0: Link<Wire>,
            }

            /// Can be made again.
            #[machine_model]
            pub struct Copy {
                /// Needs the network.
                #[link]
                pub eth0: Link<Wire>,
            }

            /// For when it is needed.
            #[machine_model]
            $(#[$spare])?
            pub struct Spare;

            /// The layout under test.
            #[layout(name = "testlab", implementation = Sandbox, domain = "test")]
            pub struct Testlab {
                /// The network.
                pub wire: Wire,
                $(
                    /// Stays.
                    pub $field: $model,
                )?
                /// Goes.
                pub copy: Copy,
                /// Waits.
                pub spare: Spare,
            }
        }
    };
}

version!(
    kept,
    "The archive stays.",
    { policy(destroy = retain, orphan = warn) },
    { policy(auto_deploy = false) },
    { archive: Archive }
);
version!(gone, "The archive is no longer there.", {}, { policy(auto_deploy = false) }, {});
version!(free, "Nothing stays.", {}, {}, { archive: Archive });
