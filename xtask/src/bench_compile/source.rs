//! The source of a layout of many machines, with attributes and without.

use std::fmt::{self, Write as _};

/// Machines in an enclave, with networks of their own.
pub(super) const ENCLAVE: usize = 50;
/// Values that the layout provides, and that tasks want.
const VALUES: usize = 35;
/// Customizations that the machines share.
const CUSTOMIZATIONS: usize = 20;

/// What stands on top.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Top {
    /// A struct; there are no attributes at all.
    Plain,
    /// The same, and what the machines are made of has serde's derives: a yardstick.
    Derived,
    Enclave,
    Layout,
}

/// The source of a layout.
pub(super) struct Layout {
    pub(super) machines: usize,
    /// How many machines of one type there are.
    pub(super) array: usize,
    pub(super) top: Top,
    /// Whether a line of one machine is another.
    pub(super) edited: bool,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("#![allow(dead_code)]\nuse carthage::prelude::*;\n")?;
        let derived = self.derived();
        if self.is_plain() {
            writeln!(f, "{derived} pub struct Link<N>(std::marker::PhantomData<N>);")?;
        }
        for (network, name) in ["Front", "Back", "Admin"].into_iter().enumerate() {
            let on = self.attribute(&format!(
                "network(v4 = \"10.{network}.0.0/24\", pool = \"10.{network}.0.100-10.{network}.0.200\")"
            ));
            writeln!(f, "{on}\n{derived} pub struct {name};")?;
        }
        for value in 0..VALUES {
            writeln!(f, "{}\npub struct Value{value}(pub u32);", self.attribute("injectable"))?;
        }
        for customization in 0..CUSTOMIZATIONS {
            self.customization(f, customization)?;
        }
        let mut enclaves = String::new();
        for (enclave, first) in (0..self.machines).step_by(ENCLAVE).enumerate() {
            let last = self.machines.min(first + ENCLAVE);
            let mut members = String::new();
            for machine in (first..last).step_by(self.array) {
                self.machine(f, machine, first)?;
                match self.array.min(last - machine) {
                    1 => writeln!(members, "machine_{machine}: Machine{machine},")?,
                    count => writeln!(members, "machine_{machine}: [Machine{machine}; {count}],")?,
                }
            }
            let on = self.attribute(&format!("enclave(domain = \"enclave-{enclave}\")"));
            writeln!(
                f,
                "{on}\npub struct Enclave{enclave} {{ front: Front, back: Back, admin: Admin,\n{members} }}"
            )?;
            writeln!(enclaves, "enclave_{enclave}: Enclave{enclave},")?;
        }
        let top = match self.top {
            Top::Layout => "layout(implementation = Sandbox)",
            _ => "enclave",
        };
        writeln!(f, "{}\npub struct Bench {{", self.attribute(top))?;
        for value in 0..VALUES {
            let on = self.attribute(&format!("provide(Value{value}({value}))"));
            writeln!(f, "{on}\nvalue_{value}: Arc<Value{value}>,")?;
        }
        writeln!(f, "{enclaves} }}")
    }
}

impl Layout {
    fn attribute(&self, attribute: &str) -> String {
        if self.is_plain() { String::new() } else { format!("#[{attribute}]") }
    }

    fn is_plain(&self) -> bool {
        matches!(self.top, Top::Plain | Top::Derived)
    }

    fn derived(&self) -> &'static str {
        if self.top == Top::Derived { "#[derive(serde::Serialize, serde::Deserialize)]" } else { "" }
    }

    /// A machine's model: every second has fixed addresses.
    fn machine(&self, f: &mut fmt::Formatter<'_>, machine: usize, first: usize) -> fmt::Result {
        let count = self.array.min(self.machines.min(first + ENCLAVE) - machine);
        let host = machine - first + 1;
        let changed = if self.edited && machine == 0 { ", and no other" } else { "" };
        let on = self.attribute("machine_model(memory_mb = 256)");
        writeln!(f, "/// A machine{changed}.\n{on}\n{} pub struct Machine{machine} {{", self.derived())?;
        for (network, name) in ["Front", "Back", "Admin"].into_iter().enumerate() {
            let address = match ((machine / self.array).is_multiple_of(2), count) {
                (true, 1) => format!("(address = \"10.{network}.0.{host}\")"),
                (true, count) => {
                    format!("(address = \"10.{network}.0.{host}-10.{network}.0.{}\")", host + count - 1)
                }
                _ => String::new(),
            };
            let on = self.attribute(&format!("link{address}"));
            writeln!(f, "{on}\npub eth{network}: Link<{name}>,")?;
        }
        for (field, customization) in ["site", "page"].into_iter().zip(machine..) {
            let customization = customization % CUSTOMIZATIONS;
            let on = self.attribute(&format!("customize(Site{customization} {{ port: 8080 }})"));
            writeln!(f, "{on}\npub {field}: Site{customization},")?;
        }
        f.write_str("}\n")
    }

    /// A customization of two tasks.
    fn customization(&self, f: &mut fmt::Formatter<'_>, customization: usize) -> fmt::Result {
        let [all, first, second, inject] =
            ["customization", "setup_task(hash = self.port)", "setup_task(after = index)", "inject"]
                .map(|attribute| self.attribute(attribute));
        let derived = self.derived();
        writeln!(
            f,
            "{derived} pub struct Site{customization} {{ pub port: u16 }}
            {all}
            impl Site{customization} {{
                /// Writes the page.
                {first}
                async fn index(&self, host: &Host) -> Result<()> {{
                    host.write(\"/srv/index.html\", \"hello\").await?;
                    Ok(())
                }}
                /// Serves it.
                {second}
                async fn serve(&self, host: &Host, {inject} value: &Value{customization}) -> Result<()> {{
                    host.spawn([\"httpd\", \"-p\", &(u32::from(self.port) + value.0).to_string()]).await?;
                    Ok(())
                }}
            }}"
        )
    }
}
