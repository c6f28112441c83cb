//! `fuzz::connection_item` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::connection_item(input));
