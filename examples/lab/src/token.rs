//! What a worker shows to join.

use std::fs::File;
use std::io::Read;

use carthage::prelude::*;

/// What a worker shows to join.
#[injectable]
pub struct JoinToken(String);

impl JoinToken {
    /// A new one: 128 random bits.
    pub fn generate() -> Result<Self> {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self(bytes.map(|byte| format!("{byte:02x}")).concat()))
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
