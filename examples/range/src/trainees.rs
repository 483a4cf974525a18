//! Who takes part: a file with a name on each line.

use std::path::PathBuf;

use carthage::prelude::*;

/// The trainees of the next course.
#[injectable]
pub struct Trainees(Vec<String>);

#[injectable]
impl Trainees {
    /// Reads the file that `RANGE_TRAINEES` names, else `trainees.txt` beside the source. What begins with `#` is a remark.
    async fn new() -> Result<Self> {
        let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/trainees.txt"));
        let path = std::env::var_os("RANGE_TRAINEES").map_or_else(beside, PathBuf::from);
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self(lines.map(str::to_owned).collect()))
    }
}

impl Trainees {
    /// Their names.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}
