//! A struct that is a model, as the attributes on it and on its fields say.

use proc_macro2::{Span, TokenStream};
use syn::{Attribute, Expr, ExprLit, Fields, GenericParam, Ident, ItemStruct, Lit, Meta, Type, parse_quote};

use crate::build;
use crate::errors::Errors;
use crate::field::{self, Field, Within};
use crate::implements;
use crate::literal;
use crate::mask::{self, Mask};
use crate::moved;
use crate::names::kebab;
use crate::options::{self, Known, Options};
use crate::policy;
use crate::start::{self, Starts};

/// The argument of a model that is resolved with the layout.
pub(crate) const RESOLVABLE: Known = options::flag("resolvable", "resolvable");

/// The attributes that make a struct a model.
pub(crate) const MODELS: &[&str] = &["layout", "enclave", "network", "machine_model", "role", "image"];

/// A struct that is a model.
pub(crate) struct Model {
    /// As the user wrote it, without our attributes.
    pub(crate) item: ItemStruct,
    /// The first line of its doc comment.
    pub(crate) about: String,
    pub(crate) fields: Vec<Field>,
    pub(crate) starts: Starts,
    /// Whether it only stands for one that a layout has.
    pub(crate) is_abstract: bool,
    pub(crate) masks: Vec<Mask>,
    /// The traits by which it is found.
    pub(crate) implements: Vec<Type>,
    /// Where it says that it is resolved with the layout.
    pub(crate) resolvable: Option<Span>,
    /// The builder call for the node of `#[policy]`.
    pub(crate) policy: TokenStream,
    /// The same of `#[moved_from]`.
    pub(crate) moved_from: TokenStream,
}

impl Model {
    /// Reads the fields. `within` is `None` for a model that has none.
    pub(crate) fn parse(
        attribute: &str,
        mut item: ItemStruct,
        within: Option<Within>,
        errors: &mut Errors,
    ) -> Self {
        let about = about(&item.attrs);
        for (name, other) in field::take(&mut item.attrs, MODELS) {
            errors.at(
                other,
                format!("a struct is one thing: it is `#[{attribute}]` already, so it cannot be `#[{name}]`"),
            );
        }
        let starts = start::take(attribute, &mut item, errors);
        let masks = mask::take(attribute, &mut item, errors);
        let policy = policy::take(attribute, &mut item, errors);
        let moved_from = moved::take(attribute, &mut item, errors);
        let implements = implements::take(attribute, &mut item, errors);
        if let Some(lifetime) = item.generics.lifetimes().next() {
            errors.at(lifetime, "a model owns what it holds; it has no lifetime parameters");
        }
        // What a field is for is often done by its being there: a link is never read.
        let unread: Attribute = parse_quote!(#[allow(dead_code)]);
        let fields = match (&mut item.fields, within) {
            (Fields::Named(fields), Some(within)) => fields
                .named
                .iter_mut()
                .filter_map(|field| {
                    let parsed = Field::parse(field, within, &item.generics, errors);
                    field.attrs.push(unread.clone());
                    parsed
                })
                .collect(),
            (Fields::Unnamed(fields), Some(_)) => {
                for field in &mut fields.unnamed {
                    field::take(&mut field.attrs, field::ATTRIBUTES);
                }
                let message = format!(
                    "`#[{attribute}]` belongs on a struct whose fields have names; write `struct {} {{ … }}`",
                    item.ident
                );
                errors.at(&*fields, message);
                Vec::new()
            }
            (fields, None) => {
                if !fields.is_empty() {
                    errors.at(
                        &*fields,
                        format!(
                            "`#[{attribute}]` belongs on a struct without fields; write `struct {};`",
                            item.ident
                        ),
                    );
                }
                for field in fields.iter_mut() {
                    field::take(&mut field.attrs, field::ATTRIBUTES);
                }
                Vec::new()
            }
            (Fields::Unit, Some(_)) => Vec::new(),
        };
        let model = Self {
            item,
            about,
            fields,
            starts,
            is_abstract: false,
            masks,
            implements,
            resolvable: None,
            policy,
            moved_from,
        };
        model.unique_interfaces(errors);
        for (expr, other) in build::mentioned_too_early(&model.fields) {
            errors.at(
                expr,
                format!("an expression that awaits something is evaluated before `{other}` exists; leave one of the two out"),
            );
        }
        for (expr, member) in build::mentioned_undecided(&model.fields) {
            errors.at(
                expr,
                format!("which members there are is decided before `{member}` exists; an expression for it has values at hand, such as an `#[inject]` field's"),
            );
        }
        for (expr, other) in build::defaults_of_others(&model.fields) {
            errors.at(
                expr,
                format!(
                    "a default cannot be made of other fields, such as `{other}`: they may be made of it"
                ),
            );
        }
        model
    }

    /// The name users see: `name = …`, or the type's in kebab-case.
    pub(crate) fn name(&self, options: &mut Options, errors: &mut Errors) -> String {
        let given = options.span("name").is_some();
        if let Some((name, _)) = options.text("name", literal::host_name, errors) {
            return name;
        }
        let name = kebab(&self.item.ident.to_string());
        if !given && let Err(wrong) = literal::host_name(&name) {
            errors.at(&self.item.ident, format!("{wrong}; or say `name = \"…\"` in the attribute"));
        }
        name
    }

    fn unique_interfaces(&self, errors: &mut Errors) {
        let mut seen: Vec<(&str, &Ident)> = Vec::new();
        for field in self.fields.iter().filter(|field| field.cfgs.is_empty()) {
            let field::Role::Link(link) = &field.role else { continue };
            match seen.iter().find(|(interface, _)| *interface == link.interface) {
                Some((interface, first)) => errors.at(
                    &field.ident,
                    format!("`{interface}` is the interface of field `{first}` already; a machine's interfaces have different names"),
                ),
                None => seen.push((&link.interface, &field.ident)),
            }
        }
    }
}

/// The first line of the doc comment.
pub(crate) fn about(attributes: &[Attribute]) -> String {
    let lines =
        attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
            let Meta::NameValue(pair) = &attribute.meta else { return None };
            let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
            text.value().lines().map(|line| line.trim().to_owned()).find(|line| !line.is_empty())
        });
    lines.into_iter().next().unwrap_or_default()
}

/// The arguments of a key: what tells one instance of a generic model from another.
pub(crate) fn key_arguments(item: &ItemStruct) -> impl Iterator<Item = TokenStream> {
    item.generics.params.iter().filter_map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let ident = &parameter.ident;
            Some(quote::quote!(.with(<#ident as ::carthage::layout::Model>::KEY.id())))
        }
        GenericParam::Const(parameter) => {
            let ident = &parameter.ident;
            Some(quote::quote!(.with(#ident as u64)))
        }
        GenericParam::Lifetime(_) => None,
    })
}
