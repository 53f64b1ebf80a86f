//! Everything that reads bytes from outside, as functions of bytes: each *target* feeds its input to a parser and asserts what the parser
//! promises (a total is kept, what is written is read again, a refusal names the thing). `make test` runs every target over its seeds and
//! mutations of them, the same in every run; `cargo xtask fuzz` lets libFuzzer look for inputs that reach new code.
//!
//! Invariant: a target never panics, whatever the bytes: a panic is a fault of what it drives, and is mended there.

mod contacts;
mod files;
mod mutate;
mod outside;
mod paper;
mod pictures;
mod plans;
mod program;
mod restore;
mod words;

pub use mutate::Mutations;
pub use program::settle;

/// Something that reads bytes from outside.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// As `cargo xtask fuzz` knows it.
    pub name: &'static str,
    /// Reads an input and asserts.
    pub run: fn(&[u8]),
    /// Inputs that get far, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many mutations `make test` tries: what a second or two allow.
    pub runs: usize,
}

const fn target(name: &'static str, runs: usize, run: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target { name, run, seeds, runs }
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("orders_csv", 2_000, files::orders_csv, files::orders_csv_seeds),
    target("skus_csv", 2_000, files::skus_csv, files::skus_csv_seeds),
    target("olist", 1_000, files::olist, files::olist_seeds),
    target("online_retail", 2_000, files::online_retail, files::online_retail_seeds),
    target("numbers", 4_000, words::numbers, words::number_seeds),
    target("times", 4_000, words::times, words::time_seeds),
    target("ids", 4_000, words::ids, words::id_seeds),
    target("address", 2_000, contacts::address, contacts::address_seeds),
    target("phone", 2_000, contacts::phone, contacts::phone_seeds),
    target("email", 4_000, contacts::email, contacts::email_seeds),
    target("gateway_webhook", 2_000, outside::gateway_webhook, outside::gateway_seeds),
    target("carrier_webhook", 2_000, outside::carrier_webhook, outside::carrier_seeds),
    target("answers", 2_000, outside::answers, outside::gateway_seeds),
    target("barcode", 2_000, paper::barcode, paper::barcode_seeds),
    target("label", 2_000, paper::label, paper::label_seeds),
    target("picture", 500, pictures::picture, pictures::picture_seeds),
    target("plan_file", 100, plans::file, plans::file_seeds),
    target("api", 400, program::api, program::api_seeds),
    target("order_json", 200, program::order_json, program::order_seeds),
    target("mail_template", 200, program::mail_template, program::template_seeds),
    target("webhook_taken", 200, program::webhook_taken, program::webhook_seeds),
    target("restore", 40, restore::restore, restore::restore_seeds),
];

/// The target of a name.
///
/// # Panics
/// When there is none.
pub fn find(name: &str) -> &'static Target {
    TARGETS.iter().find(|t| t.name == name).unwrap_or_else(|| panic!("there is no target {name}"))
}

/// Writes the seeds of a target into the folder that `FULMAR_FUZZ_SEEDS` names, from where libFuzzer reads them.
///
/// # Panics
/// When it cannot be written.
pub fn plant(target: &Target) {
    let Some(folder) = std::env::var_os("FULMAR_FUZZ_SEEDS").map(std::path::PathBuf::from) else { return };
    for (number, seed) in (target.seeds)().iter().enumerate() {
        std::fs::write(folder.join(format!("seed-{number}")), seed)
            .expect("the folder of seeds can be written");
    }
}

/// Seeds that are texts.
fn texts(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The bytes as text, where they are one.
fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What no text of ours may hold: control characters other than tab and line ends.
fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| c < ' ' && !"\t\n\r".contains(c) || c == '\u{7f}')
}
