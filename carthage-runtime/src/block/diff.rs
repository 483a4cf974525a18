//! How contents differ, for people.

use similar::TextDiff;

/// What is longer is not shown line by line.
const LONGEST: usize = 64 * 1024;

/// A unified diff of two texts, without its head; or nothing if one of them is none, or is long.
pub(super) fn unified(old: &[u8], new: &[u8]) -> Option<String> {
    let (old, new) = (text(old)?, text(new)?);
    let diff = TextDiff::from_lines(old, new);
    Some(diff.unified_diff().context_radius(3).to_string())
}

/// The size of what is not shown, and a hash that tells it from others.
pub(super) fn sized(bytes: &[u8]) -> String {
    format!("{}, blake3 {}", size(bytes.len()), &blake3::hash(bytes).to_hex()[..16])
}

/// How long something is, in words.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    let is_text = bytes.len() <= LONGEST && !bytes.contains(&0);
    std::str::from_utf8(bytes).ok().filter(|_| is_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_shown_and_others_are_told() {
        let diff = unified(b"a\nb\nc\n", b"a\nB\nc\n").unwrap();
        assert_eq!(diff, "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
        assert!(unified(b"a", b"\0").is_none() && unified(b"a", &[b'x'; LONGEST + 1]).is_none());
        assert!(unified(b"a", b"\xff").is_none());
        assert!(sized(b"abc").starts_with("3 bytes, blake3 6437b3ac38465133"));
    }
}
