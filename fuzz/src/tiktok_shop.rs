//! The answers of TikTok Shop's token host, and of its open API to a question for the shops.

use std::collections::HashSet;

use serde_json::Value;
use shop_keyring::{
    marketplace::{
        Authorizer, ExchangeError,
        http::RawAnswer,
        tiktok_shop::{
            answer::{Call, meaning},
            open_api::CallError,
            shops::read,
        },
    },
    time::Timestamp,
};

use crate::{
    MARK,
    answers::{answer, check_fault, check_tokens, is_answered, marked, said},
    names::{check_segment, reads_back},
};

/// Codes that may speak against the seller's code or token.
const PERMANENT: [i64; 4] = [36_004_001, 36_004_004, 36_004_005, 36_009_004];

/// When the response arrives.
const NOW: Timestamp = Timestamp(1_796_000_000);

fn is_success(answer: &RawAnswer, said: &Value) -> bool {
    is_answered(answer) && said["code"] == 0
}

/// The answer to an exchange or a refresh.
pub fn tiktok_shop_token(input: &[u8]) {
    let answer = answer(input);
    let Some(said) = said(&answer) else { return };
    for call in [Call::ExchangeCode, Call::Refresh] {
        let read = |answer: &RawAnswer| meaning(call, Ok(answer.clone()));
        match read(&answer) {
            Ok(data) => {
                assert!(is_success(&answer, &said), "tokens of what is not a success");
                let tokens = data.tokens(NOW);
                check_tokens(&tokens);
                assert_eq!(said["data"]["access_token"], tokens.access_token.expose());
                if let Ok(granted) = read(&answer).expect("it was read before").granted(NOW) {
                    check_tokens(&granted.tokens);
                    if let Authorizer::Seller(seller) = granted.seller {
                        check_segment(seller.id.as_str());
                        assert_eq!(said["data"]["open_id"], seller.id.as_str());
                    }
                }
            }
            Err(error) => check_error(&error, &answer, &said),
        }
        if let Err(error) = read(&marked(&answer)) {
            assert!(!format!("{error} {error:?}").contains(MARK), "an error repeats the answer");
        }
    }
}

fn check_error(error: &ExchangeError, answer: &RawAnswer, said: &Value) {
    let success = is_success(answer, said);
    match error {
        ExchangeError::Refused { refused } => {
            assert!(!success, "a success is a refusal");
            assert!(said["code"].as_i64().is_some_and(|code| PERMANENT.contains(&code)), "{refused:?}");
            check_fault(&refused.fault);
        }
        ExchangeError::Transient { fault, .. } => {
            assert!(!success, "the token of a success is thrown away as if nothing had been spent");
            check_fault(fault);
        }
        ExchangeError::Configuration { fault } => {
            assert!(!success, "a success speaks against the configuration");
            check_fault(fault);
        }
        ExchangeError::OutcomeUnknown { fault, .. } => check_fault(fault),
        ExchangeError::NoAnswerFrom { .. } => panic!("TikTok Shop has one token host"),
    }
}

/// The answer to the question for the shops.
pub fn tiktok_shop_shops(input: &[u8]) {
    let answer = answer(input);
    let Some(said) = said(&answer) else { return };
    match read(&answer) {
        Ok(shops) => {
            assert!(is_success(&answer, &said), "shops of what is not a success");
            let ids: HashSet<_> = shops.iter().map(|shop| &shop.id).collect();
            assert_eq!(ids.len(), shops.len(), "a shop is there twice");
            for shop in &shops {
                check_segment(shop.id.as_str());
                reads_back(shop);
            }
        }
        Err(error) => {
            let speaks_of_the_token = matches!(error, CallError::TokenRefused(_) | CallError::Inactive(_));
            assert!(!speaks_of_the_token || is_answered(&answer), "{error:?}");
            let says_nothing =
                matches!(error, CallError::Unreachable(_) | CallError::RateLimited { .. } | CallError::Failed(_));
            assert!(says_nothing || said["code"] != 0, "{error:?}");
            check_fault(&error.into_fault());
        }
    }
    if let Err(error) = read(&marked(&answer)) {
        assert!(!format!("{error:?}").contains(MARK), "an error repeats the answer");
    }
}
