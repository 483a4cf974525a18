//! IPv4 addresses in literals: subnets and ranges. A constant parameter may stand for a number: `10.{K}.0.0/24`.

use std::net::Ipv4Addr;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::literal::Checked;

/// An address, in which parameters stand for some numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Address {
    /// With 1 for each parameter.
    value: Ipv4Addr,
    parameters: [Option<String>; 4],
}

/// An IPv4 subnet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cidr {
    pub(crate) network: Address,
    pub(crate) prefix: u8,
}

/// Consecutive IPv4 addresses.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Range {
    pub(crate) first: Address,
    pub(crate) last: Address,
}

impl Address {
    fn of(value: Ipv4Addr) -> Self {
        Self { value, parameters: [None, None, None, None] }
    }

    /// The address, if no parameter stands in it.
    pub(crate) fn known(&self) -> Option<Ipv4Addr> {
        self.parameters.iter().all(Option::is_none).then_some(self.value)
    }
}

impl Cidr {
    /// Stands for a subnet that could not be read: contains every address, so that nothing else is wrong because of it.
    pub(crate) fn any() -> Self {
        Self { network: Address::of(Ipv4Addr::UNSPECIFIED), prefix: 0 }
    }
}

impl Range {
    /// Stands for a pool that could not be read: large enough for every machine.
    pub(crate) fn any() -> Self {
        let (first, last) = (Ipv4Addr::new(0, 0, 0, 1), Ipv4Addr::new(255, 255, 255, 254));
        Self { first: Address::of(first), last: Address::of(last) }
    }
}

impl ToTokens for Address {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let numbers =
            self.value.octets().into_iter().zip(&self.parameters).map(
                |(number, parameter)| match parameter {
                    Some(parameter) => {
                        let parameter = Ident::new(parameter, Span::call_site());
                        quote!(::carthage::model::octet(#parameter as u64))
                    }
                    None => quote!(#number),
                },
            );
        tokens.extend(quote!(::core::net::Ipv4Addr::new(#(#numbers),*)));
    }
}

impl ToTokens for Cidr {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { network, prefix } = self;
        tokens.extend(quote!(::carthage::model::Cidr4 { network: #network, prefix: #prefix }));
    }
}

impl ToTokens for Range {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { first, last } = self;
        tokens.extend(quote!(::carthage::model::Range4 { first: #first, last: #last }));
    }
}

/// An IPv4 address.
pub(crate) fn address(text: &str) -> Checked<Address> {
    if let Some((address, _)) = text.split_once('/') {
        return Err(format!("an address has no prefix length: the network's is used; write `{address}`"));
    }
    let wrong = || format!("`{text}` is not an IPv4 address, such as `10.37.0.2`");
    let mut parameters = [const { None }; 4];
    let mut numbers = Vec::new();
    for (i, number) in text.split('.').enumerate() {
        let Some(parameter) = number.strip_prefix('{') else {
            numbers.push(number);
            continue;
        };
        let parameter = parameter.strip_suffix('}').filter(|name| syn::parse_str::<Ident>(name).is_ok());
        let parameter = parameter.ok_or_else(|| {
            format!("`{number}` is no parameter; one stands for a whole number of an address: `10.{{K}}.0.2`")
        })?;
        *parameters.get_mut(i).ok_or_else(wrong)? = Some(parameter.to_owned());
        numbers.push("1");
    }
    let value = numbers.join(".").parse().map_err(|_| wrong())?;
    Ok(Address { value, parameters })
}

/// A subnet such as `10.37.0.0/24`.
pub(crate) fn cidr(text: &str) -> Checked<Cidr> {
    let Some((address_text, prefix_text)) = text.split_once('/') else {
        address(text)?;
        return Err(format!(
            "`{text}` has no prefix length; write `{text}/24` for a network of 254 addresses"
        ));
    };
    let address = address(address_text)?;
    let prefix = prefix_text.parse::<u8>().ok().filter(|prefix| *prefix <= 32);
    let Some(prefix) = prefix else {
        return Err(format!("`/{prefix_text}` is not a prefix length; IPv4 has `/0` to `/32`"));
    };
    let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
    let network = Ipv4Addr::from_bits(address.value.to_bits() & mask);
    if network != address.value && address.known().is_some() {
        return Err(format!("`{text}` is an address inside a network; the network is `{network}/{prefix}`"));
    }
    Ok(Cidr { network: address, prefix })
}

/// Addresses such as `10.37.0.5-10.37.0.25`.
pub(crate) fn range(text: &str) -> Checked<Range> {
    let Some((first, last)) = text.split_once('-') else {
        if let Ok(Cidr { network, prefix: prefix @ 1..=30 }) = cidr(text)
            && network.known().is_some()
        {
            let network = network.value.to_bits();
            let last = Ipv4Addr::from_bits((network | (u32::MAX >> prefix)) - 1);
            let first = Ipv4Addr::from_bits(network + 1);
            return Err(format!(
                "`{text}` is a network; a range names the first and the last address: `{first}-{last}`"
            ));
        }
        address(text)?;
        return Err(format!(
            "`{text}` is one address; a range names the first and the last: `{text}-{text}`"
        ));
    };
    let (first_text, last_text) = (first.trim(), last.trim());
    let (first, last) = (address(first_text)?, address(last_text)?);
    if first.value > last.value {
        return Err(format!("the range is reversed; write `{last_text}-{first_text}`"));
    }
    Ok(Range { first, last })
}

/// One address, or a range for an array of machines.
pub(crate) fn addresses(text: &str) -> Checked<Range> {
    if text.contains('-') {
        return range(text);
    }
    address(text).map(|address| Range { first: address.clone(), last: address })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subnet_names_its_network() {
        let network = Address::of(Ipv4Addr::new(10, 37, 0, 0));
        assert_eq!(cidr("10.37.0.0/24"), Ok(Cidr { network, prefix: 24 }));
        assert_eq!(cidr("0.0.0.0/0"), Ok(Cidr::any()));
        assert!(cidr("10.37.0.5/24").unwrap_err().ends_with("the network is `10.37.0.0/24`"));
        assert!(cidr("10.37.0.0").unwrap_err().contains("no prefix length"));
        assert!(cidr("10.37.0.0/33").unwrap_err().contains("/32"));
        assert!(cidr("10.37.0/24").unwrap_err().contains("`10.37.0` is not an IPv4 address"));
    }

    #[test]
    fn a_range_goes_up() {
        assert!(range("10.0.0.1-10.0.0.9").is_ok() && addresses("10.0.0.1").is_ok());
        assert!(range("10.0.0.9-10.0.0.1").unwrap_err().ends_with("write `10.0.0.1-10.0.0.9`"));
        assert!(range("10.0.0.9").is_err() && addresses("10.0.0.1-x").is_err());
    }

    #[test]
    fn a_parameter_is_a_number() {
        let tokens = cidr("10.{K}.0.0/24").unwrap().to_token_stream().to_string();
        assert!(
            tokens.contains("new (10u8 , :: carthage :: model :: octet (K as u64) , 0u8 , 0u8)"),
            "{tokens}"
        );
        assert!(range("10.{K}.0.5-10.{K}.0.9").is_ok() && addresses("10.0.{A}.{B}").is_ok());
        for wrong in ["10.{K.0.0", "10.{}.0.0", "10.{1}.0.0", "10.{K}.0.0.{K}", "10.{K}x.0.0", "{K}"] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }
}
