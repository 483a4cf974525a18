//! What the pages keep to: their links lead somewhere.

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
