//! Values that are made once and kept in the state directory, and how they become bytes.

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, ErrorKind};
use crate::inject::Secret;

/// A value that `#[provide(persist, …)]` can keep.
///
/// `#[injectable]` implements it for a newtype over a type that has it; `#[injectable(serde)]` for whatever serde can
/// write and read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be kept in the state directory",
    label = "`persist` needs a value that can be written and read back",
    note = "`#[injectable]` makes a newtype over a string, bytes, a number, a bool or a `Secret` of one keepable, and `#[injectable(serde)]` every type that serde can write and read"
)]
pub trait Persist: Sized {
    /// The value as bytes.
    ///
    /// # Errors
    /// When the value cannot be written.
    fn save(&self) -> Result<Zeroizing<Vec<u8>>, Error>;

    /// The value from what [`save`](Self::save) gave, perhaps of an earlier version of the type.
    ///
    /// # Errors
    /// When the bytes are not a value of this type.
    fn load(bytes: &[u8]) -> Result<Self, Error>;
}

fn not_a<T>(cause: impl Into<crate::BoxError>) -> Error {
    let name = std::any::type_name::<T>();
    Error::new(ErrorKind::Corrupt, format!("the kept value is not a `{name}`")).because(cause).hint(
        "if the type has changed, put it back; or make the value anew: `destroy` forgets it together with what was made from it",
    )
}

fn text<T>(bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(not_a::<T>)
}

impl Persist for String {
    fn save(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.as_bytes().to_vec().into())
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        text::<Self>(bytes).map(Into::into)
    }
}

impl Persist for Vec<u8> {
    fn save(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        Ok(self.clone().into())
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        Ok(bytes.to_vec())
    }
}

macro_rules! as_text {
    ($($type:ty)*) => {$(
        impl Persist for $type {
            fn save(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
                Ok(self.to_string().into_bytes().into())
            }

            fn load(bytes: &[u8]) -> Result<Self, Error> {
                text::<Self>(bytes)?.parse().map_err(not_a::<Self>)
            }
        }
    )*};
}

as_text!(bool u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

impl<T: Persist + Zeroize> Persist for Secret<T> {
    fn save(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.expose().save()
    }

    fn load(bytes: &[u8]) -> Result<Self, Error> {
        T::load(bytes).map(Self::new)
    }
}

/// [`Persist::save`] for whatever serde can write.
#[doc(hidden)]
pub fn serde_save<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, Error> {
    // With room from the start, so that growing leaves no copies of a short secret behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    serde_json::to_writer(&mut *bytes, value).map_err(|error| {
        let name = std::any::type_name::<T>();
        Error::new(ErrorKind::Usage, format!("a `{name}` cannot be written as JSON")).because(error)
    })?;
    Ok(bytes)
}

/// [`Persist::load`] for whatever serde can read.
#[doc(hidden)]
pub fn serde_load<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(not_a::<T>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        assert_eq!(String::load(&"tóken".to_owned().save().unwrap()).unwrap(), "tóken");
        assert_eq!(Vec::load(&vec![0, 255].save().unwrap()).unwrap(), [0, 255]);
        assert_eq!(i64::load(&(-5i64).save().unwrap()).unwrap(), -5);
        assert!(bool::load(&true.save().unwrap()).unwrap());
        let secret = Secret::new("s".to_owned());
        assert_eq!(Secret::<String>::load(&secret.save().unwrap()).unwrap().expose(), "s");
        assert_eq!(serde_load::<(u8, String)>(&serde_save(&(1u8, "x")).unwrap()).unwrap(), (1, "x".into()));
    }

    #[test]
    fn not_of_this_type() {
        for error in [
            u8::load(b"256").unwrap_err(),
            serde_load::<u8>(b"{").unwrap_err(),
            String::load(&[255]).unwrap_err().because(""),
        ] {
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.next_step().is_some());
        }
    }
}
