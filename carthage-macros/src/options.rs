//! The arguments of an attribute: one parser, which knows what each attribute takes.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, Ident, Lit, LitInt, LitStr, Token, Type, bracketed};

use crate::elsewhere::Named;
use crate::errors::Errors;
use crate::names;

/// How many arguments are shown to somebody who has only misspelt one.
const SHORT: usize = 8;

/// An argument that an attribute takes.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    name: &'static str,
    form: Form,
    /// How it is written, for messages.
    example: &'static str,
}

/// What stands after the `=` of an argument.
#[derive(Clone, Copy)]
enum Form {
    /// A string literal.
    Text,
    /// An integer literal, or any constant expression.
    Number,
    /// Nothing: there is no `=`.
    Flag,
    /// A type.
    Type,
    /// An identifier, or several in brackets.
    Names,
    /// An expression.
    Expr,
    /// A string literal, or a type.
    TextOrType,
    /// `true`, `false`, or a type.
    Switch,
    /// Integer literals in brackets.
    Numbers,
    /// String literals in brackets.
    Texts,
    /// Arguments in parentheses, several times in brackets.
    Groups,
    /// Machines or tasks, one or several in brackets.
    Elsewhere,
}

/// A value of [`text_or_type`].
pub(crate) enum TextOrType<T> {
    Text(T),
    Type(Box<Type>),
}

/// A value of [`switch`].
pub(crate) enum Switch {
    Off,
    On,
    Type(Box<Type>),
}

macro_rules! form {
    ($function:ident, $form:ident) => {
        pub(crate) const fn $function(name: &'static str, example: &'static str) -> Known {
            Known { name, form: Form::$form, example }
        }
    };
}
form!(text, Text);
form!(number, Number);
form!(flag, Flag);
form!(type_, Type);
form!(idents, Names);
form!(expression, Expr);
form!(text_or_type, TextOrType);
form!(switch, Switch);
form!(numbers, Numbers);
form!(texts, Texts);
form!(groups, Groups);
form!(elsewhere, Elsewhere);

/// All of several lists, which are `N` together.
pub(crate) const fn joined<const N: usize>(lists: &[&[Known]]) -> [Known; N] {
    let mut all = [flag("", ""); N];
    let (mut list, mut at, mut to) = (0, 0, 0);
    while to < N {
        if at == lists[list].len() {
            list += 1;
            at = 0;
        } else {
            all[to] = lists[list][at];
            at += 1;
            to += 1;
        }
    }
    all
}

impl Known {
    pub(crate) const fn name(&self) -> &'static str {
        self.name
    }
}

enum Value {
    Text(LitStr),
    Number(Expr),
    Flag,
    Type(Type),
    Switch(bool),
    Names(Vec<Ident>),
    Expr(Expr),
    Numbers(Vec<LitInt>),
    Texts(Vec<LitStr>),
    Groups(Vec<Group>),
    Elsewhere(Vec<Named>),
}

/// The arguments that were given.
pub(crate) struct Options {
    given: Vec<(&'static str, Ident, Value)>,
    /// Whether nothing is wrong with them so far; what depends on all of them is left unchecked otherwise.
    pub(crate) sound: bool,
}

impl Options {
    /// Reads the arguments of `#[attribute(…)]`. An unknown one that is near to a known one is taken for it, so that nothing
    /// else seems to be missing.
    pub(crate) fn parse(attribute: &str, known: &[Known], tokens: TokenStream, errors: &mut Errors) -> Self {
        Self::parse_in(&format!("`#[{attribute}]`"), known, tokens, errors)
    }

    /// Reads arguments of whatever is called `of`.
    pub(crate) fn parse_in(of: &str, known: &[Known], tokens: TokenStream, errors: &mut Errors) -> Self {
        let before = errors.count();
        let mut options = Self { given: Vec::new(), sound: true };
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = options.one(of, known, input, errors) {
                    errors.push(error);
                    skip_to_comma(input);
                }
                if !input.is_empty() && input.parse::<Token![,]>().is_err() {
                    errors.push(input.error("expected `,` between arguments"));
                    skip_to_comma(input);
                    _ = input.parse::<Token![,]>();
                }
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        options.sound = errors.count() == before;
        options
    }

    fn one(
        &mut self,
        of: &str,
        known: &[Known],
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected an argument; {}", takes(of, known))));
        }
        let name = input.call(Ident::parse_any)?;
        let written = name.unraw().to_string();
        if let Some(known) = known.iter().find(|known| known.name == written) {
            return self.given(*known, name, input);
        }
        let all = known.iter().map(|known| known.name);
        let hint = names::did_you_mean(&written, all.clone());
        // Where there are many, all of them would hide the one that is meant.
        let list = match hint.is_empty() || known.len() <= SHORT {
            true => format!("\n{}", takes(of, known)),
            false => String::new(),
        };
        errors.at(&name, format!("unknown argument `{written}`{hint}{list}"));
        let meant = names::meant(&written, all);
        let meant = meant.and_then(|meant| known.iter().find(|known| known.name == meant));
        // What it is given may not be written to the end either, or be meant for something else: one finding is enough.
        if meant.is_none_or(|meant| self.given(*meant, name, input).is_err()) {
            skip_to_comma(input);
        }
        Ok(())
    }

    /// One argument, of which the name is read.
    fn given(&mut self, known: Known, name: Ident, input: ParseStream<'_>) -> syn::Result<()> {
        let Known { name: known_name, form, example } = known;
        let value = if let Form::Flag = form {
            if input.peek(Token![=]) {
                return Err(input.error(format!("`{known_name}` takes no value; write `{example}`")));
            }
            Value::Flag
        } else {
            if !input.peek(Token![=]) {
                let message = format!("`{known_name}` needs a value, such as `{example}`");
                return Err(syn::Error::new(name.span(), message));
            }
            input.parse::<Token![=]>()?;
            // Aside: of what is left unread in brackets syn would speak as well.
            let ahead = input.fork();
            let value = form.value(&ahead).map_err(|error| {
                syn::Error::new(error.span(), format!("`{known_name}` is written like `{example}`"))
            })?;
            input.advance_to(&ahead);
            value
        };
        if self.given.iter().any(|(given, ..)| *given == known_name) {
            return Err(syn::Error::new(name.span(), format!("`{known_name}` is given twice")));
        }
        self.given.push((known_name, name, value));
        Ok(())
    }

    fn take(&mut self, name: &str) -> Option<(Ident, Value)> {
        let position = self.given.iter().position(|(given, ..)| *given == name)?;
        let (_, ident, value) = self.given.swap_remove(position);
        Some((ident, value))
    }

    /// The text of a string argument, as `check` reads it.
    pub(crate) fn text<T>(
        &mut self,
        name: &str,
        check: fn(&str) -> Result<T, String>,
        errors: &mut Errors,
    ) -> Option<(T, Span)> {
        let (_, Value::Text(literal)) = self.take(name)? else { return None };
        let checked = check(&literal.value()).map_err(|wrong| {
            self.sound = false;
            errors.at(&literal, wrong);
        });
        Some((checked.ok()?, literal.span()))
    }

    /// A number; a literal is checked here, another constant expression is left to rustc.
    pub(crate) fn number(
        &mut self,
        name: &str,
        check: fn(u64) -> Result<(), String>,
        errors: &mut Errors,
    ) -> Option<Expr> {
        let (_, Value::Number(expr)) = self.take(name)? else { return None };
        if let Some(wrong) = wrong_number(name, &expr, check) {
            self.sound = false;
            errors.at(&expr, wrong);
            return None;
        }
        Some(expr)
    }

    /// Where a flag stands, if it does.
    pub(crate) fn flag(&mut self, name: &str) -> Option<Span> {
        self.take(name).map(|(ident, _)| ident.span())
    }

    /// A type.
    pub(crate) fn ty(&mut self, name: &str) -> Option<Type> {
        match self.take(name)? {
            (_, Value::Type(ty)) => Some(ty),
            _ => None,
        }
    }

    /// Yes, no, or a type; and where it is said.
    pub(crate) fn switch(&mut self, name: &str) -> Option<(Switch, Span)> {
        match self.take(name)? {
            (ident, Value::Switch(on)) => Some((if on { Switch::On } else { Switch::Off }, ident.span())),
            (ident, Value::Type(ty)) => Some((Switch::Type(Box::new(ty)), ident.span())),
            _ => None,
        }
    }

    /// Identifiers.
    pub(crate) fn idents(&mut self, name: &str) -> Vec<Ident> {
        let Some((_, Value::Names(names))) = self.take(name) else { return Vec::new() };
        names
    }

    /// Machines or tasks.
    pub(crate) fn named(&mut self, name: &str) -> Vec<Named> {
        let Some((_, Value::Elsewhere(named))) = self.take(name) else { return Vec::new() };
        named
    }

    /// An expression.
    pub(crate) fn expr(&mut self, name: &str) -> Option<Expr> {
        match self.take(name)? {
            (_, Value::Expr(expr)) => Some(expr),
            _ => None,
        }
    }

    /// The text of a string argument, as `check` reads it, or a type.
    pub(crate) fn text_or_type<T>(
        &mut self,
        name: &str,
        check: fn(&str) -> Result<T, String>,
        errors: &mut Errors,
    ) -> Option<TextOrType<(T, Span)>> {
        if self.given.iter().any(|(given, _, value)| *given == name && matches!(value, Value::Text(_))) {
            return self.text(name, check, errors).map(TextOrType::Text);
        }
        self.ty(name).map(|ty| TextOrType::Type(Box::new(ty)))
    }

    /// Numbers, each as `check` allows.
    pub(crate) fn numbers(
        &mut self,
        name: &str,
        check: fn(u64) -> Result<(), String>,
        errors: &mut Errors,
    ) -> Option<(Vec<u64>, Span)> {
        let (ident, Value::Numbers(literals)) = self.take(name)? else { return None };
        let mut numbers = Vec::new();
        for literal in literals {
            let wrong =
                |wrong: String| if wrong.starts_with("must") { format!("`{name}` {wrong}") } else { wrong };
            match literal.base10_parse().map_err(|_| format!("`{name}` is too large")) {
                Ok(number) if check(number).is_ok() => numbers.push(number),
                Ok(number) => errors.at(&literal, wrong(check(number).err().unwrap_or_default())),
                Err(large) => errors.at(&literal, large),
            }
        }
        Some((numbers, ident.span()))
    }

    /// Texts, each as `check` allows.
    pub(crate) fn texts(
        &mut self,
        name: &str,
        check: fn(&str) -> Result<String, String>,
        errors: &mut Errors,
    ) -> Option<(Vec<String>, Span)> {
        let (ident, Value::Texts(literals)) = self.take(name)? else { return None };
        let mut texts: Vec<String> = Vec::new();
        for literal in literals {
            match check(&literal.value()) {
                Ok(text) if texts.contains(&text) => errors.at(&literal, format!("`{text}` is given twice")),
                Ok(text) => texts.push(text),
                Err(wrong) => errors.at(&literal, wrong),
            }
        }
        Some((texts, ident.span()))
    }

    /// Groups of arguments.
    pub(crate) fn groups(&mut self, name: &str) -> Option<(Vec<Group>, Span)> {
        let (ident, Value::Groups(groups)) = self.take(name)? else { return None };
        Some((groups, ident.span()))
    }

    /// Where the argument's name stands, while its value is not yet taken.
    pub(crate) fn span(&self, name: &str) -> Option<Span> {
        self.given.iter().find(|(given, ..)| *given == name).map(|(_, ident, _)| ident.span())
    }
}

impl Form {
    fn value(self, input: ParseStream<'_>) -> syn::Result<Value> {
        let value = match self {
            Self::Text => Value::Text(input.parse()?),
            Self::Number => Value::Number(input.parse()?),
            Self::Flag => Value::Flag,
            Self::Type => Value::Type(input.parse()?),
            Self::Expr => Value::Expr(input.parse()?),
            Self::Elsewhere => Value::Elsewhere(Named::list(input)?),
            Self::Names if input.peek(syn::token::Bracket) => {
                let content;
                bracketed!(content in input);
                let names = content.parse_terminated(Ident::parse_any, Token![,])?;
                Value::Names(names.into_iter().collect())
            }
            Self::Names => Value::Names(vec![input.call(Ident::parse_any)?]),
            Self::TextOrType if input.peek(LitStr) => Value::Text(input.parse()?),
            Self::Switch if input.peek(syn::LitBool) => Value::Switch(input.parse::<syn::LitBool>()?.value),
            Self::TextOrType | Self::Switch => Value::Type(input.parse()?),
            Self::Texts => {
                let content;
                bracketed!(content in input);
                Value::Texts(
                    content.parse_terminated(<LitStr as Parse>::parse, Token![,])?.into_iter().collect(),
                )
            }
            Self::Groups => {
                let content;
                bracketed!(content in input);
                Value::Groups(content.parse_terminated(group, Token![,])?.into_iter().collect())
            }
            Self::Numbers => {
                let content;
                bracketed!(content in input);
                Value::Numbers(
                    content.parse_terminated(<LitInt as Parse>::parse, Token![,])?.into_iter().collect(),
                )
            }
        };
        if input.is_empty() || input.peek(Token![,]) { Ok(value) } else { Err(input.error("")) }
    }
}

/// Something in parentheses.
fn group(input: ParseStream<'_>) -> syn::Result<Group> {
    if !input.peek(syn::token::Paren) {
        return Err(input.error(""));
    }
    input.parse()
}

fn wrong_number(name: &str, expr: &Expr, check: fn(u64) -> Result<(), String>) -> Option<String> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => match number.base10_parse() {
                Ok(value) => check(value).err().map(|wrong| match wrong.starts_with("must") {
                    true => format!("`{name}` {wrong}"),
                    false => wrong,
                }),
                Err(_) => Some(format!("`{name}` is too large")),
            },
            other => Some(format!("`{name}` is a whole number, not {}", quote!(#other))),
        },
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            Some(format!("`{name}` cannot be negative"))
        }
        _ => None,
    }
}

/// "`#[network]` takes `v4`, `pool` and `mtu`".
fn takes(of: &str, known: &[Known]) -> String {
    let names: Vec<_> = known.iter().map(|known| known.name).collect();
    match names.len() {
        0 => format!("{of} takes no arguments"),
        _ => format!("{of} takes {}", names::list(&names)),
    }
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        _ = input.parse::<TokenTree>();
    }
}

/// The tokens between the parentheses of an attribute; none for `#[link]`.
pub(crate) fn arguments(attribute: &syn::Attribute, errors: &mut Errors) -> TokenStream {
    match &attribute.meta {
        syn::Meta::Path(_) => TokenStream::new(),
        syn::Meta::List(list) => list.tokens.clone(),
        syn::Meta::NameValue(pair) => {
            let name = pair.path.to_token_stream().to_string();
            let value = pair.value.to_token_stream();
            errors.at(pair.eq_token, format!("arguments stand in parentheses: `#[{name}({value})]`"));
            value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[Known] = &[
        text("name", "name = \"web\""),
        number("memory_mb", "memory_mb = 256"),
        flag("tpm", "tpm"),
        idents("after", "after = index"),
    ];

    fn parse(tokens: TokenStream) -> (Options, usize) {
        let mut errors = Errors::default();
        let options = Options::parse("machine_model", KNOWN, tokens, &mut errors);
        (options, errors.count())
    }

    #[test]
    fn all_findings_are_reported() {
        assert_eq!(parse(quote!(nam = "x", memory_mb, tpm = true, 7, after = [a, b])).1, 4);
        assert_eq!(parse(quote!(name = "x", name = "y")).1, 1);
        assert_eq!(parse(quote!(name = "x" tpm)).1, 1);
    }

    #[test]
    fn a_misspelt_argument_is_taken_for_the_one_it_means() {
        let (mut options, found) = parse(quote!(memory = 256));
        assert_eq!(found, 1);
        assert!(options.number("memory_mb", |_| Ok(()), &mut Errors::default()).is_some());
        assert!(!options.sound);
    }
}
