//! The paths that a file names, wherever they stand: in `use`, in types and expressions, and in the arguments of macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every path, with the groups of `use` written out: `a::{b, c::d}` is `a::b` and `a::c::d`. A path that begins with `::` begins
/// with an empty name.
pub fn paths(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    walk(tokens, &[], &mut found);
    found
}

fn walk(tokens: TokenStream, prefix: &[String], found: &mut Vec<Vec<String>>) {
    let tokens: Vec<_> = tokens.into_iter().collect();
    let mut at = 0;
    while at < tokens.len() {
        let leading = separator(&tokens, at)
            && !matches!(at.checked_sub(1).map(|before| &tokens[before]), Some(TokenTree::Punct(p)) if p.as_char() == '>');
        let mut path = prefix.to_vec();
        if leading {
            path.push(String::new());
            at += 2;
        }
        match tokens.get(at) {
            Some(TokenTree::Ident(name)) => {
                path.push(name.to_string());
                at += 1;
                while separator(&tokens, at) {
                    match tokens.get(at + 2) {
                        Some(TokenTree::Ident(name)) => {
                            path.push(name.to_string());
                            at += 3;
                        }
                        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                            walk(group.stream(), &path, found);
                            at += 3;
                        }
                        _ => at += 2,
                    }
                }
                found.push(path);
            }
            Some(TokenTree::Group(group)) => {
                // Inside a `use`, a group without a path before it can only be one of braces.
                walk(group.stream(), &[], found);
                at += 1;
            }
            _ => at += 1,
        }
    }
}

/// Whether `::` stands here.
fn separator(tokens: &[TokenTree], at: usize) -> bool {
    let colon = |at: usize| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    colon(at) && colon(at + 1)
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let tokens = "use a::{b, c::{self, d as e}}; fn f(x: &g::H<i::J>) { vec![k::l(), <m::N as o::P>::q()] } x! { ::r::s }";
    let all: Vec<_> = paths(tokens.parse().unwrap()).iter().map(|path| path.join("::")).collect();
    for expected in ["a::b", "a::c::self", "a::c::d", "g::H", "i::J", "k::l", "m::N", "o::P", "::r::s"] {
        assert!(all.iter().any(|path| path == expected), "{expected} in {all:?}");
    }
    assert!(!all.iter().any(|path| path.starts_with("::q")), "{all:?}");
}
