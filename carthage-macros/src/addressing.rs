//! The addresses of a network, and whether they fit together: all of them stand in one attribute.

use std::net::Ipv4Addr;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use crate::capability::Capability;
use crate::errors::Errors;
use crate::ipv4::Address;
use crate::link::Named;
use crate::literal::{self, Cidr, Range};
use crate::options::{Options, TextOrType};
use crate::tokens::respan;
use crate::words;

/// What else than a link may stand there.
const GATEWAY: (&str, &str) = ("an address", "10.37.0.1");
const BRIDGE: (&str, &str) = ("an interface of the host", "br0");

/// Reads them; answers the builder calls, and adds what they ask of the implementation.
pub(crate) fn addressing(
    options: &mut Options,
    needs: &mut Vec<Capability>,
    errors: &mut Errors,
) -> TokenStream {
    let before = errors.count();
    let v4 = options.text("v4", literal::cidr, errors);
    let pool = options.text("pool", literal::range, errors);
    let dhcp = options.text("dhcp", literal::range, errors);
    let gateway_at = options.span("gateway");
    let (gateway, gateway_link) = match options.text_or_type("gateway", literal::address, errors) {
        Some(TextOrType::Text(address)) => (Some(address), None),
        Some(TextOrType::Type(link)) => (None, errors.keep(Named::of(&link, "gateway", GATEWAY))),
        None => (None, None),
    };
    let mut calls = TokenStream::new();
    if let Some(mtu) = options.number("mtu", literal::mtu, errors) {
        calls.extend(quote!(.mtu(#mtu)));
    }
    let at = options.span("vlan");
    if let (Some(span), Some(vlan)) = (at, options.number("vlan", words::vlan, errors)) {
        calls.extend(quote!(.vlan(#vlan)));
        needs.push(Capability::new("Vlans", span));
    }
    if let Some(span) = options.span("bridge") {
        match options.text_or_type("bridge", literal::interface, errors) {
            Some(TextOrType::Text((bridge, _))) => calls.extend(quote!(.bridge(#bridge))),
            Some(TextOrType::Type(link)) => {
                let link = errors.keep(Named::of(&link, "bridge", BRIDGE)).map(|link| link.expand());
                calls.extend(link.map(|link| quote!(.bridge_link(#link))));
            }
            None => {}
        }
        needs.push(Capability::new("Bridges", span));
    }
    // With a parameter they are known when the tree is checked.
    if options.sound
        && errors.count() == before
        && let Some(known) = Known::of(v4.as_ref(), [&pool, &dhcp], gateway.as_ref())
    {
        known.check(errors);
    }
    if !options.sound || errors.count() > before {
        // Whatever was meant: no link is wrong because of it.
        let (v4, pool) = (Cidr::any(), Range::any());
        return quote!(.v4(#v4).pool(#pool));
    }
    let here = |tokens: &dyn ToTokens, span: Span| respan(tokens.to_token_stream(), span);
    let mut call = |name: &str, tokens: TokenStream| {
        let name = Ident::new(name, Span::call_site());
        calls.extend(quote!(.#name(#tokens)));
    };
    if let Some((v4, span)) = &v4 {
        call("v4", here(v4, *span));
    }
    if let Some((pool, span)) = &pool {
        call("pool", here(pool, *span));
    }
    if let Some((dhcp, span)) = &dhcp {
        call("dhcp", here(dhcp, *span));
        needs.push(Capability::new("Dhcp", *span));
    }
    if let Some((gateway, span)) = &gateway {
        call("gateway", here(gateway, *span));
        needs.push(Capability::new("Gateways", *span));
    }
    if let (Some(link), Some(span)) = (&gateway_link, gateway_at) {
        call("gateway_link", link.expand());
        needs.push(Capability::new("Gateways", span));
    }
    calls
}

/// The addresses, none of which depends on a parameter.
struct Known {
    fits: Fits,
    pool: Option<(Ends, Span)>,
    dhcp: Option<(Ends, Span)>,
    gateway: Option<(Ipv4Addr, Span)>,
}

/// The ends of a range.
#[derive(Clone, Copy)]
struct Ends {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

impl Known {
    fn of(
        v4: Option<&(Cidr, Span)>,
        [pool, dhcp]: [&Option<(Range, Span)>; 2],
        gateway: Option<&(Address, Span)>,
    ) -> Option<Self> {
        let ends = |range: &Option<(Range, Span)>| match range {
            None => Some(None),
            Some((range, span)) => {
                let ends = Ends { first: range.first.known()?, last: range.last.known()? };
                Some(Some((ends, *span)))
            }
        };
        let v4 = match v4 {
            None => None,
            Some((v4, _)) => Some((v4.network.known()?, v4.prefix)),
        };
        let gateway = match gateway {
            None => None,
            Some((gateway, span)) => Some((gateway.known()?, *span)),
        };
        Some(Self { fits: Fits { v4 }, pool: ends(pool)?, dhcp: ends(dhcp)?, gateway })
    }

    fn check(self, errors: &mut Errors) {
        let Self { fits, pool, dhcp, gateway } = self;
        fits.range("pool", pool, errors);
        fits.range("dhcp", dhcp, errors);
        fits.gateway(gateway, errors);
        apart(pool, dhcp, gateway, errors);
    }
}

/// What addresses must fit into.
struct Fits {
    v4: Option<(Ipv4Addr, u8)>,
}

impl Fits {
    /// The first and the last address that a machine can have.
    fn usable((network, prefix): (Ipv4Addr, u8)) -> (Ipv4Addr, Ipv4Addr) {
        let (first, last) = Self::ends((network, prefix));
        let reserved = u32::from(prefix < 31);
        (Ipv4Addr::from_bits(first.to_bits() + reserved), Ipv4Addr::from_bits(last.to_bits() - reserved))
    }

    /// The first and the last address of all.
    fn ends((network, prefix): (Ipv4Addr, u8)) -> (Ipv4Addr, Ipv4Addr) {
        let host = u32::MAX.checked_shr(u32::from(prefix)).unwrap_or(0);
        (network, Ipv4Addr::from_bits(network.to_bits() | host))
    }

    fn range(&self, name: &str, given: Option<(Ends, Span)>, errors: &mut Errors) {
        let Some((Ends { first, last }, span)) = given else { return };
        let Some(v4) = self.v4 else {
            let message = format!("`{name}` is a part of the network; write `v4 = \"…/…\"` beside it");
            return errors.push(syn::Error::new(span, message));
        };
        let (lowest, highest) = Self::ends(v4);
        let (usable_first, usable_last) = Self::usable(v4);
        let wrong = if first < lowest || last > highest {
            "is not inside the network"
        } else if first < usable_first || last > usable_last {
            "has the network's or the broadcast address of"
        } else {
            return;
        };
        let message = format!(
            "`{name} = \"{first}-{last}\"` {wrong} {}/{}\nwrite a part of `{usable_first}-{usable_last}`",
            v4.0, v4.1
        );
        errors.push(syn::Error::new(span, message));
    }

    fn gateway(&self, given: Option<(Ipv4Addr, Span)>, errors: &mut Errors) {
        let Some((gateway, span)) = given else { return };
        let Some(v4) = self.v4 else {
            let message = "a gateway is an address of the network; write `v4 = \"…/…\"` beside it";
            return errors.push(syn::Error::new(span, message));
        };
        let (lowest, highest) = Self::ends(v4);
        let (first, last) = Self::usable(v4);
        let wrong = if gateway < lowest || gateway > highest {
            "is outside of the network"
        } else if gateway < first {
            "is the network address of"
        } else if gateway > last {
            "is the broadcast address of"
        } else {
            return;
        };
        let message =
            format!("the gateway {gateway} {wrong} {}/{}\nwrite one of `{first}-{last}`", v4.0, v4.1);
        errors.push(syn::Error::new(span, message));
    }
}

/// What gives addresses out gives none twice.
fn apart(
    pool: Option<(Ends, Span)>,
    dhcp: Option<(Ends, Span)>,
    gateway: Option<(Ipv4Addr, Span)>,
    errors: &mut Errors,
) {
    if let (Some((pool, _)), Some((dhcp, span))) = (pool, dhcp)
        && pool.first <= dhcp.last
        && dhcp.first <= pool.last
    {
        let message = format!(
            "the DHCP server and the pool {}-{} would give out the same addresses; write ranges that are apart",
            pool.first, pool.last
        );
        errors.push(syn::Error::new(span, message));
    }
    for (name, range) in [("pool", pool), ("DHCP range", dhcp)] {
        if let (Some((range, _)), Some((gateway, span))) = (range, gateway)
            && (range.first..=range.last).contains(&gateway)
        {
            let message = format!(
                "the gateway {gateway} is in the {name} {}-{}, and would be given to a machine; write one beside it",
                range.first, range.last
            );
            errors.push(syn::Error::new(span, message));
        }
    }
}
