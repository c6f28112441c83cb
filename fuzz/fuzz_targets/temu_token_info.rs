//! `fuzz::temu_token_info` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::temu_token_info(input));
