//! An element of XML, written by a library: names and values are escaped there.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use crate::error::{Error, ErrorKind};

/// An element with its attributes, and with elements or a text in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Element>,
    text: Option<String>,
}

impl Element {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    /// An element that holds a text.
    pub(super) fn text(name: &'static str, text: impl ToString) -> Self {
        Self { name, text: Some(text.to_string()), ..Self::default() }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    pub(super) fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub(super) fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The document of which this is the root.
    ///
    /// # Errors
    /// When it holds a character that XML does not have; `what` names the thing.
    pub(super) fn render(&self, what: &str) -> Result<String, Error> {
        self.check().map_err(|value| {
            Error::new(ErrorKind::Usage, format!("{what} cannot be described to libvirt"))
                .because(format!("`{}` holds a control character", value.escape_debug()))
        })?;
        let failed = || format!("{what} cannot be described to libvirt");
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        self.write(&mut writer).map_err(Error::host(failed()))?;
        let mut text = String::from_utf8(writer.into_inner()).map_err(Error::host(failed()))?;
        text.push('\n');
        Ok(text)
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> io::Result<()> {
        let attributes = self.attributes.iter().map(|(name, value)| (*name, value.as_str()));
        let element = writer.create_element(self.name).with_attributes(attributes);
        match &self.text {
            Some(text) => element.write_text_content(BytesText::new(text)).map(drop),
            None if self.children.is_empty() => element.write_empty().map(drop),
            None => element
                .write_inner_content(|writer| self.children.iter().try_for_each(|child| child.write(writer)))
                .map(drop),
        }
    }

    /// The first value with a character that XML does not have.
    fn check(&self) -> Result<(), &str> {
        let values = self.attributes.iter().map(|(_, value)| value).chain(&self.text);
        for value in values {
            if value.contains(|letter: char| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')) {
                return Err(value);
            }
        }
        self.children.iter().try_for_each(Self::check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_escaped() {
        let element = Element::new("a")
            .with("b", "<'\"&>")
            .child(Element::text("c", "x < y & z"))
            .child(Element::new("d"));
        assert_eq!(
            element.render("a machine").unwrap(),
            "<a b=\"&lt;&apos;&quot;&amp;&gt;\">\n  <c>x &lt; y &amp; z</c>\n  <d/>\n</a>\n"
        );
    }

    #[test]
    fn what_xml_does_not_have_is_refused() {
        let element = Element::new("a").child(Element::text("c", "one\0two"));
        let error = element.render("the machine `m`").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(crate::chain(&error).contains("`one\\0two` holds a control character"), "{error:?}");
    }
}
