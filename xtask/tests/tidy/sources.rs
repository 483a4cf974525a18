//! The Rust files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// Relative to the repository, with `/`.
    pub path: String,
    pub text: String,
    /// Without what is only there for tests.
    pub file: syn::File,
    /// Whether the whole file is only there for tests.
    pub only_tests: bool,
    /// The names of the modules that it declares for tests only.
    test_modules: Vec<String>,
}

impl Source {
    /// A file with this text.
    pub fn new(path: &str, text: &str) -> Self {
        let mut file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let for_tests = file.items.extract_if(.., |item| attributes(item).iter().any(only_for_tests));
        let module =
            |item| if let syn::Item::Mod(module) = item { Some(module.ident.to_string()) } else { None };
        let test_modules = for_tests.filter_map(module).collect();
        let only_tests = file.attrs.iter().any(only_for_tests);
        Self { path: path.to_owned(), text: text.to_owned(), file, only_tests, test_modules }
    }

    /// Where the files of its modules are: `src` for `src/lib.rs` and `src/a/mod.rs`'s `src/a`, `src/b` for `src/b.rs`.
    fn below(&self) -> PathBuf {
        let path = Path::new(&self.path);
        match path.file_name().and_then(|name| name.to_str()) {
            Some("lib.rs" | "main.rs" | "mod.rs") => path.parent().unwrap_or(path).to_owned(),
            _ => path.with_extension(""),
        }
    }
}

/// All of them, but for the compile-fail cases, which are meant to be wrong.
pub fn all() -> Vec<Source> {
    let mut paths = Vec::new();
    for dir in ["src", "carthage-macros", "carthage-runtime", "examples", "tests", "xtask"] {
        collect(&root().join(dir), "rs", &mut paths);
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let relative = path.strip_prefix(root()).unwrap().to_str().unwrap();
        Source::new(relative, &fs::read_to_string(path).unwrap())
    };
    let mut all: Vec<_> =
        paths.iter().filter(|path| !path.starts_with(root().join("tests/ui"))).map(read).collect();
    let for_tests: Vec<PathBuf> = all
        .iter()
        .flat_map(|source| source.test_modules.iter().map(|name| source.below().join(name)))
        .collect();
    for source in &mut all {
        let module = Path::new(&source.path).with_extension("");
        source.only_tests |= for_tests.iter().any(|test| module.starts_with(test));
    }
    all
}

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// All files below a directory with this extension, but for what cargo and trybuild make.
pub fn collect(dir: &Path, extension: &str, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && name != "wip" && !name.starts_with('.') {
            collect(&path, extension, into);
        } else if path.extension().is_some_and(|found| found == extension) {
            into.push(path);
        }
    }
}

/// Whether it is `#[cfg(test)]`.
fn only_for_tests(attribute: &syn::Attribute) -> bool {
    let test = |list: &syn::MetaList| list.tokens.to_string() == "test";
    attribute.path().is_ident("cfg") && matches!(&attribute.meta, syn::Meta::List(list) if test(list))
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    use syn::Item::{Const, Enum, ExternCrate, Fn, Impl, Macro, Mod, Static, Struct, Trait, Type, Use};
    match item {
        Const(item) => &item.attrs,
        Enum(item) => &item.attrs,
        ExternCrate(item) => &item.attrs,
        Fn(item) => &item.attrs,
        Impl(item) => &item.attrs,
        Macro(item) => &item.attrs,
        Mod(item) => &item.attrs,
        Static(item) => &item.attrs,
        Struct(item) => &item.attrs,
        Trait(item) => &item.attrs,
        Type(item) => &item.attrs,
        Use(item) => &item.attrs,
        _ => &[],
    }
}

#[test]
fn what_is_for_tests_is_left_out() {
    let source = Source::new(
        "src/a.rs",
        "#[cfg(test)] mod tests { use crate::b; }\n#[cfg(test)] mod more;\nuse crate::c;",
    );
    assert_eq!(source.file.items.len(), 1);
    assert_eq!(source.test_modules, ["tests", "more"]);
    assert_eq!(source.below(), Path::new("src/a"));
}
