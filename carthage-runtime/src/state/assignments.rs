//! Who has which address: never two the same.

use std::collections::BTreeMap;

use redb::ReadableTable;

use super::database::{ASSIGNMENTS, guarded};
use super::record::Assignment;
use super::snapshot::parse;
use super::store::{Store, json};
use crate::error::{Error, ErrorKind};

impl Store {
    /// Records who has which address, by machine and interface, all or none.
    ///
    /// # Errors
    /// When another interface has one of the addresses, or the store cannot be written.
    pub fn assign(&self, assignments: &BTreeMap<(String, String), Assignment>) -> Result<(), Error> {
        let path = &self.0.path;
        self.write(|transaction| {
            for ((machine, interface), assignment) in assignments {
                let key = (machine.as_str(), interface.as_str());
                guarded(path, || {
                    Ok(transaction
                        .open_table(ASSIGNMENTS)?
                        .insert(key, json(assignment)?.as_slice())
                        .map(drop)?)
                })?;
            }
            let all = guarded(path, || {
                let table = transaction.open_table(ASSIGNMENTS)?;
                let mut all = Vec::new();
                for row in table.iter()? {
                    let (key, value) = row?;
                    let (machine, interface) = key.value();
                    all.push((format!("`{interface}` of `{machine}`"), value.value().to_vec()));
                }
                Ok(all)
            })?;
            let (mut addresses, mut macs) = (BTreeMap::new(), BTreeMap::new());
            for (owner, bytes) in all {
                let Assignment { network, address, mac } = parse(path, &bytes)?;
                let mac = mac.map(|mac| mac.map(|byte| format!("{byte:02x}")).join(":"));
                let other = address
                    .and_then(|address| {
                        Some((address.to_string(), addresses.insert((network, address), owner.clone())?))
                    })
                    .or_else(|| {
                        let mac = mac?;
                        Some((mac.clone(), macs.insert(mac, owner.clone())?))
                    });
                if let Some((what, other)) = other {
                    return Err(Error::new(
                        ErrorKind::Usage,
                        format!("{what} would be given to {other} and to {owner}"),
                    )
                    .hint("name other addresses in the layout, or destroy the machine that has it"));
                }
            }
            Ok(())
        })
    }

    /// Frees the addresses of one interface.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn release(&self, machine: &str, interface: &str) -> Result<(), Error> {
        self.write(|transaction| {
            guarded(&self.0.path, || {
                Ok(transaction.open_table(ASSIGNMENTS)?.remove((machine, interface)).map(drop)?)
            })
        })
    }
}
