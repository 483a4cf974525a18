//! One field of a model: which attribute stands on it, and what that says.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Generics, Ident, Token, Type};

use crate::asked::Asked;
use crate::constraint::Constraint;
use crate::errors::Errors;
use crate::link::{self, Extras};
use crate::literal;
use crate::member::Member;
use crate::moved;
use crate::options::{self, Known, Options};
use crate::provide;
use crate::tokens::respan;
use crate::types;

/// The attributes of fields; none of them may reach rustc, which has a `#[link]` of its own.
pub(crate) const ATTRIBUTES: &[&str] = &["link", "customize", "inject", "provide", "member", "role", "image"];

/// A field that is part of a model.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// Whether the type mentions a parameter of the model.
    pub(crate) is_generic: bool,
    /// `#[cfg(…)]`, to be copied to everything that the field gives rise to.
    pub(crate) cfgs: Vec<Attribute>,
    /// Where its attribute is written, or else its name.
    pub(crate) at: Span,
    pub(crate) role: Role,
}

/// What a field is.
pub(crate) enum Role {
    Member(Member),
    Link(Link),
    Customize(Value),
    Inject(Asked),
    Provide(Provide),
    /// A bundle of parts: a role, or the image that a root is made from.
    Taken {
        is_image: bool,
    },
}

/// A network interface.
pub(crate) struct Link {
    pub(crate) network: Type,
    pub(crate) interface: String,
    /// A range, where it is written.
    pub(crate) address: Option<TokenStream>,
    pub(crate) mac: Option<[u8; 6]>,
    pub(crate) mtu: Option<Expr>,
    pub(crate) extras: Extras,
    /// Where `link` is written.
    pub(crate) span: Span,
}

/// A value for everything inside.
pub(crate) struct Provide {
    /// `T` of `Arc<T>`.
    pub(crate) ty: Type,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) persist: bool,
    /// Whether each scope that asks has its own.
    pub(crate) each: bool,
    /// Whether something is done with it at the end.
    pub(crate) close: bool,
    pub(crate) value: Value,
}

/// The expression of `#[customize(…)]` or `#[provide(…)]`.
pub(crate) enum Value {
    Default,
    Expr(Expr),
    /// What the scope that these fields lead to provides.
    From(Vec<Ident>),
    /// It could not be read; the finding is reported.
    Broken,
}

/// What a struct is, as far as its fields are concerned.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Within {
    /// A layout or an enclave.
    Container,
    /// A machine, or a role of one.
    Machine,
    /// What the root of a machine is made from.
    Image,
}

const LINK: &[Known] = &[
    options::text("address", "address = \"10.37.0.2\""),
    options::text("mac", "mac = \"52:54:00:12:34:56\""),
    options::number("mtu", "mtu = 1500"),
    options::text("name", "name = \"eth0\""),
    options::numbers("vlans", "vlans = [5, 6]"),
    options::expression("peer", "peer = link!(Switch.port1)"),
];

/// The name of our attribute, if it is one of `names`: `#[link]` or `#[carthage::link]`.
pub(crate) fn ours(attribute: &Attribute, names: &[&'static str]) -> Option<&'static str> {
    let segments = &attribute.path().segments;
    let last = segments.last()?;
    let qualified = segments.len() == 1 || segments.first().is_some_and(|first| first.ident == "carthage");
    names.iter().find(|name| qualified && last.ident == **name).copied()
}

/// The attributes of ours, taken out of `attributes`.
pub(crate) fn take(
    attributes: &mut Vec<Attribute>,
    names: &[&'static str],
) -> Vec<(&'static str, Attribute)> {
    let mut taken = Vec::new();
    attributes.retain(|attribute| match ours(attribute, names) {
        Some(name) => {
            taken.push((name, attribute.clone()));
            false
        }
        None => true,
    });
    taken
}

/// The `#[cfg(…)]`s, and a finding for a `#[cfg_attr(…)]` that carries an attribute of ours.
pub(crate) fn cfgs(
    attributes: &mut Vec<Attribute>,
    names: &[&'static str],
    errors: &mut Errors,
) -> Vec<Attribute> {
    attributes.retain(|attribute| {
        let inside = attribute.path().is_ident("cfg_attr").then(|| attribute.meta.to_token_stream().to_string());
        let hidden = inside.and_then(|text| {
            // After the condition: `cfg_attr(feature = "x", link(…))`.
            text.split(',').skip(1).find_map(|part| {
                let word = part.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next();
                names.iter().find(|name| word == Some(**name)).copied()
            })
        });
        if let Some(name) = hidden {
            errors.at(
                attribute,
                format!("`{name}` cannot stand inside `cfg_attr`: write two fields or functions, each with its own `#[cfg(…)]`"),
            );
        }
        hidden.is_none()
    });
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

impl Field {
    /// Reads a field and takes our attributes off it. Nothing is returned for a field that cannot be a part; why is reported.
    pub(crate) fn parse(
        field: &mut syn::Field,
        within: Within,
        generics: &Generics,
        errors: &mut Errors,
    ) -> Option<Self> {
        let ident = field.ident.clone()?;
        let before = errors.count();
        let moved = moved::taken(&mut field.attrs, errors);
        let taken = take(&mut field.attrs, ATTRIBUTES);
        let cfgs = cfgs(&mut field.attrs, ATTRIBUTES, errors);
        if errors.count() > before {
            return None;
        }
        if let [(first, _), (second, attribute), ..] = &taken[..] {
            let message = match first == second {
                true => format!("`#[{first}]` is given twice"),
                false => {
                    format!("a field is one thing: it is `#[{first}]` already, so it cannot be `#[{second}]`")
                }
            };
            errors.at(attribute, message);
        }
        let mut role = match taken.first() {
            Some((name, attribute)) => {
                let arguments = options::arguments(attribute, errors);
                let here = Here { within, ident: &ident, ty: &field.ty, attribute };
                here.role(name, arguments, errors)?
            }
            None if within != Within::Container => {
                errors.at(&ident, missing_attribute(&ident, &field.ty));
                return None;
            }
            None => Role::Member(Member::parse(&ident, &field.ty, TokenStream::new(), errors)?),
        };
        match (&mut role, &moved) {
            (Role::Member(member), _) => member.moved_from = moved::on_member(moved.as_ref(), member, errors),
            (_, Some(attribute)) => errors.at(
                attribute,
                "`#[moved_from]` belongs on a member field, which holds a machine or a network",
            ),
            (_, None) => {}
        }
        let at = taken.first().map_or_else(|| ident.span(), |(_, attribute)| attribute.path().span());
        Some(Self {
            ident,
            ty: field.ty.clone(),
            is_generic: types::depends(&field.ty, generics),
            cfgs,
            at,
            role,
        })
    }

    /// The field's name as text.
    pub(crate) fn name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// A field while it is read.
struct Here<'a> {
    within: Within,
    ident: &'a Ident,
    ty: &'a Type,
    attribute: &'a Attribute,
}

impl Here<'_> {
    fn role(&self, name: &str, arguments: TokenStream, errors: &mut Errors) -> Option<Role> {
        let (within, ty) = (self.within, self.ty);
        match (name, within) {
            ("link", Within::Machine) => self.link(arguments, errors),
            ("customize", Within::Machine | Within::Image) => {
                Some(Role::Customize(expression(arguments, errors)))
            }
            ("inject", _) => {
                let asked = Asked::parse(arguments, ty, errors);
                self.wanted(ty, errors).then_some(Role::Inject(asked))
            }
            ("provide", _) => self.provide(arguments, errors),
            ("role", Within::Machine) => self.taken("role", arguments, errors),
            ("image", Within::Machine | Within::Image) => self.taken("image", arguments, errors),
            (_, Within::Image) => {
                errors.at(
                    self.attribute,
                    format!("an image has no `#[{name}]`: nothing runs in it; write that in the `#[machine_model]`"),
                );
                None
            }
            ("member", Within::Container) => {
                Member::parse(self.ident, ty, arguments, errors).map(Role::Member)
            }
            ("member", Within::Machine) => {
                errors.at(self.attribute, "a machine has no members; place it in an enclave or a layout");
                None
            }
            _ => {
                errors.at(
                    self.attribute,
                    format!("`#[{name}]` belongs on a field of a `#[machine_model]`, not of an enclave or a layout"),
                );
                None
            }
        }
    }

    fn taken(&self, attribute: &str, arguments: TokenStream, errors: &mut Errors) -> Option<Role> {
        Options::parse(attribute, &[], arguments, errors);
        let held = types::head(self.ty).filter(|head| ["Arc", "Option", "Vec"].contains(&head.as_str()));
        if held.is_some() || matches!(self.ty, Type::Array(_)) {
            errors.at(
                self.ty,
                format!(
                    "a machine takes it in once; write `{}: T`, where `T` is the {attribute}",
                    self.ident
                ),
            );
            return None;
        }
        Some(Role::Taken { is_image: attribute == "image" })
    }

    fn link(&self, arguments: TokenStream, errors: &mut Errors) -> Option<Role> {
        let before = errors.count();
        let Some(network) = types::argument(self.ty, "Link").cloned() else {
            errors.at(
                self.ty,
                format!(
                    "a `#[link]` has the type `Link<N>`, where `N` is the network: `{}: Link<Lab>`",
                    self.ident
                ),
            );
            return None;
        };
        let mut options = Options::parse("link", LINK, arguments, errors);
        let address = options.text("address", literal::addresses, errors);
        let mac = options.text("mac", literal::mac, errors);
        let mtu = options.number("mtu", literal::mtu, errors);
        let extras = link::extras(&mut options, errors);
        let interface = match options.span("name") {
            Some(_) => options.text("name", literal::interface, errors).map(|(name, _)| name),
            None => literal::interface(&self.ident.unraw().to_string())
                .map_err(|wrong| {
                    errors.at(
                        self.ident,
                        format!("{wrong}; rename the field, or write `#[link(name = \"eth0\")]`"),
                    );
                })
                .ok(),
        };
        if errors.count() > before && address.is_none() && !options.sound {
            // An address may have been meant; without one, the link could seem to need a pool.
            return None;
        }
        Some(Role::Link(Link {
            network,
            interface: interface.unwrap_or_else(|| self.ident.unraw().to_string()),
            address: address.map(|(address, span)| respan(address.to_token_stream(), span)),
            mac: mac.map(|(mac, _)| mac),
            mtu,
            extras,
            span: self.attribute.path().span(),
        }))
    }

    fn provide(&self, arguments: TokenStream, errors: &mut Errors) -> Option<Role> {
        let ty = match types::argument(self.ty, "Arc") {
            Some(ty) => ty.clone(),
            None => {
                let text = types::text(self.ty);
                errors.at(
                    self.ty,
                    format!(
                        "a `#[provide]` is shared: its type is `Arc<T>`; write `{}: Arc<{text}>`",
                        self.ident
                    ),
                );
                return None;
            }
        };
        let mut provide = provide::parse(ty, arguments, errors);
        provide.value = provide.value.without_self(errors);
        Some(Role::Provide(provide))
    }

    fn wanted(&self, ty: &Type, errors: &mut Errors) -> bool {
        let wanted = wanted(ty);
        if generated(ty) {
            errors.at(ty, GENERATED_LATER);
        } else if !wanted {
            let text = types::text(ty);
            errors.at(ty, format!("a field holds an injected value as `Arc<{text}>`, `Option<Arc<{text}>>` or `Deferred<{text}>`"));
        }
        wanted
    }
}

/// Whether it is what the tasks of a model generate, which only tasks can have.
pub(crate) fn generated(ty: &Type) -> bool {
    types::head(ty).is_some_and(|head| head == "Generated")
}

/// Why nothing else can.
pub(crate) const GENERATED_LATER: &str = "what a model generates is there when tasks run, and not when values and models are made\n\
     ask for it as a parameter of a setup task: `#[inject] made: &Generated<Algebra>`";

/// Whether the type says how a value is wanted.
pub(crate) fn wanted(ty: &Type) -> bool {
    let held = |ty, of: &[&str]| types::head(ty).is_some_and(|head| of.contains(&head.as_str()));
    match (types::argument(ty, "Option"), types::argument(ty, "Vec")) {
        (Some(inner), _) => held(inner, &["Arc", "Placed"]),
        (_, Some(inner)) => held(inner, &["Placed"]),
        _ => held(ty, &["Arc", "Deferred", "Quoted", "All", "Placed"]),
    }
}

fn expression(arguments: TokenStream, errors: &mut Errors) -> Value {
    if arguments.is_empty() {
        return Value::Default;
    }
    let parser = |input: ParseStream<'_>| {
        let expr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(expr)
    };
    errors.keep(parser.parse2(arguments)).map_or(Value::Broken, Value::Expr).without_self(errors)
}

impl Value {
    /// There is no `self` yet where the expression is evaluated.
    pub(crate) fn without_self(self, errors: &mut Errors) -> Self {
        let Self::Expr(expr) = &self else { return self };
        match crate::tokens::find_ident(expr.to_token_stream(), "self") {
            Some(found) => {
                errors.at(
                    &found,
                    "`self` does not exist yet here: the other fields are in scope by their names",
                );
                Self::Broken
            }
            None => self,
        }
    }
}

fn missing_attribute(ident: &Ident, ty: &Type) -> String {
    let text = types::text(ty);
    let attribute = match types::head(ty).as_deref() {
        Some("Link") => "#[link]",
        Some("Arc" | "Option" | "Deferred" | "Placed") => "#[inject]",
        _ => "#[customize]",
    };
    format!(
        "say what this part of the machine is; write `{attribute} {ident}: {text}`\n\
         a machine's fields are `#[link]`, `#[customize]`, `#[inject]`, `#[provide]` or `#[role]`"
    )
}
