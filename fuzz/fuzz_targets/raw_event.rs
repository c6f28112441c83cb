//! `fuzz::raw_event` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::raw_event(input));
