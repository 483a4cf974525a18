//! Values that the machines share.

use std::fs::File;
use std::io::Read;

use carthage::prelude::*;

/// Made once, and kept in the state directory.
#[injectable]
pub struct Token(String);

impl Token {
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

/// Must not be seen anywhere.
#[injectable]
pub struct Password(Secret<String>);

impl Password {
    /// The one that the test looks for.
    pub fn from_environment() -> Self {
        Self(Secret::new(crate::testlab::setting("TESTLAB_PASSWORD", "no password".to_owned())))
    }

    /// It, for a command's environment.
    pub fn secret(&self) -> &Secret<String> {
        &self.0
    }
}
