//! Types of which there is a description, for what is asked of them: of one that has none, which is an error already, nothing is asked.

/// Stands for what has a description.
#[doc(hidden)]
#[derive(Debug)]
pub struct Described<const IS: bool>;

/// What it stands for.
#[doc(hidden)]
pub trait Stands {
    /// It.
    type For<T>;
}

impl Stands for Described<true> {
    type For<T> = T;
}
