//! What a type looks like, where the grammar gives it a meaning.

use quote::ToTokens;
use syn::{GenericArgument, GenericParam, Generics, Ident, PathArguments, Type};

use crate::tokens;

/// The last segment's name of a path type: `Arc` for `std::sync::Arc<T>`.
pub(crate) fn head(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Group(group) => head(&group.elem),
        Type::Paren(paren) => head(&paren.elem),
        _ => None,
    }
}

/// The first type argument, when the type is called `name`: `T` for `Arc<T>`.
pub(crate) fn argument<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    match ty {
        Type::Path(path) => {
            let segment = path.path.segments.last().filter(|segment| segment.ident == name)?;
            let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
            arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        }
        Type::Group(group) => argument(&group.elem, name),
        Type::Paren(paren) => argument(&paren.elem, name),
        _ => None,
    }
}

/// `T` of `&T`.
pub(crate) fn referent(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Reference(reference) if reference.mutability.is_none() => Some(&reference.elem),
        Type::Group(group) => referent(&group.elem),
        _ => None,
    }
}

/// Whether a type mentions one of these parameters.
pub(crate) fn depends(ty: &Type, generics: &Generics) -> bool {
    let mentioned =
        |parameter: &Ident| tokens::find_ident(ty.to_token_stream(), &parameter.to_string()).is_some();
    generics.params.iter().any(|parameter| match parameter {
        GenericParam::Type(parameter) => mentioned(&parameter.ident),
        GenericParam::Const(parameter) => mentioned(&parameter.ident),
        GenericParam::Lifetime(_) => false,
    })
}

/// Whether it is `()`.
pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// A type as a user writes it, for messages.
pub(crate) fn text(ty: &Type) -> String {
    tidy(&ty.to_token_stream().to_string())
}

/// Source text out of tokens, without the spaces that people do not write.
pub(crate) fn tidy(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (spaced, written) in [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        (" >", ">"),
        ("& ", "&"),
        (" , ", ", "),
        (" ;", ";"),
        ("# [", "#["),
        (" (", "("),
    ] {
        text = text.replace(spaced, written);
    }
    text
}
