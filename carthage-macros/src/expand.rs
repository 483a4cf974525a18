//! What every model gets: its key, its node, and how the runtime registers and builds it.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Generics, Type, parse_quote};

use crate::field::{Field, Link, Member, Provide, Role, Value};
use crate::model::{Model, key_arguments};
use crate::tokens;

/// The struct itself.
///
/// A type that does not exist is named by the struct and by what is generated; rustc says so once, if it says the same each
/// time. In a struct it would also offer to make it a type parameter, unless the (empty) list of those is not the user's.
pub(crate) fn item(model: &Model) -> TokenStream {
    let item = model.item.to_token_stream();
    if !model.item.generics.params.is_empty() {
        return item;
    }
    let mut after_struct = false;
    item.into_iter()
        .flat_map(|token| {
            let is_name = std::mem::replace(
                &mut after_struct,
                matches!(&token, TokenTree::Ident(ident) if ident == "struct"),
            );
            let empty = if is_name { quote!(<>) } else { TokenStream::new() };
            std::iter::once(token).chain(empty)
        })
        .collect()
}

/// `At::new(…)` for the line of `span`.
pub(crate) fn at(span: Span) -> TokenStream {
    // `line!()` is the line of the tokens that it is written with, or else the attribute's.
    let line = quote_spanned!(span=> ::core::line!());
    quote!(::carthage::model::At::new(::core::file!(), #line))
}

/// `Key::new(…)` for the item `ident`.
pub(crate) fn key(ident: &Ident) -> TokenStream {
    let name = ident.to_string();
    let (line, column) = {
        let span = ident.span();
        (quote_spanned!(span=> ::core::line!()), quote_spanned!(span=> ::core::column!()))
    };
    quote!(::carthage::model::Key::new(::core::module_path!(), #name, #line, #column))
}

/// `Need` for something that wants `ty`.
pub(crate) fn need(ty: &Type, name: &str, span: Span) -> TokenStream {
    let at = at(span);
    quote!(::carthage::model::Need {
        key: <#ty as ::carthage::layout::Wanted>::KEY,
        mode: <#ty as ::carthage::layout::Wanted>::MODE,
        name: #name,
        at: #at,
    })
}

/// `impl Model for …`, whose node is finished by the builder calls `node`.
pub(crate) fn model(model: &Model, kind: &str, name: &str, node: TokenStream) -> TokenStream {
    let ident = &model.item.ident;
    let generics = with_models(&model.item.generics);
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (kind, about, at, key) =
        (Ident::new(kind, Span::call_site()), &model.about, at(ident.span()), key(ident));
    let key_arguments = key_arguments(&model.item);
    let parts = parts(&model.fields);
    let dependencies = model.depends_on.iter().map(|dependency| {
        let (ty, at) = (&dependency.ty, self::at(dependency.ty.span()));
        let field = option(dependency.field.as_ref());
        quote!(::carthage::model::Dependency { key: <#ty as ::carthage::layout::Model>::KEY, field: #field, at: #at })
    });
    let (register, build, customizations) =
        (register(&model.fields), build(model), customizations(&model.fields));
    quote! {
        #[automatically_derived]
        impl #impl_generics ::carthage::layout::Model for #ident #ty_generics #where_clause {
            type Me = Self;
            const KEY: ::carthage::model::Key = #key #(#key_arguments)*;
            const NODE: &'static ::carthage::model::Node =
                &::carthage::model::Node::new(::carthage::model::Kind::#kind, Self::KEY, #name, #at)
                    .about(#about)
                    #node
                    .parts(&[#(#parts),*])
                    .depends_on(&[#(#dependencies),*]);
            #register
            #build
            #customizations
        }
    }
}

/// Type parameters of a model are models.
pub(crate) fn with_models(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let parameters: Vec<_> = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
    for parameter in parameters {
        generics.make_where_clause().predicates.push(parse_quote!(#parameter: ::carthage::layout::Model));
    }
    generics
}

/// `Some(…)` or `None`.
pub(crate) fn option(value: Option<impl quote::ToTokens>) -> TokenStream {
    match value {
        Some(value) => quote!(::core::option::Option::Some(#value)),
        None => quote!(::core::option::Option::None),
    }
}

/// The position of a part in the node, when the `cfg`s of those before it are known.
fn position(fields: &[Field], index: usize) -> TokenStream {
    let before = &fields[..index];
    let certain = before.iter().filter(|field| field.cfgs.is_empty()).count();
    let perhaps = before.iter().filter(|field| !field.cfgs.is_empty()).map(|field| condition(&field.cfgs));
    quote!(#certain #(+ ::core::cfg!(#perhaps) as usize)*)
}

/// `all(…)` of the conditions of `#[cfg(…)]` attributes.
pub(crate) fn condition(cfgs: &[Attribute]) -> TokenStream {
    let conditions = cfgs.iter().filter_map(|cfg| cfg.meta.require_list().ok().map(|list| &list.tokens));
    quote!(all(#(#conditions),*))
}

fn parts(fields: &[Field]) -> impl Iterator<Item = TokenStream> {
    fields.iter().map(|field| {
        let (cfgs, name, at) = (&field.cfgs, field.name(), at(field.ident.span()));
        let role = role(field, fields);
        quote!(#(#cfgs)* ::carthage::model::Part::new(#name, #at, ::carthage::model::Role::#role))
    })
}

fn role(field: &Field, fields: &[Field]) -> TokenStream {
    let ty = &field.ty;
    match &field.role {
        Role::Member(Member { ty, count, name }) => {
            let count = match count {
                Some(count) => quote!(Array(#count)),
                None => quote!(One),
            };
            let name = option(name.as_ref());
            quote!(Member(::carthage::model::Member {
                node: <#ty as ::carthage::layout::Model>::NODE,
                count: ::carthage::model::Count::#count,
                name: #name,
            }))
        }
        Role::Link(Link { network, interface, address, mac, mtu, .. }) => {
            let (address, mtu) = (option(address.as_ref()), option(mtu.as_ref()));
            let mac = option(mac.map(|mac| quote!([#(#mac),*])));
            quote!(Link(::carthage::model::Link {
                network: <#network as ::carthage::layout::NetworkModel>::NETWORK,
                interface: #interface,
                address: #address,
                mac: #mac,
                mtu: #mtu,
            }))
        }
        Role::Customize(_) => quote!(Customize(<#ty as ::carthage::customize::Customization>::NODE)),
        Role::Inject => {
            let need = need(ty, &field.name(), field.ident.span());
            quote!(Inject(#need))
        }
        Role::Provide(Provide { ty, persist, value }) => {
            let key = quote!(<#ty as ::carthage::inject::Injectable>::KEY);
            let (key, uses, needs) = match value {
                Value::Expr(expr) => {
                    let uses = mentioned(expr, field, fields).into_iter().map(Field::name);
                    (key, quote!(&[#(#uses),*]), quote!(&[]))
                }
                Value::Default => {
                    let made = quote!(<#ty as ::carthage::layout::Made>);
                    (quote!(#made::MADE), quote!(&[]), quote!(#made::NEEDS))
                }
                Value::Broken => (key, quote!(&[]), quote!(&[])),
            };
            quote!(Provide(::carthage::model::Provide {
                key: #key,
                persist: #persist,
                uses: #uses,
                needs: #needs,
            }))
        }
    }
}

/// The fields that an expression mentions, without the one that it stands on.
fn mentioned<'a>(expr: &Expr, own: &Field, fields: &'a [Field]) -> Vec<&'a Field> {
    let names: Vec<String> =
        fields.iter().filter(|field| field.ident != own.ident).map(Field::name).collect();
    let found = tokens::mentioned(&quote!(#expr), &names);
    fields.iter().filter(|field| found.contains(&field.name())).collect()
}

/// A name that no field can take the place of.
pub(crate) fn place() -> Ident {
    Ident::new("place", Span::mixed_site())
}

/// `Model::register`: members and what is provided.
fn register(fields: &[Field]) -> TokenStream {
    let place = place();
    let lines = fields.iter().enumerate().filter_map(|(i, field)| {
        let (cfgs, index) = (&field.cfgs, position(fields, i));
        let line = match &field.role {
            Role::Member(member) => {
                let ty = &member.ty;
                quote!(<#ty as ::carthage::layout::Model>::register_as_member(#place, #index);)
            }
            Role::Provide(Provide { ty, persist, value }) => {
                let has = Ident::new(if *persist { "has_kept" } else { "has_provider" }, Span::call_site());
                let provider = match value {
                    Value::Expr(expr) => {
                        let siblings =
                            mentioned(expr, field, fields).into_iter().map(|sibling| ask(sibling, fields));
                        quote! {
                            |#place| ::std::boxed::Box::pin(async move {
                                _ = &#place;
                                #(#siblings)*
                                let made: #ty = #expr;
                                ::core::result::Result::Ok(made)
                            })
                        }
                    }
                    Value::Default => quote!(<#ty as ::carthage::layout::Made>::make),
                    Value::Broken => return None,
                };
                quote!(#place.#has::<#ty>(#index, #provider);)
            }
            Role::Link(_) | Role::Customize(_) | Role::Inject => return None,
        };
        Some(quote!(#(#cfgs)* { #line }))
    });
    let lines: Vec<_> = lines.collect();
    let unused = lines.is_empty().then(|| quote!(_ = #place;));
    quote! {
        fn register(#place: &::carthage::layout::Place) {
            #unused
            #(#lines)*
        }
    }
}

/// `let eth0: Link<Lab> = …;`
fn ask(field: &Field, fields: &[Field]) -> TokenStream {
    let place = place();
    let Field { ident, ty, cfgs, role } = field;
    let index = position(fields, fields.iter().position(|other| other.ident == *ident).unwrap_or(0));
    let (ty, value) = match role {
        Role::Member(Member { ty, count: None, .. }) => (
            quote!(::carthage::Placed<#ty>),
            quote!(<#ty as ::carthage::layout::Model>::one(&#place, #index).await?),
        ),
        Role::Member(Member { ty, count: Some(count), .. }) => (
            quote!([::carthage::Placed<#ty>; #count]),
            quote!(<#ty as ::carthage::layout::Model>::several(&#place, #index).await?),
        ),
        Role::Link(Link { network, .. }) => {
            (quote!(#ty), quote!(<#network as ::carthage::layout::NetworkModel>::link(&#place, #index)?))
        }
        Role::Inject => (
            quote!(#ty),
            quote!(<#ty as ::carthage::layout::Wanted>::want(&#place, #place.need(#index)?).await?),
        ),
        Role::Provide(_) => (quote!(#ty), quote!(#place.provided(#index).await?)),
        Role::Customize(value) => (quote!(#ty), customize(value, field, fields, index)),
    };
    quote! {
        #(#cfgs)*
        #[allow(unused_variables)]
        let #ident: #ty = #value;
    }
}

fn customize(value: &Value, field: &Field, fields: &[Field], index: TokenStream) -> TokenStream {
    let (place, ty) = (place(), &field.ty);
    let (siblings, expr) = match value {
        Value::Expr(expr) => (mentioned(expr, field, fields), quote!(#expr)),
        Value::Default => (Vec::new(), quote!(<#ty as ::carthage::__private::ByDefault>::by_default())),
        Value::Broken => (Vec::new(), quote!(::core::unreachable!())),
    };
    // The expression may keep a sibling, which the model itself also keeps.
    let siblings = siblings.into_iter().map(|sibling| {
        let (ident, cfgs) = (&sibling.ident, &sibling.cfgs);
        let copy = match sibling.role {
            Role::Customize(_) => quote!(&#ident),
            _ => quote!(::core::clone::Clone::clone(&#ident)),
        };
        quote!(#(#cfgs)* #[allow(unused_variables)] let #ident = #copy;)
    });
    quote! {
        #place.customize(#index, async {
            #(#siblings)*
            let made: #ty = #expr;
            ::core::result::Result::Ok(made)
        }).await?
    }
}

/// `Model::build`.
fn build(model: &Model) -> TokenStream {
    let place = place();
    let fields = &model.fields;
    let (customized, others): (Vec<&Field>, Vec<&Field>) =
        fields.iter().partition(|field| matches!(field.role, Role::Customize(_)));
    let asked = others.into_iter().chain(in_order_of_use(customized, fields)).map(|field| ask(field, fields));
    let broken = |field: &Field| matches!(field.role, Role::Customize(Value::Broken));
    let read = match &model.item.fields {
        syn::Fields::Unit => true,
        syn::Fields::Unnamed(_) => false,
        syn::Fields::Named(all) => all.named.len() == fields.len() && !fields.iter().any(broken),
    };
    // Where something could not be read, that is reported, and the function must still be whole.
    let unreachable = (!read).then(|| quote!(#[allow(unreachable_code)]));
    let made = match &model.item.fields {
        _ if !read => quote!(::core::unreachable!()),
        syn::Fields::Unit => quote!(Self),
        _ => {
            let all = fields.iter().map(|Field { ident, cfgs, .. }| quote!(#(#cfgs)* #ident));
            quote!(Self { #(#all),* })
        }
    };
    quote! {
        #unreachable
        fn build(
            #place: ::carthage::layout::Place,
        ) -> ::carthage::__private::BoxFuture<'static, ::core::result::Result<Self, ::carthage::Error>> {
            ::std::boxed::Box::pin(async move {
                _ = &#place;
                #(#asked)*
                ::core::result::Result::Ok(#made)
            })
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

/// The builder call for a node's implementation.
pub(crate) fn implementation(ty: &Type) -> TokenStream {
    quote!(.implementation(<#ty as ::carthage::machine::implementation::Implementation>::NODE))
}
