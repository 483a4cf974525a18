//! What files are to hold, be it secret or not.

use crate::inject::Secret;

/// What a file is to hold; made out of text, bytes or a [`Secret`].
#[derive(Clone)]
pub struct Content {
    bytes: Secret<Vec<u8>>,
    is_secret: bool,
    /// What kept it from being made.
    error: Option<String>,
}

impl Content {
    /// The same, never to be shown.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { is_secret: true, ..self }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.is_secret
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.bytes.expose()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// What could not be made, for this reason.
    pub(super) fn failed(why: String) -> Self {
        Self { error: Some(why), ..Self::from("") }
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes: Secret::new(bytes), is_secret: false, error: None }
    }
}

impl From<&[u8]> for Content {
    fn from(bytes: &[u8]) -> Self {
        bytes.to_vec().into()
    }
}

impl<const N: usize> From<&[u8; N]> for Content {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.to_vec().into()
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&String> for Content {
    fn from(text: &String) -> Self {
        text.as_bytes().into()
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&Secret<String>> for Content {
    fn from(secret: &Secret<String>) -> Self {
        Self::from(secret.expose()).secret()
    }
}

impl From<Secret<String>> for Content {
    fn from(secret: Secret<String>) -> Self {
        (&secret).into()
    }
}

impl From<&Secret<Vec<u8>>> for Content {
    fn from(secret: &Secret<Vec<u8>>) -> Self {
        Self::from(secret.expose().clone()).secret()
    }
}
