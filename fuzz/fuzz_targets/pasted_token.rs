//! `fuzz::pasted_token` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::pasted_token(input));
