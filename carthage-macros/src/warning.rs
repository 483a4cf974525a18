//! Warnings of what one item shows. A macro cannot warn; what it can do is to use something deprecated, at the user's token:
//! that is a warning of rustc's own, which `#[allow(deprecated)]` and its like on the item turn off, or into an error.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::Attribute;

/// What warns of `text` at `at`, under a name that says what it is about. Takes the `#[expect(deprecated)]` off the item: it
/// is this that is expected.
pub(crate) fn emit(name: &str, at: Span, text: &str, attributes: &mut Vec<Attribute>) -> TokenStream {
    let mut levels = Vec::new();
    attributes.retain(|attribute| {
        let expected = attribute.path().is_ident("expect") && mentions_deprecated(attribute);
        if expected
            || ["allow", "warn", "deny", "forbid"].iter().any(|level| attribute.path().is_ident(level))
        {
            levels.push(attribute.clone());
        }
        !expected
    });
    let name = Ident::new(name, at);
    quote_spanned! {at=>
        #(#levels)*
        const _: () = {
            #[deprecated(note = #text)]
            #[allow(non_upper_case_globals)]
            const #name: () = ();
            #name
        };
    }
}

fn mentions_deprecated(attribute: &Attribute) -> bool {
    let mut found = false;
    // What is not a list of words is no lint level, and rustc says so.
    let read = attribute.parse_nested_meta(|meta| {
        found = found || meta.path.is_ident("deprecated");
        if meta.path.is_ident("reason") {
            meta.value()?.parse::<syn::Lit>()?;
        }
        Ok(())
    });
    read.is_ok() && found
}
