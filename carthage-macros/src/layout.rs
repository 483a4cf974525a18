//! `#[layout]`.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ItemStruct;

use crate::capability;
use crate::container::Container;
use crate::errors::Errors;
use crate::model;
use crate::options::{self, Known, Options};
use crate::profile::{self, Profile};
use crate::start;

const OPTIONS: &[Known] = &[
    options::text("name", "name = \"industrial\""),
    options::type_("implementation", "implementation = Sandbox"),
    options::text("domain", "domain = \"example.org\""),
    model::RESOLVABLE,
    start::DYNAMIC,
];

pub(crate) fn expand(arguments: TokenStream, mut item: ItemStruct, errors: &mut Errors) -> TokenStream {
    if !item.generics.params.is_empty() {
        errors.at(
            &item.generics,
            "a layout is the top of the tree and is not generic; make a generic enclave, and place it in a layout",
        );
        // Without its parameters it could not even be read; what stands in its fields is left to the next attempt.
        item.generics = syn::Generics::default();
        item.fields = syn::Fields::Unit;
        item.semi_token = Some(<syn::Token![;]>::default());
    }
    let before = errors.count();
    let profiles = profile::take(&mut item, errors);
    let mut options = Options::parse("layout", OPTIONS, arguments, errors);
    let container = Container::parse("layout", &mut options, item, errors);
    let body = container.expand("Layout");
    // A finding of the macro may hide what the checks would miss, such as a misspelt `implementation`.
    let sound = errors.count() == before;
    let placed = placed(&container, &profiles, sound);
    let made = profiles.iter().map(|profile| made(&container, profile));
    quote!(#body #placed #(#made)*)
}

/// That the implementations of a profile can make what they have to.
fn made(container: &Container, profile: &Profile) -> TokenStream {
    let assertions = profile.assertions();
    let inherited = profile.implementation.as_ref().map(|own| capability::made_by(&container.model, own));
    quote!(#inherited #(#assertions)*)
}

/// Everything placed below, as constants, and the check of the whole.
fn placed(container: &Container, profiles: &[Profile], sound: bool) -> TokenStream {
    let item = &container.model.item;
    let (ident, vis, name) = (&item.ident, &item.vis, &container.name);
    let model = quote!(::carthage::model);
    // The checks report at the layout's name.
    let check = sound.then(|| {
        let shapes = quote_spanned!(ident.span()=> <#ident as ::carthage::layout::Layout>::SHAPES);
        quote_spanned! {ident.span()=>
            #[allow(long_running_const_eval)]
            const _: () = ::carthage::layout::check::<#ident, { ::carthage::model::Placements::scratch(#shapes) }>();
        }
    });
    let profiles = match profiles {
        [] => vec![quote!(*#model::Profile::NONE)],
        profiles => profiles.iter().map(|profile| profile.node(profiles)).collect(),
    };
    let texts = (0..profiles.len()).map(|i| {
        let shape = quote!(<#ident as ::carthage::layout::Layout>::SHAPES[#i]);
        quote!(&#shape.with_texts(const { &#model::Texts::<{ #shape.text_len() }>::of(#shape) }))
    });
    let texts = quote!(#(#texts),*);
    let named = format_ident!("NamesOf{ident}", span = Span::call_site());
    let shapes = profiles.into_iter().map(|profile| {
        quote!({
            const PROFILE: &#model::Profile = &#profile;
            const SIZE: #model::Size = #model::Size::of(<#ident as ::carthage::layout::Model>::NODE, PROFILE);
            static TABLES: #model::Tables<{ SIZE.rows }, { SIZE.entries }, { SIZE.slots }> =
                #model::Tables::of(<#ident as ::carthage::layout::Model>::NODE, PROFILE, SIZE);
            &#model::Placements::new(&TABLES)
        })
    });
    quote! {
        // The compiler takes 20,000 machines for a mistake otherwise; nothing in it grows with the square.
        #[allow(long_running_const_eval)]
        const _: () = {
            #[doc(hidden)]
            #[allow(unreachable_pub, dead_code)]
            pub struct #named<T>(::core::marker::PhantomData<T>);
            #[automatically_derived]
            impl<T> ::carthage::layout::Named for #named<T> {
                const PROFILES: &'static [&'static #model::Placements] = &[#texts];
            }
            #[automatically_derived]
            impl ::carthage::layout::Layout for #ident {
                const NAME: &'static str = #name;
                type Named = #named<#ident>;
                const SHAPES: &'static [&'static #model::Placements] = &[#(#shapes),*];
            }
            impl #ident {
                /// The constants of what is placed at `path`, such as `"algebra.mirror"`; in the first profile, if the
                /// layout has several.
                ///
                /// # Panics
                /// When nothing is placed there; in a constant, the layout does not compile then.
                #[track_caller]
                #[allow(dead_code)]
                #vis const fn placement(path: &str) -> #model::Placement {
                    ::carthage::layout::placement::<Self>(path)
                }
            }
        };
        #check
    }
}
