//! A member field of an enclave or a layout: what it holds, how many, and when.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Expr, Ident, Type};

use crate::errors::Errors;
use crate::field::Value;
use crate::literal;
use crate::options::{self, Known, Options};
use crate::types;

/// A part of the tree.
pub(crate) struct Member {
    /// The model.
    pub(crate) ty: Type,
    pub(crate) count: Count,
    /// Whether the field is an `Option`.
    pub(crate) optional: bool,
    pub(crate) name: Option<String>,
    /// Another domain than the model's own.
    pub(crate) domain: Option<String>,
    /// `is = …`: what it stands for, besides its own type.
    pub(crate) is: Vec<Type>,
    /// `when = …`: an expression that tells whether it is there.
    pub(crate) when: Option<Value>,
    /// `only = …`: the profiles in which it is there.
    pub(crate) only: Vec<Ident>,
    /// The builder call of `#[moved_from]`.
    pub(crate) moved_from: TokenStream,
}

/// How many of them.
pub(crate) enum Count {
    One,
    /// `N` of `[T; N]`.
    Array(Box<Expr>),
    /// As many as this expression lists.
    Fleet(Value),
}

const OPTIONS: &[Known] = &[
    options::text("name", "name = \"mirror-2\""),
    options::text("domain", "domain = \"red\""),
    options::type_("is", "is = Uplink"),
    options::expression("when", "when = settings.monitored"),
    options::expression("list", "list = inventory.desks()"),
    options::idents("only", "only = full"),
];

/// How a member is written, for messages.
const FORMS: &str = "a member is `T`, `[T; N]` for several, `Option<T>` for one that may be absent, or `Fleet<T>` for as many as a list says";

impl Member {
    /// Reads the field `ident` with the arguments of its `#[member(…)]`.
    pub(crate) fn parse(
        ident: &Ident,
        ty: &Type,
        arguments: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut options = Options::parse("member", OPTIONS, arguments, errors);
        let [name_at, when_at, list_at, only_at] =
            ["name", "when", "list", "only"].map(|argument| options.span(argument));
        let name = options.text("name", literal::host_name, errors).map(|(name, _)| name);
        let domain = options.text("domain", literal::domain, errors).map(|(domain, _)| domain);
        let is = match options.ty("is") {
            Some(Type::Tuple(several)) => several.elems.into_iter().collect(),
            one => one.into_iter().collect(),
        };
        let mut expression = |name| options.expr(name).map(|expr| Value::Expr(expr).without_self(errors));
        let (when, list) = (expression("when"), expression("list"));
        let only = options.idents("only");
        let (inner, optional) = match types::argument(ty, "Option") {
            Some(inner) => (inner, true),
            None => (ty, false),
        };
        let fleet = types::argument(inner, "Fleet");
        let (element, array) = match (inner, fleet) {
            (_, Some(element)) => (element, None),
            (Type::Array(array), None) => (&*array.elem, Some(array.len.clone())),
            (other, None) => (other, None),
        };
        if let Some(wrong) = wrong(element, inner, optional) {
            errors.at(ty, wrong);
            return None;
        }
        let (text, whole) = (types::text(element), types::text(ty));
        if options.sound {
            if optional && when_at.is_none() && only_at.is_none() {
                errors.at(ty, format!(
                    "say when it is there: `#[member(when = …)] {ident}: {whole}`, or in which profiles: `#[member(only = …)]`"
                ));
            }
            let mut wrong = |span: Option<Span>, message: String| {
                span.into_iter().for_each(|span| errors.push(syn::Error::new(span, message.clone())));
            };
            if fleet.is_some() {
                wrong(name_at, "the members of a fleet are called by the names in its list".to_owned());
                wrong(when_at, "a fleet is absent when its list is empty: leave `when` out".to_owned());
            } else {
                wrong(
                    list_at,
                    format!("as many as a list says are a `Fleet`: write `{ident}: Fleet<{text}>`"),
                );
                let absent = if optional { None } else { when_at.or(only_at) };
                wrong(absent, format!("what may be absent is an `Option`: write `{ident}: Option<{whole}>`"));
            }
            if fleet.is_some() && list_at.is_none() {
                errors.at(ty, format!(
                    "say which there are: `#[member(list = …)] {ident}: {whole}`, where the expression lists their names"
                ));
            }
        }
        let count = match (fleet, array) {
            (Some(_), _) => Count::Fleet(list.unwrap_or(Value::Broken)),
            (None, Some(count)) => Count::Array(Box::new(count)),
            (None, None) => Count::One,
        };
        let moved_from = TokenStream::new();
        Some(Self { ty: element.clone(), count, optional, name, domain, is, when, only, moved_from })
    }

    /// The type that the field gets: `Mirror` becomes `Placed<Mirror>`, and `[Worker; 3]` becomes `[Placed<Worker>; 3]`.
    pub(crate) fn placed(&self) -> TokenStream {
        let ty = &self.ty;
        let placed = match &self.count {
            Count::One => quote!(::carthage::Placed<#ty>),
            Count::Array(count) => quote!([::carthage::Placed<#ty>; #count]),
            Count::Fleet(_) => quote!(::carthage::Fleet<#ty>),
        };
        match self.optional {
            true => quote!(::core::option::Option<#placed>),
            false => placed,
        }
    }

    /// The name of the function of `Model` that answers the placed member.
    pub(crate) fn taken(&self) -> &'static str {
        match (&self.count, self.optional) {
            (Count::One, false) => "one",
            (Count::One, true) => "perhaps_one",
            (Count::Array(_), false) => "several",
            (Count::Array(_), true) => "perhaps_several",
            (Count::Fleet(_), _) => "fleet",
        }
    }

    /// The expression that decides about it, with the function of `Decision` that takes what it says.
    pub(crate) fn decided(&self) -> Option<(&Value, &'static str)> {
        match (&self.when, &self.count) {
            (Some(when), _) => Some((when, "when")),
            (None, Count::Fleet(list)) => Some((list, "list")),
            _ => None,
        }
    }
}

/// What is wrong with a member's type, as far as its words tell.
fn wrong(element: &Type, inner: &Type, optional: bool) -> Option<String> {
    let head = types::head(element);
    Some(match head.as_deref() {
        Some("Arc" | "Deferred") if optional => {
            "say what this value is: `#[inject]` asks for one that may be absent".to_owned()
        }
        Some("Arc" | "Deferred") => {
            "say what this value is: `#[provide(…)]` makes it for everything in here, `#[inject]` asks for it"
                .to_owned()
        }
        Some("Link") => "a `#[link]` belongs on a field of a `#[machine_model]`".to_owned(),
        Some("Placed") => "write the model itself; the macro makes it `Placed`".to_owned(),
        Some("Self") => "a container cannot contain itself".to_owned(),
        Some("Option" | "Vec" | "Box" | "Fleet") => FORMS.to_owned(),
        Some(_) if optional && types::argument(inner, "Fleet").is_some() => {
            "a fleet is absent when its list is empty: write `Fleet<T>`".to_owned()
        }
        Some(_) => return None,
        None => FORMS.to_owned(),
    })
}
