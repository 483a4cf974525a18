//! `shares_links = Router`: a machine that has the links of another in place of its own.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

use crate::capability::Capability;
use crate::errors::Errors;
use crate::field::{Field, Role};
use crate::node::at;
use crate::options::{self, Known, Options};

/// The argument.
pub(crate) const SHARES: Known = options::type_("shares_links", "shares_links = Router");

/// Reads it; answers the builder call for the node, and adds what it asks of the implementation. A machine that has links of its
/// own, or ports, is emitted without it.
pub(crate) fn read(
    options: &mut Options,
    fields: &[Field],
    needs: &mut Vec<Capability>,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let span = options.span("shares_links")?;
    let ty = options.ty("shares_links")?;
    let name = ty.to_token_stream().to_string().replace(' ', "");
    let own = fields.iter().find(|field| matches!(field.role, Role::Link(_)));
    if let Some(own) = own {
        let message = format!(
            "a machine that shares the links of `{name}` has none of its own; remove this field, or `shares_links = {name}`"
        );
        errors.push(syn::Error::new(own.ident.span(), message));
    }
    let exposes = Capability::asked(needs, "Ports");
    if let Some(exposes) = exposes {
        let message = format!(
            "the ports of a machine that shares the links of `{name}` are those of `{name}`; write `#[expose(…)]` there"
        );
        errors.push(syn::Error::new(exposes, message));
    }
    if own.is_some() || exposes.is_some() {
        return None;
    }
    needs.push(Capability::new("SharedLinks", span));
    let at = at(ty.span());
    Some(quote!(.shares_links(<#ty as ::carthage::layout::Model>::KEY, #at)))
}
