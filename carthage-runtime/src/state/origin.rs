//! What a thing was made from, as the store keeps it: a text that is read when somebody asks.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// What a thing was made from, as JSON. Cheap to clone. Thousands of records are read for a plan of a few things: none is taken
/// apart before it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(Arc<str>);

impl Origin {
    /// Of plain data.
    ///
    /// # Errors
    /// When it cannot be written as JSON, as a map whose keys are no texts.
    pub fn of(data: &impl Serialize) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::to_string(data)?.into()))
    }

    /// Nothing is known of it.
    #[must_use]
    pub fn unknown() -> Self {
        Self("null".into())
    }

    /// As this type; `None` if another version wrote it differently.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(&self.0).ok()
    }
}

impl Serialize for Origin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.get().into()))
    }
}
