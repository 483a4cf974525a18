//! The arguments of `#[provide]`: how a value is made, and for whom.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token, Type};

use crate::build;
use crate::constraint::{self, Constraint};
use crate::errors::Errors;
use crate::field::{Field, Provide, Value};
use crate::names;
use crate::node::mentioned;

/// `#[provide(persist, each, Site = "red", expression)]`, or `#[provide(from = field.field)]`, for a value of the type `ty`.
pub(crate) fn parse(ty: Type, arguments: TokenStream, errors: &mut Errors) -> Provide {
    let mut provide = Provide {
        ty,
        constraints: Vec::new(),
        persist: false,
        each: false,
        close: false,
        value: Value::Default,
    };
    let mut from = false;
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if Constraint::ahead(input) {
                provide.constraints.push(input.parse()?);
            } else if let Some((word, at)) = word(input)? {
                let given = match word {
                    "persist" => &mut provide.persist,
                    "each" => &mut provide.each,
                    "close" => &mut provide.close,
                    _ => {
                        input.parse::<Token![=]>()?;
                        provide.value = Value::From(path(input)?);
                        &mut from
                    }
                };
                if std::mem::replace(given, true) {
                    return Err(syn::Error::new(at, format!("`{word}` is given twice")));
                }
            } else if let Value::Default = provide.value {
                provide.value = Value::Expr(input.parse()?);
            } else {
                return Err(
                    input.error("expected nothing after what it is: write `#[provide(persist, expression)]`")
                );
            }
            if !input.is_empty() {
                input
                    .parse::<Token![,]>()
                    .map_err(|_| input.error("expected `#[provide(persist, expression)]`"))?;
            }
        }
        Ok(())
    };
    if errors.keep(parser.parse2(arguments)).is_none() {
        provide.value = Value::Broken;
    }
    constraint::check(&mut provide.constraints, errors);
    if let Value::From(path) = &provide.value
        && let Some(first) = path.first()
        && let Some(word) = [("persist", provide.persist), ("each", provide.each), ("close", provide.close)]
            .iter()
            .find_map(|(word, given)| given.then_some(*word))
    {
        errors.at(first, format!("`{word}` belongs where the value is made, not where it is taken `from`"));
        provide.value = Value::Broken;
    }
    provide
}

const WORDS: [&str; 4] = ["persist", "each", "close", "from"];

/// Takes one of the words, if it stands alone or, of `from`, before a `=`; a misspelling of one before a comma is an error.
fn word(input: ParseStream<'_>) -> syn::Result<Option<(&'static str, Span)>> {
    let ahead = input.fork();
    let Ok(ident) = ahead.parse::<Ident>() else { return Ok(None) };
    let (alone, listed, given) = (ahead.is_empty(), ahead.peek(Token![,]), ahead.peek(Token![=]));
    let known = WORDS.into_iter().find(|word| ident == word);
    match known {
        Some("from") if given => {}
        Some("persist" | "each" | "close") if alone || listed => {}
        Some("from") if alone || listed => {
            return Err(syn::Error::new(
                ident.span(),
                "`from` needs a value, such as `from = algebra.token`",
            ));
        }
        Some(word) if given && !ahead.peek(Token![==]) => {
            return Err(syn::Error::new(ident.span(), format!("`{word}` takes no value; write `{word}`")));
        }
        _ if listed || given && !ahead.peek(Token![==]) => {
            let hint = names::did_you_mean(&ident.to_string(), WORDS);
            let message = format!(
                "unknown argument `{ident}`{hint}\n`#[provide]` takes `persist`, `each`, `close`, `from = …`, constraints and an expression"
            );
            return Err(syn::Error::new(ident.span(), message));
        }
        _ => return Ok(None),
    }
    input.parse::<Ident>()?;
    Ok(known.map(|known| (known, ident.span())))
}

/// `algebra.cluster`
fn path(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let mut path = vec![input.call(Ident::parse_any)?];
    while input.parse::<Option<Token![.]>>()?.is_some() {
        path.push(input.call(Ident::parse_any)?);
    }
    Ok(path)
}

/// The `Provide` of the node.
pub(crate) fn node(provide: &Provide, field: &Field, fields: &[Field]) -> TokenStream {
    let Provide { ty, constraints, persist, each, value, .. } = provide;
    let mut key = quote!(<#ty as ::carthage::inject::Injectable>::KEY);
    let how = match value {
        Value::Expr(expr) => {
            let uses: Vec<_> = mentioned(expr, field, fields).into_iter().map(Field::name).collect();
            (!uses.is_empty()).then(|| quote!(.uses(&[#(#uses),*])))
        }
        Value::Default => {
            let made = quote!(<#ty as ::carthage::layout::Made>);
            key = quote!(#made::MADE);
            Some(quote!(.needs(#made::NEEDS)))
        }
        Value::From(path) => {
            let path = path.iter().map(|field| field.unraw().to_string());
            Some(quote!(.from(&[#(#path),*])))
        }
        Value::Broken => None,
    };
    let and = constraint::and(constraints);
    let used = build::is_mentioned(field, fields).then(|| quote!(.mentioned()));
    let (persist, each) = (persist.then(|| quote!(.persist())), each.then(|| quote!(.each())));
    quote!(::carthage::model::Provide::new(#key #and) #persist #each #used #how)
}
