//! `#[model_tasks]`: an impl block of a model whose functions are setup tasks of the model itself.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::ItemImpl;
use syn::spanned::Spanned;

use crate::customization;
use crate::errors::Errors;
use crate::options::Options;
use crate::signature::Workplace;

pub(crate) fn expand(arguments: TokenStream, item: ItemImpl, errors: &mut Errors) -> TokenStream {
    Options::parse("model_tasks", &[], arguments, errors);
    let (ty, of_a_trait) = (item.self_ty.clone(), item.trait_.is_some());
    let generics = item.generics.clone();
    let (impl_generics, _, where_clause) = generics.split_for_impl();
    let tasks = customization::tasks("model_tasks", &Workplace::ModelDir, item, errors);
    if of_a_trait {
        return tasks;
    }
    // The model, which is written elsewhere, finds the constant by its name: that of a type itself comes before that of a trait.
    let is_model = quote_spanned!(ty.span()=> ::carthage::layout::ModelTasks);
    quote! {
        #tasks
        #[automatically_derived]
        impl #impl_generics #is_model for #ty #where_clause {}
        #[automatically_derived]
        impl #impl_generics #ty #where_clause {
            #[doc(hidden)]
            #[allow(unreachable_pub, dead_code)]
            pub const __MODEL_TASKS:
                for<'a> fn(&'a Self) -> ::core::option::Option<&'a dyn ::carthage::customize::AnyCustomization> =
                |this| ::core::option::Option::Some(::carthage::customize::Customization::any(this));
        }
    }
}
