//! A target under libFuzzer: `FULMAR_FUZZ_TARGET` names it, `list` prints all names. Built and run by `cargo xtask fuzz`, which instruments our crates for it.

#![no_main]
#![allow(unsafe_code, reason = "the macro exports the function that libFuzzer calls")]

use std::sync::LazyLock;

static TARGET: LazyLock<&fuzz::Target> = LazyLock::new(|| {
    let name = std::env::var("FULMAR_FUZZ_TARGET").unwrap_or_default();
    if name == "list" {
        fuzz::TARGETS.iter().for_each(|target| println!("{}", target.name));
        std::process::exit(0);
    }
    fuzz::find(&name)
});

libfuzzer_sys::fuzz_target!(
    init: {
        fuzz::plant(&TARGET);
    },
    |bytes: &[u8]| {
        (TARGET.run)(bytes);
    }
);
