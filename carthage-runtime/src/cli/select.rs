//! What the arguments select.

use std::io::Read;
use std::path::Path;

use super::args::{Deployed, DestroyArgs, Select};
use crate::deploy::{Pattern, Selection};
use crate::error::{Error, ErrorKind};

impl Select {
    /// What is selected, with what a file says.
    ///
    /// # Errors
    /// When the file cannot be read, or names nothing.
    pub(super) fn selection(&self) -> Result<Selection, Error> {
        let mut include = self.include.clone();
        include.extend(self.on.iter().cloned());
        if let Some(file) = &self.from_file {
            include.extend(read(file)?);
        }
        Ok(Selection { include, exclude: self.exclude.clone(), ..Selection::all() })
    }
}

impl Deployed {
    /// # Errors
    /// As those of [`Select::selection`].
    pub(super) fn selection(&self) -> Result<Selection, Error> {
        Ok(Selection { only: self.only, prune: self.prune, ..self.select.selection()? })
    }
}

impl DestroyArgs {
    /// # Errors
    /// As those of [`Select::selection`].
    pub(super) fn selection(&self) -> Result<Selection, Error> {
        Ok(Selection { orphans: self.orphans, ..self.select.selection()? })
    }
}

/// The patterns in a file. None would mean everything, which is never meant.
fn read(file: &Path) -> Result<Vec<Pattern>, Error> {
    let name =
        if file == Path::new("-") { "standard input".to_owned() } else { format!("`{}`", file.display()) };
    let text = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| {
        Error::new(ErrorKind::Usage, format!("cannot read names from {name}")).because(error)
    })?;
    let patterns = parse(&text, &name)?;
    if patterns.is_empty() {
        let what = format!("there are no names in {name}");
        return Err(
            Error::new(ErrorKind::Usage, what).hint("write a pattern in each line, or `*` for everything")
        );
    }
    Ok(patterns)
}

fn parse(text: &str, name: &str) -> Result<Vec<Pattern>, Error> {
    let mut patterns = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let pattern = line.parse().map_err(|error: Error| {
            Error::new(ErrorKind::Usage, format!("line {} of {name} is no pattern", number + 1))
                .because(error)
        })?;
        patterns.push(pattern);
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_in_each_line() {
        let patterns = parse("# the web\n\n  worker-*\n@web\r\n", "`x`").unwrap();
        assert_eq!(patterns.iter().map(Pattern::as_str).collect::<Vec<_>>(), ["worker-*", "@web"]);
        let wrong = parse("a\nmachine:\n", "`x`").unwrap_err();
        assert!(wrong.to_string().contains("line 2 of `x`"), "{wrong:?}");
    }

    #[test]
    fn a_file_that_names_nothing_does_not_mean_everything() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("names");
        std::fs::write(&file, "# nobody\n").unwrap();
        assert_eq!(read(&file).unwrap_err().kind(), ErrorKind::Usage);
        assert!(read(&directory.path().join("none")).is_err());
    }
}
