//! Names: what an identifier is called by users, and which known name a misspelt one may mean.

/// `JoinToken` is `join-token`, `HTTPServer2` is `http-server2`, `web_01` is `web-01`.
pub(crate) fn kebab(ident: &str) -> String {
    let chars: Vec<char> = ident.trim_start_matches("r#").chars().collect();
    let mut kebab = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let after_word = i > 0 && (chars[i - 1].is_lowercase() || chars[i - 1].is_numeric());
        let ends_capitals =
            i > 0 && chars[i - 1].is_uppercase() && chars.get(i + 1).is_some_and(|next| next.is_lowercase());
        let new_word = c == '_' || (c.is_uppercase() && (after_word || ends_capitals));
        if new_word && !kebab.is_empty() && !kebab.ends_with('-') {
            kebab.push('-');
        }
        if c != '_' {
            kebab.extend(c.to_lowercase());
        }
    }
    kebab.truncate(kebab.trim_end_matches('-').len());
    kebab
}

/// The known name that `written` most likely means, if any is near enough.
pub(crate) fn meant<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |name: &&str| {
        // With a word left out, such as `ssh_user` for `ssh_login_user`.
        if written.contains('_') && written.split('_').all(|word| name.split('_').any(|known| known == word))
        {
            return Some(1);
        }
        // One word of several, such as `tpm` for `hardware_tpm`.
        if written.len() >= 3 && name.split('_').any(|word| word == written) {
            return Some(1);
        }
        let distance = distance(written, name);
        // A name that was cut short or grew, such as `memory` for `memory_mb`.
        let part = written.len() >= 3 && (name.starts_with(written) || written.starts_with(*name));
        (distance <= written.len().max(name.len()).div_ceil(3).min(3) || part).then_some(distance)
    };
    // Of several that are as near, one that is written so far.
    let rank = |name| near(&name).map(|distance| (distance, !name.starts_with(written), name));
    known.into_iter().filter_map(rank).min().map(|(.., name)| name)
}

/// `"; did you mean `x`?"`, or nothing.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    meant(written, known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

/// "`a`, `b` and `c`".
pub(crate) fn list<T: AsRef<str>>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{}`", one.as_ref()),
        [first @ .., last] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{}`", name.as_ref())).collect();
            format!("{} and `{}`", first.join(", "), last.as_ref())
        }
    }
}

/// Edits between two words: insert, remove, replace a letter, or swap two neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kebab_case() {
        for (ident, name) in [
            ("Mirror", "mirror"),
            ("JoinToken", "join-token"),
            ("HTTPServer", "http-server"),
            ("Web2Go", "web2-go"),
            ("web_01", "web-01"),
            ("r#Type", "type"),
            ("Trailing_", "trailing"),
        ] {
            assert_eq!(kebab(ident), name);
        }
    }

    #[test]
    fn a_near_name_is_meant() {
        let known = ["name", "implementation", "memory_mb", "cpus", "tpm"];
        assert_eq!(meant("memory", known), Some("memory_mb"));
        assert_eq!(meant("implmentation", known), Some("implementation"));
        assert_eq!(meant("cpsu", known), Some("cpus"));
        assert_eq!(meant("tag", known), None);
        assert_eq!(meant("tpm", ["memory_mb", "hardware_tpm"]), Some("hardware_tpm"));
        assert_eq!(meant("ssh_user", ["ssh_key", "ssh_login_user"]), Some("ssh_login_user"));
        assert_eq!(meant("x", known), None);
        assert_eq!(meant("lis", ["is", "list"]), Some("list"));
    }
}
