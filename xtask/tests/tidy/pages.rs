//! What the pages keep to: their links lead somewhere, their code is compiled, and what they quote is what is there.

use std::fs;
use std::path::{Path, PathBuf};

use super::holds;
use super::sources::{collect, root};

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    collect(&root().join("docs"), "md", &mut pages);
    let at_root = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    pages.extend(at_root.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    pages
}

/// The links of a page that lead nowhere: to no file, or to no heading of it.
fn dead(page: &Path, text: &str) -> Vec<String> {
    let targets = text.match_indices("](").map(|(at, _)| &text[at + 2..]);
    let links = targets.filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
    let local = links.filter(|link| !link.contains("://") && !link.contains(char::is_whitespace));
    local.filter(|link| !alive(page, text, link)).map(|link| format!("{}: {link}", page.display())).collect()
}

fn alive(page: &Path, text: &str, link: &str) -> bool {
    let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
    let path = page.parent().unwrap_or(page).join(file);
    let headed = |text: &str| heading.is_none_or(|wanted| anchors(text).any(|anchor| anchor == wanted));
    match file {
        "" => headed(text),
        _ => {
            path.exists() && (heading.is_none() || fs::read_to_string(&path).is_ok_and(|text| headed(&text)))
        }
    }
}

/// What headings are called in links.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
        line.trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(kept)
            .collect::<String>()
            .replace(' ', "-")
    })
}

#[test]
fn links_lead_somewhere() {
    let pages = pages();
    assert!(pages.len() > 3, "{pages:?}");
    let broken: Vec<_> =
        pages.iter().flat_map(|page| dead(page, &fs::read_to_string(page).unwrap())).collect();
    holds("these links lead nowhere", &broken);

    let page = root().join("README.md");
    let text = "# A b\n[x](nowhere.md) [y](Cargo.toml) [z](#a-b) [w](#c) [v](https://example.org)";
    assert_eq!(dead(&page, text).len(), 2);
}

/// What stands before a block that is quoted from a file.
const QUOTED: &str = "<!-- quoted: ";

/// The blocks of a page that are not what their file says. A quote may leave lines out, and calls a case of the compile-fail tests
/// what it would be called in a crate of its own.
fn misquoted(page: &Path, text: &str) -> Vec<String> {
    let quotes = text.split(QUOTED).skip(1).filter_map(|rest| rest.split_once(" -->"));
    let wrong = |(file, rest): (&str, &str)| {
        let block = rest.split("```").nth(1).unwrap_or_default();
        let original = fs::read_to_string(root().join(file)).unwrap_or_default();
        let case = file.trim_start_matches("tests/").replace(".stderr", ".rs");
        let original = original.replace(&format!("$DIR/{case}"), "src/main.rs").replace(&case, "src/main.rs");
        let mut lines = original.lines().map(str::trim);
        let quoted = block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty());
        let missing = quoted.into_iter().find(|quoted| !lines.any(|line| line == *quoted))?;
        Some(format!("{}: {file} does not say, there: {missing}", page.display()))
    };
    quotes.filter_map(wrong).collect()
}

#[test]
fn quotes_are_what_is_there() {
    let broken: Vec<_> =
        pages().iter().flat_map(|page| misquoted(page, &fs::read_to_string(page).unwrap())).collect();
    holds("these quotes are not what their files say", &broken);

    let quote = |text: &str| format!("{QUOTED}tests/ui/argument/unknown.stderr -->\n```text\n{text}\n```\n");
    let found = |text: &str| misquoted(Path::new("README.md"), &quote(text)).len();
    assert_eq!(found("--> src/main.rs:3:17\n|"), 0);
    assert_eq!(found("--> src/main.rs:4:17"), 1);
    assert_eq!(found("|\n--> src/main.rs:3:17\nerror: unknown argument"), 1);
}

#[test]
fn the_code_of_every_page_is_compiled() {
    let compiled = fs::read_to_string(root().join("src/pages.rs")).unwrap();
    let with_code = |page: &&PathBuf| fs::read_to_string(page).unwrap().contains("```rust");
    let relative = |page: &PathBuf| page.strip_prefix(root()).unwrap().display().to_string();
    let missing = |page: &String| !compiled.contains(&format!("\"../{page}\""));
    let broken: Vec<_> = pages().iter().filter(with_code).map(relative).filter(missing).collect();
    holds("src/pages.rs does not list these pages", &broken);
    // What is left out of compiling counts as a skipped test.
    let left_out = |page: &&PathBuf| fs::read_to_string(page).unwrap().contains(",ignore\n");
    let broken: Vec<_> = pages().iter().filter(left_out).map(relative).collect();
    holds("code that is quoted is `rs`, and compiled where it is from", &broken);
}

#[path = "../../src/pages.rs"]
mod generated;

#[test]
fn the_table_of_capabilities_is_what_the_code_declares() {
    let (page, generated) = generated::rewritten(root()).unwrap();
    for row in ["| `Links` |", "`Sandbox` |", "| `Power` | Machines are started and stopped"] {
        assert!(generated.contains(row), "{row}: {generated}");
    }
    assert!(
        page == generated,
        "docs/guide/implementations.md is not what the code says: run `cargo xtask pages`"
    );
}
