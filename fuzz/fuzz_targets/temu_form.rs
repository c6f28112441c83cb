//! `fuzz::temu_form` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::temu_form(input));
