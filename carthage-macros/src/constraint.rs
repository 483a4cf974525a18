//! `#[constraint]`: a type that tells values of one type apart; and `Site = "red"` in `#[inject]`, `#[provide]` and `#[mask]`.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::parse::{Parse, ParseBuffer, ParseStream};
use syn::spanned::Spanned;
use syn::{Expr, ExprLit, Fields, Item, ItemEnum, ItemStruct, Lit, Path, Token};

use crate::entry;
use crate::errors::Errors;
use crate::node;
use crate::options::Options;
use crate::types;

/// What a value of a constraint may be, besides text.
const NUMBERS: &[&str] = &["u8", "u16", "u32", "u64", "usize"];

pub(crate) fn expand(arguments: TokenStream, item: Item, errors: &mut Errors) -> TokenStream {
    Options::parse("constraint", &[], arguments, errors);
    let (ident, generics, made) = match &item {
        Item::Struct(item) => (&item.ident, &item.generics, of_struct(item, errors)),
        Item::Enum(item) => (&item.ident, &item.generics, of_enum(item, errors)),
        _ => return entry::misplaced("constraint", "a struct or an enum", item, errors),
    };
    if !generics.params.is_empty() {
        errors.at(generics, "a constraint is one type; it has no parameters");
        return item.into_token_stream();
    }
    let key = node::key(ident);
    let (sort, function) = made.unzip();
    // Also where something is wrong, so that what mentions it does not seem wrong, too.
    quote! {
        #item
        #[automatically_derived]
        impl ::carthage::model::ConstraintKind for #ident {
            const KEY: ::carthage::model::Key = #key;
        }
        #sort
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #function
            /// With whatever value, for filters.
            pub const fn any() -> ::carthage::model::Constraint {
                ::carthage::model::Constraint::any(<Self as ::carthage::model::ConstraintKind>::KEY)
            }
        }
    }
}

/// What says that it takes texts or numbers, and `constraint`.
fn of_struct(item: &ItemStruct, errors: &mut Errors) -> Option<(TokenStream, TokenStream)> {
    let field = match &item.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first(),
        _ => None,
    };
    let constructor = field.and_then(|field| {
        let ty = &field.ty;
        let head = types::head(ty)?;
        NUMBERS.contains(&head.as_str()).then(|| quote!(number(key, value as u64)))
    });
    let text =
        field.is_some_and(|field| types::referent(&field.ty).and_then(types::head).as_deref() == Some("str"));
    let Some(constructor) = constructor.or_else(|| text.then(|| quote!(text(key, value)))) else {
        let ident = &item.ident;
        let message = format!(
            "a constraint is text, a number or one of several: write `struct {ident}(&'static str);`, `struct {ident}(u32);` or \
             an enum without fields"
        );
        match field {
            Some(field) => errors.at(&field.ty, message),
            None => errors.at(ident, message),
        }
        return None;
    };
    let ty = field?.ty.clone();
    let function = quote! {
        /// This value, to constrain a key by.
        pub const fn constraint(value: #ty) -> ::carthage::model::Constraint {
            let key = <Self as ::carthage::model::ConstraintKind>::KEY;
            let Self(value) = Self(value);
            ::carthage::model::Constraint::#constructor
        }
    };
    let ident = &item.ident;
    let sort = match text {
        true => quote!(impl ::carthage::model::TextConstraint for #ident {}),
        false => quote! {
            impl ::carthage::model::NumberConstraint for #ident {
                const MAX: u64 = <#ty>::MAX as u64;
            }
        },
    };
    Some((quote!(#[automatically_derived] #sort), function))
}

fn of_enum(item: &ItemEnum, errors: &mut Errors) -> Option<(TokenStream, TokenStream)> {
    let before = errors.count();
    for variant in item.variants.iter().filter(|variant| !variant.fields.is_empty()) {
        errors.at(variant, format!("a constraint has no values inside; write `{}` alone", variant.ident));
    }
    if item.variants.is_empty() {
        errors.at(&item.ident, "a constraint of no variants has no values");
    }
    if errors.count() > before {
        return None;
    }
    let arms = item.variants.iter().map(|variant| {
        let (ident, name) = (&variant.ident, variant.ident.to_string());
        let cfgs = variant.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
        quote!(#(#cfgs)* Self::#ident => #name)
    });
    let function = quote! {
        /// This value, to constrain a key by.
        pub const fn constraint(value: Self) -> ::carthage::model::Constraint {
            let name = match value { #(#arms),* };
            ::carthage::model::Constraint::variant(<Self as ::carthage::model::ConstraintKind>::KEY, name)
        }
    };
    Some((TokenStream::new(), function))
}

/// `Site = "red"`, or `Site` for whatever value.
pub(crate) struct Constraint {
    pub(crate) kind: Path,
    pub(crate) value: Option<Expr>,
}

impl Constraint {
    /// Its type, as written.
    pub(crate) fn text(&self) -> String {
        types::tidy(&self.kind.to_token_stream().to_string())
    }

    /// Whether `Site = …` comes next, and not an option or an expression. Types begin with a capital letter.
    pub(crate) fn ahead(input: ParseStream<'_>) -> bool {
        type_ahead(input)
            .is_some_and(|rest| rest.peek(Token![=]) && !rest.peek(Token![==]) && !rest.peek(Token![=>]))
    }

    /// Whether a lone `Site` comes next.
    pub(crate) fn alone_ahead(input: ParseStream<'_>) -> bool {
        type_ahead(input).is_some_and(|rest| rest.is_empty() || rest.peek(Token![,]))
    }
}

/// What comes after something that is named like a type.
fn type_ahead<'a>(input: ParseStream<'a>) -> Option<ParseBuffer<'a>> {
    let ahead = input.fork();
    let path = ahead.call(Path::parse_mod_style).ok()?;
    let last = path.segments.last()?.ident.to_string();
    last.starts_with(char::is_uppercase).then_some(ahead)
}

impl Parse for Constraint {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let kind = input.call(Path::parse_mod_style)?;
        let value = input.parse::<Option<Token![=]>>()?.map(|_| input.parse()).transpose()?;
        Ok(Self { kind, value })
    }
}

impl ToTokens for Constraint {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { kind, value } = self;
        let constraint = quote!(::carthage::model::Constraint);
        let Some(value) = value else {
            let of_kind = quote_spanned!(kind.span()=> <#kind as ::carthage::model::ConstraintKind>);
            tokens.extend(quote!(#constraint::any(#of_kind::KEY)));
            return;
        };
        // A literal says itself what it is: then one bound is all that is asked of the type, and tells what is wrong with it.
        // Whatever else the value may be is evaluated by what `#[constraint]` wrote.
        tokens.extend(match literal(value) {
            Some(Lit::Str(text)) => quote!(#constraint::of_text::<#kind>(#text)),
            // What a number that is too large is told at.
            Some(Lit::Int(number)) => {
                quote_spanned!(number.span()=> ::carthage::model::Constraint::of_number::<#kind>(#number))
            }
            _ => {
                let constrain = quote_spanned!(kind.span()=> <#kind>::constraint);
                quote!(#constrain(#value))
            }
        });
    }
}

fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if !number.suffix().is_empty() => None,
        Expr::Lit(literal) => Some(&literal.lit),
        _ => None,
    }
}

/// `.and(…)` behind a key, if there is anything to say.
pub(crate) fn and(constraints: &[Constraint]) -> Option<TokenStream> {
    (!constraints.is_empty()).then(|| quote!(.and(const { &[#(#constraints),*] })))
}

/// Takes out those that a key cannot have together.
pub(crate) fn check(constraints: &mut Vec<Constraint>, errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    constraints.retain(|constraint| {
        let text = constraint.text();
        if seen.contains(&text) {
            errors.at(&constraint.kind, format!("`{text}` is given twice"));
            return false;
        }
        seen.push(text);
        if seen.len() == 5 {
            errors.at(&constraint.kind, "a value has four constraints at most");
        }
        seen.len() < 5
    });
}

/// Passes over what could not be read, up to the next argument.
pub(crate) fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        _ = input.parse::<TokenTree>();
    }
}
