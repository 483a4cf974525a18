//! `#[options(Gpu { memory_gib: 4 })]` on a machine's model: options that its implementation has made up for itself.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ItemStruct, Path, parse_quote};

use crate::capability::Capability;
use crate::errors::Errors;
use crate::field;
use crate::options;

/// Takes them off the struct; answers the builder call for the hardware, and adds that the implementation must take them.
pub(crate) fn take(item: &mut ItemStruct, needs: &mut Vec<Capability>, errors: &mut Errors) -> TokenStream {
    let mut nodes = Vec::new();
    for (_, attribute) in field::take(&mut item.attrs, &["options"]) {
        let arguments = options::arguments(&attribute, errors);
        if arguments.is_empty() {
            errors.at(&attribute, "say which options: `#[options(Gpu { memory_gib: 4 })]`");
            continue;
        }
        let Some(expr) = errors.keep(syn::parse2(arguments)) else { continue };
        nodes.extend(node(&expr, needs, errors));
    }
    match nodes.is_empty() {
        true => TokenStream::new(),
        false => quote!(.options(&[#(#nodes),*])),
    }
}

/// The constant of one set of options.
pub(crate) fn node(expr: &Expr, needs: &mut Vec<Capability>, errors: &mut Errors) -> Option<TokenStream> {
    let Some(ty) = type_of(expr) else {
        errors
            .at(expr, "the type of the options must be seen: write `Gpu { memory_gib: 4 }` or `Gpu::new(4)`");
        return None;
    };
    needs.push(Capability::takes(&ty));
    Some(quote! {
        ::carthage::model::OptionNode::new(<#ty as ::carthage::machine::engine::MachineOptions>::NAME, || {
            <#ty as ::carthage::machine::engine::MachineOptions>::write(&(#expr))
        })
    })
}

/// The type that an expression names: of a struct, or of a function of a type.
fn type_of(expr: &Expr) -> Option<Path> {
    match expr {
        Expr::Struct(made) => Some(made.path.clone()),
        Expr::Path(path) => Some(path.path.clone()),
        Expr::MethodCall(call) => type_of(&call.receiver),
        Expr::Paren(inner) => type_of(&inner.expr),
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let mut path = function.path.clone();
            let name = path.segments.last()?.ident.to_string();
            if name.starts_with(|c: char| c.is_uppercase()) {
                return Some(path);
            }
            path.segments.pop();
            let path: Vec<_> = path.segments.into_iter().collect();
            (!path.is_empty()).then(|| parse_quote!(#(#path)::*))
        }
        _ => None,
    }
}
