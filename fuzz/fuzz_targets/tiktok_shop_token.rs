//! `fuzz::tiktok_shop_token` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz::tiktok_shop_token(input));
