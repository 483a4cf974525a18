//! What every attribute does first: look at what it stands on. Whatever is wrong, the item is emitted, without our attributes.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, FnArg, ImplItem, Item, ItemImpl, ItemStruct};

use crate::errors::Errors;
use crate::{customization, field};

/// For an attribute of structs.
pub(crate) fn on_struct(
    attribute: &str,
    item: TokenStream,
    expand: impl FnOnce(ItemStruct, &mut Errors) -> TokenStream,
) -> TokenStream {
    on_item(item, |item, errors| match item {
        Item::Struct(item) => expand(item, errors),
        other => misplaced(attribute, "a struct", other, errors),
    })
}

/// For an attribute of impls.
pub(crate) fn on_impl(
    attribute: &str,
    item: TokenStream,
    expand: impl FnOnce(ItemImpl, &mut Errors) -> TokenStream,
) -> TokenStream {
    on_item(item, |item, errors| match item {
        Item::Impl(item) => expand(item, errors),
        other => misplaced(attribute, "an impl", other, errors),
    })
}

/// For an attribute of any item.
pub(crate) fn on_item(
    item: TokenStream,
    expand: impl FnOnce(Item, &mut Errors) -> TokenStream,
) -> TokenStream {
    let mut errors = Errors::default();
    let output = match syn::parse2(item.clone()) {
        Ok(item) => expand(item, &mut errors),
        Err(error) => {
            errors.push(error);
            item
        }
    };
    let errors = errors.finish();
    quote!(#output #errors)
}

/// The item as it is, with the finding that the attribute does not belong there.
pub(crate) fn misplaced(attribute: &str, belongs: &str, item: Item, errors: &mut Errors) -> TokenStream {
    errors.push(syn::Error::new(
        proc_macro2::Span::call_site(),
        format!("`#[{attribute}]` belongs on {belongs}, not on {}", kind(&item)),
    ));
    stripped(item).into_token_stream()
}

fn kind(item: &Item) -> &'static str {
    match item {
        Item::Struct(_) => "a struct",
        Item::Enum(_) => "an enum",
        Item::Union(_) => "a union",
        Item::Impl(_) => "an impl",
        Item::Fn(_) => "a function",
        Item::Mod(_) => "a module",
        Item::Trait(_) => "a trait",
        Item::Type(_) => "a type alias",
        Item::Const(_) | Item::Static(_) => "a constant",
        _ => "this item",
    }
}

/// Without the attributes of ours that only mean something to the attribute that is misplaced.
pub(crate) fn stripped(mut item: Item) -> Item {
    fn strip(attributes: &mut Vec<Attribute>) {
        field::take(attributes, field::ATTRIBUTES);
        field::take(attributes, customization::ATTRIBUTES);
    }
    match &mut item {
        Item::Struct(item) => item.fields.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Item::Union(item) => item.fields.named.iter_mut().for_each(|field| strip(&mut field.attrs)),
        Item::Enum(item) => item.variants.iter_mut().for_each(|variant| {
            variant.fields.iter_mut().for_each(|field| strip(&mut field.attrs));
        }),
        Item::Fn(item) => {
            item.sig.inputs.iter_mut().for_each(|argument| strip(argument_attributes(argument)))
        }
        Item::Impl(item) => {
            for item in &mut item.items {
                let ImplItem::Fn(function) = item else { continue };
                strip(&mut function.attrs);
                function.sig.inputs.iter_mut().for_each(|argument| strip(argument_attributes(argument)));
            }
        }
        _ => {}
    }
    item
}

/// The attributes of a function's argument.
pub(crate) fn argument_attributes(argument: &mut FnArg) -> &mut Vec<Attribute> {
    match argument {
        FnArg::Receiver(receiver) => &mut receiver.attrs,
        FnArg::Typed(argument) => &mut argument.attrs,
    }
}
