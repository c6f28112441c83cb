//! `fuzz::sweep_event` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::sweep_event(input));
