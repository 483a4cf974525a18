//! The arguments of `#[machine_model]` that say what a machine is made of.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::capability::Capability;
use crate::errors::Errors;
use crate::literal;
use crate::options::{self, Known, Options};
use crate::own_options;
use crate::words;

/// The arguments.
pub(crate) const OPTIONS: [Known; 16] = [
    options::number("memory_mb", "memory_mb = 256"),
    options::number("cpus", "cpus = 2"),
    options::text("root", "root = \"/srv/roots/debian\""),
    options::text("image", "image = \"docker.io/library/debian:12\""),
    options::text("kernel", "kernel = \"/boot/vmlinuz\""),
    options::text("initrd", "initrd = \"/boot/initrd.img\""),
    options::text("kernel_args", "kernel_args = \"quiet\""),
    options::numbers("disk_sizes", "disk_sizes = [10, 20]"),
    options::groups("disk_config", "disk_config = [(size_gib = 10), (path = \"/srv/data.img\", readonly)]"),
    options::text("disk_cache", "disk_cache = \"none\""),
    options::text("firmware_type", "firmware_type = \"uefi\""),
    options::text("architecture", "architecture = \"x86_64\""),
    options::flag("hardware_tpm", "hardware_tpm"),
    options::flag("nested_virt", "nested_virt"),
    options::flag("console_needed", "console_needed"),
    options::flag("cloud_init", "cloud_init"),
];

const DISK: &[Known] = &[
    options::number("size_gib", "size_gib = 10"),
    options::text("path", "path = \"/srv/data.img\""),
    options::flag("cdrom", "cdrom"),
    options::text("bus", "bus = \"virtio\""),
    options::text("cache", "cache = \"none\""),
    options::flag("readonly", "readonly"),
    options::expression("options", "options = Stripes { count: 4 }"),
];

/// Reads them; answers the builder calls for the hardware, and adds what they ask of the implementation.
pub(crate) fn read(options: &mut Options, needs: &mut Vec<Capability>, errors: &mut Errors) -> TokenStream {
    let mut calls = TokenStream::new();
    let limits = ["memory_mb", "cpus"].into_iter().find_map(|name| options.span(name));
    needs.extend(limits.map(|span| Capability::new("Limits", span)));
    if let Some(memory) = options.number("memory_mb", literal::positive, errors) {
        calls.extend(quote!(.memory_mb(#memory)));
    }
    if let Some(cpus) = options.number("cpus", literal::processors, errors) {
        calls.extend(quote!(.cpus(#cpus)));
    }
    if let Some((root, span)) = options.text("root", literal::host_path, errors) {
        calls.extend(quote!(.root(#root)));
        needs.push(Capability::new("DirectoryRoot", span));
    }
    if let Some((image, span)) = options.text("image", literal::image, errors) {
        calls.extend(quote!(.image(#image)));
        needs.push(Capability::new("Images", span));
    }
    calls.extend(boot(options, needs, errors));
    calls.extend(disks(options, needs, errors));
    let engine = quote!(::carthage::machine::engine);
    if let Some((firmware, span)) = options.text("firmware_type", words::firmware, errors) {
        let firmware = Ident::new(firmware, span);
        calls.extend(quote!(.firmware_type(#engine::Firmware::#firmware)));
        needs.push(Capability::new("FirmwareType", span));
    }
    if let Some((architecture, span)) = options.text("architecture", words::architecture, errors) {
        let architecture = Ident::new(architecture, span);
        calls.extend(quote!(.architecture(#engine::Architecture::#architecture)));
        needs.push(Capability::new("Architecture", span));
    }
    for (flag, capability) in [
        ("hardware_tpm", "Tpm"),
        ("nested_virt", "NestedVirt"),
        ("console_needed", "Console"),
        ("cloud_init", "CloudInit"),
    ] {
        if let Some(span) = options.flag(flag) {
            let flag = Ident::new(flag, Span::call_site());
            calls.extend(quote!(.#flag()));
            needs.push(Capability::new(capability, span));
        }
    }
    calls
}

/// A kernel that is started directly.
fn boot(options: &mut Options, needs: &mut Vec<Capability>, errors: &mut Errors) -> TokenStream {
    let mut calls = TokenStream::new();
    let boots = options.span("kernel").is_some();
    if let Some((kernel, span)) = options.text("kernel", literal::host_path, errors) {
        calls.extend(quote!(.kernel(#kernel)));
        needs.push(Capability::new("KernelBoot", span));
    }
    for argument in ["initrd", "kernel_args"] {
        if let Some(span) = options.span(argument).filter(|_| !boots) {
            let message =
                format!("`{argument}` belongs to a kernel that is started directly; write `kernel = \"…\"`");
            errors.push(syn::Error::new(span, message));
        }
    }
    if let Some((initrd, _)) = options.text("initrd", literal::host_path, errors) {
        calls.extend(quote!(.initrd(#initrd)));
    }
    if let Some((arguments, _)) = options.text("kernel_args", |text| Ok(text.to_owned()), errors) {
        calls.extend(quote!(.kernel_args(#arguments)));
    }
    calls
}

/// Disks beyond the root, said in one of two ways.
fn disks(options: &mut Options, needs: &mut Vec<Capability>, errors: &mut Errors) -> TokenStream {
    let mut calls = TokenStream::new();
    let sizes = options.numbers("disk_sizes", literal::positive, errors);
    let config = options.groups("disk_config");
    if let (Some(_), Some((_, span))) = (&sizes, &config) {
        errors.push(syn::Error::new(
            *span,
            "`disk_sizes` and `disk_config` both say which disks there are; leave `disk_sizes` out, and write `(size_gib = …)` for each of them",
        ));
        // Whichever was meant: nothing more is wrong because of it.
        return calls;
    }
    if let Some((sizes, span)) = sizes {
        calls.extend(quote!(.disk_sizes(&[#(#sizes),*])));
        needs.push(Capability::new("Disks", span));
    }
    if let Some((groups, span)) = config {
        let disks: Vec<_> = groups.into_iter().map(|group| disk(&group, needs, errors)).collect();
        calls.extend(quote!(.disk_config(&[#(#disks),*])));
        needs.push(Capability::new("DiskConfig", span));
    }
    if let Some((cache, span)) = options.text("disk_cache", words::disk_cache, errors) {
        let cache = Ident::new(cache, span);
        calls.extend(quote!(.disk_cache(::carthage::machine::engine::DiskCache::#cache)));
        needs.push(Capability::new("DiskCache", span));
    }
    calls
}

/// `(size_gib = 10, cache = "none")`
fn disk(group: &proc_macro2::Group, needs: &mut Vec<Capability>, errors: &mut Errors) -> TokenStream {
    let mut options = Options::parse_in("a disk", DISK, group.stream(), errors);
    let sized = options.span("size_gib").is_some() || options.span("path").is_some();
    if !sized && options.sound {
        let message = "say how large this disk is, `size_gib = 10`, or which file it is, `path = \"…\"`";
        errors.push(syn::Error::new(group.span(), message));
    }
    let engine = quote!(::carthage::machine::engine);
    let mut calls = TokenStream::new();
    if let Some(size) = options.number("size_gib", literal::positive, errors) {
        calls.extend(quote!(.size_gib(#size)));
    }
    if let Some((path, _)) = options.text("path", literal::host_path, errors) {
        calls.extend(quote!(.path(#path)));
    }
    if let Some((bus, span)) = options.text("bus", words::disk_bus, errors) {
        let bus = Ident::new(bus, span);
        calls.extend(quote!(.bus(#engine::DiskBus::#bus)));
    }
    if let Some((cache, span)) = options.text("cache", words::disk_cache, errors) {
        let cache = Ident::new(cache, span);
        calls.extend(quote!(.cache(#engine::DiskCache::#cache)));
    }
    for flag in ["cdrom", "readonly"] {
        if options.flag(flag).is_some() {
            let flag = Ident::new(flag, Span::call_site());
            calls.extend(quote!(.#flag()));
        }
    }
    if let Some(node) = options.expr("options").and_then(|expr| own_options::node(&expr, needs, errors)) {
        calls.extend(quote!(.options(&[#node])));
    }
    quote!(::carthage::model::Disk::ANY #calls)
}
