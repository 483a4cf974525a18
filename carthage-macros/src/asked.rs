//! The arguments of `#[inject]`: which value is meant, and what is taken where there is none.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Expr, Ident, Token, Type};

use crate::constraint::{self, Constraint, skip_to_comma};
use crate::errors::Errors;
use crate::names;
use crate::node;
use crate::tokens;
use crate::types;

/// What `#[inject(…)]` says.
#[derive(Default)]
pub(crate) struct Asked {
    constraints: Vec<Constraint>,
    /// What is taken where nothing is provided.
    pub(crate) default: Option<Expr>,
    /// Of something placed: the field that holds it.
    field: Option<Ident>,
}

const TAKES: &str = "`#[inject]` takes `default = …`, `name = …` and constraints, such as `Site = \"red\"`";

impl Asked {
    /// Reads it for something of the type `ty`, of which `Arc<T>` is what may have a default.
    pub(crate) fn parse(arguments: TokenStream, ty: &Type, errors: &mut Errors) -> Self {
        let mut asked = Self::default();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = asked.one(input, ty) {
                    errors.push(error);
                    skip_to_comma(input);
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    errors.push(input.error("expected `,` between arguments"));
                    skip_to_comma(input);
                    input.parse::<Option<Token![,]>>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(arguments) {
            errors.push(error);
        }
        asked.check(ty, errors);
        asked
    }

    fn one(&mut self, input: ParseStream<'_>, ty: &Type) -> syn::Result<()> {
        if Constraint::ahead(input) || Constraint::alone_ahead(input) {
            self.constraints.push(input.parse()?);
            return Ok(());
        }
        let Ok(word) = input.call(Ident::parse_any) else {
            return Err(input.error(format!("expected an argument; {TAKES}")));
        };
        let written = word.to_string();
        let known = names::meant(&written, ["default", "name"]);
        if known != Some(written.as_str()) {
            let hint = names::did_you_mean(&written, ["default", "name"]);
            return Err(syn::Error::new(word.span(), format!("unknown argument `{written}`{hint}\n{TAKES}")));
        }
        if !input.peek(Token![=]) {
            let message = match known {
                Some("default") => "`default` needs a value, such as `default = Port(80)`",
                _ => "`name` needs a field, such as `name = mirror_b`",
            };
            return Err(syn::Error::new(word.span(), message));
        }
        input.parse::<Token![=]>()?;
        let twice = if known == Some("name") { self.field.is_some() } else { self.default.is_some() };
        if twice {
            return Err(syn::Error::new(word.span(), format!("`{word}` is given twice")));
        }
        if known == Some("name") {
            self.field = Some(input.call(Ident::parse_any)?);
            return Ok(());
        }
        let default: Expr = input.parse()?;
        if types::argument(ty, "Arc").is_none() {
            let text = types::text(ty);
            let message = format!(
                "`default` is for what is there in any case: `Arc<T>`, or `&T` in a function; not for `{text}`"
            );
            return Err(syn::Error::new(word.span(), message));
        }
        self.default = Some(default);
        Ok(())
    }

    fn check(&mut self, ty: &Type, errors: &mut Errors) {
        constraint::check(&mut self.constraints, errors);
        let head = types::head(ty);
        if head.as_deref() != Some("All") {
            self.constraints.retain(|constraint| {
                let kind = constraint.text();
                if constraint.value.is_none() {
                    errors.at(
                        &constraint.kind,
                        format!("which `{kind}`? write `{kind} = …`; only `All<T>` takes whatever there is"),
                    );
                }
                constraint.value.is_some()
            });
        }
        let placed = head.as_deref() == Some("Placed");
        if let Some(field) = self.field.as_ref().filter(|_| !placed) {
            errors.at(field, "`name` is for what stands in a field: `Placed<T>`");
        }
        if let Some(constraint) = self.constraints.first().filter(|_| placed) {
            errors.at(
                &constraint.kind,
                "what is placed has no constraints; say which by its field: `#[inject(name = mirror_b)]`",
            );
        }
        if let Some(expr) = &self.default
            && let Some(found) = tokens::find_ident(quote!(#expr), "self")
        {
            errors.at(&found, "`self` does not exist yet here");
            self.default = None;
        }
    }

    /// The type that is asked for: with a default, it may be absent.
    pub(crate) fn wanted(&self, ty: &Type) -> Type {
        match self.default {
            Some(_) => Type::Verbatim(quote!(::core::option::Option<#ty>)),
            None => ty.clone(),
        }
    }

    /// The `Need` of something of type `ty`.
    pub(crate) fn need(&self, ty: &Type, name: &str, span: proc_macro2::Span) -> TokenStream {
        let (ty, and, at) = (self.wanted(ty), constraint::and(&self.constraints), node::at(span));
        let wanted = quote_spanned!(ty.span()=> <#ty as ::carthage::layout::Wanted>);
        let field = self.field.as_ref().map(|field| {
            let field = field.unraw().to_string();
            quote!(.field(#field))
        });
        quote!(::carthage::model::Need::new(#wanted::KEY #and, #wanted::MODE, #name, #at) #field)
    }

    /// `found`, or the default where it is absent, as `evaluate` says, which is given the expression and its type.
    pub(crate) fn or_default(
        &self,
        ty: &Type,
        found: TokenStream,
        evaluate: impl FnOnce(&Expr, &Type) -> TokenStream,
    ) -> TokenStream {
        let (Some(expr), Some(inner)) = (&self.default, types::argument(ty, "Arc")) else { return found };
        let default = evaluate(expr, inner);
        quote! {
            match #found {
                ::core::option::Option::Some(found) => found,
                ::core::option::Option::None => {
                    let default: #inner = #default;
                    ::std::sync::Arc::new(default)
                }
            }
        }
    }
}
