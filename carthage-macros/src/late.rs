//! Texts in which constant parameters stand for numbers: `domain = "group{K}"`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::literal::{self, Checked};

/// A domain, perhaps with parameters.
#[derive(Clone, Debug)]
pub(crate) struct Domain(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Parameter(String),
}

/// A domain.
pub(crate) fn domain(text: &str) -> Checked<Domain> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) =
            after.split_once('}').filter(|(name, _)| syn::parse_str::<Ident>(name).is_ok())
        else {
            return Err(format!("`{text}` has a brace without a parameter's name in it: `group{{K}}`"));
        };
        pieces.extend([Piece::Text(before.to_owned()), Piece::Parameter(name.to_owned())]);
        rest = after;
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    let filled: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Parameter(_) => "1",
        })
        .collect();
    literal::domain(&filled)?;
    Ok(Domain(pieces))
}

impl Domain {
    /// The builder call for a node, and what the type must have for it.
    pub(crate) fn node(&self) -> (TokenStream, Option<TokenStream>) {
        if let [Piece::Text(text)] = &self.0[..] {
            return (quote!(.domain(#text)), None);
        }
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => quote!(Text(#text)),
            Piece::Parameter(name) => {
                let name = Ident::new(name, Span::call_site());
                quote!(Number(#name as u64))
            }
        });
        let constant = quote! {
            #[doc(hidden)]
            const CARTHAGE_DOMAIN: ::carthage::model::Late =
                ::carthage::model::Late::of(&[#(::carthage::model::Piece::#pieces),*]);
        };
        (quote!(.domain(Self::CARTHAGE_DOMAIN.as_str())), Some(constant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_braces() {
        assert_eq!(domain("group{K}.x").unwrap().0.len(), 3);
        assert!(domain("{K}").unwrap().node().1.is_some() && domain("a.b").unwrap().node().1.is_none());
        for wrong in ["group{", "group{}", "group{1}", "-{K}", "{K}..x"] {
            assert!(domain(wrong).is_err(), "{wrong}");
        }
    }
}
