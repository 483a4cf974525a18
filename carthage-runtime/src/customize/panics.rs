//! Code of the user's that panics: an error like any other.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

/// A function of the user's; that it panics is an error like any other.
pub(super) async fn unpanicked<T>(body: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    AssertUnwindSafe(body).catch_unwind().await.unwrap_or_else(|panic| Err(panicked(&*panic).into()))
}

/// What a panic said.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", text.unwrap_or("without a message"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error() {
        let said = |word: &'static str| unpanicked::<()>(async move { panic!("no {word}") });
        assert_eq!(said("roof").await.unwrap_err().to_string(), "it panicked: no roof");
        assert!(unpanicked(async { Ok(true) }).await.unwrap());
    }
}
