//! How a model is made: `register`, `prepare`, `build` and `customizations` of `Model`. What is generated is plain functions,
//! except where something is awaited: compilers take many times longer over `async` ones.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Fields, Type};

use crate::capability;
use crate::field::{Field, Link, Provide, Role, Value};
use crate::model::Model;
use crate::node::{mentioned, position};
use crate::tokens;

/// A name that no field can take the place of.
pub(crate) fn place() -> Ident {
    Ident::new("place", Span::mixed_site())
}

fn parts() -> Ident {
    Ident::new("parts", Span::mixed_site())
}

/// The functions of `impl Model`; those that would do nothing are left to the trait.
pub(crate) fn functions(model: &Model) -> TokenStream {
    let (register, prepare) = (register(model), prepare(&model.fields));
    let (build, customizations) = (build(model), customizations(&model.fields));
    let roles = roles(&model.fields);
    quote!(#register #prepare #build #customizations #roles)
}

/// `Model::register`: members and what is provided.
fn register(model: &Model) -> Option<TokenStream> {
    let (place, fields) = (place(), &model.fields);
    let resolves = model
        .resolvable
        .map(|span| quote_spanned!(span=> ::carthage::layout::Place::resolves::<Self>(#place);));
    let lines: Vec<_> = fields
        .iter()
        .enumerate()
        .filter_map(|(i, field)| {
            let (cfgs, index) = (&field.cfgs, position(fields, i));
            let line = match &field.role {
                Role::Member(member) => {
                    let ty = &member.ty;
                    let decider = member.decided().and_then(|said| decider(said, field, fields, &index));
                    quote! {
                        #decider
                        <#ty as ::carthage::layout::Model>::register_as_member(#place, #index);
                    }
                }
                Role::Provide(provide) => provider(provide, field, fields, &index)?,
                Role::Taken { .. } => {
                    let ty = &field.ty;
                    quote!(<#ty as ::carthage::layout::Model>::register_as_role(#place, #index);)
                }
                Role::Link(_) | Role::Customize(_) | Role::Inject(_) => return None,
            };
            Some(match cfgs.is_empty() {
                true => line,
                false => quote!(#(#cfgs)* { #line }),
            })
        })
        .chain(resolves)
        .collect();
    (!lines.is_empty()).then(|| quote!(fn register(#place: &::carthage::layout::Place) { #(#lines)* }))
}

fn provider(provide: &Provide, field: &Field, fields: &[Field], index: &TokenStream) -> Option<TokenStream> {
    let place = place();
    let Provide { ty, persist, each, value, .. } = provide;
    let has = Ident::new(if *persist { "has_kept" } else { "has_provider" }, Span::call_site());
    let provider = match value {
        Value::Expr(expr) => {
            // `|asker| …`: whose it is.
            let (asker, made) = match expr {
                Expr::Closure(closure) if *each && closure.inputs.len() == 1 => {
                    let (asker, body) = (&closure.inputs[0], &*closure.body);
                    let asker = quote!(let #asker: ::carthage::model::Placement = #place.made_for(););
                    (Some(asker), body)
                }
                other => (None, other),
            };
            evaluated(expr, field, fields, asker.as_ref(), &quote!(let made: #ty = #made;))
        }
        Value::Default => quote!(<#ty as ::carthage::layout::Made>::make),
        Value::From(_) => return Some(quote!(#place.has_reference(#index);)),
        Value::Broken => return None,
    };
    let closing = provide.close.then(|| quote!(.closing::<#ty>()));
    Some(quote!(#place #closing .#has::<#ty>(#index, #provider);))
}

/// A function that makes something of an expression at a place, with the siblings that it mentions at hand, and who asks.
fn evaluated(
    expr: &Expr,
    field: &Field,
    fields: &[Field],
    asker: Option<&TokenStream>,
    made: &TokenStream,
) -> TokenStream {
    let (place, parts) = (place(), parts());
    let used = mentioned(expr, field, fields);
    if used.is_empty() && !may_await(expr) {
        let given = asker.map_or_else(|| quote!(_), |_| quote!(#place));
        return quote! {
            |#given| ::carthage::__private::plainly(move || {
                #asker
                #made
                ::core::result::Result::Ok(made)
            })
        };
    }
    let positions = used.iter().map(|used| {
        let (cfgs, position) = (&used.cfgs, position_of(used, fields));
        quote!(#(#cfgs)* #position)
    });
    let siblings = used.iter().map(|used| take(used, fields));
    let asked = (!used.is_empty()).then(|| {
        quote! {
            let #parts = #place.ask([#(#positions),*]).await?;
            let #parts = &#parts;
            #(#siblings)*
        }
    });
    quote! {
        |#place| ::std::boxed::Box::pin(async move {
            _ = &#place;
            #asked
            #asker
            #made
            ::core::result::Result::Ok(made)
        })
    }
}

/// How many members there are, where an expression says so.
fn decider(
    (value, how): (&Value, &str),
    field: &Field,
    fields: &[Field],
    index: &TokenStream,
) -> Option<TokenStream> {
    let Value::Expr(expr) = value else { return None };
    let (place, how) = (place(), Ident::new(how, Span::call_site()));
    // As one statement: what the expression borrows from may be made in it.
    let call = quote_spanned!(expr.span()=> ::carthage::layout::Decision::#how(#expr));
    let made = evaluated(expr, field, fields, None, &quote!(let made = #call;));
    Some(quote!(#place.decides(#index, #made);))
}

fn position_of(field: &Field, fields: &[Field]) -> TokenStream {
    position(fields, fields.iter().position(|other| other.ident == field.ident).unwrap_or(0))
}

/// `let eth0: Link<Lab> = …;`
fn take(field: &Field, fields: &[Field]) -> TokenStream {
    let Field { ident, cfgs, .. } = field;
    let (ty, value) = value(field, fields);
    quote! {
        #(#cfgs)*
        #[allow(unused_variables)]
        let #ident: #ty = #value;
    }
}

/// What a field is in the model, and how it is made of the parts.
fn value(field: &Field, fields: &[Field]) -> (TokenStream, TokenStream) {
    let parts = parts();
    let Field { ty, role, .. } = field;
    let index = position_of(field, fields);
    match role {
        Role::Member(member) => {
            let (of, taken) = (&member.ty, Ident::new(member.taken(), Span::call_site()));
            (member.placed(), quote!(<#of as ::carthage::layout::Model>::#taken(#parts, #index)?))
        }
        Role::Link(Link { network, .. }) => {
            (quote!(#ty), quote!(<#network as ::carthage::layout::NetworkModel>::link(#parts, #index)?))
        }
        Role::Inject(asked) => {
            let wanted = asked.wanted(ty);
            let found = quote!(<#wanted as ::carthage::layout::Wanted>::part(#parts, #index)?);
            (quote!(#ty), asked.or_default(ty, found, |expr, inner| fallible(expr, inner, &index)))
        }
        Role::Provide(_) => (quote!(#ty), quote!(#parts.provided(#index)?)),
        Role::Taken { .. } => (
            quote!(::std::sync::Arc<#ty>),
            quote!(<#ty as ::carthage::layout::Model>::taken_in(#parts, #index)?),
        ),
        Role::Customize(value) => (quote!(#ty), customize(value, field, fields, &index)),
    }
}

/// Whether the expression that makes a field in [`build`] speaks of others.
fn mentions(field: &Field, fields: &[Field]) -> bool {
    match &field.role {
        Role::Customize(Value::Expr(expr)) => !mentioned(expr, field, fields).is_empty(),
        _ => false,
    }
}

fn customize(value: &Value, field: &Field, fields: &[Field], index: &TokenStream) -> TokenStream {
    let (parts, ty) = (parts(), &field.ty);
    let expr = match value {
        Value::Expr(expr) => expr,
        Value::Default => {
            let ty = capability::customization(field);
            return quote!(<#ty as ::carthage::__private::ByDefault>::by_default());
        }
        Value::From(_) | Value::Broken => return quote!(::core::unreachable!()),
    };
    if awaits(expr) {
        return quote!(#parts.take(#index)?);
    }
    // The expression may keep a sibling, which the model itself also keeps.
    let siblings = mentioned(expr, field, fields).into_iter().map(|sibling| {
        let (ident, cfgs) = (&sibling.ident, &sibling.cfgs);
        let copy = match sibling.role {
            Role::Customize(_) => quote!(&#ident),
            _ => quote!(::core::clone::Clone::clone(&#ident)),
        };
        quote!(#(#cfgs)* #[allow(unused_variables)] let #ident = #copy;)
    });
    let siblings: Vec<_> = siblings.collect();
    let expr = if siblings.is_empty() { quote!(#expr) } else { quote!({ #(#siblings)* #expr }) };
    fallible(&expr, ty, index)
}

/// An expression that may fail, in a function that returns errors of ours.
fn fallible(expr: &impl ToTokens, ty: &Type, index: &TokenStream) -> TokenStream {
    let parts = parts();
    match tokens::may_leave(expr.to_token_stream()) {
        false => quote!(#expr),
        true => quote! {
            #parts.customize(#index, || {
                let made: #ty = #expr;
                ::core::result::Result::Ok(made)
            })?
        },
    }
}

/// Defaults that mention other fields: the expression, and the field.
pub(crate) fn defaults_of_others(fields: &[Field]) -> impl Iterator<Item = (&Expr, &Ident)> {
    let defaults = fields.iter().filter_map(|field| match &field.role {
        Role::Inject(asked) => Some((field, asked.default.as_ref()?)),
        _ => None,
    });
    defaults.flat_map(|(field, expr)| {
        mentioned(expr, field, fields).into_iter().map(move |used| (expr, &used.ident))
    })
}

/// Whether the expression of a customization or of a member mentions this field.
pub(crate) fn is_mentioned(field: &Field, fields: &[Field]) -> bool {
    fields.iter().any(|other| {
        let expr = match &other.role {
            Role::Customize(Value::Expr(expr)) => expr,
            Role::Member(member) => match member.decided() {
                Some((Value::Expr(expr), _)) => expr,
                _ => return false,
            },
            _ => return false,
        };
        mentioned(expr, other, fields).iter().any(|used| used.ident == field.ident)
    })
}

/// Whether the expression awaits something, or has a macro that may.
fn may_await(expr: &Expr) -> bool {
    awaits(expr) || tokens::macros(expr.to_token_stream()).iter().any(|name| !PLAIN.contains(&&**name))
}

/// Macros of which it is known that they await nothing.
const PLAIN: &[&str] =
    &["concat", "env", "format", "include_bytes", "include_str", "matches", "option_env", "stringify", "vec"];

fn awaits(expr: &Expr) -> bool {
    tokens::find_ident(expr.to_token_stream(), "await").is_some()
}

/// Customizations whose expressions await something.
fn awaited(fields: &[Field]) -> impl Iterator<Item = (&Field, &Expr)> {
    fields.iter().filter_map(|field| match &field.role {
        Role::Customize(Value::Expr(expr)) if awaits(expr) => Some((field, expr)),
        _ => None,
    })
}

/// A customization that is mentioned where it does not exist yet: the one that mentions it, and its name.
pub(crate) fn mentioned_too_early(fields: &[Field]) -> impl Iterator<Item = (&Expr, &Ident)> {
    awaited(fields).flat_map(|(field, expr)| {
        let used = mentioned(expr, field, fields).into_iter();
        used.filter(|used| matches!(used.role, Role::Customize(_))).map(move |used| (expr, &used.ident))
    })
}

/// A member that is mentioned by an expression which decides about members: that expression, and the member's name.
pub(crate) fn mentioned_undecided(fields: &[Field]) -> impl Iterator<Item = (&Expr, &Ident)> {
    let decided = fields.iter().filter_map(|field| match &field.role {
        Role::Member(member) => match member.decided() {
            Some((Value::Expr(expr), _)) => Some((field, expr)),
            _ => None,
        },
        _ => None,
    });
    decided.flat_map(|(field, expr)| {
        let used = mentioned(expr, field, fields).into_iter();
        used.filter(|used| matches!(used.role, Role::Member(_))).map(move |used| (expr, &used.ident))
    })
}

/// `Model::prepare`: the expressions that await something.
fn prepare(fields: &[Field]) -> Option<TokenStream> {
    let parts = parts();
    let roles = fields.iter().filter(|field| matches!(field.role, Role::Taken { .. })).map(|field| {
        let (ty, cfgs, index) = (&field.ty, &field.cfgs, position_of(field, fields));
        quote!(#(#cfgs)* <#ty as ::carthage::layout::Model>::prepare_as_role(#parts, #index).await?;)
    });
    let own = awaited(fields).map(|(field, expr)| {
        let (ty, cfgs, index) = (&field.ty, &field.cfgs, position_of(field, fields));
        let used = mentioned(expr, field, fields).into_iter();
        let siblings =
            used.filter(|used| !matches!(used.role, Role::Customize(_))).map(|used| take(used, fields));
        quote! {
            #(#cfgs)*
            #parts.prepare(#index, async {
                #(#siblings)*
                let made: #ty = #expr;
                ::core::result::Result::Ok(made)
            }).await?;
        }
    });
    let steps: Vec<_> = roles.chain(own).collect();
    (!steps.is_empty()).then(|| {
        quote! {
            fn prepare(
                #parts: &::carthage::layout::Parts,
            ) -> ::carthage::__private::BoxFuture<'_, ::core::result::Result<(), ::carthage::Error>> {
                ::std::boxed::Box::pin(async move {
                    #(#steps)*
                    ::core::result::Result::Ok(())
                })
            }
        }
    })
}

/// `Model::build`.
fn build(model: &Model) -> TokenStream {
    let parts = parts();
    let fields = &model.fields;
    let broken = |field: &Field| matches!(field.role, Role::Customize(Value::Broken));
    let read = match &model.item.fields {
        Fields::Unit => true,
        Fields::Unnamed(_) => false,
        Fields::Named(all) => all.named.len() == fields.len() && !fields.iter().any(broken),
    };
    let (customized, others): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| matches!(field.role, Role::Customize(_)));
    let ordered: Vec<&Field> = others.into_iter().chain(in_order_of_use(customized, fields)).collect();
    // Variables are dear to the compiler, and only needed where an expression mentions a sibling.
    let named = !read || ordered.iter().any(|field| mentions(field, fields));
    let taken = ordered.iter().filter(|_| named).map(|field| take(field, fields));
    // Where something could not be read, that is reported, and the function must still be whole.
    let (unreachable, made) = match &model.item.fields {
        _ if !read => (quote!(#[allow(unreachable_code)]), quote!(::core::unreachable!())),
        Fields::Unit => (TokenStream::new(), quote!(Self)),
        _ => {
            let all = ordered.iter().map(|field| {
                let Field { ident, cfgs, .. } = field;
                let value = (!named).then(|| value(field, fields).1).map(|value| quote!(: #value));
                quote!(#(#cfgs)* #ident #value)
            });
            (TokenStream::new(), quote!(Self { #(#all),* }))
        }
    };
    let unused = fields.is_empty().then(|| quote!(_ = #parts;));
    quote! {
        #unreachable
        fn build(#parts: &::carthage::layout::Parts) -> ::core::result::Result<Self, ::carthage::Error> {
            #unused
            #(#taken)*
            ::core::result::Result::Ok(#made)
        }
    }
}

/// Customizations after those that their expressions mention; otherwise in their order.
fn in_order_of_use<'a>(mut waiting: Vec<&'a Field>, fields: &'a [Field]) -> Vec<&'a Field> {
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|field| {
            let Role::Customize(Value::Expr(expr)) = &field.role else { return true };
            mentioned(expr, field, fields)
                .iter()
                .all(|used| waiting.iter().all(|other| other.ident != used.ident))
        });
        // Two that mention each other: rustc says that the first knows no such variable.
        ordered.push(waiting.remove(ready.unwrap_or(0)));
    }
    ordered
}

/// `Model::customizations`, in the order of the fields.
fn customizations(fields: &[Field]) -> Option<TokenStream> {
    let customized: Vec<_> = fields
        .iter()
        .filter(|field| matches!(field.role, Role::Customize(_)))
        .map(|Field { ident, ty, cfgs, .. }| {
            quote!(#(#cfgs)* <#ty as ::carthage::customize::Customization>::any(&self.#ident))
        })
        .collect();
    (!customized.is_empty()).then(|| {
        quote! {
            fn customizations(&self) -> ::std::vec::Vec<&dyn ::carthage::customize::AnyCustomization> {
                ::std::vec![#(#customized),*]
            }
        }
    })
}

/// `Model::roles`, in the order of the fields.
fn roles(fields: &[Field]) -> Option<TokenStream> {
    let taken: Vec<_> = fields
        .iter()
        .filter(|field| matches!(field.role, Role::Taken { .. }))
        .map(|Field { ident, ty, cfgs, .. }| {
            // Where the type stands: of one that is no model, rustc says so there already.
            let any = quote_spanned!(ty.span()=> <#ty as ::carthage::layout::Model>::any(&self.#ident));
            quote!(#(#cfgs)* #any)
        })
        .collect();
    (!taken.is_empty()).then(|| {
        quote! {
            fn roles(&self) -> ::std::vec::Vec<&dyn ::carthage::layout::AnyModel> {
                ::std::vec![#(#taken),*]
            }
        }
    })
}
