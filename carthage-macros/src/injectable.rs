//! `#[injectable]`: on a type its key, on an impl how it is made; and `injection_key!`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Fields, Generics, Ident, ImplItem, Item, ItemImpl, ItemStruct, ReturnType, Token, Type,
    Visibility,
};

use crate::build;
use crate::errors::Errors;
use crate::node;
use crate::options::{self, Known, Options};
use crate::signature::{self, Parameter};
use crate::{entry, types};

const OPTIONS: &[Known] = &[options::flag("serde", "serde")];

pub(crate) fn expand(arguments: TokenStream, item: Item, errors: &mut Errors) -> TokenStream {
    match item {
        Item::Struct(item) => {
            let mut options = Options::parse("injectable", OPTIONS, arguments, errors);
            let persist = match options.flag("serde") {
                Some(_) => Some(persist_by_serde(&item.ident, &item.generics)),
                None => persist_by_field(&item),
            };
            let key = injectable(&item.ident, &item.generics, errors);
            quote!(#item #key #persist)
        }
        Item::Enum(item) => {
            let mut options = Options::parse("injectable", OPTIONS, arguments, errors);
            let persist = options.flag("serde").map(|_| persist_by_serde(&item.ident, &item.generics));
            let key = injectable(&item.ident, &item.generics, errors);
            quote!(#item #key #persist)
        }
        Item::Impl(item) => {
            Options::parse("injectable", &[], arguments, errors);
            made(item, errors)
        }
        other => entry::misplaced("injectable", "a struct, an enum or an impl", other, errors),
    }
}

fn injectable(ident: &Ident, generics: &Generics, errors: &mut Errors) -> TokenStream {
    if generics.type_params().next().is_some() || generics.lifetimes().next().is_some() {
        errors.at(
            generics,
            "an injection key stands for one type; wrap each instance: `injection_key!(pub Name: Type<Argument>);`",
        );
        return TokenStream::new();
    }
    let key = node::key(ident);
    let arguments = generics.const_params().map(|parameter| {
        let ident = &parameter.ident;
        quote!(.with(#ident as u64))
    });
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics ::carthage::inject::Injectable for #ident #ty_generics #where_clause {
            const KEY: ::carthage::model::Key = #key #(#arguments)*;
        }
    }
}

/// A struct around one value is kept as that value is.
fn persist_by_field(item: &ItemStruct) -> Option<TokenStream> {
    let Fields::Unnamed(fields) = &item.fields else { return None };
    let mut fields = fields.unnamed.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else { return None };
    let (ident, ty) = (&item.ident, &field.ty);
    if !item.generics.params.is_empty() {
        return None;
    }
    // With a lifetime, the bound is a condition and not a claim: the field need not be of a kind that can be kept.
    let condition = quote!(for<'a> #ty: ::carthage::state::Persist);
    let (save, load) = (
        quote!(::carthage::state::Persist::save(&self.0)),
        quote!(::carthage::state::Persist::load(bytes).map(Self)),
    );
    Some(persist(quote!(impl), quote!(#ident where #condition), save, load))
}

fn persist_by_serde(ident: &Ident, generics: &Generics) -> TokenStream {
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let (save, load) =
        (quote!(::carthage::__private::serde_save(self)), quote!(::carthage::__private::serde_load(bytes)));
    persist(quote!(impl #impl_generics), quote!(#ident #ty_generics #where_clause), save, load)
}

fn persist(head: TokenStream, target: TokenStream, save: TokenStream, load: TokenStream) -> TokenStream {
    quote! {
        #[automatically_derived]
        #head ::carthage::state::Persist for #target {
            fn save(
                &self,
            ) -> ::core::result::Result<::carthage::__private::Zeroizing<::std::vec::Vec<u8>>, ::carthage::Error> {
                #save
            }
            fn load(bytes: &[u8]) -> ::core::result::Result<Self, ::carthage::Error> {
                #load
            }
        }
    }
}

/// `impl T { async fn new(#[inject] …) -> Result<Self> }`.
fn made(mut item: ItemImpl, errors: &mut Errors) -> TokenStream {
    let ty = item.self_ty.clone();
    if let Some((path, _)) = &item.trait_ {
        errors.at(path, "`#[injectable]` belongs on the impl of a type itself, not of a trait");
    }
    let new = item.items.iter_mut().find_map(|part| match part {
        ImplItem::Fn(function) if function.sig.ident == "new" => Some(function),
        _ => None,
    });
    let Some(new) = new else {
        errors.at(
            &*ty,
            "an impl with `#[injectable]` says how the type is made: `async fn new(…) -> Result<Self>`",
        );
        return quote!(#item);
    };
    let before = errors.count();
    let sig = &mut new.sig;
    if sig.asyncness.is_none() {
        errors.at(sig.fn_token, "`new` is not async; write `async fn new`");
    }
    signature::plain("injectable", sig, errors);
    let result = match &sig.output {
        ReturnType::Type(_, output) => types::argument(output, "Result").is_some_and(|inner| {
            types::head(inner).as_deref() == Some("Self") || types::text(inner) == types::text(&ty)
        }),
        ReturnType::Default => false,
    };
    if !result {
        match &sig.output {
            ReturnType::Default => {
                errors.at(&sig.ident, "`new` returns what it makes; write `-> Result<Self>`")
            }
            ReturnType::Type(_, output) => {
                errors.at(output, format!("`new` returns `Result<Self>`, not `{}`", types::text(output)))
            }
        }
    }
    if let Some(receiver) = sig.receiver() {
        errors.at(receiver, "`new` has no `self`: it makes one");
    }
    let parameters: Vec<Parameter> =
        sig.inputs.iter_mut().filter_map(|input| signature::parameter(input, false, errors)).collect();
    let sound = errors.count() == before;
    let made = sound.then(|| {
        let (impl_generics, _, where_clause) = item.generics.split_for_impl();
        let needs = parameters.iter().map(Parameter::need);
        let (asks, passed) = signature::asked(&parameters);
        let place = build::place();
        let new = quote_spanned!(ty.span()=> <#ty>::new);
        quote! {
            #[automatically_derived]
            impl #impl_generics ::carthage::layout::Made for #ty #where_clause {
                const NEEDS: &'static [::carthage::model::Need] = &[#(#needs),*];
                fn make(
                    #place: ::carthage::layout::Place,
                ) -> ::carthage::__private::BoxFuture<'static, ::carthage::Result<Self>> {
                    ::std::boxed::Box::pin(async move {
                        _ = &#place;
                        #(#asks)*
                        // The user's `Result` need not be the one that is promised here.
                        let made = #new(#(#passed),*).await?;
                        ::core::result::Result::<Self, ::carthage::BoxError>::Ok(made)
                    })
                }
            }
        }
    });
    quote!(#item #made)
}

/// `injection_key!(pub AdminMail: String)`.
pub(crate) struct InjectionKey {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    ident: Ident,
    ty: Type,
}

impl Parse for InjectionKey {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let form = "write `injection_key!(pub AdminMail: String);`";
        let ident = input.parse().map_err(|error| syn::Error::new(error.span(), form))?;
        input.parse::<Token![:]>().map_err(|error| syn::Error::new(error.span(), form))?;
        let ty = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(Self { attributes, visibility, ident, ty })
    }
}

impl InjectionKey {
    pub(crate) fn expand(self) -> TokenStream {
        let Self { attributes, visibility, ident, ty } = self;
        // A trait object is held behind a pointer.
        let is_trait = matches!(ty, Type::TraitObject(_));
        let (held, target) = match is_trait {
            true => (quote!(::std::sync::Arc<#ty>), quote!(&*self.0)),
            false => (quote!(#ty), quote!(&self.0)),
        };
        let described = attributes.iter().any(|attribute| attribute.path().is_ident("doc"));
        let about = (!described).then(|| {
            let text = format!("The key of a `{}`.", types::text(&ty));
            quote!(#[doc = #text])
        });
        let about_field = "The value.";
        let item: ItemStruct = syn::parse_quote! {
            #(#attributes)*
            #about
            #visibility struct #ident(#[doc = #about_field] pub #held);
        };
        let mut errors = Errors::default();
        let key = injectable(&ident, &Generics::default(), &mut errors);
        let persist = (!is_trait).then(|| persist_by_field(&item));
        let errors = errors.finish();
        quote! {
            #item
            #key
            #persist
            #[automatically_derived]
            impl ::core::ops::Deref for #ident {
                type Target = #ty;
                fn deref(&self) -> &Self::Target {
                    #target
                }
            }
            #[automatically_derived]
            impl ::core::convert::From<#held> for #ident {
                fn from(value: #held) -> Self {
                    Self(value)
                }
            }
            #errors
        }
    }
}
