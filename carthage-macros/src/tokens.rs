//! Looking into tokens: which names an expression mentions, and a hash that does not see comments or formatting.

use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};

/// The first identifier `name`, at any depth.
pub(crate) fn find_ident(tokens: TokenStream, name: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == name => Some(ident),
        TokenTree::Group(group) => find_ident(group.stream(), name),
        _ => None,
    })
}

/// The names of all macros that are called, at any depth.
pub(crate) fn macros(tokens: TokenStream) -> Vec<String> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        match (token, &tokens[i + 1..]) {
            (TokenTree::Ident(ident), [TokenTree::Punct(mark), TokenTree::Group(_), ..])
                if mark.as_char() == '!' =>
            {
                found.push(ident.to_string());
            }
            (TokenTree::Group(group), _) => found.extend(macros(group.stream())),
            _ => {}
        }
    }
    found
}

/// The same tokens at another place: rustc points at a type's own tokens when a bound on it fails.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            if let TokenTree::Group(group) = &token {
                token = TokenTree::Group(Group::new(group.delimiter(), respan(group.stream(), span)));
            }
            // Names are still looked up where the user wrote them.
            token.set_span(span.resolved_at(token.span()));
            token
        })
        .collect()
}

/// Whether evaluating the tokens may end by `?` or `return`.
pub(crate) fn may_leave(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Ident(ident) => ident == "return",
        TokenTree::Group(group) => may_leave(group.stream()),
        TokenTree::Literal(_) => false,
    })
}

/// Which of `names` are mentioned as variables, in the order of `names`. Names of fields (`x.name`, `S { name: … }`) and parts
/// of paths do not count; names inside format strings do.
pub(crate) fn mentioned(tokens: &TokenStream, names: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    collect(tokens.clone(), &mut found);
    names.iter().filter(|name| found.contains(name)).cloned().collect()
}

fn collect(tokens: TokenStream, found: &mut Vec<String>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let punct = |i: usize| match tokens.get(i) {
        Some(TokenTree::Punct(punct)) => Some(punct.as_char()),
        _ => None,
    };
    for (i, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) => {
                let before = i.checked_sub(1).and_then(punct);
                let before_that = i.checked_sub(2).and_then(punct);
                // `a.b` does not mention `b`, but `a..b` does; `a::b` does not, but `S { a: b }` does.
                let field = before == Some('.') && before_that != Some('.');
                let in_path = before == Some(':') && before_that == Some(':');
                let label = punct(i + 1) == Some(':');
                if !field && !in_path && !label {
                    found.push(ident.to_string().trim_start_matches("r#").to_owned());
                }
            }
            TokenTree::Group(group) => collect(group.stream(), found),
            TokenTree::Literal(literal) => captures(literal, found),
            TokenTree::Punct(_) => {}
        }
    }
}

/// Names in `"{name}"` and `"{name:?}"`.
fn captures(literal: &Literal, found: &mut Vec<String>) {
    let text = literal.to_string();
    if !text.contains('"') {
        return;
    }
    for piece in text.split('{').skip(1) {
        let name: String = piece.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if !name.is_empty() {
            found.push(name);
        }
    }
}

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a over the structure of the tokens. Attributes called one of `without`, and doc comments, are left out; so is the
/// comma that rustfmt writes after the last item of a list that it breaks into lines.
pub(crate) fn hash(tokens: TokenStream, without: &[&str]) -> u64 {
    fold(tokens, None, without, OFFSET)
}

fn fold(tokens: TokenStream, inside: Option<Delimiter>, without: &[&str], mut hash: u64) -> u64 {
    // `(x,)` is not `(x)`, but what has another comma is a list either way.
    let mut is_list = matches!(inside, Some(Delimiter::Brace | Delimiter::Bracket));
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        hash = match token {
            TokenTree::Punct(punct) if punct.as_char() == ',' && is_list && tokens.peek().is_none() => hash,
            TokenTree::Punct(punct)
                if punct.as_char() == '#' && tokens.peek().is_some_and(|next| left_out(next, without)) =>
            {
                tokens.next();
                hash
            }
            TokenTree::Ident(ident) => mix(hash, 1, &ident.to_string()),
            TokenTree::Punct(punct) => {
                is_list |= inside.is_some() && punct.as_char() == ',';
                mix(hash, 2, punct.as_char().encode_utf8(&mut [0; 4]))
            }
            TokenTree::Literal(literal) => mix(hash, 3, &literal.to_string()),
            TokenTree::Group(group) => {
                let kind = match group.delimiter() {
                    Delimiter::Parenthesis => "(",
                    Delimiter::Brace => "{",
                    Delimiter::Bracket => "[",
                    Delimiter::None => "",
                };
                mix(fold(group.stream(), Some(group.delimiter()), without, mix(hash, 4, kind)), 5, kind)
            }
        }
    }
    hash
}

/// One token more; the 0 that ends it is in no token, so that `ab c` differs from `a bc`.
fn mix(hash: u64, kind: u8, text: &str) -> u64 {
    let bytes = [kind].into_iter().chain(text.bytes()).chain([0]);
    bytes.fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

fn left_out(token: &TokenTree, without: &[&str]) -> bool {
    let TokenTree::Group(group) = token else { return false };
    let Some(TokenTree::Ident(name)) = group.stream().into_iter().next() else { return false };
    group.delimiter() == Delimiter::Bracket
        && (name == "doc" || without.iter().any(|without| name == without))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(source: &str) -> Vec<String> {
        let names = ["token", "lab", "port"].map(str::to_owned);
        mentioned(&source.parse().unwrap(), &names)
    }

    #[test]
    fn variables_are_mentioned_and_fields_are_not() {
        assert_eq!(names_in("Page { port: 80, token }"), ["token"]);
        assert_eq!(names_in("Page { port: lab }"), ["lab"]);
        assert_eq!(names_in("site.port + port::MAX + x::port"), [""; 0]);
        assert_eq!(names_in("0..port"), ["port"]);
        assert_eq!(names_in("format!(\"{token} {lab:?}\")"), ["token", "lab"]);
        assert_eq!(names_in("token.clone()"), ["token"]);
    }

    fn hash_of(source: &str) -> u64 {
        hash(source.parse().unwrap(), &["setup_task"])
    }

    #[test]
    fn the_hash_sees_tokens_only() {
        let base = hash_of("fn f() { g(1, \"a\") }");
        assert_eq!(base, hash_of("/// Doc.\n#[setup_task(after = x)]\nfn f( ) {\n  // why\n g(1,\"a\")\n}"));
        assert_eq!(base, hash_of("fn f() { g(\n  1,\n  \"a\",\n) }"));
        assert_ne!(hash_of("fn f() { (1,) }"), hash_of("fn f() { (1) }"));
        for other in [
            "fn f() { g(1, \"b\") }",
            "fn f() { g(12, \"a\") }",
            "fn f() { g[1, \"a\"] }",
            "fn f() { g(1), \"a\" }",
            "#[inline] fn f() { g(1, \"a\") }",
        ] {
            assert_ne!(base, hash_of(other), "{other}");
        }
    }
}
