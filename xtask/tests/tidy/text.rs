//! What the text of every file keeps to.

use quote::ToTokens;

use super::holds;
use super::references::paths;
use super::sources::{Source, all};

/// Files that may be longer, each with its reason.
const LONG: &[(&str, &str)] = &[];

const LINES: usize = 500;

/// Files that may call the system unsafely.
const UNSAFE: &[&str] = &["carthage-runtime/src/backend/sandbox/sys.rs", "carthage-runtime/src/ssh/sys.rs"];

/// Where people are spoken to directly.
fn may_print(path: &str) -> bool {
    ["carthage-runtime/src/cli/", "xtask/", "examples/"].iter().any(|place| path.starts_with(place))
        || path.contains("/tests/")
        || path.contains("/examples/")
        || path.starts_with("tests/")
}

#[test]
fn every_file_says_what_it_is() {
    let undocumented = |source: &&Source| {
        !source.only_tests && !source.file.attrs.iter().any(|attribute| attribute.path().is_ident("doc"))
    };
    let broken: Vec<_> = all().iter().filter(undocumented).map(|source| source.path.clone()).collect();
    holds("these files do not begin with a `//!` comment", &broken);
    assert!(undocumented(&&Source::new("a.rs", "// no\nfn f() {}")));
    assert!(!undocumented(&&Source::new("a.rs", "//! Yes.\nfn f() {}")));
}

#[test]
fn files_are_short() {
    let long = |source: &&Source| {
        source.text.lines().count() > LINES && !LONG.iter().any(|(path, _)| *path == source.path)
    };
    let broken: Vec<_> = all().iter().filter(long).map(|source| source.path.clone()).collect();
    holds("these files have more than 500 lines: give each subject a file", &broken);
    assert!(
        long(&&Source::new("a.rs", &"//\n".repeat(501))) && !long(&&Source::new("a.rs", &"//\n".repeat(500)))
    );
}

#[test]
fn only_the_command_line_prints() {
    let prints = |source: &Source| {
        let macros = ["println", "eprintln", "print", "eprint", "dbg"];
        // A build script speaks to cargo.
        let spoken = may_print(&source.path) || source.path.ends_with("/build.rs");
        !spoken
            && !source.only_tests
            && tokens(source).windows(2).any(|pair| macros.contains(&pair[0].as_str()) && pair[1] == "!")
    };
    let broken: Vec<_> =
        all().iter().filter(|source| prints(source)).map(|source| source.path.clone()).collect();
    holds("the library prints: it should emit an `Event`", &broken);
    assert!(prints(&Source::new("carthage-runtime/src/a.rs", "fn f() { if true { println!() } }")));
    assert!(!prints(&Source::new("carthage-runtime/src/cli/a.rs", "fn f() { println!() }")));
    assert!(!prints(&Source::new(
        "carthage-runtime/src/a.rs",
        "#[cfg(test)] mod tests { fn f() { println!() } }"
    )));
}

#[test]
fn unsafe_code_is_where_it_is_said_to_be() {
    let breaks = |source: &Source| {
        !UNSAFE.contains(&source.path.as_str())
            && tokens(source).windows(3).any(|words| words[0] == "allow" && words[2] == "unsafe_code")
    };
    let broken: Vec<_> =
        all().iter().filter(|source| breaks(source)).map(|source| source.path.clone()).collect();
    holds("only the modules listed in UNSAFE may allow unsafe code", &broken);
    assert!(breaks(&Source::new("a.rs", "#![allow(unsafe_code)]")));
    assert!(breaks(&Source::new("a.rs", "#[allow(unsafe_code)] fn f() {}")));
}

#[test]
fn generated_code_names_the_face_crate_only() {
    let broken: Vec<_> = all().iter().flat_map(foreign).collect();
    holds("the macros name a crate that a user may not have", &broken);
    let found = foreign(&Source::new(
        "carthage-macros/src/a.rs",
        "fn f() { quote! { ::carthage_runtime::a, ::core::b, ::carthage::c } }",
    ));
    assert_eq!(found, ["carthage-macros/src/a.rs: ::carthage_runtime::a"]);
}

/// Absolute paths in the macros that are not the face crate's or the core library's.
fn foreign(source: &Source) -> Vec<String> {
    if !source.path.starts_with("carthage-macros/src/") {
        return Vec::new();
    }
    let foreign =
        |path: &Vec<String>| path[0].is_empty() && !["carthage", "core", "std"].contains(&path[1].as_str());
    let all = paths(source.file.to_token_stream()).into_iter();
    all.filter(foreign).map(|path| format!("{}: {}", source.path, path.join("::"))).collect()
}

/// All tokens, groups opened.
fn tokens(source: &Source) -> Vec<String> {
    fn open(tokens: proc_macro2::TokenStream, into: &mut Vec<String>) {
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => {
                    into.push("(".to_owned());
                    open(group.stream(), into);
                }
                other => into.push(other.to_string()),
            }
        }
    }
    let mut all = Vec::new();
    open(source.file.to_token_stream(), &mut all);
    all
}
