//! `#[policy(destroy = retain, orphan = warn, auto_deploy = false)]` on anything that is placed.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ItemStruct;

use crate::errors::Errors;
use crate::field;
use crate::names;
use crate::options::{self, Known, Options};

const OPTIONS: &[Known] = &[
    options::idents("destroy", "destroy = retain"),
    options::idents("orphan", "orphan = warn"),
    options::idents("auto_deploy", "auto_deploy = false"),
];

/// Takes it off the struct; answers the builder call for the node.
pub(crate) fn take(on: &str, item: &mut ItemStruct, errors: &mut Errors) -> TokenStream {
    let taken = field::take(&mut item.attrs, &["policy"]);
    if let [_, (_, again), ..] = &taken[..] {
        errors.at(again, "`#[policy]` is given twice; write all of it in one");
    }
    let Some((_, attribute)) = taken.into_iter().next() else { return TokenStream::new() };
    if ["role", "image"].contains(&on) {
        errors.at(
            &attribute,
            format!("`#[policy]` belongs on what is placed; {on}s are not: write it on the machine"),
        );
        return TokenStream::new();
    }
    let arguments = options::arguments(&attribute, errors);
    if arguments.is_empty() {
        errors.at(&attribute, "say what becomes of it: `#[policy(destroy = retain)]`");
    }
    let mut options = Options::parse("policy", OPTIONS, arguments, errors);
    let mut calls = TokenStream::new();
    for question in ["destroy", "orphan"] {
        let answers = [("delete", "Delete"), ("warn", "Warn"), ("retain", "Retain")];
        if let Some((name, answer)) = one(&mut options, question, &answers, errors) {
            let answer = Ident::new(answer, name.span());
            let question = Ident::new(question, name.span());
            calls.extend(quote!(.#question(::carthage::machine::engine::Removal::#answer)));
        }
    }
    if let Some((_, answer)) =
        one(&mut options, "auto_deploy", &[("true", "true"), ("false", "false")], errors)
    {
        let answer = answer == "true";
        calls.extend(quote!(.auto_deploy(#answer)));
    }
    quote!(.policy(::carthage::model::Policy::INHERITED #calls))
}

/// The answer to a question, out of those that there are.
fn one(
    options: &mut Options,
    question: &str,
    answers: &[(&'static str, &'static str)],
    errors: &mut Errors,
) -> Option<(Ident, &'static str)> {
    let given = options.idents(question);
    let name = given.first()?.clone();
    let written = name.to_string();
    if let Some(second) = given.get(1) {
        errors.at(second, format!("`{question}` has one answer"));
        return None;
    }
    let found = answers.iter().find(|(answer, _)| *answer == written);
    if found.is_none() {
        let known: Vec<_> = answers.iter().map(|(answer, _)| *answer).collect();
        let hint = names::did_you_mean(&written, known.iter().copied());
        errors.at(
            &name,
            format!("`{written}` is no answer to `{question}`{hint}\nthere are {}", names::list(&known)),
        );
    }
    found.map(|(_, answer)| (name, *answer))
}
