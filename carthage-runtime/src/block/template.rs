//! Templates that are filled in at run time.

use std::path::{Path, PathBuf};

use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

/// A template in the language of Jinja: `{{ name }}`, `{% for … %}`. A name that is not given is an error, which says where.
///
/// ```
/// use std::collections::BTreeMap;
///
/// use carthage::block::{File, Template};
///
/// let names = BTreeMap::from([("name", "mirror")]);
/// File::at("/etc/motd").template(Template::text("motd", "this is {{ name }}\n"), &names);
/// File::at("/etc/app.conf").template(Template::file("templates/app.conf"), &names);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Template {
    name: String,
    from: From,
}

#[derive(Clone, Debug)]
enum From {
    Text(String),
    File(PathBuf),
}

impl Template {
    /// This text; errors call it by this name.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), from: From::Text(text.into()) }
    }

    /// A file of this host, read when the task is planned or run; what is relative is so to where the program runs.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self { name: path.as_ref().display().to_string(), from: From::File(path.as_ref().to_owned()) }
    }

    /// The template with these values filled in.
    pub(super) fn filled(&self, values: &impl Serialize) -> Result<String, String> {
        let text = match &self.from {
            From::Text(text) => text.clone(),
            From::File(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("the template `{}` cannot be read: {error}", self.name))?,
        };
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_keep_trailing_newline(true);
        environment.render_named_str(&self.name, &text, values).map_err(|error| self.explain(&text, &error))
    }

    fn explain(&self, text: &str, error: &minijinja::Error) -> String {
        let why = error
            .detail()
            .map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
        match error.line() {
            Some(line) => {
                let source = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
                format!("the template `{}` fails in line {line}: {why}: `{}`", self.name, source.trim())
            }
            None => format!("the template `{}` fails: {why}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn filled(text: &str) -> Result<String, String> {
        let values = BTreeMap::from([("name", "a <b>"), ("port", "80")]);
        Template::text("app.conf", text).filled(&values)
    }

    #[test]
    fn values_are_filled_in_as_they_are() {
        assert_eq!(filled("x {{ name }}\n{% if port %}p{{ port }}{% endif %}\n").unwrap(), "x a <b>\np80\n");
    }

    #[test]
    fn errors_name_template_and_line() {
        let undefined = filled("a\nb {{ nmae }}\n").unwrap_err();
        assert!(
            undefined.starts_with("the template `app.conf` fails in line 2: undefined value"),
            "{undefined}"
        );
        assert!(undefined.ends_with("`b {{ nmae }}`"), "{undefined}");
        assert!(filled("{% if %}").unwrap_err().contains("`app.conf` fails in line 1: syntax error"));
        let missing = Template::file("/no/such/template").filled(&()).unwrap_err();
        assert!(missing.contains("`/no/such/template` cannot be read"), "{missing}");
    }
}
