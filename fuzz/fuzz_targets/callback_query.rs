//! `fuzz::callback_query` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::callback_query(input));
