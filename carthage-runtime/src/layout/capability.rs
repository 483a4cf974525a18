//! Capabilities, checked through the tree by the type system.

use crate::machine::implementation::Implementation;

/// Whether everything in `Self` can be made by the implementation `I`. The attributes implement it, with the capabilities
/// that the item asks for as bounds; a container asks it of its members, and the layout asserts it of itself.
pub trait On<I: Implementation> {}

impl<I: Implementation, T: On<I>, const N: usize> On<I> for [T; N] {}
