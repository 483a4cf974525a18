//! What a task has to do with other machines: `depend_on = Mirror`, `after = Mirror.site.index`; and `task!(Mirror.site.index)` and
//! `tasks!(Mirror.site)`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Token, Type, bracketed, parenthesized};

use crate::errors::Errors;
use crate::node::at;
use crate::options::Options;
use crate::start::placed_key;
use crate::tokens;

/// `Mirror`, `Mirror.site.index`, or either with the field that holds the machine: `(Mirror, name = mirror_b)`.
pub(crate) struct Named {
    ty: Type,
    /// What stands behind dots.
    way: Vec<Ident>,
    field: Option<Ident>,
}

impl Parse for Named {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            let mut named = Self::bare(&content)?;
            content.parse::<Token![,]>()?;
            let name = content.call(Ident::parse_any)?;
            if name != "name" {
                return Err(syn::Error::new(name.span(), ""));
            }
            content.parse::<Token![=]>()?;
            named.field = Some(content.call(Ident::parse_any)?);
            return if content.is_empty() { Ok(named) } else { Err(content.error("")) };
        }
        Self::bare(input)
    }
}

impl Named {
    fn bare(input: ParseStream<'_>) -> syn::Result<Self> {
        let (ty, mut way) = (input.parse()?, Vec::new());
        while input.parse::<Option<Token![.]>>()?.is_some() {
            way.push(input.call(Ident::parse_any)?);
        }
        Ok(Self { ty, way, field: None })
    }

    /// One, or several in brackets.
    pub(crate) fn list(input: ParseStream<'_>) -> syn::Result<Vec<Self>> {
        if !input.peek(syn::token::Bracket) {
            return Ok(vec![input.parse()?]);
        }
        let content;
        bracketed!(content in input);
        Ok(content.parse_terminated(Self::parse, Token![,])?.into_iter().collect())
    }

    /// A name alone: a task beside it.
    fn own(&self) -> Option<&Ident> {
        match &self.ty {
            Type::Path(path) if self.way.is_empty() && self.field.is_none() => path.path.get_ident(),
            _ => None,
        }
    }

    /// The customization's field, behind those of roles, and the task; each where it stands.
    fn task(&self) -> Option<((String, Span), &Ident)> {
        let (task, fields) = self.way.split_last()?;
        Some((field(fields)?, task))
    }
}

/// The field that these lead to, and where its name stands.
fn field(way: &[Ident]) -> Option<(String, Span)> {
    let last = way.last()?.span();
    let fields: Vec<_> = way.iter().map(|field| field.unraw().to_string()).collect();
    Some((fields.join("."), last))
}

/// A machine that a task depends on, or a task of it.
pub(crate) struct Elsewhere {
    argument: &'static str,
    mode: &'static str,
    named: Named,
}

/// Tasks beside it that are named by `after`, and what it says of other machines.
pub(crate) fn parse(options: &mut Options, errors: &mut Errors) -> (Vec<Ident>, Vec<Elsewhere>) {
    let (mut beside, mut all) = (Vec::new(), Vec::new());
    for named in options.named("after") {
        if let Some(ident) = named.own() {
            beside.push(ident.clone());
        } else if named.task().is_some() && !matches!(named.ty, Type::TraitObject(_)) {
            all.push(Elsewhere { argument: "after", mode: "After", named });
        } else {
            errors.at(
                &named.ty,
                "a task of another machine is named by the machine's model, the field of its customization and the task: \
                 `after = Mirror.site.index`",
            );
        }
    }
    for (argument, mode) in [("depend_on", "Running"), ("depend_on_to_judge", "RunningToJudge")] {
        for named in options.named(argument) {
            match named.way.first() {
                None => all.push(Elsewhere { argument, mode, named }),
                Some(first) => errors
                    .at(first, format!("`{argument}` names a machine; for a task of it, write `after = …`")),
            }
        }
    }
    (beside, all)
}

impl Elsewhere {
    /// Where it stands.
    pub(crate) fn span(&self) -> Span {
        self.named.ty.span()
    }

    /// `Need::new(…)`
    pub(crate) fn need(&self) -> TokenStream {
        let Self { argument, mode, named } = self;
        let (key, at) = (placed_key(&named.ty), at(named.ty.span()));
        let field = named.field.as_ref().map(|field| {
            let field = field.unraw().to_string();
            quote!(.field(#field))
        });
        let mode = Ident::new(mode, Span::call_site());
        let of = named.task().map(|((customization, _), task)| {
            let task = task.unraw().to_string();
            quote!({ customization: #customization, task: #task })
        });
        quote!(::carthage::model::Need::new(#key, ::carthage::model::Mode::#mode #of, #argument, #at) #field)
    }

    /// Whether what is named has no parameters of the impl around; a finding otherwise: nobody would choose them.
    pub(crate) fn is_certain(&self, generics: &Generics, errors: &mut Errors) -> bool {
        let parameters: Vec<String> = generics
            .params
            .iter()
            .filter_map(|parameter| match parameter {
                syn::GenericParam::Type(parameter) => Some(parameter.ident.to_string()),
                syn::GenericParam::Const(parameter) => Some(parameter.ident.to_string()),
                syn::GenericParam::Lifetime(_) => None,
            })
            .collect();
        let ty = &self.named.ty;
        let certain = self.named.way.is_empty() || tokens::mentioned(&quote!(#ty), &parameters).is_empty();
        if !certain {
            errors.at(ty, "the task of a machine is named without parameters of this impl");
        }
        certain
    }

    /// That there is such a task: a constant of its own, so that two that name each other are no circle of constants.
    pub(crate) fn proof(&self) -> Option<TokenStream> {
        self.named.proof()
    }
}

impl Named {
    fn proof(&self) -> Option<TokenStream> {
        let ((field, field_at), task) = self.task()?;
        let (ty, name) = (&self.ty, task.unraw().to_string());
        // Wholly of the span where the caret is to be.
        let node = |at: Span| quote_spanned!(at=> <#ty as ::carthage::layout::Model>::NODE);
        let (of_field, of_task) = (node(field_at), node(task.span()));
        let has_customization = quote_spanned!(field_at=> #of_field.has_customization(#field));
        let has_task = quote_spanned!(task.span()=> #of_task.has_task(#field, #name));
        Some(quote!(const _: () = { #has_customization; #has_task };))
    }
}

/// `task!(Mirror.site.index)`
pub(crate) fn task(input: TokenStream) -> syn::Result<TokenStream> {
    const FORM: &str = "a task is named by its machine's model, the field of its customization and its name: \
                        `task!(Mirror.site.index)`";
    let at = input.span();
    let named = Named::bare.parse2(input).map_err(|error| syn::Error::new(error.span(), FORM))?;
    let (Some(((field, _), task)), Some(proof)) = (named.task(), named.proof()) else {
        return Err(syn::Error::new(at, FORM));
    };
    let (ty, task) = (&named.ty, task.unraw().to_string());
    Ok(quote!({ #proof ::carthage::layout::TaskOf::<#ty>::new(#field, #task) }))
}

/// `tasks!(Mirror.site)`
pub(crate) fn tasks(input: TokenStream) -> syn::Result<TokenStream> {
    const FORM: &str =
        "all tasks of a customization are named by its machine's model and its field: `tasks!(Mirror.site)`";
    let at = input.span();
    let named = Named::bare.parse2(input).map_err(|error| syn::Error::new(error.span(), FORM))?;
    let (ty, (field, field_at)) = (&named.ty, field(&named.way).ok_or_else(|| syn::Error::new(at, FORM))?);
    let node = quote_spanned!(field_at=> <#ty as ::carthage::layout::Model>::NODE);
    let has_customization = quote_spanned!(field_at=> #node.has_customization(#field));
    Ok(quote!({ const _: () = { #has_customization; }; ::carthage::layout::TasksOf::<#ty>::new(#field) }))
}
