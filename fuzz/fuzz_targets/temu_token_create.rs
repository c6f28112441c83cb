//! `fuzz::temu_token_create` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::temu_token_create(input));
