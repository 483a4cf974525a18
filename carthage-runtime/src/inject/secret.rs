//! Values that must not be seen.

use zeroize::Zeroize;

/// A value that is never shown and is wiped when dropped.
///
/// It has no `Debug`, `Display` or `Serialize`, so it cannot get into a log, a plan or a stamp by accident; [`expose`](Self::expose)
/// is the one way to it. It may be an input of a task's hash, which is keyed with a random value of the layout's own.
///
/// ```compile_fail
/// # use carthage_runtime::inject::Secret;
/// println!("{:?}", Secret::new(String::from("hidden")));
/// ```
/// ```compile_fail
/// # use carthage_runtime::inject::Secret;
/// println!("{}", Secret::new(String::from("hidden")));
/// ```
/// ```compile_fail
/// # use carthage_runtime::inject::Secret;
/// fn serializable(_: impl serde::Serialize) {}
/// serializable(Secret::new(String::from("hidden")));
/// ```
/// ```
/// # use carthage_runtime::inject::Secret;
/// let token = Secret::new(String::from("hidden"));
/// assert_eq!(token.expose(), "hidden");
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Give it to no argv, log or error.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn wiped_on_drop() {
        struct Watched(Arc<Mutex<Vec<u8>>>);
        impl Zeroize for Watched {
            fn zeroize(&mut self) {
                self.0.lock().unwrap().zeroize();
            }
        }
        let bytes = Arc::new(Mutex::new(b"hidden".to_vec()));
        drop(Secret::new(Watched(bytes.clone())));
        assert!(bytes.lock().unwrap().is_empty());
    }
}
