//! What must hold for every parser of outside input, as ordinary functions of bytes.
//!
//! The same functions run twice. `cargo test` runs each over its seeds and over some thousand mutations of them, on
//! stable Rust; `make fuzz` has libFuzzer look for more, with the thin targets in `fuzz_targets/`. So this crate is a
//! member of the workspace: one lock file, one set of lints, and a property that breaks is seen without nightly Rust.
//! Only the targets need libFuzzer, and are built only with the feature `libfuzzer-sys`.
//!
//! A property panics where it does not hold. Beyond that a parser must not panic:
//! - what is accepted reads back the same, and is safe where it will stand;
//! - an error never repeats what was read, for it may be a token, and a secret is never printed;
//! - a marketplace's answer gives tokens only if it is a success, and a success never says "refused for good".
//!
//! Inputs are as readable as they can be: see `seeds/`. Where one needs two things, the first line is one of them.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "test support: what does not hold ends the test"
)]

mod answers;
mod browser;
mod callback_query;
mod configuration;
mod event;
mod list_query;
mod names;
mod raw_event;
mod registry;
mod return_url;
mod stored;
mod temu;
mod temu_form;
mod tiktok_shop;
mod webhook;

pub use browser::cookie;
pub use callback_query::callback_query;
pub use configuration::configuration;
pub use event::sweep_event;
pub use list_query::list_query;
pub use names::{names, path};
pub use raw_event::raw_event;
pub use registry::registry;
pub use return_url::return_url;
pub use stored::{connection_item, session_items, token_set};
pub use temu::{temu_token_create, temu_token_info};
pub use temu_form::{pasted_token, temu_form};
pub use tiktok_shop::{tiktok_shop_shops, tiktok_shop_token};
pub use webhook::webhook;

/// What must hold for one input.
pub type Property = fn(&[u8]);

/// Every property, with the name of its target in `fuzz_targets/` and of its directory in `seeds/`.
pub const PROPERTIES: [(&str, Property); 20] = [
    ("callback_query", callback_query),
    ("configuration", configuration),
    ("connection_item", connection_item),
    ("cookie", cookie),
    ("list_query", list_query),
    ("names", names),
    ("pasted_token", pasted_token),
    ("path", path),
    ("raw_event", raw_event),
    ("registry", registry),
    ("return_url", return_url),
    ("session_items", session_items),
    ("sweep_event", sweep_event),
    ("temu_form", temu_form),
    ("temu_token_create", temu_token_create),
    ("temu_token_info", temu_token_info),
    ("tiktok_shop_shops", tiktok_shop_shops),
    ("tiktok_shop_token", tiktok_shop_token),
    ("token_set", token_set),
    ("webhook", webhook),
];

/// A text that no error has of its own: one that shows it has repeated its input.
const MARK: &str = "~marked~";

/// The first line of an input, and what comes after it.
fn first_line(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}
