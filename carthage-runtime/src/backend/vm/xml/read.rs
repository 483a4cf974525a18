//! What is looked for in the documents that libvirt answers with.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The attributes of the elements of this name, without its prefix, in their order; of all that can be read before a mistake.
pub(in super::super) fn attributes(xml: &str, element: &str) -> Vec<BTreeMap<String, String>> {
    let mut found = Vec::new();
    let mut reader = Reader::from_str(xml);
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) | Event::Empty(start) if is(&start, element) => found.push(read(&start)),
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

/// The attribute of the first element of this name that has it.
pub(in super::super) fn attribute(xml: &str, element: &str, attribute: &str) -> Option<String> {
    attributes(xml, element).into_iter().find_map(|mut found| found.remove(attribute))
}

fn is(start: &BytesStart<'_>, element: &str) -> bool {
    start.local_name().as_ref() == element
}

fn read(start: &BytesStart<'_>) -> BTreeMap<String, String> {
    let pairs = start.attributes().filter_map(|attribute| {
        let attribute = attribute.ok()?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
        Some((attribute.key.local_name().as_ref().to_owned(), value.into_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<domain type='qemu'><uuid>12-34</uuid><metadata>\
        <c:machine xmlns:c='urn:carthage:machine:1' identity='a&amp;b' layout='x'/></metadata>\
        <devices><disk><source file='/a'/></disk><disk><source pool='p' volume='v'/></disk></devices></domain>";

    #[test]
    fn values_are_found_and_unescaped() {
        assert_eq!(attribute(ANSWER, "machine", "identity").as_deref(), Some("a&b"));
        assert_eq!(attribute(ANSWER, "source", "volume").as_deref(), Some("v"));
        assert_eq!(attributes(ANSWER, "source").len(), 2);
        assert_eq!(attribute("<broken", "broken", "a"), None);
    }
}
