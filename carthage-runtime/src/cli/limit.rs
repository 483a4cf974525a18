//! How a limit in time is read from the command line.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};

use crate::deploy::{Limit, Limits};

/// Reads limits, and has shells complete them with those that hold if nothing is said.
#[derive(Clone)]
pub(super) struct LimitParser;

impl TypedValueParser for LimitParser {
    type Value = Limit;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Limit, clap::Error> {
        let read = |text: &str| text.parse::<Limit>().map_err(|error| crate::chain(&error));
        TypedValueParser::parse_ref(&read, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let shown = |limit: Limit| PossibleValue::new(limit.to_string().replace(' ', ""));
        Some(Box::new(Limits::default().all().into_iter().map(shown)))
    }
}
